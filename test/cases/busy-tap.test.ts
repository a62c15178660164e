import { describe, expect, it } from 'vitest'
import { FOLLOWED_AT_ONCE } from '../../src/calls/correlator.js'
import { DEFAULT_CONFIG } from '../../src/config/config.js'
import { replay, replayScenario, type Frame } from '../helpers/replay.js'
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

describe('more calls at a time than the probe may hold', () => {
  it('say so, each that was given up for another, and no others', async () => {
    const { calls, summary } = await replayScenario(
      { calls: [{ call_id: 'call-{n}', duration_s: 20, rtcp: false, repeat: { count: 3, spacing_s: 5 } }] },
      { limits: { ...DEFAULT_CONFIG.limits, calls: 2 } },
    )
    expect(summary.evictions).toMatchObject({ calls: 1 })
    // In the order of their ends: the first gave way when the third began, 5 s before it was over.
    expect(calls.map(({ state, validity }) => [state, validity.evicted])).toEqual([
      ['in_progress', true],
      ['completed', undefined],
      ['completed', undefined],
    ])
  })
})
