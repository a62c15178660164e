// What a running process and its database cost, second by second, from /proc, the disk and the database's own counters.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const TICKS_PER_S = 100 // USER_HZ

function ticks(path) {
  const fields = readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** CPU seconds of a process so far: in all, and of its first thread, which runs the JavaScript. */
export function cpuOf(pid) {
  return {
    all: ticks(`/proc/${pid}/stat`) / TICKS_PER_S,
    javascript: ticks(`/proc/${pid}/task/${pid}/stat`) / TICKS_PER_S,
  }
}

/**
 * Bytes below a spool's folder that the server does not have: its files less what lies before the position in `cursor`
 * (file number and offset as float64 at 4 and 12). A file goes when all of it was sent, so that sizes alone rise and fall.
 */
export function unsentBytes(folder) {
  let bytes = 0
  try {
    for (const name of readdirSync(folder, { recursive: true })) {
      const path = join(folder, name)
      const number = /(\d+)\.spool$/.exec(name)?.[1]
      if (number !== undefined) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0
      if (!/(^|\/)cursor$/.test(name)) continue
      const cursor = readFileSync(path)
      if (cursor.length === 24) bytes -= cursor.readDoubleLE(12)
    }
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return Math.max(0, bytes)
}

/** Points that an influxd 1.x was given so far. */
export async function pointsTaken(url) {
  const variables = await (await fetch(`${url}/debug/vars`)).json()
  return variables.write.values.pointReq
}

/** The first value of the answer to a statement. */
export async function ask(url, database, statement) {
  const body = new URLSearchParams({ q: statement, db: database })
  const answer = await (await fetch(`${url}/query`, { method: 'POST', body })).json()
  return answer.results[0].series ?? []
}
