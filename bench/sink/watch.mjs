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

/** Bytes of all files below a folder; 0 while there is none. */
export function bytesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true })
      .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
      .reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0)
  } catch {
    return 0
  }
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
