import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { stream } from '../../test/differential/streams.js'
import { Random } from '../../test/differential/random.js'
import { MediaTotals } from '../calls/media-totals.js'
import { percentile } from './histogram.js'
import { D_SEGMENT_START, D_SLOPE, PDV_BUCKETS, STRIDE_32, STRIDE_64 } from './layout.js'
import { median, SkewEstimator } from './skew.js'
import { propertyRuns } from '../../test/helpers/property-runs.js'

/** A stream whose sender's clock is `ppm` fast, with up to `jitterMs` of delay. */
function drifting(ppm: number, seconds: number, jitterMs = 0): MediaTotals {
  const random = new Random(7)
  const feed = new Feed({ intervalMs: 10_000 }).announce()
  const packets = stream(0, seconds * 50, (i) => ({
    delayMs: -i * 20 * ppm * 1e-6 + jitterMs * random.next(),
  }))
  return feed.sendAll(packets).finish()
}

const p95 = (totals: MediaTotals) => percentile(totals.pdv, PDV_BUCKETS, 95, totals.pdvMax) ?? NaN

describe('clock skew', () => {
  it('a sender 100 ppm fast reads +100, a slow one -100', () => {
    expect(drifting(100, 120).skewPpm).toBeCloseTo(100, 0)
    expect(drifting(-100, 120).skewPpm).toBeCloseTo(-100, 0)
  })

  it('of exactly nothing reads 0', () => {
    expect(drifting(0, 60).skewPpm).toBeCloseTo(0, 6)
  })

  it('is unknown before 30 s', () => {
    expect(drifting(-100, 29).skewPpm).toBeNaN()
    expect(drifting(-100, 29).pdvMax).toBeCloseTo(2.898, 2)
  })

  it('is used from 30 s on, also when the 30th second passed in silence', () => {
    // Slow by 100 ppm; nothing between 20 s and 33 s, then 10 s more.
    const packets = [...stream(0, 1000), ...stream(1650, 2150)].map((p) => ({
      ...p,
      timeMs: p.timeMs + (p.ts / 8) * 100e-6,
    }))
    const totals = new Feed().announce().sendAll(packets).finish()
    expect(totals.skewPpm).toBeCloseTo(-100, 0)
    expect(totals.pdvMax).toBeLessThan(2.01)
  })

  it('beyond 500 ppm is no clock: it stays delay', () => {
    const totals = drifting(-800, 60)
    expect(totals.pdvMax).toBeGreaterThan(40)
    expect(totals.skewPpm).toBeNaN()
  })

  it.each([200, -200])('%i ppm over an hour add less than 0.5 ms to the 95th percentile of PDV', (ppm) => {
    for (const jitterMs of [0, 10]) {
      const straight = drifting(0, 3600, jitterMs)
      const skewed = drifting(ppm, 3600, jitterMs)
      expect(Math.abs(p95(skewed) - p95(straight))).toBeLessThan(0.5)
      expect(skewed.skewPpm).toBeCloseTo(ppm, -1)
      expect(skewed.lateFixed50 + skewed.lateAdaptive).toBe(0)
    }
  })
})

describe('the slope', () => {
  it('is the median over all pairs of points, wherever the one before lies', () => {
    const ppm = fc.integer({ min: -500, max: 500 })
    const low = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 3 }),
      fc.double({ noNaN: true, min: 0, max: 30 }),
    )
    const second = fc.record({ at: fc.double({ noNaN: true, min: 0, max: 999 }), low })
    const seconds = fc.array(second, { minLength: 30, maxLength: 40, size: 'max' })
    fc.assert(
      fc.property(seconds, ppm, ppm, (all, actual, before) => {
        const f64 = new Float64Array(STRIDE_64)
        const skew = new SkewEstimator(new Int32Array(STRIDE_32), f64, 1)
        skew.restart(0)
        f64[D_SEGMENT_START] = 0
        f64[D_SLOPE] = before * 1e-6
        const times = all.map(({ at }, k) => Math.fround(k * 1000 + at))
        const lows = all.map(({ low }, k) => Math.fround(low + actual * 1e-6 * times[k]))
        times.forEach((timeMs, k) =>
          skew.add(0, timeMs, lows[k], k < all.length - 1 ? timeMs % 30_000 : 45_000),
        )
        const slopes = times
          .flatMap((a, k) => times.slice(k + 1).map((b, m) => (lows[k + 1 + m] - lows[k]) / (b - a)))
          .sort((a, b) => a - b)
        const middle = slopes.length >> 1
        const expected = slopes.length % 2 === 1 ? slopes[middle] : (slopes[middle - 1] + slopes[middle]) / 2
        expect(f64[D_SLOPE]).toBeCloseTo(Math.abs(expected) <= 500e-6 ? expected : 0, 14)
      }),
      propertyRuns(500),
    )
  })
})

describe('the median of slopes', () => {
  it('is the middle of the sorted values, or the mean of the middle two, however they lie', () => {
    const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1, max: 1 }))
    const values = fc.oneof(
      fc.array(value, { minLength: 1, maxLength: 780 }),
      fc.array(value, { minLength: 250, maxLength: 780, size: 'max' }),
      fc
        .array(value, { minLength: 250, maxLength: 780, size: 'max' })
        .map((all) => all.sort((a, b) => a - b)),
    )
    fc.assert(
      fc.property(values, (all) => {
        const sorted = [...all].sort((a, b) => a - b)
        const n = sorted.length
        const expected = n % 2 === 1 ? sorted[n >> 1] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
        // What lies behind the values is of an earlier estimate.
        const padded = Float64Array.from([...all, ...Array<number>(20).fill(-5)])
        // Compared so that -0 is 0.
        expect(median(padded, n) === expected).toBe(true)
      }),
      propertyRuns(500),
    )
  })
})
