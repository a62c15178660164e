import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, percentOf, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media } from './hand-made.js'
import { replay } from '../helpers/replay.js'

describe('case 4: loss next to a marker or a pause', () => {
  it('the lost first packet of a talkspurt, its marker with it, is lost', async () => {
    // Talk 1 s (50 packets), then silence: comfort noise is packet 50, the spurt begins with packet 51.
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: { both: { dtx: { talk_s: 1, silence_s: 1 }, loss: { packets: [51, 153] } } },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction.lost).toBe(2)
      expect(direction.timestamp_jumps).toBe(0)
    }
  })

  it('packets lost before and behind the pause are lost; the pause is not', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: {
            from_caller: {
              dtx: { talk_s: 1, silence_s: 2, comfort_noise: false },
              // The last of one spurt and the first two of the next: one run of three.
              loss: { packets: [49, 50, 51] },
            },
          },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction.lost).toBe(3)
    expect(direction.loss_runs?.slice(0, 4)).toEqual([0, 0, 1, 0])
    expectNear(direction.longest_gap_ms, 2000 + 4 * 20, 1)
  })
})

describe('case 5: a pause is not loss, marker or no marker', () => {
  it.each(['talkspurt', 'first', 'never', 'always'] as const)(
    'silence suppression with the marker %s',
    async (marker) => {
      const { calls, truth } = await replayScenario({
        calls: [
          {
            duration_s: 30,
            rtcp: false,
            media: { both: { marker, dtx: { talk_s: 1.5, silence_s: 3, comfort_noise: false } } },
          },
        ],
      })
      for (const name of ['from_caller', 'from_callee'] as const) {
        const direction = directionOf(only(calls), name)
        expectTruth(direction, truth.calls[0].media[name])
        expect(direction).toMatchObject({
          lost: 0,
          late: 0,
          timestamp_jumps: 0,
          jitter_max_ms: 0,
          segments: 1,
        })
      }
    },
  )

  it('a sender whose timestamp stands still while it pauses has no late packets', async () => {
    // RFC 3550 6.4 forbids it and phones on hold do it: timestamps go on as if no time had passed, without a marker.
    const call = callByHand({ durationMs: 12_000 })
    const before = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 200 })
    const after = media({
      from: ALICE_AUDIO,
      to: BOB_AUDIO,
      startMs: call.answerMs + 40 + 200 * 20 + 3000,
      packets: 200,
      sequence: 1200,
      timestamp: 16_000 + 200 * 160,
      marker: false,
    })
    after[0] = media({
      from: ALICE_AUDIO,
      to: BOB_AUDIO,
      startMs: call.answerMs + 40 + 200 * 20 + 3000,
      packets: 1,
      sequence: 1200,
      timestamp: 16_000 + 200 * 160,
      marker: true,
    })[0]
    const { calls } = await replay([...call.frames, ...before, ...after])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({ packets: 400, lost: 0, late: 0, segments: 1 })
    expect(direction.pdv_max_ms).toBeLessThan(1)
    expect(direction.jitter_max_ms).toBeLessThan(1)
  })

  it('a percentage counts what was sent, not the silence', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 30,
          rtcp: false,
          media: { from_caller: { dtx: { talk_s: 1, silence_s: 4 }, loss: { random_percent: 8 } } },
        },
      ],
    })
    const told = truth.calls[0].media.from_caller
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, told)
    expectNear(direction.loss_percent, percentOf(told?.lost ?? NaN, told?.packets ?? NaN), 1e-6)
  })
})
