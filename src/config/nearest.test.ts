import { describe, expect, it } from 'vitest'
import { didYouMean, editDistance, nearestName } from './nearest.js'

describe('nearest known name', () => {
  it('counts the edits of the textbook example kitten and sitting as three', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('', 'abc')).toBe(3)
    expect(editDistance('same', 'same')).toBe(0)
  })

  it('counts two letters in the wrong order as one slip', () => {
    expect(editDistance('lsot', 'lost')).toBe(1)
  })

  it('finds a mistyped key whatever its case and separators', () => {
    expect(nearestName('JitterBuffer', ['interval_s', 'jitter_buffer'])).toBe('jitter_buffer')
    expect(nearestName('los_percent', ['late_percent', 'loss_percent'])).toBe('loss_percent')
  })

  it('says nothing when no known name is near', () => {
    expect(nearestName('banana', ['probe', 'interval_s'])).toBeUndefined()
    expect(didYouMean('banana', ['probe'])).toBe('')
    expect(nearestName('x'.repeat(100_000), ['probe'])).toBeUndefined()
  })
})
