import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { bucketOf, HISTOGRAM_LIMIT_MS, jitterBucketOf, percentile, percentiles } from './histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from './layout.js'

/** Median read from a histogram of one value and one larger one. */
function read(valueMs: number, jitter = false): number {
  const buckets = jitter ? JITTER_BUCKETS : PDV_BUCKETS
  const counts = new Uint32Array(buckets)
  counts[jitter ? jitterBucketOf(valueMs) : bucketOf(valueMs)]++
  counts[buckets - 1]++
  return percentile(counts, buckets, 50, 1e9) ?? NaN
}

describe('histogram', () => {
  it('reads back any delay up to 4 s within 3 % or 0.1 ms', () => {
    expect(HISTOGRAM_LIMIT_MS).toBeGreaterThan(4000)
    for (let value = 0; value < 4000; value += 0.013) {
      const error = Math.abs(read(value) - value)
      if (error > Math.max(0.1, 0.03 * value) + 1e-9) expect.fail(`${value} reads ${read(value)}`)
    }
  })

  it('reads back any jitter up to 265 ms within 3 % or 0.1 ms', () => {
    for (let value = 0; value < 265; value += 0.007) {
      const error = Math.abs(read(value, true) - value)
      if (error > Math.max(0.1, 0.03 * value) + 1e-9) expect.fail(`${value} reads ${read(value, true)}`)
    }
  })

  it('puts a larger delay in no smaller bucket', () => {
    let before = 0
    for (let value = 0; value < 6000; value += 0.05) {
      const bucket = bucketOf(value)
      if (bucket < before) expect.fail(`${value} in bucket ${bucket}`)
      before = bucket
    }
    expect(before).toBe(PDV_BUCKETS - 1)
    expect(bucketOf(1e12)).toBe(PDV_BUCKETS - 1)
    expect(bucketOf(Infinity)).toBe(PDV_BUCKETS - 1)
  })

  it('takes percentiles by nearest rank', () => {
    // 100 values: 1 ms 50 times, 10 ms 45 times, 100 ms 4 times, 400 ms once.
    const counts = new Uint32Array(PDV_BUCKETS)
    for (const [value, times] of [
      [1, 50],
      [10, 45],
      [100, 4],
      [400, 1],
    ]) {
      counts[bucketOf(value)] += times
    }
    const at = (percent: number) => percentile(counts, PDV_BUCKETS, percent, 400) ?? NaN
    for (const [percent, value] of [
      [1, 1],
      [50, 1],
      [51, 10],
      [95, 10],
      [95.1, 100],
      [99, 100],
      [99.1, 400],
      [100, 400],
    ]) {
      expect(Math.abs(at(percent) - value), `p${percent}`).toBeLessThanOrEqual(
        Math.max(0.1, 0.03 * value) + 1e-9,
      )
    }
  })

  it('gives the same percentiles in one pass as one by one', () => {
    const histogram = fc.array(fc.tuple(fc.nat(PDV_BUCKETS - 1), fc.nat(20)), { minLength: 1 })
    fc.assert(
      fc.property(histogram, (filled) => {
        const counts = new Uint32Array(PDV_BUCKETS)
        counts[7] = 1
        for (const [bucket, times] of filled) counts[bucket] += times
        const percents = [1, 5, 50, 95, 99, 100]
        const single = percents.map((percent) => percentile(counts, PDV_BUCKETS, percent, 5000))
        expect(percentiles(counts, PDV_BUCKETS, percents, 5000)).toEqual(single)
      }),
      propertyRuns(100),
    )
  })

  it('reads the exact maximum at the top, nothing above it, and nothing from an empty histogram', () => {
    const counts = new Uint32Array(PDV_BUCKETS)
    expect(percentile(counts, PDV_BUCKETS, 95, 0)).toBeUndefined()
    counts[bucketOf(7.31)]++
    expect(percentile(counts, PDV_BUCKETS, 50, 7.31)).toBe(7.31)
    counts[bucketOf(7.31)] += 99
    expect(percentile(counts, PDV_BUCKETS, 50, 7.21)).toBe(7.21)
    counts[PDV_BUCKETS - 1] += 900
    expect(percentile(counts, PDV_BUCKETS, 95, 123_456)).toBe(123_456)
  })
})
