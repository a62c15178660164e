import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Aggregates } from '../src/aggregates/aggregates.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG, type Config } from '../src/config/config.js'
import { generateScenario } from '../src/generate/generate.js'
import type { ProbeRecord } from '../src/calls/records.js'
import { Probe } from '../src/pipeline/probe.js'
import { DatabaseServer } from './helpers/databases.js'
import { requirePrograms } from './helpers/programs.js'
import { pcapOf } from './helpers/replay.js'
import { closeSink, openSink } from './influx/helpers.js'

const CONFIG: Config = {
  ...DEFAULT_CONFIG,
  trunks: [
    { name: 'good', addresses: ['198.51.100.1'] },
    { name: 'bad', addresses: ['198.51.100.2'] },
  ],
}

/** Five good calls over one trunk, four over the other that nobody answers with media. */
const CAPTURE = pcapOf(
  generateScenario({
    seed: 3,
    start: '2024-03-01T10:00:00Z',
    calls: [
      { duration_s: 8, repeat: { count: 5, spacing_s: 12 }, callee: { address: '198.51.100.1' } },
      {
        at_s: 5,
        duration_s: 8,
        repeat: { count: 4, spacing_s: 12 },
        callee: { address: '198.51.100.2' },
        media: { from_callee: { no_media: true } },
      },
    ],
  }).packets,
)

async function replayInto(url: string): Promise<void> {
  const { sink } = await openSink({ url })
  const aggregates = new Aggregates(CONFIG, (due) => sink.add(due))
  const emit = (record: ProbeRecord): void => {
    if (record.type === 'call') aggregates.addCall(record)
    sink.addRecord(record)
  }
  const probe = new Probe(CONFIG, 'file', emit, [aggregates])
  const source = new MemorySource(CAPTURE)
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  aggregates.finish()
  expect(await sink.drain(20_000)).toBeUndefined()
  expect(sink.counters().rejected).toBe(0)
  await closeSink(sink)
}

describe.skipIf(!requirePrograms('influxd'))('findings in InfluxDB 1.x', () => {
  let server: DatabaseServer

  beforeAll(async () => {
    server = await DatabaseServer.influxd()
    // Twice, as after a replay that was repeated.
    await replayInto(`${server.url}/voip`)
    await replayInto(`${server.url}/voip`)
  }, 60_000)

  afterAll(() => server.remove())

  const query = <T>(text: string): Promise<T[]> => server.client('voip').query<T>(text)

  it('are counted by code and trunk', async () => {
    const rows = await query<{ code: string; trunk: string; sum: number }>(
      'SELECT sum("count") AS "sum" FROM "voip_finding" GROUP BY "code", "trunk"',
    )
    expect(rows.map(({ code, trunk, sum }) => [code, trunk, sum])).toEqual([['one_way_audio', 'bad', 4]])
  })

  it('say what the affected calls share, window by window', async () => {
    const rows = await query<{
      code: string
      dimension: string
      shared: string
      calls: number
      message: string
    }>('SELECT * FROM "voip_finding_group" WHERE "code" = \'one_way_audio\'')
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({ dimension: 'trunk', shared: 'bad', calls: 4, of_calls: 9 })
    expect(rows[0].message).toMatch(/^4 of 4 calls with one_way_audio cross trunk bad since 10:00/)
  })
})
