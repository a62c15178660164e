import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Aggregates } from '../src/aggregates/aggregates.js'
import type { MetricPoint } from '../src/aggregates/point.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG, type Config } from '../src/config/config.js'
import { generateScenario } from '../src/generate/generate.js'
import { Probe } from '../src/pipeline/probe.js'
import { DatabaseServer } from './helpers/databases.js'
import { totalOf } from './helpers/ladder-run.js'
import { requirePrograms } from './helpers/programs.js'
import { pcapOf } from './helpers/replay.js'
import { closeSink, openSink } from './influx/helpers.js'

const CONFIG: Config = {
  ...DEFAULT_CONFIG,
  sites: [{ name: 'site, with "odd" name=1', networks: ['10.1.0.0/16'] }],
  trunks: [{ name: 'carrier a', addresses: ['198.51.100.0/24'] }],
}
const CAPTURE = pcapOf(
  generateScenario({
    seed: 3,
    start: '2024-03-01T09:59:30Z',
    calls: [
      {
        repeat: { count: 5, spacing_s: 9 },
        duration_s: 30,
        caller: { address: '10.1.0.5' },
        callee: { address: '198.51.100.7' },
        media: { both: { codec: 'PCMA', loss: { random_percent: 2 }, jitter: { uniform_ms: 15 } } },
      },
      { at_s: 3, status: 503, caller: { address: '10.1.0.6' }, callee: { address: '198.51.100.7' } },
    ],
    registrations: [{ at_s: 5, auth: true }],
  }).packets,
)

/** Reads the capture and writes its aggregates to the database. */
async function replayInto(url: string): Promise<MetricPoint[]> {
  const points: MetricPoint[] = []
  const { sink } = await openSink({ url })
  const aggregates = new Aggregates(CONFIG, (due) => {
    points.push(...due)
    sink.add(due)
  })
  const probe = new Probe(CONFIG, 'file', () => undefined, [aggregates])
  const source = new MemorySource(CAPTURE)
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  aggregates.finish()
  expect(await sink.drain(20_000)).toBeUndefined()
  expect(sink.counters().rejected).toBe(0)
  await closeSink(sink)
  return points
}

describe.skipIf(!requirePrograms('influxd'))('aggregates in InfluxDB 1.x', () => {
  let server: DatabaseServer
  let points: MetricPoint[]

  beforeAll(async () => {
    server = await DatabaseServer.influxd()
    points = await replayInto(`${server.url}/voip`)
  }, 60_000)

  afterAll(() => server.remove())

  const query = <T>(text: string): Promise<T[]> => server.client('voip').query<T>(text)

  it('are a point each, and no more after the same file is read again', async () => {
    const counted = async (): Promise<number[]> => [
      await server.count('voip', 'voip_traffic', 'packets'),
      await server.count('voip', 'voip_traffic_1m', 'packets'),
      await server.count('voip', 'voip_traffic_1h', 'packets'),
      await server.count('voip', 'voip_signalling', 'attempts'),
    ]
    const before = await counted()
    const of = (name: string): number => points.filter(({ measurement }) => measurement === name).length
    expect(before).toEqual([
      of('voip_traffic'),
      of('voip_traffic_1m'),
      of('voip_traffic_1h'),
      of('voip_signalling'),
    ])
    await replayInto(`${server.url}/voip`)
    expect(await counted()).toEqual(before)
  })

  it('give the shares and means of a period from sums, the same at every width', async () => {
    const expected = totalOf(points, 'voip_traffic')
    for (const measurement of ['voip_traffic', 'voip_traffic_1m', 'voip_traffic_1h']) {
      const [row] = await query<Record<string, number>>(
        `SELECT sum(packets) AS packets, sum(jitter_le_10_ms) / sum(jitter_count) AS calm, sum(mos_sum) / sum(mos_count) AS mos FROM ${measurement} WHERE trunk = 'carrier a'`,
      )
      expect(row.packets, measurement).toBe(expected.packets)
      expect(row.calm, measurement).toBeCloseTo(expected.jitter_le_10_ms / expected.jitter_count, 9)
      expect(row.mos, measurement).toBeCloseTo(expected.mos_sum / expected.mos_count, 3)
    }
  })

  it('keep an odd site name, and whole numbers as integers', async () => {
    const [tag] = await query<{ value: string }>('SHOW TAG VALUES FROM voip_traffic WITH KEY = caller_site')
    expect(tag.value).toBe('site, with "odd" name=1')
    const keys = await query<{ fieldKey: string; fieldType: string }>('SHOW FIELD KEYS FROM voip_traffic')
    const type = Object.fromEntries(keys.map(({ fieldKey, fieldType }) => [fieldKey, fieldType]))
    expect([type.packets, type.expected_packets, type.mos_lt_3_6, type.mos_mean]).toEqual([
      'integer',
      'integer',
      'integer',
      'float',
    ])
  })

  it('count six attempts, five answered, one refused with 503', async () => {
    const [row] = await query<Record<string, number>>(
      `SELECT sum(attempts) AS attempts, sum(answered) AS answered, sum(failed_server) AS failed, sum(call_s) AS call_s FROM voip_signalling_1m WHERE trunk = 'carrier a' AND leg = 'first'`,
    )
    expect([row.attempts, row.answered, row.failed]).toEqual([6, 5, 1])
    expect(row.call_s).toBeCloseTo(150, 3)
  })
})

describe.skipIf(!requirePrograms('victoria-metrics'))('aggregates in VictoriaMetrics', () => {
  it('are taken by line protocol, and sums come back', async () => {
    const server = await DatabaseServer.victoriaMetrics()
    try {
      const points = await replayInto(`${server.url}/voip`)
      const expected = totalOf(points, 'voip_traffic_1m').packets
      const until = Date.now() + 20_000
      let packets = NaN
      // It shows points about a second after it took them.
      while (packets !== expected && Date.now() < until) {
        await fetch(`${server.url}/internal/force_flush`)
        const url = new URL('/api/v1/query', server.url)
        url.searchParams.set('query', 'sum(sum_over_time(voip_traffic_1m_packets[1h]))')
        url.searchParams.set('time', '2024-03-01T10:30:00Z')
        const answer: unknown = await (await fetch(url)).json()
        packets = Number(/"value":\[[^,]*,"([^"]*)"/.exec(JSON.stringify(answer))?.[1])
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      expect(packets).toBe(expected)
    } finally {
      await server.remove()
    }
  }, 60_000)
})
