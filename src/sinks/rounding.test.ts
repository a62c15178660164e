import { describe, expect, it } from 'vitest'
import { decimalsOf, roundField, roundTo } from './rounding.js'

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
})
