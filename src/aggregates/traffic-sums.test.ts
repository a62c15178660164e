import { describe, expect, it } from 'vitest'
import { MediaTotals } from '../calls/media-totals.js'
import type { IntervalRecord } from '../calls/records.js'
import { bucketOf, jitterBucketOf } from '../rtp/histogram.js'
import { TRAFFIC_FIELDS } from './fields.js'
import { TrafficSums } from './traffic-sums.js'

/** An interval of one direction in which every packet had the same jitter and delay variation. */
function interval(
  packets: number,
  jitterMs: number,
  pdvMs: number,
  more: Partial<MediaTotals> = {},
): MediaTotals {
  const counts = new MediaTotals()
  counts.packets = counts.jitterUpdates = counts.measured = packets
  counts.jitterSum = packets * jitterMs
  counts.jitterMax = jitterMs
  counts.pdvMax = pdvMs
  counts.ptimeMs = 20
  counts.jitter[jitterBucketOf(jitterMs)] = packets
  counts.pdv[bucketOf(pdvMs)] = packets
  return Object.assign(counts, more)
}

function record(fields: Partial<IntervalRecord> = {}): IntervalRecord {
  return {
    type: 'interval',
    schema: 1,
    probe: 'p',
    call_id: 'c',
    direction: 'from_caller',
    start: '2024-01-01T00:00:00.000Z',
    end: '2024-01-01T00:00:10.000Z',
    packets: 0,
    bytes: 0,
    ...fields,
  }
}

/** A value that a histogram may give for `exact`: off by 3 % or 0.1 ms. */
function near(exact: number): unknown {
  return expect.closeTo(exact, -Math.log10(2 * Math.max(0.1, exact * 0.03)))
}

describe('sums of media', () => {
  it('give percentiles of all packets, not averages of percentiles', () => {
    const sums = new TrafficSums()
    sums.addInterval(record(), interval(900, 5, 8))
    sums.addInterval(record(), interval(100, 50, 120))
    const fields = sums.fields(true)
    // 95 % of 1000 packets is the 950th: one of the hundred. The mean of both p95 would be 27.5.
    expect(fields.jitter_p95_ms).toEqual(near(50))
    expect(fields.jitter_p50_ms).toEqual(near(5))
    expect(fields.jitter_mean_ms).toBeCloseTo((900 * 5 + 100 * 50) / 1000, 9)
    expect(fields.pdv_p50_ms).toEqual(near(8))
    expect(fields.pdv_p99_ms).toEqual(near(120))
    expect(fields.jitter_max_ms).toBe(50)
  })

  it('count packets at or under each edge, so that shares of any period come from sums', () => {
    const sums = new TrafficSums()
    sums.addInterval(record(), interval(100, 3, 3))
    sums.addInterval(record(), interval(10, 25, 45))
    sums.addInterval(record(), interval(1, 90, 700))
    const fields = sums.fields(true)
    expect([5, 10, 20, 30, 80, 100, 200].map((edge) => fields[`jitter_le_${edge}_ms`])).toEqual([
      100, 100, 100, 110, 110, 111, 111,
    ])
    expect([5, 40, 60, 500].map((edge) => fields[`pdv_le_${edge}_ms`])).toEqual([100, 100, 110, 110])
    expect([fields.jitter_count, fields.pdv_count]).toEqual([111, 111])
  })

  it('count intervals under each MOS, above each loss and delay', () => {
    const sums = new TrafficSums()
    for (const [mos, loss, delay] of [
      [4.41, 0, 90],
      [4.0, 1, 150],
      [3.59, 1.01, 260],
      [2.1, 20, 420],
    ])
      sums.addInterval(
        record({ mos_cq: mos, mos_lq: mos, loss_percent: loss, delay_p50_ms: delay }),
        interval(500, 1, 1),
      )
    const fields = sums.fields(true)
    expect([
      fields.mos_lt_2_6,
      fields.mos_lt_3_1,
      fields.mos_lt_3_6,
      fields.mos_lt_4_0,
      fields.mos_lt_4_3,
    ]).toEqual([1, 1, 2, 2, 3])
    expect([fields.loss_gt_0_5_percent, fields.loss_gt_1_percent, fields.loss_gt_10_percent]).toEqual([
      3, 2, 1,
    ])
    expect([fields.delay_gt_150_ms, fields.delay_gt_250_ms, fields.delay_gt_400_ms]).toEqual([2, 2, 1])
    expect(fields.mos_mean).toBeCloseTo((4.41 + 4.0 + 3.59 + 2.1) / 4, 9)
    expect([fields.mos_min, fields.mos_p5]).toEqual([2.1, expect.closeTo(2.1, 5)])
    expect(fields.mos_p50).toBeCloseTo(3.59, 1)
  })

  it('have a loss over all packets, and seconds of media that should have come', () => {
    const sums = new TrafficSums()
    sums.addInterval(record(), interval(499, 1, 1, { lost: 1, lateConfigured: 4 }))
    sums.addInterval(record(), interval(50, 1, 1, { lost: 50 }))
    const fields = sums.fields(true)
    expect(fields.loss_percent).toBeCloseTo((100 * 51) / 600, 9)
    expect(fields.late_percent).toBeCloseTo((100 * 4) / 600, 9)
    expect(fields.media_s).toBeCloseTo(12, 9)
  })

  it('are the same whether intervals are added to one, or merged from many', () => {
    const one = new TrafficSums()
    const parts = [new TrafficSums(), new TrafficSums(), new TrafficSums()]
    for (let k = 0; k < 30; k++) {
      const scores = record({
        mos_cq: 3 + k / 30,
        mos_lq: 4,
        loss_percent: k / 10,
        delay_p50_ms: 100 + 10 * k,
      })
      const counts = interval(100 + k, k + 0.5, 3 * k, { lost: k, lateFixed50: k, burstCount: 1 })
      one.addInterval(scores, counts)
      parts[k % 3].addInterval(scores, counts)
    }
    const merged = new TrafficSums()
    for (const part of parts) merged.merge(part)
    const expected: ReturnType<TrafficSums['fields']> = { ...one.fields(true), streams_peak: 10 }
    for (const [name, value] of Object.entries(merged.fields(true)))
      expect(value, name).toBeCloseTo(Number(expected[name]), 9)
  })

  it('have no ratio without denominator, and no more fields than are documented', () => {
    const empty = new TrafficSums().fields(true)
    for (const name of [
      'loss_percent',
      'jitter_p95_ms',
      'jitter_max_ms',
      'pdv_p50_ms',
      'mos_mean',
      'mos_min',
      'delay_mean_ms',
    ])
      expect(empty[name], name).toBeUndefined()
    const full = new TrafficSums()
    full.addInterval(record({ mos_cq: 4, mos_lq: 4, loss_percent: 0, delay_p50_ms: 100 }), interval(10, 1, 1))
    const written = Object.entries(full.fields(true)).filter(([, value]) => value !== undefined)
    expect(written.map(([name]) => name).sort()).toEqual(Object.keys(TRAFFIC_FIELDS).sort())
    for (const [name, value] of Object.entries(full.fields(false)))
      expect(value === undefined || TRAFFIC_FIELDS[name]?.merge !== 'derived', name).toBe(true)
  })
})
