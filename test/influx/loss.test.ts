import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InfluxSink } from '../../src/sinks/influx/sink.js'
import { DatabaseServer } from '../helpers/databases.js'
import { requirePrograms, requireRoot } from '../helpers/programs.js'
import { call, openSink, temporaryFolder } from './helpers.js'

const here = requirePrograms('influxd')
const root = requireRoot()
let server: DatabaseServer

beforeAll(async () => {
  if (here) server = await DatabaseServer.influxd()
})

afterAll(async () => {
  if (here) await server.remove()
})

/** Numbers that do not compress, as those of many callers. */
function add(sink: InfluxSink, number: number): void {
  const media = { from_caller: { packets: 1, bytes: 172 } }
  const caller = Array.from({ length: 40 }, () => Math.floor(Math.random() * 36).toString(36)).join('')
  sink.addRecord(call(number, { media, caller }))
}

/** Calls of a database by number. */
async function callsIn(database: string): Promise<number[]> {
  const rows = await server.client(database).query<{ call_id: string }>('SELECT call_id FROM voip_call')
  return rows.map(({ call_id }) => Number(call_id.slice('call-'.length))).sort((a, b) => a - b)
}

async function pointsIn(database: string): Promise<number> {
  const [calls, media] = await Promise.all(
    ['voip_call', 'voip_media'].map((name) => server.count(database, name, 'call_id')),
  )
  return calls + media
}

describe.skipIf(!here)('while an InfluxDB is stopped', () => {
  it('a spool at its bound counts exactly what is missing in the database afterwards', async () => {
    const { sink } = await openSink(
      { url: `${server.url}/bound` },
      { mostSpoolBytes: 60_000, segmentBytes: 6000 },
    )
    for (let number = 0; number < 100; number++) add(sink, number)
    expect(await sink.drain(10_000)).toBeUndefined()
    await server.stop('SIGKILL')
    for (let number = 100; number < 3000; number++) {
      add(sink, number)
      if (number % 50 === 49) await sink.acknowledged()
    }
    await server.start()
    expect(await sink.drain(20_000)).toBeUndefined()
    const { droppedOldest, droppedUnwritten, rejected } = sink.counters()
    expect(droppedOldest).toBeGreaterThan(1000)
    expect([droppedUnwritten, rejected]).toEqual([0, 0])
    expect((await pointsIn('bound')) + droppedOldest).toBe(6000)
    // What was there before, and the latest without a gap.
    const kept = (await callsIn('bound')).filter((number) => number >= 100)
    expect(kept.at(-1)).toBe(2999)
    expect(kept.at(-1)! - kept[0] + 1).toBe(kept.length)
  }, 40_000)

  it.skipIf(!root)(
    'a full disk costs nothing that was acknowledged, and the rest is in the database or counted',
    async () => {
      const disk = temporaryFolder()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk])
      try {
        const { sink } = await openSink(
          { url: `${server.url}/full` },
          { spoolDirectory: disk, segmentBytes: 40_000 },
        )
        add(sink, 0)
        expect(await sink.drain(10_000)).toBeUndefined()
        await server.stop('SIGKILL')
        let count = 1
        while (sink.counters().spoolWriteFailures === 0 && count < 20_000) {
          for (let i = 0; i < 20; i++) add(sink, count++)
          sink.flush()
          await pause(2)
        }
        await pause(100)
        const { acknowledged, points } = sink.counters()
        expect(acknowledged).toBeGreaterThan(100)
        expect(acknowledged).toBeLessThan(points)
        await server.start()
        expect(await sink.drain(20_000)).toBeUndefined()
        const { droppedOldest, droppedUnwritten } = sink.counters()
        expect(droppedOldest).toBe(0)
        expect((await pointsIn('full')) + droppedUnwritten).toBe(2 * count)
        expect(await pointsIn('full')).toBeGreaterThanOrEqual(acknowledged)
      } finally {
        execFileSync('umount', ['-l', disk])
      }
    },
    40_000,
  )
})
