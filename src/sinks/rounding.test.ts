import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { decimalsOf, decimalText, roundField, roundTo } from './rounding.js'

describe('rounding', () => {
  it('writes times to a microsecond, shares and MOS to four decimals', () => {
    expect(roundField('jitter_mean_ms', 1.23456)).toBe(1.235)
    expect(roundField('loss_percent', 100 / 3)).toBe(33.3333)
    expect(roundField('mos_cq', 4.409406)).toBe(4.4094)
    expect(roundField('mos_cq_min', 4.409406)).toBe(4.4094)
    expect(roundField('endpoint_mos_lq', 4.04999)).toBe(4.05)
    expect(roundField('r_factor', 93.206208)).toBe(93.206)
    expect(roundField('duration_s', 180.0004999)).toBe(180)
    expect(roundField('skew_ppm', -12.34567)).toBe(-12.346)
    expect(roundField('burst_density', 1 / 3)).toBe(0.3333)
    expect(roundField('p_value', 0.000123456)).toBe(0.000123)
  })

  it('does not take a name that merely contains "mos" for a score', () => {
    expect(decimalsOf('almost')).toBe(6)
  })

  it('leaves integers of any size alone and never writes -0', () => {
    expect(roundTo(9_007_199_254_740_991, 3)).toBe(9_007_199_254_740_991)
    expect(Object.is(roundTo(-0, 3), 0)).toBe(true)
    expect(Object.is(roundTo(-0.0001, 3), 0)).toBe(true)
    expect(roundTo(1e300 + 0.5, 3)).toBe(1e300)
  })

  it('has no value for what is not a finite number', () => {
    expect(roundField('mos_cq', NaN)).toBeUndefined()
    expect(roundField('mos_cq', -Infinity)).toBeUndefined()
  })

  it('writes a number as JavaScript writes what it is rounded to', () => {
    const edges = [
      0.0005,
      0.00005,
      0.9995,
      1.9999999,
      0.1 + 0.2,
      1.005,
      255.9996,
      2147483.6475,
      -0.0004,
      -1.5,
    ]
    const numbers = fc.oneof(
      fc.constantFrom(...edges),
      fc.integer(),
      fc.double({ min: -10, max: 10, noNaN: true }),
      fc.double({ min: 0, max: 5e6, noNaN: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    fc.assert(
      fc.property(numbers, fc.constantFrom(3, 4, 6), (value, decimals) => {
        expect(decimalText(value, decimals)).toBe(String(roundTo(value, decimals)))
      }),
      propertyRuns(5000),
    )
    for (const edge of edges) expect(decimalText(edge, 3)).toBe(String(roundTo(edge, 3)))
  })
})
