import { describe, expect, it } from 'vitest'
import { ValueHistogram } from './value-histogram.js'

describe('a histogram of delays', () => {
  // 1..1000 ms and a few extremes: percentiles by nearest rank are known.
  const values = [0.02, 0.3, ...Array.from({ length: 1000 }, (_, k) => k + 1), 90_000, 86_400_000]

  it('gives percentiles within 3 % of the nearest rank, and exact sums, counts and maxima', () => {
    const histogram = new ValueHistogram()
    for (const value of values) histogram.add(value)
    const sorted = [...values].sort((a, b) => a - b)
    for (const percent of [1, 5, 25, 50, 75, 95, 99, 99.9]) {
      const exact = sorted[Math.ceil((percent / 100) * sorted.length) - 1]
      expect(
        Math.abs((histogram.percentile(percent) ?? NaN) - exact) / exact,
        `p${percent}`,
      ).toBeLessThanOrEqual(0.03)
    }
    expect(histogram.percentile(100)).toBe(86_400_000)
    expect([histogram.count, histogram.largest]).toEqual([1004, 86_400_000])
    expect(histogram.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 1004, 6)
  })

  it('is the same when merged from parts', () => {
    const [whole, ...parts] = [0, 1, 2].map(() => new ValueHistogram())
    values.forEach((value, k) => {
      whole.add(value)
      parts[k % 2].add(value)
    })
    const merged = new ValueHistogram()
    for (const part of [...parts, new ValueHistogram()]) merged.merge(part)
    for (const percent of [1, 50, 95, 99.95])
      expect(merged.percentile(percent)).toBe(whole.percentile(percent))
    expect([merged.count, merged.largest]).toEqual([whole.count, whole.largest])
  })

  it('says nothing without values', () => {
    const histogram = new ValueHistogram()
    expect([histogram.percentile(50), histogram.mean, histogram.largest]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
