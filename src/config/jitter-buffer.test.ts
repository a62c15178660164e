import { describe, expect, it } from 'vitest'
import { DEFAULT_JITTER_BUFFER, formatJitterBufferSpec, parseJitterBufferSpec } from './jitter-buffer.js'

describe('jitter buffer spec', () => {
  it('reads the three documented forms', () => {
    expect(parseJitterBufferSpec('adaptive')).toEqual({ kind: 'adaptive', minimumMs: 40, maximumMs: 500 })
    expect(parseJitterBufferSpec('adaptive:20-300')).toEqual({
      kind: 'adaptive',
      minimumMs: 20,
      maximumMs: 300,
    })
    expect(parseJitterBufferSpec(' Fixed: 60ms ')).toEqual({ kind: 'fixed', depthMs: 60 })
  })

  it('writes back what it reads', () => {
    for (const text of ['adaptive:40-500', 'fixed:60'])
      expect(formatJitterBufferSpec(parseJitterBufferSpec(text))).toBe(text)
    expect(formatJitterBufferSpec(DEFAULT_JITTER_BUFFER)).toBe('adaptive:40-500')
  })

  it.each([
    ['', 'is not a jitter buffer'],
    ['60', 'is not a jitter buffer'],
    ['fixed', 'needs one depth'],
    ['fixed:40-60', 'needs one depth'],
    ['fixed:0', 'is no buffer'],
    ['fixed:-5', 'is not a jitter buffer'],
    ['fixed:1e3', 'is not a jitter buffer'],
    ['adaptive:60', 'needs a range'],
    ['adaptive:500-40', 'needs a range'],
    ['fixed:60000', 'is deeper than 2000 ms'],
  ])('refuses %j', (text, why) => {
    expect(() => parseJitterBufferSpec(text)).toThrow(why)
  })
})
