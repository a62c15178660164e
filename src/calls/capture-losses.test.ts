import { describe, expect, it } from 'vitest'
import { CaptureLosses } from './capture-losses.js'

describe('what a live capture missed', () => {
  it('belongs to every call that ran between the two looks at the counters, and to no other', () => {
    const losses = new CaptureLosses()
    losses.add(10_000, 10_100, 50, 0)
    losses.add(20_000, 25_000, 700, 0)
    expect(losses.between(0, 9_999)).toEqual({ drops: 0, downMs: 0 })
    expect(losses.between(0, 10_050).drops).toBe(50)
    expect(losses.between(10_101, 19_999).drops).toBe(0)
    // The probe stood still for five seconds: a call that ended meanwhile may have lost some.
    expect(losses.between(15_000, 21_000).drops).toBe(700)
    expect(losses.between(0, 30_000).drops).toBe(750)
  })

  it('is never longer than the call', () => {
    const losses = new CaptureLosses()
    losses.add(1000, 1000, 0, 4000)
    expect(losses.between(500, 1500)).toEqual({ drops: 0, downMs: 1000 })
  })

  it('stays within its bound over years of drops, and loses none of them', () => {
    const losses = new CaptureLosses()
    for (let second = 0; second < 100_000; second++) losses.add(second * 1000, second * 1000 + 100, 1, 0)
    expect(losses.between(0, 1e9).drops).toBe(100_000)
    expect(losses.between(1e9, 2e9).drops).toBe(0)
    expect(losses.entryCount).toBeLessThanOrEqual(8192)
  })
})
