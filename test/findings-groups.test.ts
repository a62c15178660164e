import { describe, expect, it } from 'vitest'
import { FindingGroups } from '../src/aggregates/finding-groups.js'
import { FindingWindows } from '../src/aggregates/finding-windows.js'
import { findingPoints } from '../src/aggregates/finding-points.js'
import type { MetricPoint } from '../src/aggregates/point.js'
import { EXAMPLE_CALL } from '../src/calls/record-examples.js'
import { RECORD_SCHEMA, type CallRecord, type FindingCode } from '../src/calls/records.js'
import type { CallSpec } from '../src/generate/scenario.js'
import { replayScenario } from './helpers/replay.js'

/** 17:00 UTC. */
const FIVE = Date.UTC(2026, 2, 2, 17)

interface Made extends Partial<CallRecord> {
  code?: FindingCode
  minute: number
  codec?: string
}

let made = 0

function call({ code, minute, codec = 'PCMA', ...fields }: Made): CallRecord {
  const severity = 'critical'
  return {
    type: 'call',
    schema: RECORD_SCHEMA,
    call_id: `call-${made++}`,
    probe: 'test',
    start: new Date(FIVE + minute * 60_000).toISOString(),
    state: 'completed',
    quality: code === undefined ? 'good' : 'broken',
    caller_address: '10.0.0.1',
    callee_address: '10.0.0.2',
    media: { from_caller: { packets: 100, bytes: 17_200, codec, dscp: 46 } },
    findings: code === undefined ? [] : [{ code, severity, confidence: 'high', evidence: {}, message: code }],
    validity: {},
    ...fields,
  }
}

function grouped(calls: readonly CallRecord[]): FindingGroups {
  const groups = new FindingGroups()
  for (const record of calls) {
    groups.onTime(Date.parse(record.start) + 60_000)
    groups.onCallClosed(undefined, record)
  }
  return groups
}

function times(count: number, make: (n: number) => CallRecord): CallRecord[] {
  return Array.from({ length: count }, (_, n) => make(n))
}

describe('the same finding over many calls', () => {
  const onTrunkA = [
    ...times(40, (n) => call({ minute: n, trunk: 'A' })),
    ...times(80, (n) => call({ minute: n, trunk: 'B' })),
    ...times(14, (n) => call({ minute: 62 + n, trunk: 'A', code: 'one_way_audio' })),
    call({ minute: 64, trunk: 'B', code: 'one_way_audio' }),
  ]

  it('14 of 15 cross trunk A since 18:02', () => {
    const [summary] = grouped(onTrunkA).summary()
    expect(summary).toMatchObject({ code: 'one_way_audio', severity: 'critical', calls: 15, of_calls: 135 })
    expect(summary.message).toBe(
      '14 of 15 calls with one_way_audio cross trunk A since 18:02 (14 of 54 calls there, 1 of 81 elsewhere).',
    )
    expect(summary.groups[0]).toEqual({
      dimension: 'trunk',
      value: 'A',
      calls: 14,
      of_calls: 54,
      calls_elsewhere: 1,
      of_calls_elsewhere: 81,
      since: '2026-03-02T18:02:00.000Z',
    })
    expect(summary.call_ids).toHaveLength(3)
  })

  it('and so do the bad calls, whatever was found in them', () => {
    expect(grouped(onTrunkA).badCalls()?.message).toMatch(/^14 of 15 bad calls cross trunk A since 18:02/)
  })

  it.each<[string, (bad: boolean) => Partial<Made>, string]>([
    ['codec', (bad) => ({ codec: bad ? 'G729' : 'PCMA' }), 'use G729'],
    [
      'user_agent',
      (bad) => ({ sip: { user_agents: { caller: bad ? 'Phone 2.1' : 'Phone 2.0', callee: 'SBC' } } }),
      'involve Phone 2.1',
    ],
    [
      'site_pair',
      (bad) => ({ caller_site: 'berlin', callee_site: bad ? 'lyon' : 'paris' }),
      'are between sites berlin → lyon',
    ],
    ['host', (bad) => ({ callee_address: bad ? '10.0.0.9' : '10.0.0.2' }), 'involve 10.0.0.9'],
  ])('trouble on one %s only is named', (dimension, fields, words) => {
    const calls = [
      ...times(30, (n) => call({ minute: n, ...fields(false) })),
      ...times(6, (n) => call({ minute: n, code: 'random_loss', ...fields(true) })),
    ]
    const [summary] = grouped(calls).summary()
    expect(summary.groups[0]).toMatchObject({ dimension, calls: 6, of_calls: 6, calls_elsewhere: 0 })
    expect(summary.message).toContain(words)
  })

  it('a stretch of time is named when nothing else is common', () => {
    const calls = [
      ...times(100, (n) => call({ minute: n })),
      ...times(8, (n) => call({ minute: 40 + n, code: 'burst_loss' })),
    ]
    const [summary] = grouped(calls).summary()
    expect(summary.groups).toMatchObject([{ dimension: 'time', calls: 8 }])
    expect(summary.message).toContain('began within 17:40–17:47 UTC')
  })

  it.each<[string, CallRecord[]]>([
    [
      'all calls cross the same trunk',
      times(40, (n) => call({ minute: n, trunk: 'A', code: n % 4 ? undefined : 'random_loss' })),
    ],
    [
      'it hits both trunks alike',
      times(60, (n) =>
        call({ minute: n, trunk: n % 2 ? 'A' : 'B', code: n % 6 < 2 ? 'random_loss' : undefined }),
      ),
    ],
    [
      'there are two such calls',
      [
        ...times(50, (n) => call({ minute: n, trunk: 'B' })),
        ...times(2, (n) => call({ minute: n * 30, trunk: 'A', code: 'random_loss' })),
      ],
    ],
    [
      'it hits one trunk more often, but not three times as often (42 of 100 against 18 of 100)',
      [
        ...times(100, (n) => call({ minute: n, trunk: 'A', code: n % 50 < 21 ? 'random_loss' : undefined })),
        ...times(100, (n) => call({ minute: n, trunk: 'B', code: n % 50 < 9 ? 'random_loss' : undefined })),
      ],
    ],
    [
      'chance does as much (3 of 9 against 0 of 3: once in 2.6 times)',
      [
        ...times(9, (n) => call({ minute: n, trunk: 'A', code: n % 3 ? undefined : 'random_loss' })),
        ...times(3, (n) => call({ minute: n, trunk: 'B' })),
      ],
    ],
  ])('nothing is made of it when %s', (_name, calls) => {
    const [summary] = grouped(calls).summary()
    expect(summary.groups.filter(({ dimension }) => dimension !== 'time')).toEqual([])
    expect(summary.message).toMatch(/^\d+ of \d+ calls have random_loss\.$/)
  })

  it('a window sees only what closed in it', () => {
    const groups = grouped(onTrunkA)
    expect(groups.within(FIVE, FIVE + 3_600_000)).toEqual([])
    const [summary] = groups.within(FIVE + 3_600_000, FIVE + 2 * 3_600_000)
    expect(summary.calls).toBe(15)
    expect(summary.of_calls).toBeLessThan(60)
  })

  it('of more calls than are held the last ones are grouped', () => {
    const groups = new FindingGroups()
    const good = call({ minute: 0 })
    const bad = call({ minute: 1, code: 'no_media' })
    groups.onCallClosed(undefined, bad)
    for (let n = 0; n < 100_000; n++) groups.onCallClosed(undefined, good)
    expect(groups.summary()).toEqual([])
    groups.onCallClosed(undefined, bad)
    expect(groups.summary()[0]).toMatchObject({ calls: 1, of_calls: 100_000 })
  })
})

describe('findings as points', () => {
  it('one for each finding, with tags of few values only', () => {
    const [point] = findingPoints(EXAMPLE_CALL)
    expect(point.measurement).toBe('voip_finding')
    expect(Object.keys(point.tags).sort()).toEqual([
      'callee_site',
      'caller_site',
      'code',
      'codec',
      'confidence',
      'direction',
      'dscp_class',
      'probe',
      'severity',
      'trunk',
    ])
    expect(point.fields).toMatchObject({ count: 1, call_id: EXAMPLE_CALL.call_id })
  })

  it('windows of five minutes give one point for each finding, the same in every replay', () => {
    const run = (): MetricPoint[] => {
      const points: MetricPoint[] = []
      const windows = new FindingWindows('test', (some) => points.push(...some))
      for (let minute = 0; minute < 12; minute++) {
        windows.onTime(FIVE + minute * 60_000)
        const records = times(4, (n) =>
          call({ minute, trunk: n === 0 ? 'A' : 'B', call_id: `${minute}-${n}` }),
        )
        records.push(call({ minute, trunk: 'A', code: 'one_way_audio', call_id: `${minute}-bad` }))
        for (const record of records) windows.onCallClosed(record)
      }
      windows.finish()
      return points
    }
    const points = run()
    expect(points).toEqual(run())
    expect(points.map(({ timeMs, tags }) => [(timeMs - FIVE) / 60_000, tags.code])).toEqual([
      [0, 'one_way_audio'],
      [0, 'bad_call'],
      [5, 'one_way_audio'],
      [5, 'bad_call'],
    ])
    expect(points[0].tags.dimension).toBe('trunk')
    expect(points[0].fields).toMatchObject({
      calls: 5,
      of_calls: 25,
      shared: 'A',
      shared_calls: 5,
      shared_of_calls: 10,
    })
  })
})

describe('the summary of a run', () => {
  const trunk = (name: string, address: string): { name: string; addresses: string[] } => ({
    name,
    addresses: [address],
  })

  it('names the trunk that one-way calls cross', async () => {
    const calls: CallSpec[] = [
      { duration_s: 8, repeat: { count: 6, spacing_s: 12 }, callee: { address: '198.51.100.1' } },
      {
        at_s: 5,
        duration_s: 8,
        repeat: { count: 4, spacing_s: 12 },
        callee: { address: '198.51.100.2' },
        media: { from_callee: { no_media: true } },
      },
    ]
    const { summary } = await replayScenario(
      { seed: 1, calls },
      { trunks: [trunk('good', '198.51.100.1'), trunk('bad', '198.51.100.2')] },
    )
    expect(summary.findings?.[0].message).toMatch(/^4 of 4 calls with one_way_audio cross trunk bad since/)
    expect(summary.bad_calls).toMatchObject({ calls: 4, of_calls: 10 })
  })

  it('holds failed registrations, which have no call', async () => {
    const { summary } = await replayScenario({
      seed: 1,
      registrations: [
        { user: 'alice', repeat: { count: 5, spacing_s: 20 } },
        { user: 'bob', status: 403, auth: true, repeat: { count: 3, spacing_s: 20 } },
      ],
    })
    expect(summary.findings).toMatchObject([
      { code: 'registration_failed', severity: 'warning', confidence: 'high', calls: 3, of_calls: 8 },
    ])
    expect(summary.findings?.[0].message).toContain('3 × 403')
  })

  it('says nothing of registrations that were challenged and then accepted', async () => {
    const { summary } = await replayScenario({
      seed: 1,
      registrations: [{ user: 'alice', auth: true, repeat: { count: 5, spacing_s: 20 } }],
    })
    expect(summary.findings).toEqual([])
  })
})
