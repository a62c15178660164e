import { describe, expect, it } from 'vitest'
import type { CallRecord } from '../../src/calls/records.js'
import { directionOf, replay, type Frame } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON } from './hand-made.js'

/** Opus at 48 kHz: nothing but its SDP tells the clock rate. */
const OPUS = { formats: '111', attributes: ['rtpmap:111 opus/48000/2'] }

/** A call whose media begin `aheadMs` before its INVITE; packet 10 is 15 ms late, packets 60 to 64 come at once, the first 90 ms late. */
function call(aheadMs: number): Frame[] {
  const { frames } = callByHand({
    durationMs: 8000,
    offer: { audio: ALICE_AUDIO, ...OPUS },
    answer: { audio: BOB_AUDIO, ...OPUS },
  })
  const lateness = (n: number): number => (n === 10 ? 15 : n >= 60 && n < 65 ? 90 - 18 * (n - 60) : 0)
  return [
    ...frames,
    ...media({
      from: ALICE_AUDIO,
      to: BOB_AUDIO,
      startMs: NOON - aheadMs,
      packets: 300,
      ticks: 960,
      payloadType: 111,
      delay: lateness,
    }),
  ]
}

function signalled(calls: readonly CallRecord[]): CallRecord {
  const found = calls.find((record) => record.state === 'completed')
  if (!found) throw new Error('the call was not seen')
  return found
}

describe('media that come before their SDP', () => {
  it.each([100, 1500, 3500])(
    'are measured with the right clock once it is known: %d ms ahead',
    async (aheadMs) => {
      const before = directionOf(signalled((await replay(call(aheadMs))).calls), 'from_caller')
      const after = directionOf(signalled((await replay(call(-600))).calls), 'from_caller')
      expect(after.pdv_max_ms).toBeCloseTo(90, 3)
      expect(after.jitter_max_ms).toBeGreaterThan(5)
      for (const name of ['packets', 'lost', 'pdv_max_ms', 'late_fixed50', 'late_adaptive'] as const)
        expect([name, before[name]]).toEqual([name, after[name]])
      expect(before.jitter_max_ms).toBeCloseTo(after.jitter_max_ms ?? NaN, 6)
      expect(before.jitter_mean_ms).toBeCloseTo(after.jitter_mean_ms ?? NaN, 6)
      expect(before.codec).toBe('OPUS')
    },
  )

  it('are counted when there is no room to keep their timing', async () => {
    const limits = { streams: 100, calls: 100, early_packets: 5, fragments: 10, tcp_connections: 10 }
    const { calls, summary } = await replay(call(1500), { limits })
    expect(summary.evictions.early_packets).toBeGreaterThan(60)
    expect(directionOf(signalled(calls), 'from_caller').packets).toBe(300)
  })
})
