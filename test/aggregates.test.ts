import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Aggregates } from '../src/aggregates/aggregates.js'
import { seriesBudgets } from '../src/aggregates/budget.js'
import { measurementsMarkdown } from '../src/aggregates/describe.js'
import { fieldsOf, TRAFFIC_FIELDS } from '../src/aggregates/fields.js'
import type { MetricPoint } from '../src/aggregates/point.js'
import { CODEC_TAGS } from '../src/aggregates/tags.js'
import type { CallRecord, IntervalRecord, ProbeRecord } from '../src/calls/records.js'
import { MemorySource } from '../src/capture/memory-source.js'
import { DEFAULT_CONFIG, type Config } from '../src/config/config.js'
import { generateScenario } from '../src/generate/generate.js'
import type { CallSpec, Scenario } from '../src/generate/scenario.js'
import { Probe } from '../src/pipeline/probe.js'
import { totalOf } from './helpers/ladder-run.js'
import { pcapOf } from './helpers/replay.js'

interface Run {
  points: MetricPoint[]
  intervals: IntervalRecord[]
  calls: CallRecord[]
  warnings: string[]
  counts: Aggregates['counts']
}

async function run(scenario: Scenario, config: Partial<Config> = {}): Promise<Run> {
  const inForce = { ...DEFAULT_CONFIG, ...config }
  const points: MetricPoint[] = []
  const records: ProbeRecord[] = []
  const warnings: string[] = []
  // eslint-disable-next-line prefer-const -- the probe and what asks it know each other
  let probe: Probe
  const aggregates = new Aggregates(inForce, (due) => points.push(...due), {
    counters: () => probe.health(),
    onWarning: (warning) => warnings.push(warning),
  })
  probe = new Probe(inForce, 'file', (record) => records.push(record), [aggregates])
  const source = new MemorySource(pcapOf(generateScenario(scenario).packets))
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  aggregates.finish()
  return {
    points,
    intervals: records.filter((record): record is IntervalRecord => record.type === 'interval'),
    calls: records.filter((record): record is CallRecord => record.type === 'call'),
    warnings,
    counts: aggregates.counts,
  }
}

/** Calls between two sites and over a trunk, with loss, bursts and holes, over three minutes. */
const TWO_SITES: Scenario = {
  seed: 7,
  start: '2024-01-01T11:58:57Z',
  calls: [
    ...Array.from({ length: 6 }, (_, n): CallSpec => ({
      at_s: 12.5 * n,
      duration_s: 75,
      caller: { address: `10.1.0.${n + 1}`, user: `10${n}` },
      callee: { address: `10.2.0.${n + 1}`, user: `20${n}` },
      media: {
        both: { codec: 'PCMA', loss: { random_percent: 1 } },
        from_caller: { jitter: { uniform_ms: 12 } },
        from_callee: { jitter: { spikes: { every_s: 3, size_ms: 90, packets: 4 } } },
      },
    })),
    {
      at_s: 5,
      duration_s: 40,
      caller: { address: '10.1.0.77' },
      callee: { address: '198.51.100.7' },
      media: { both: { codec: 'G729', dtx: { talk_s: 3, silence_s: 35 } } },
      hold: [{ at_s: 10, duration_s: 20 }],
    },
  ],
}
const PLACES: Partial<Config> = {
  sites: [
    { name: 'berlin', networks: ['10.1.0.0/16'] },
    { name: 'paris', networks: ['10.2.0.0/16'] },
  ],
  trunks: [{ name: 'carrier-a', addresses: ['198.51.100.0/24'] }],
}

const SUMS = {
  packets: 'packets',
  bytes: 'bytes',
  lost: 'lost',
  late: 'late',
  late_fixed50: 'late_fixed50',
  duplicates: 'duplicates',
  burst_seconds: 'burst_seconds',
  loss_bursts: 'burst_count',
} as const

describe('voip_traffic', () => {
  const traffic = run(TWO_SITES, PLACES)

  it('is the sum of the interval records, at every width', async () => {
    const { points, intervals } = await traffic
    for (const measurement of ['voip_traffic', 'voip_traffic_1m', 'voip_traffic_1h']) {
      const total = totalOf(points, measurement)
      for (const [field, recordField] of Object.entries(SUMS)) {
        const expected = intervals.reduce((sum, interval) => sum + Number(interval[recordField] ?? 0), 0)
        expect(total[field], `${measurement} ${field}`).toBe(expected)
      }
      expect(total.stream_intervals).toBe(intervals.length)
      expect(total.mos_count).toBe(intervals.filter(({ mos_cq }) => mos_cq !== undefined).length)
      expect(total.mos_lt_3_6).toBe(intervals.filter(({ mos_cq = 5 }) => mos_cq < 3.6).length)
      const mos = intervals.reduce((sum, { mos_cq = 0 }) => sum + mos_cq, 0)
      expect(total.mos_sum).toBeCloseTo(mos, 6)
    }
  })

  it('has a series for each site pair, trunk, codec and direction that had media', async () => {
    const { points } = await traffic
    const series = new Set(
      points
        .filter(({ measurement }) => measurement === 'voip_traffic_1h')
        .map(({ tags }) =>
          [tags.caller_site, tags.callee_site, tags.trunk, tags.codec, tags.direction].join(' '),
        ),
    )
    expect([...series].sort()).toEqual([
      'berlin paris unknown PCMA from_callee',
      'berlin paris unknown PCMA from_caller',
      'berlin unknown carrier-a G729 from_callee',
      'berlin unknown carrier-a G729 from_caller',
    ])
  })

  it('puts each interval where its record puts it', async () => {
    const { points, intervals } = await traffic
    const expected = new Map<number, number>()
    for (const { start, packets } of intervals)
      expected.set(Date.parse(start), (expected.get(Date.parse(start)) ?? 0) + packets)
    const got = new Map<number, number>()
    for (const { measurement, timeMs, fields } of points)
      if (measurement === 'voip_traffic') got.set(timeMs, (got.get(timeMs) ?? 0) + Number(fields.packets))
    expect([...got].sort()).toEqual([...expected].sort())
    expect(
      points
        .filter(({ measurement }) => measurement === 'voip_traffic_1h')
        .map(({ timeMs }) => new Date(timeMs).toISOString()),
    ).toContain('2024-01-01T12:00:00.000Z')
  })

  it('has the percentiles of the calls together: between the best and the worst of them, where most packets are', async () => {
    const { points, calls } = await traffic
    const hour = points.find(
      ({ measurement, tags, fields }) =>
        measurement === 'voip_traffic_1h' &&
        tags.callee_site === 'paris' &&
        tags.direction === 'from_caller' &&
        fields.jitter_p95_ms !== undefined,
    )
    const each = calls
      .filter((call) => call.callee_site === 'paris')
      .map((call) => call.media.from_caller?.jitter_p95_ms ?? NaN)
    expect(each).toHaveLength(6)
    expect(hour?.fields.jitter_p95_ms).toBeGreaterThanOrEqual(Math.min(...each) * 0.97)
    expect(hour?.fields.jitter_p95_ms).toBeLessThanOrEqual(Math.max(...each) * 1.03)
  })

  it('is the same, point by point, when the same packets are read again', async () => {
    const again = await run(TWO_SITES, PLACES)
    expect(again.points).toEqual((await traffic).points)
  })

  it('has points of its own for each run, time and series: none overwrites another', async () => {
    const { points } = await traffic
    const keys = points.map(({ measurement, tags, timeMs, key }) =>
      JSON.stringify([measurement, tags, timeMs, key]),
    )
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('writes whole numbers where it says integer, and only documented fields', async () => {
    const { points } = await traffic
    const own = points.filter(({ measurement }) => fieldsOf(measurement) !== undefined)
    expect(own.length).toBeGreaterThan(30)
    for (const { measurement, fields } of own)
      for (const [name, value] of Object.entries(fields)) {
        const definition = fieldsOf(measurement)?.[name]
        expect(definition, `${measurement} ${name}`).toBeDefined()
        if (value === undefined) continue
        expect(Number.isFinite(value), name).toBe(true)
        if (definition?.type === 'integer') expect(Number.isInteger(value), name).toBe(true)
      }
  })
})

describe('the series budget', () => {
  const manySites: Partial<Config> = {
    sites: Array.from({ length: 6 }, (_, n) => ({ name: `site ${n + 1}`, networks: [`10.1.0.${n + 1}`] })),
    aggregates: { series_budget: 16, registration_storm_per_s: 100 },
  }
  const manyCalls: Scenario = {
    calls: (['PCMA', 'PCMU', 'G729', 'G722'] as const).flatMap((codec, k) =>
      Array.from({ length: 6 }, (_, n): CallSpec => ({
        at_s: k * 20 + n,
        duration_s: 5,
        caller: { address: `10.1.0.${n + 1}` },
        callee: { address: `192.0.2.${n + 1}` },
        media: { both: { codec } },
      })),
    ),
  }

  it('holds however many combinations come, counts the rest under other, and says so once', async () => {
    const { points, warnings, counts } = await run(manyCalls, manySites)
    const series = new Set(
      points.filter((p) => p.measurement === 'voip_traffic').map(({ tags }) => JSON.stringify(tags)),
    )
    // 6 sites x 4 codecs x 2 directions would be 48.
    expect(series.size).toBe(16)
    expect(warnings).toEqual([expect.stringContaining('voip_traffic has used its 16 series')])
    expect(counts.seriesOther).toBeGreaterThan(0)
    const health = points.filter(({ measurement }) => measurement === 'voip_probe')
    expect(health.reduce((sum, { fields }) => sum + Number(fields.series_other), 0)).toBe(counts.seriesOther)
  })

  it('loses no packet by it', async () => {
    const { points, intervals } = await run(manyCalls, manySites)
    const packets = intervals.reduce((sum, interval) => sum + interval.packets, 0)
    expect(totalOf(points, 'voip_traffic').packets).toBe(packets)
    expect(totalOf(points, 'voip_traffic', { caller_site: 'other' }).packets).toBeGreaterThan(0)
  })

  it('is known beforehand from sites, trunks and codecs', () => {
    const config = { ...DEFAULT_CONFIG, ...PLACES }
    const [traffic, signalling] = seriesBudgets(config)
    expect(traffic.possible).toBe(3 * 3 * 2 * CODEC_TAGS.length * 2)
    expect(traffic.bound).toBe(Math.min(traffic.possible, 10_000))
    expect([signalling.possible, signalling.bound]).toEqual([4, 4])
  })
})

describe('voip_probe', () => {
  it('has every packet once, and its rate', async () => {
    const { points } = await run(TWO_SITES)
    const health = points.filter(({ measurement }) => measurement === 'voip_probe')
    const frames = generateScenario(TWO_SITES).packets
    expect(health.reduce((sum, { fields }) => sum + Number(fields.packets), 0)).toBe(frames.length)
    expect(health.reduce((sum, { fields }) => sum + Number(fields.bytes), 0)).toBe(
      frames.reduce((sum, { frame }) => sum + frame.length, 0),
    )
    const [first] = health
    const seconds = (first.timeMs - frames[0].timeMs) / 1000
    expect(first.fields.packets_per_s).toBeCloseTo(Number(first.fields.packets) / seconds, 6)
    expect(Math.max(...health.map(({ fields }) => Number(fields.calls)))).toBe(6)
  })
})

describe('docs/aggregates.md', () => {
  it('lists every measurement, tag and field as the code defines it', () => {
    const page = readFileSync(new URL('../docs/aggregates.md', import.meta.url), 'utf8')
    expect(page.slice(page.indexOf('### voip_traffic'))).toBe(measurementsMarkdown())
    expect(Object.keys(TRAFFIC_FIELDS).length).toBeGreaterThan(50)
  })
})
