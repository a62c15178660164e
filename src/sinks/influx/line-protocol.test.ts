import { describe, expect, it } from 'vitest'
import type { MetricPoint } from '../../aggregates/point.js'
import { MEASUREMENTS } from '../../aggregates/fields.js'
import {
  EXAMPLE_ALERT,
  EXAMPLE_CALL,
  EXAMPLE_INTERVAL,
  EXAMPLE_STREAM,
  EXAMPLE_SUMMARY,
} from '../../calls/record-examples.js'
import { FIELD_TYPES } from './field-types.js'
import { hashNanoseconds, nanosecondsOf, toLine } from './line-protocol.js'
import { PointTimes } from './point-times.js'
import { recordPoints } from './record-points.js'
import { SeriesBudget } from './series-budget.js'

function point(more: Partial<MetricPoint> = {}): MetricPoint {
  return { measurement: 'm', tags: {}, fields: { x: 1 }, timeMs: 1_772_442_910_000, key: '', ...more }
}

describe('line protocol', () => {
  it('is measurement, sorted tags, fields, and nanoseconds', () => {
    expect(toLine(point({ tags: { b: '2', a: '1' }, fields: { x: 1.5, y: true, z: 'text' } }))).toBe(
      'm,a=1,b=2 x=1.5,y=true,z="text" 1772442910000000000',
    )
  })

  it('escapes comma, equals and space in tags and keys, quote and backslash in strings', () => {
    const line = toLine(
      point({
        measurement: 'a b,c',
        tags: { 't g': 'v,a=l ue' },
        fields: { 'f,i=e ld': 'say "no", \\ or a=b' },
      }),
    )
    expect(line).toBe(
      'a\\ b\\,c,t\\ g=v\\,a\\=l\\ ue f\\,i\\=e\\ ld="say \\"no\\", \\\\ or a=b" 1772442910000000000',
    )
  })

  it('stays one line whatever a string holds', () => {
    const line = toLine(point({ tags: { t: 'a\nb\r' }, fields: { s: 'x\ny z=1 1\r\n\u0000\u007f' } }))
    expect(line).not.toMatch(/[\u0000-\u001f\u007f]/)
    expect(line).toBe('m,t=a\\ b\\  s="x y z=1 1    " 1772442910000000000')
  })

  it('never ends a tag value with a backslash, and never writes an empty one', () => {
    expect(toLine(point({ tags: { t: 'site\\', u: '' } }))).toBe(
      'm,t=site/,u=unknown x=1 1772442910000000000',
    )
  })

  it('keeps strings under the 64 KB of InfluxDB 1.x and 2.x, and characters whole', () => {
    const line = toLine(point({ fields: { s: '\u{1f4de}'.repeat(30_000) } }))
    expect(Buffer.byteLength(line)).toBeLessThan(64 * 1024)
    expect(Buffer.from(line, 'utf8').toString('utf8')).not.toContain('\ufffd')
    // Half a pair, as broken input may leave it, has no UTF-8: it is replaced, and nothing else is.
    expect(Buffer.from(toLine(point({ fields: { s: 'a\ud800b' } })), 'utf8').toString('utf8')).toContain(
      '"a\ufffdb"',
    )
  })

  it('leaves out what is unknown: undefined, NaN, infinities; a point without fields has no line', () => {
    expect(toLine(point({ fields: { x: NaN, y: undefined, z: 2 } }))).toBe('m z=2 1772442910000000000')
    expect(toLine(point({ fields: { x: Infinity } }))).toBe('')
    expect(toLine(point({ timeMs: NaN }))).toBe('')
  })

  it('writes one type per field, whatever value comes', () => {
    const tally = { fieldsOfOtherType: 0 }
    expect(toLine(point({ fields: { packets: 3, loss_percent: 2, mos_cq: 4.12345 } }))).toBe(
      'm packets=3i,loss_percent=2,mos_cq=4.1235 1772442910000000000',
    )
    expect(toLine(point({ fields: { packets: 'three', loss_percent: true, caller: 'x' } }), 0, tally)).toBe(
      'm caller="x" 1772442910000000000',
    )
    expect(tally.fieldsOfOtherType).toBe(2)
    // An integer has no exponent and no fraction.
    expect(toLine(point({ fields: { packets: 1e21, lost: 2.4, late: -0 } }))).toBe(
      'm lost=2i,late=0i 1772442910000000000',
    )
  })

  it('gives aggregates and records that share a field name one type for it', () => {
    for (const { fields } of Object.values(MEASUREMENTS))
      for (const [name, { type }] of Object.entries(fields))
        expect([name, FIELD_TYPES.get(name)]).toEqual([name, type])
  })

  it('writes times that no float64 holds, and those of a capture without a clock', () => {
    expect(toLine(point({ timeMs: 1_772_442_910_123.25 }))).toMatch(/ 1772442910123250000$/)
    expect(toLine(point({ timeMs: 0 }))).toBe('m x=1 0')
    expect(toLine(point({ timeMs: 12_000, key: 'k' }), 7)).toBe('m x=1 12000000007')
  })
})

describe('the time of a point', () => {
  it('is its second plus a hash of its key: the same in every run, within the second', () => {
    const one = point({ key: 'call-1', timeMs: 1_772_442_910_999 })
    expect(nanosecondsOf(one)).toBe(nanosecondsOf({ ...one, timeMs: 1_772_442_910_000 }))
    expect(toLine(one)).toMatch(/ 1772442910\d{9}$/)
    for (let i = 0; i < 1000; i++) expect(hashNanoseconds(`key-${i}`)).toBeLessThan(1e9)
  })

  it('spreads keys that differ little over the whole second', () => {
    const tenths = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) tenths[Math.floor(hashNanoseconds(`call-${i}\n2026`) / 1e8)]++
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('breaks ties by 1 ns, in the order of keys, whatever order the points come in', () => {
    const keys = ['c', 'a', 'b']
    const times = (order: readonly string[]) => {
      const points = order.map((key) => point({ key }))
      const nanoseconds = new PointTimes(() => 5).assign(
        points,
        points.map(() => 'm'),
      )
      return new Map(order.map((key, i) => [key, nanoseconds[i]]))
    }
    expect(times(keys)).toEqual(
      new Map([
        ['c', 7],
        ['a', 5],
        ['b', 6],
      ]),
    )
    expect(times([...keys].reverse()).get('c')).toBe(7)
  })

  it('breaks ties with points that came before, within the second and within the series', () => {
    const times = new PointTimes(() => 999_999_999)
    const a = point({ key: 'a' })
    expect(times.assign([a], ['m'])).toEqual([999_999_999])
    expect(times.assign([{ ...a, key: 'b' }], ['m'])).toEqual([0])
    expect(times.assign([{ ...a, key: 'b' }], ['m,t=1'])).toEqual([999_999_999])
    expect(times.assign([{ ...a, timeMs: a.timeMs + 1000 }], ['m'])).toEqual([999_999_999])
    expect(times.ties).toBe(1)
  })

  it('remembers a bounded number of times', () => {
    const times = new PointTimes(nanosecondsOf, 1000)
    for (let second = 0; second < 300; second++)
      times.assign(
        Array.from({ length: 50 }, (_, i) => point({ key: `${i}`, timeMs: second * 1000 })),
        new Array<string>(50).fill('m'),
      )
    expect(times.rememberedTimes).toBeLessThanOrEqual(1000)
  })
})

describe('records as points', () => {
  const [call, fromCaller, fromCallee] = recordPoints(EXAMPLE_CALL)

  it('are voip_call, a voip_media per direction and a voip_finding per finding, voip_interval, voip_alert; streams and summaries none', () => {
    expect(recordPoints(EXAMPLE_CALL).map(({ measurement }) => measurement)).toEqual([
      'voip_call',
      'voip_media',
      'voip_media',
      'voip_finding',
    ])
    expect(recordPoints(EXAMPLE_INTERVAL).map(({ measurement }) => measurement)).toEqual(['voip_interval'])
    expect(recordPoints(EXAMPLE_ALERT).map(({ measurement }) => measurement)).toEqual(['voip_alert'])
    expect(recordPoints(EXAMPLE_STREAM)).toEqual([])
    expect(recordPoints(EXAMPLE_SUMMARY)).toEqual([])
  })

  it('have tags only of few, known values: never a Call-ID, number, address, port or SSRC', () => {
    expect(call.tags).toEqual({
      probe: 'hq-1',
      caller_site: 'berlin',
      callee_site: 'unknown',
      trunk: 'carrier-a',
      state: 'completed',
      quality: 'poor',
      status_class: '2xx',
    })
    expect(fromCaller.tags).toMatchObject({ direction: 'from_caller', codec: 'PCMA', dscp_class: 'ef' })
    const odd = recordPoints({ ...EXAMPLE_INTERVAL, codec: 'my-codec-4711', trunk: undefined })[0]
    expect(odd.tags).toMatchObject({ codec: 'other', trunk: 'unknown' })
    expect(odd.fields.codec_name).toBe('my-codec-4711')
  })

  it('never share a name between a tag and a field', () => {
    for (const record of [EXAMPLE_CALL, EXAMPLE_INTERVAL, EXAMPLE_ALERT])
      for (const { tags, fields } of recordPoints(record))
        expect(Object.keys(tags).filter((name) => name in fields)).toEqual([])
  })

  it('lose nothing of a direction but the lists that become other fields', () => {
    const { ssrcs, loss_runs, codec, burst_events, ...plain } = EXAMPLE_CALL.media.from_caller ?? {
      packets: 0,
      bytes: 0,
    }
    expect(fromCaller.fields).toMatchObject(plain)
    expect(fromCaller.fields).toMatchObject({
      ssrcs: ssrcs?.join(' '),
      codec_name: codec,
      loss_runs_1: loss_runs?.[0],
      loss_runs_10: loss_runs?.[9],
      burst_events_count: burst_events?.length,
    })
    const { mos_model, ...interval } = plain
    expect(mos_model).toBeDefined()
    for (const name of ['packets', 'mos_cq', 'late_fixed50'] as const)
      expect(recordPoints(EXAMPLE_INTERVAL)[0].fields[name]).toBe(interval[name])
  })

  it('write every field as the type that its table says', () => {
    const tally = { fieldsOfOtherType: 0 }
    for (const record of [EXAMPLE_CALL, EXAMPLE_INTERVAL, EXAMPLE_ALERT])
      for (const one of recordPoints(record)) expect(toLine(one, 0, tally)).not.toBe('')
    expect(tally.fieldsOfOtherType).toBe(0)
  })

  it('lie at the end of the call, at the start of the interval, at the time of the alert', () => {
    expect(call.timeMs).toBe(Date.parse(EXAMPLE_CALL.end))
    expect(fromCallee.timeMs).toBe(call.timeMs)
    expect(recordPoints({ ...EXAMPLE_CALL, end: undefined })[0].timeMs).toBe(Date.parse(EXAMPLE_CALL.start))
    expect(recordPoints(EXAMPLE_INTERVAL)[0].timeMs).toBe(Date.parse(EXAMPLE_INTERVAL.start))
    expect(recordPoints(EXAMPLE_ALERT)[0].timeMs).toBe(Date.parse(EXAMPLE_ALERT.time))
  })

  it('put the worst finding first', () => {
    const finding = EXAMPLE_CALL.findings[0]
    const { fields } = recordPoints({
      ...EXAMPLE_CALL,
      findings: [
        { ...finding, severity: 'info', code: 'dscp_unmarked' },
        { ...finding, severity: 'critical', code: 'one_way_audio' },
      ],
    })[0]
    expect(fields).toMatchObject({
      findings: 'one_way_audio dscp_unmarked',
      findings_severity: 'critical',
      findings_count: 2,
    })
  })
})

describe('the number of series', () => {
  it('never exceeds its limit by more than combinations of fixed values, and the rest is counted under other', () => {
    const budget = new SeriesBudget(100)
    const series = new Set<string>()
    for (let i = 0; i < 5000; i++)
      for (const state of ['completed', 'failed'])
        series.add(
          budget.seriesFor(point({ tags: { caller_site: `site-${i}`, trunk: `t-${i % 7}`, state } })),
        )
    expect(series.size).toBe(102)
    expect(series).toContain('m,caller_site=other,state=failed,trunk=other')
    expect(budget.overBudget).toBe(10_000 - 100)
  })
})
