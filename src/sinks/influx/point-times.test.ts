import { describe, expect, it } from 'vitest'
import { PointTimes } from './point-times.js'

describe('times that are remembered', () => {
  it('are at most as many as was said, the oldest seconds going first', () => {
    const times = new PointTimes(() => 5, 10)
    const at = (second: number) => ({ timeMs: second * 1000, key: 'k' })
    for (let second = 0; second < 100; second++)
      expect(times.assign([at(second), at(second)], ['s', 's'])).toEqual([5, 6])
    expect(times.rememberedTimes).toBeLessThanOrEqual(10)
    // The last second is still known, the first is not.
    expect(times.assign([at(99)], ['s'])).toEqual([7])
    expect(times.assign([at(0)], ['s'])).toEqual([5])
  })
})
