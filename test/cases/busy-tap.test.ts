import { describe, expect, it } from 'vitest'
import { FOLLOWED_AT_ONCE } from '../../src/calls/correlator.js'
import { replay, type Frame } from '../helpers/replay.js'
import { callByHand, media, NOON } from './hand-made.js'

const CALLS = Math.ceil(FOLLOWED_AT_ONCE * 0.7)

/** Two streams of a call; the callee's begins `later` ms after the caller's. */
function pair(n: number, startMs: number, later: number, packets: number): Frame[] {
  const caller = `10.1.${n >> 8}.${n & 255}:4000`
  const callee = `10.2.${n >> 8}.${n & 255}:5000`
  return [
    ...media({ from: caller, to: callee, ssrc: 2 * n + 1, startMs, packets }),
    ...media({ from: callee, to: caller, ssrc: 2 * n + 2, startMs: startMs + later, packets }),
  ]
}

describe('a busy tap without signalling', () => {
  it('pairs the directions of every call, the first sender its caller, however many streams there are', async () => {
    const frames: Frame[] = []
    for (let n = 0; n < CALLS; n++) frames.push(...pair(n, NOON + n, n % 2 === 0 ? 3 : 250, 20))
    const { calls, streams, summary } = await replay(frames)
    expect(streams).toHaveLength(2 * CALLS)
    expect(summary.streams).toBe(2 * CALLS)
    expect(calls).toHaveLength(CALLS)
    for (const call of calls) {
      expect(call.caller_address).toMatch(/^10\.1\./)
      expect(call.callee_address).toBe(call.caller_address?.replace('10.1.', '10.2.'))
      expect(call.media.from_caller?.packets).toBe(20)
      expect(call.media.from_callee?.packets).toBe(20)
    }
    expect(new Set(calls.map((call) => call.call_id)).size).toBe(CALLS)
    for (const stream of streams) {
      expect(stream.direction).toBe(stream.source_address.startsWith('10.1.') ? 'from_caller' : 'from_callee')
    }
  })

  it('binds a stream to its call when the SDP comes late', async () => {
    const frames: Frame[] = []
    for (let n = 0; n < CALLS; n++) frames.push(...pair(n, NOON - 200 + n, 3, 60))
    const call = callByHand()
    const { calls } = await replay([...frames, ...call.frames])
    const signalled = calls.filter((record) => record.state === 'completed')
    expect(signalled).toHaveLength(1)
    expect(calls.filter((record) => record.state === 'media_only')).toHaveLength(CALLS)
  })
})
