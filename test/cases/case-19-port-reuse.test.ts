import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON } from './hand-made.js'

describe('case 19: RTP after BYE, and ports used again', () => {
  it('media up to 2 s after BYE are the call, later ones only the stream', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          media: { from_callee: { media_after_bye_ms: 5000, loss: { packets: [620, 621] } } },
        },
      ],
    })
    const call = only(calls)
    const told = truth.calls[0].media.from_callee
    expect(told?.after_call).toBeGreaterThan(140)
    expectTruth(directionOf(call, 'from_callee'), told)
    expect(directionOf(call, 'from_callee').lost).toBe(0)
    // 15 s less the 20 ms of its start; the two lost ones lie 2.4 s after BYE.
    const stream = only(streams.filter((one) => one.direction === 'from_callee'))
    expect(stream).toMatchObject({ packets: 747, lost: 2, call_id: call.call_id })
    expect(stream.packets).toBe((told?.packets ?? 0) + (told?.after_call ?? 0))
    expect(call).toMatchObject({ duration_s: 10, state: 'completed', quality: 'good' })
    expect(calls).toHaveLength(1)
  })

  it('media that begin only after the call was over are a stream, and no call', async () => {
    const call = callByHand({ durationMs: 5000 })
    const endMs = call.answerMs + 5000
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 240 }),
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: call.answerMs + 40, packets: 240, ssrc: 2 }),
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: endMs + 2500, packets: 200, ssrc: 3 }),
    ])
    expect(only(calls).state).toBe('completed')
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({ packets: 240, ssrcs: ['0x00000002'] })
    const late = only(streams.filter((stream) => stream.ssrc === '0x00000003'))
    expect(late.packets).toBe(200)
    expect(late.call_id).toBeUndefined()
  })

  it.each([
    ['other SSRCs', 0x3001, 0x3002],
    ['the same SSRCs', 0x1001, 0x1002],
  ])('the next call on the same ports with %s: each packet is in one call', async (_, ssrcA, ssrcB) => {
    const first = callByHand({ callId: 'first', durationMs: 6000 })
    // The INVITE comes 1 s after the BYE, its media 1.5 s after: within the 2 s that the first call still has.
    const second = callByHand({ callId: 'second', startMs: first.answerMs + 7000, durationMs: 8000 })
    const one = { startMs: first.answerMs + 40, packets: 290 }
    const two = { startMs: second.answerMs + 40, packets: 380, sequence: 20_000, timestamp: 900_000 }
    const { calls, streams } = await replay([
      ...first.frames,
      ...media({ ...one, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 0x1001 }),
      ...media({ ...one, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 0x1002 }),
      ...second.frames,
      ...media({ ...two, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: ssrcA, without: (n) => n % 100 === 50 }),
      ...media({ ...two, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: ssrcB }),
    ])
    expect(calls.map((call) => call.call_id)).toEqual(['first', 'second'])
    const [before, after] = calls
    expect(directionOf(before, 'from_caller')).toMatchObject({ packets: 290, lost: 0, late: 0 })
    expect(directionOf(before, 'from_callee')).toMatchObject({ packets: 290, lost: 0, late: 0 })
    expect(directionOf(after, 'from_caller')).toMatchObject({ packets: 376, lost: 4, late: 0 })
    expect(directionOf(after, 'from_callee')).toMatchObject({ packets: 380, lost: 0, late: 0 })
    expect(after.quality).not.toBe('broken')
    const total = streams.reduce((sum, stream) => sum + stream.packets, 0)
    expect(total).toBe(2 * 290 + 376 + 380)
  })

  it.each([
    ['a little ahead', 1390, 5_000_000],
    ['just behind', 1250, 5_000_000],
    ['in step, as a gateway that never stops sends them', 1290, 16_000 + 290 * 160],
  ])(
    'the next call on the same SSRC, its sequence numbers %s: nothing is lost between calls',
    async (_, sequence, timestamp) => {
      const first = callByHand({ callId: 'first', durationMs: 6000 })
      const second = callByHand({ callId: 'second', startMs: first.answerMs + 7000, durationMs: 8000 })
      const to = { from: ALICE_AUDIO, to: BOB_AUDIO }
      const { calls, streams } = await replay([
        ...first.frames,
        ...media({ ...to, startMs: first.answerMs + 40, packets: 290 }),
        ...second.frames,
        ...media({
          ...to,
          startMs: second.answerMs + 40,
          packets: 380,
          sequence,
          timestamp,
          without: (n) => n === 5,
        }),
      ])
      expect(calls.map((call) => call.call_id)).toEqual(['first', 'second'])
      expect(directionOf(calls[0], 'from_caller')).toMatchObject({ packets: 290, lost: 0, segments: 1 })
      expect(directionOf(calls[1], 'from_caller')).toMatchObject({
        packets: 379,
        lost: 1,
        duplicates: 0,
        reordered: 0,
        late: 0,
        segments: 1,
        timestamp_jumps: 0,
        jitter_max_ms: 0,
        longest_gap_ms: 40,
      })
      expect(only(streams)).toMatchObject({ packets: 669, lost: 1, segments: 2, call_id: 'second' })
    },
  )

  it('the record of a stream that two calls had names the call with most of its packets', async () => {
    const first = callByHand({ callId: 'first', durationMs: 6000 })
    const second = callByHand({ callId: 'second', startMs: first.answerMs + 7000, durationMs: 2000 })
    const there = { from: ALICE_AUDIO, to: BOB_AUDIO }
    const back = { from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 0x2002 }
    const late = { startMs: second.answerMs + 40, sequence: 1290, timestamp: 900_000 }
    const { streams } = await replay([
      ...first.frames,
      ...media({ ...there, startMs: first.answerMs + 40, packets: 290 }),
      ...media({ ...back, startMs: first.answerMs + 40, packets: 20 }),
      ...second.frames,
      ...media({ ...there, ...late, packets: 90 }),
      ...media({ ...back, ...late, packets: 90 }),
    ])
    expect(streams.map(({ call_id, direction, packets }) => [call_id, direction, packets])).toEqual([
      ['first', 'from_caller', 380],
      ['second', 'from_callee', 110],
    ])
  })

  it('the next call on the same ports long after', async () => {
    const first = callByHand({ callId: 'first', durationMs: 6000 })
    const second = callByHand({ callId: 'second', startMs: NOON + 30_000, durationMs: 8000 })
    const one = { startMs: first.answerMs + 40, packets: 290 }
    const two = { startMs: second.answerMs + 40, packets: 380, sequence: 20_000, timestamp: 900_000 }
    const { calls } = await replay([
      ...first.frames,
      ...media({ ...one, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 0x1001 }),
      ...media({ ...one, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 0x1002 }),
      ...second.frames,
      ...media({ ...two, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 0x1001 }),
      ...media({ ...two, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 0x1002 }),
    ])
    expect(
      calls.map((call) => [call.call_id, call.media.from_caller?.packets, call.media.from_callee?.packets]),
    ).toEqual([
      ['first', 290, 290],
      ['second', 380, 380],
    ])
    expect(calls.map((call) => [call.media.from_caller?.lost, call.media.from_caller?.late])).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
})
