import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media } from './hand-made.js'

describe('case 9: sequence resets and long outages', () => {
  it('a jump of 3000 or more that the timestamp does not follow is a new segment, not loss', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: {
            both: { sequence_reset: [{ at_s: 5 }, { at_s: 12 }], loss: { packets: [100, 400, 401] } },
          },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ lost: 3, segments: 3, reordered: 0, timestamp_jumps: 0 })
    }
  })

  it('a reset backwards by 100 or more is a new segment, not 65,000 lost packets', async () => {
    const call = callByHand()
    const run = { from: ALICE_AUDIO, to: BOB_AUDIO, packets: 200 }
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...run, startMs: call.answerMs + 40, sequence: 5000 }),
      ...media({ ...run, startMs: call.answerMs + 4040, sequence: 4900, timestamp: 16_000 + 200 * 160 }),
    ])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({ packets: 400, lost: 0, duplicates: 0, reordered: 0, segments: 2 })
  })

  it('one stray packet with an odd sequence number is no segment and no loss', async () => {
    const call = callByHand()
    const frames = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 400 })
    const stray = media({
      from: ALICE_AUDIO,
      to: BOB_AUDIO,
      startMs: call.answerMs + 2050,
      packets: 1,
      sequence: 33_000,
      timestamp: 99,
    })
    const { calls } = await replay([...call.frames, ...frames, ...stray])
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({
      packets: 400,
      lost: 0,
      segments: 1,
      reordered: 0,
    })
  })

  it('an outage of 320 packets in which sequence and timestamp go on is loss', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 30,
          rtcp: false,
          media: { both: { loss: { outages: [{ at_s: 10, duration_s: 6.4 }] } } },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ lost: 320, segments: 1, loss_runs: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1] })
      expectNear(direction.longest_gap_ms, 6420, 0.01)
    }
  })

  it('an outage of more than 3000 packets in step with the timestamp is loss as well', async () => {
    const { calls, truth, intervals } = await replayScenario({
      calls: [
        {
          duration_s: 90,
          rtcp: false,
          media: { from_caller: { loss: { outages: [{ at_s: 5, duration_s: 70 }] } } },
        },
      ],
    })
    const call = only(calls)
    const direction = directionOf(call, 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({ lost: 3500, segments: 1 })
    // 3500 of 4498 expected: 78 %.
    expect(call.quality).toBe('broken')
    // Every interval of the outage is there, with all that should have come in it.
    const outage = intervals.filter(
      (interval) => interval.direction === 'from_caller' && interval.packets === 0,
    )
    expect(outage).toHaveLength(6)
    expect(outage.map((interval) => interval.lost)).toEqual(outage.map(() => 500))
    const lost = intervals
      .filter((interval) => interval.direction === 'from_caller')
      .reduce((sum, interval) => sum + (interval.lost ?? 0), 0)
    expect(lost).toBe(3500)
  })

  it('the sequence number wraps without loss', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: { both: { initial_sequence: 65_300, loss: { packets: [235, 236] } } },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({ lost: 2, segments: 1 })
    expect(direction.loss_runs?.slice(0, 2)).toEqual([0, 1])
  })
})
