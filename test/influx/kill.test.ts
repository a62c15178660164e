import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DatabaseServer } from '../helpers/databases.js'
import { requirePrograms } from '../helpers/programs.js'
import { transpile } from '../helpers/transpiled.js'

/** CALLPROBE_KILLS=100 looks longer. */
const KILLS = Number(process.env.CALLPROBE_KILLS ?? 12)

const here = requirePrograms('influxd')
let server: DatabaseServer
let code = ''
let spools = ''

beforeAll(async () => {
  if (!here) return
  code = transpile(['test/influx/writer.ts'])
  spools = mkdtempSync(join(tmpdir(), 'callprobe-kill-'))
  server = await DatabaseServer.influxd()
})

afterAll(async () => {
  if (!here) return
  await server.remove()
  for (const folder of [code, spools]) rmSync(folder, { recursive: true, force: true })
})

/** A writer is killed behind so many at most: they come every few milliseconds, on a slow disk every tenth of a second. */
const MOST_ACKNOWLEDGEMENTS = 24

/** @returns the calls that an acknowledgement says are safe, one each */
function acknowledgements(out: string): number[] {
  return [...out.matchAll(/^ack (\d+)$/gm)].map(([, number]) => Number(number))
}

/**
 * Runs the writer until it is killed, `afterMs` behind its first word or, if there are more than none to wait for, behind
 * that many acknowledgements. @returns calls that it was told are safe
 */
function writeUntilKilled(run: number, heard: number, afterMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [
      join(code, 'test/influx/writer.js'),
      `${server.url}/voip`,
      spools,
      `${run}`,
    ])
    let out = ''
    let talk = ''
    let timer: NodeJS.Timeout | undefined
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString('latin1')
      if (acknowledgements(out).length < heard) return
      timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs)
    })
    child.stderr.on('data', (piece: Buffer) => (talk += piece.toString('utf8')))
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`ended by itself: ${talk}`))
      resolve(Math.max(0, ...acknowledgements(out)))
    })
  })
}

function drain(): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = [join(code, 'test/influx/writer.js'), `${server.url}/voip`, spools, '0', 'drain']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString('utf8')))
    child.on('close', (status) =>
      status === 0 ? resolve(out) : reject(new Error(`drain ended with ${status}`)),
    )
  })
}

/** Numbers of the run's calls in the database, each as often as it is there. */
async function callsOf(run: number): Promise<number[]> {
  const rows = await server
    .client('voip')
    .query<{ call_id: string }>(`SELECT call_id FROM voip_call WHERE call_id =~ /^run-${run}-/`)
  return rows.map(({ call_id }) => Number(call_id.slice(call_id.lastIndexOf('-') + 1))).sort((a, b) => a - b)
}

describe.skipIf(!here)('a probe that is killed with -9', () => {
  it(
    `loses nothing that was acknowledged, and writes nothing twice, ${KILLS} times`,
    { timeout: 60_000 + KILLS * 5000 },
    async () => {
      const acknowledged: number[] = []
      for (let run = 0; run < KILLS; run++) {
        // Also with a server that is away: then everything is in the spool only.
        if (run % 4 === 2) await server.stop('SIGKILL')
        // Every third one at its very beginning.
        const heard = run % 3 === 1 ? 0 : Math.ceil(Math.random() * MOST_ACKNOWLEDGEMENTS)
        acknowledged.push(await writeUntilKilled(run, heard, Math.random() * 30))
        if (run % 4 === 2) await server.start()
      }
      const counters: unknown = JSON.parse(await drain())
      expect(counters).toMatchObject({ spooledPoints: 0, droppedOldest: 0, droppedUnwritten: 0, rejected: 0 })
      expect(acknowledged.filter((count) => count > 0).length).toBeGreaterThanOrEqual(
        Math.floor((2 * KILLS) / 3),
      )
      for (const [run, count] of acknowledged.entries()) {
        const calls = await callsOf(run)
        expect(calls.length).toBe(new Set(calls).size)
        const missing = Array.from({ length: count }, (_, i) => i).filter((number) => !calls.includes(number))
        expect([run, count, missing]).toEqual([run, count, []])
      }
    },
  )
})
