import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replayScenario } from '../helpers/replay.js'

describe('case 3: what the mirror dropped is lost to the tap', () => {
  it('the tap reports what it did not see, whoever dropped it', async () => {
    const { calls, truth } = await replayScenario({
      mirror: { drop_packets: [50, 51, 200] },
      calls: [{ duration_s: 10, media: { from_caller: { loss: { packets: [300] } } } }],
    })
    const caller = directionOf(only(calls), 'from_caller')
    const callee = directionOf(only(calls), 'from_callee')
    expectTruth(caller, truth.calls[0].media.from_caller)
    expectTruth(callee, truth.calls[0].media.from_callee)
    expect(truth.calls[0].media.from_caller).toMatchObject({ mirror_dropped: 3, lost_before_tap: 1 })
    expect(caller.lost).toBe(4)
    expect(callee.lost).toBe(3)
  })

  it.each([true, false])('RTCP tells the three places of loss apart, rtcp-mux %s', async (mux) => {
    // All losses lie early, so that the last reports have them.
    const { calls, truth } = await replayScenario({
      mirror: { drop_packets: [50, 51, 200] },
      calls: [
        {
          duration_s: 40,
          rtcp: { interval_s: 4, mux },
          media: {
            from_caller: { loss: { packets: [300, 302, 304, 306] } },
            from_callee: { loss: { packets: [400, 402], where: 'after_tap' } },
          },
        },
      ],
    })
    const call = only(calls)
    const caller = directionOf(call, 'from_caller')
    const callee = directionOf(call, 'from_callee')
    expectTruth(caller, truth.calls[0].media.from_caller)
    expectTruth(callee, truth.calls[0].media.from_callee)
    // The receiver missed four; the tap missed these and the mirror's three.
    expect(caller).toMatchObject({ lost: 7, rtcp_lost: 4, lost_before_tap: 4, lost_after_tap: 0 })
    expect(callee).toMatchObject({ lost: 3, rtcp_lost: 2 })
    expect(call.validity.mirror_loss).toBeGreaterThanOrEqual(3)
  })

  it('loss behind the tap is in none of the numbers of the tap', async () => {
    const { calls, truth } = await replayScenario({
      calls: [{ duration_s: 10, media: { both: { loss: { random_percent: 10, where: 'after_tap' } } } }],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const media = directionOf(only(calls), name)
      expectTruth(media, truth.calls[0].media[name])
      expect(truth.calls[0].media[name]?.lost_after_tap).toBeGreaterThan(20)
      expect(media).toMatchObject({ lost: 0, late: 0 })
    }
  })

  it('a mirror that shows one direction makes no call of the direction that it does not show', async () => {
    const { calls, streams } = await replayScenario({
      mirror: { one_direction: 'from_caller' },
      calls: [{ duration_s: 10, rtcp: false }],
    })
    const call = only(calls)
    expect(only(streams).direction).toBe('from_caller')
    expect(call.validity.directions_seen).toEqual(['from_caller'])
    expect(call.media.from_callee?.packets ?? 0).toBe(0)
  })
})
