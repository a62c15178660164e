import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { DatabaseServer } from '../helpers/databases.js'
import { requirePrograms } from '../helpers/programs.js'
import { transpile } from '../helpers/transpiled.js'

/** CALLPROBE_KILLS=100 looks longer. */
const KILLS = Number(process.env.CALLPROBE_KILLS ?? 10)
const CALLS = 120

const here = requirePrograms('influxd')
let server: DatabaseServer
let code = ''
let folder = ''

beforeAll(async () => {
  if (!here) return
  code = transpile(['src/cli/main.ts'])
  folder = mkdtempSync(join(tmpdir(), 'callprobe-replay-kill-'))
  server = await DatabaseServer.influxd()
  mkdirSync(join(code, 'bin'))
  writeFileSync(
    join(code, 'bin/callprobe.js'),
    "import { main } from '../src/cli/main.js'\nprocess.exitCode = await main(process.argv)\n",
  )
  const scenario = join(folder, 'scenario.yaml')
  writeFileSync(
    scenario,
    `seed: 5
start: 2024-01-01T00:00:05Z
calls:
  - call_id: call-{n}
    repeat: { count: ${CALLS}, spacing_s: 2 }
    duration_s: 12
    caller: { user: '10{n}', address: 198.51.100.1 }
    callee: { user: '20{n}', address: 203.0.113.10 }
    media: { both: { codec: PCMA, jitter: { uniform_ms: 4 }, loss: { random_percent: 1 } } }
`,
  )
  expect(await main(['node', 'callprobe', 'generate', scenario, join(folder, 'calls.pcap')])).toBe(0)
}, 30_000)

afterAll(async () => {
  if (!here) return
  await server.remove()
  for (const one of [code, folder]) rmSync(one, { recursive: true, force: true })
})

interface Ended {
  /** Exit code; null where a signal ended it. */
  status: number | null
  ms: number
  talk: string
}

/**
 * `callprobe replay --influx` as a process of its own, killed with -9 after so many milliseconds, if any, or as soon as
 * something lies in its spool.
 */
function replay(database: string, killAfterMs?: number | 'spooled'): Promise<Ended> {
  const settings = join(folder, `${database}.yaml`)
  writeFileSync(settings, `probe: tap-1\nspool: { directory: ${join(folder, database)} }\n`)
  return new Promise((resolve) => {
    const begun = performance.now()
    const child = spawn(
      process.execPath,
      [
        ...[join(code, 'bin/callprobe.js'), 'replay', '--workers', '1', '--config', settings],
        ...['--influx', `${server.url}/${database}`, '--format', 'ndjson', '--output', '/dev/null'],
        join(folder, 'calls.pcap'),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let talk = ''
    child.stderr.on('data', (piece: Buffer) => (talk += piece.toString('utf8')))
    const kill = () => child.kill('SIGKILL')
    const timer =
      killAfterMs === 'spooled'
        ? setInterval(() => segments(join(folder, database)).length > 0 && kill(), 5)
        : setTimeout(kill, killAfterMs ?? 2 ** 31 - 1)
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve({ status, ms: performance.now() - begun, talk })
    })
  })
}

/** Every point of a database with all its tags and fields, as text, by measurement. */
async function everything(database: string): Promise<Map<string, string[]>> {
  const client = server.client(database)
  const points = new Map<string, string[]>()
  for (const name of await client.getMeasurements()) {
    const rows = await client.query<Record<string, unknown> & { time: { getNanoTime(): string } }>(
      `SELECT * FROM "${name}"`,
    )
    const texts = rows.map((row) => `${row.time.getNanoTime()} ${JSON.stringify(Object.entries(row).sort())}`)
    points.set(name, texts.sort())
  }
  return points
}

/** Files with spooled points below a folder. */
function segments(path: string): string[] {
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
    (name) =>
      statSync(join(path, name), { throwIfNoEntry: false })?.isFile() === true && name.endsWith('.spool'),
  )
}

describe.skipIf(!here)('callprobe replay --influx that is killed with -9', () => {
  it(
    `${KILLS} times and then let run to its end leaves what one whole run writes, and an empty spool`,
    { timeout: 60_000 + KILLS * 5000 },
    async () => {
      const whole = await replay('whole')
      expect([whole.status, whole.talk]).toMatchObject([0, expect.any(String)])
      const expected = await everything('whole')
      expect(expected.get('voip_call')).toHaveLength(CALLS)
      expect(expected.get('voip_media')).toHaveLength(2 * CALLS)
      expect([...expected.keys()]).toEqual(expect.arrayContaining(['voip_interval', 'voip_traffic']))

      let killed = 0
      let left = 0
      for (let run = 0; run < KILLS; run++) {
        // From before the first packet to just behind the last; some with a server that is away, once something is spooled.
        const isAway = run % 4 === 2
        if (isAway) await server.stop('SIGKILL')
        const { status } = await replay('killed', isAway ? 'spooled' : whole.ms * (0.2 + 0.8 * Math.random()))
        if (status === null) killed++
        if (segments(join(folder, 'killed')).length > 0) left++
        if (isAway) await server.start()
      }
      expect(killed).toBeGreaterThan(KILLS / 2)
      expect(left).toBeGreaterThan(0)
      const last = await replay('killed')
      expect([last.status, last.talk]).toMatchObject([0, expect.not.stringMatching(/lost|dropped|kept in/)])

      const found = await everything('killed')
      expect([...found.keys()]).toEqual([...expected.keys()])
      for (const [name, points] of expected) expect([name, found.get(name)]).toEqual([name, points])
      expect(segments(join(folder, 'killed'))).toEqual([])
    },
  )
})
