import { describe, expect, it } from 'vitest'
import { ClockWatch } from './clock-watch.js'

describe('the watch on the clock', () => {
  it('tells a clock that was set from one that NTP slews (at most 500 ppm, adjtimex(2))', () => {
    let monotonic = 0
    let wall = 1_000_000
    const watch = new ClockWatch(
      () => wall,
      () => monotonic,
    )
    const pass = (ms: number, slewPpm = 0): void => {
      monotonic += ms
      wall += ms * (1 + slewPpm / 1e6)
    }
    pass(1000)
    expect(watch.look()).toBe(0)
    pass(60_000, 500)
    expect(watch.look()).toBe(0)
    pass(1000)
    wall -= 3000
    expect(watch.look()).toBeCloseTo(-3000, 6)
    pass(1000)
    expect(watch.look()).toBe(0)
    wall += 40
    pass(1000)
    expect(watch.look()).toBeCloseTo(40, 6)
    expect(watch.steps).toBe(2)
    expect(watch.largestMs).toBeCloseTo(-3000, 6)
  })
})
