import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media } from './hand-made.js'

describe('case 7: the SSRC changes in mid-call', () => {
  it('a new SSRC begins a segment; the direction is the sum, and nothing is lost between', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: {
            both: {
              ssrc: '0x00000011',
              ssrc_change: [
                { at_s: 5, ssrc: '0x00000022' },
                { at_s: 10, ssrc: '0x00000033' },
              ],
            },
          },
        },
      ],
    })
    const call = only(calls)
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(call, name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction.ssrcs).toEqual(['0x00000011', '0x00000022', '0x00000033'])
      expect(direction).toMatchObject({ segments: 3, lost: 0, reordered: 0, late: 0, timestamp_jumps: 0 })
    }
    const sent = truth.calls[0].media.from_caller?.segments.map((segment) => segment.packets)
    const seen = streams.filter((stream) => stream.direction === 'from_caller')
    expect(seen.map((stream) => stream.packets)).toEqual(sent)
  })

  it('losses on both sides of the change are lost, a missing head of the new one is not', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: {
            from_caller: {
              ssrc_change: [{ at_s: 10 }],
              loss: { packets: [100, 101, 498, 499, 500, 501, 700] },
            },
          },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    // 498 packets are sent in the first 10 s: 498..501 are the head of the new SSRC.
    expect(direction.lost).toBe(3)
  })

  it('two SSRCs interleaved are two streams of one direction, neither reordered nor lossy', async () => {
    const call = callByHand()
    const one = { from: BOB_AUDIO, to: ALICE_AUDIO, packets: 400 }
    const a = media({
      ...one,
      startMs: call.answerMs + 30,
      ssrc: 0xa1,
      sequence: 65_400,
      without: (n) => n === 7,
    })
    const b = media({ ...one, startMs: call.answerMs + 35, ssrc: 0xb2, sequence: 10 })
    const { calls, streams } = await replay([...call.frames, ...a, ...b])
    const direction = directionOf(only(calls), 'from_callee')
    expect(direction).toMatchObject({
      packets: 799,
      lost: 1,
      reordered: 0,
      duplicates: 0,
      segments: 2,
      ssrcs: ['0x000000a1', '0x000000b2'],
      jitter_max_ms: 0,
    })
    expect(streams.map((stream) => [stream.ssrc, stream.packets, stream.lost])).toEqual([
      ['0x000000a1', 399, 1],
      ['0x000000b2', 400, 0],
    ])
  })
})
