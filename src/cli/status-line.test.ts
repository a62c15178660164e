import { describe, expect, it } from 'vitest'
import { statusText } from './status-line.js'

describe('the status line of a capture', () => {
  it('shows rate, calls, streams, drops and load in a few words', () => {
    expect(statusText({ packetsPerSecond: 12_345, calls: 84, streams: 168, drops: 0, load: 0.234 })).toBe(
      '12.3 k packets/s  84 calls  168 streams  0 dropped  load 23 %',
    )
    expect(statusText({ packetsPerSecond: 50, calls: 1, streams: 1, drops: 7, load: 1 })).toBe(
      '50 packets/s  1 call  1 stream  7 dropped  load 100 %',
    )
    expect(statusText({ packetsPerSecond: 1_234_000, calls: 0, streams: 0, drops: 0, load: 0 })).toBe(
      '1.23 M packets/s  0 calls  0 streams  0 dropped  load 0 %',
    )
  })
})
