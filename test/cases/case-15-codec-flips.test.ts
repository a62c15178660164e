import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replayScenario } from '../helpers/replay.js'
import { CALM_DELAY_MS, DELAY_TOLERANCE, mosOf } from './e-model.js'

describe('case 15: codec flips and refused fax', () => {
  it('PCMU and PCMA in turn: one stream, no jumps, no jitter', async () => {
    const flips = [2, 4, 6, 8, 10, 12].map((at_s) => ({ at_s, duration_s: 1, payload_type: 8 }))
    const { calls, truth, streams } = await replayScenario({
      calls: [{ duration_s: 20, rtcp: false, offer: ['PCMA'], media: { both: { payload_flips: flips } } }],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({
        codec: 'PCMU',
        payload_type: 0,
        lost: 0,
        late: 0,
        segments: 1,
        timestamp_jumps: 0,
        jitter_max_ms: 0,
        dtmf_events: 0,
      })
      expectNear(direction.mos_cq, mosOf({ delayMs: CALM_DELAY_MS }), DELAY_TOLERANCE)
    }
    expect(streams).toHaveLength(2)
  })

  it('flips with every packet: the two kinds of G.711 score as one codec', async () => {
    const flips = Array.from({ length: 200 }, (_, n) => ({
      at_s: 1 + n * 0.04,
      duration_s: 0.02,
      payload_type: 8,
    }))
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          offer: ['PCMA'],
          media: { from_caller: { payload_flips: flips, loss: { packets: [100, 101, 350] } } },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    const told = truth.calls[0].media.from_caller
    expectTruth(direction, told)
    const lossPercent = (100 * 3) / ((told?.packets ?? 0) + 3)
    // Runs of 2 and 1: mean 1.5, times (1 - P).
    const burstRatio = 1.5 * (1 - lossPercent / 100)
    expectNear(direction.burst_ratio, burstRatio, 0.01)
    expectNear(direction.mos_lq, mosOf({ lossPercent, burstRatio }), 0.002)
    expect(direction.mos_mixed_scale).toBeUndefined()
  })

  it('a T.38 re-INVITE refused with 488 leaves the call and its media as they were', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [{ duration_s: 30, rtcp: false, reinvite: [{ at_s: 8, by: 'callee', t38: true }] }],
    })
    const call = only(calls)
    expect(call).toMatchObject({ state: 'completed', duration_s: 30, quality: 'good', sip: { status: 200 } })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(call, name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ codec: 'PCMU', expected: true, lost: 0 })
    }
    expect(streams).toHaveLength(2)
    expect(call.hold_ms).toBeUndefined()
  })
})
