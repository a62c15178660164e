import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { rfc3339 } from './call-record.js'

describe('times as text', () => {
  it('are those of Date, in any order, on both sides of seconds and days', () => {
    const time = fc.oneof(
      fc.double({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999), noNaN: true }),
      fc
        .tuple(fc.integer({ min: 0, max: 60_000 }), fc.double({ min: -1500, max: 1500, noNaN: true }))
        .map(([day, ms]) => Math.max(0, day * 86_400_000 + ms)),
      fc.integer({ min: 0, max: 100_000 }).map((ms) => Date.UTC(2024, 4, 1, 12) + ms),
    )
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 20 }), (times) => {
        expect(times.map(rfc3339)).toEqual(times.map((ms) => new Date(ms).toISOString()))
      }),
      propertyRuns(500),
    )
  })

  it('before 1970 and behind the year 9999 are, too', () => {
    for (const ms of [-1, -86_400_000.5, Date.UTC(10_000, 0, 1), 8.64e15])
      expect(rfc3339(ms)).toBe(new Date(ms).toISOString())
    expect(() => rfc3339(NaN)).toThrow(RangeError)
  })
})
