import { describe, expect, it } from 'vitest'
import type { DirectionSpec } from '../../src/generate/scenario.js'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { mosOf } from './e-model.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media } from './hand-made.js'

/** Packets 30 ms late now and then: more than a buffer of 20 ms holds, less than any other. */
const SPIKES: DirectionSpec = { jitter: { late: { every: 40, delay_ms: 30 } } }

describe('--jitter-buffer', () => {
  it('fixed:20 has late what the default has not, in late, delay and MOS', async () => {
    const scenario = { calls: [{ duration_s: 30, rtcp: false, media: { from_caller: SPIKES } }] }
    const standard = await replayScenario(scenario)
    const small = await replayScenario(scenario, { jitter_buffer: { kind: 'fixed', depthMs: 20 } })
    const told = standard.truth.calls[0].media.from_caller
    expect(told?.pdv_over['20']).toBe(told?.made_late)
    const before = directionOf(only(standard.calls), 'from_caller')
    const after = directionOf(only(small.calls), 'from_caller')
    expectTruth(before, told)
    expectTruth(after, told)
    expect(before).toMatchObject({ late: 0, late_percent: 0, buffer_delay_ms: 40 })
    expect(after).toMatchObject({ late: told?.made_late, buffer_delay_ms: 20, lost: 0 })
    const lossPercent = (100 * (told?.made_late ?? 0)) / (told?.packets ?? 1)
    expectNear(after.late_percent, lossPercent, 1e-9)
    expectNear(after.mos_lq, mosOf({ lossPercent }), 0.001)
    // The other buffers are the same whatever is configured.
    for (const field of [
      'late_fixed50',
      'late_fixed200',
      'late_adaptive',
      'mos_fixed50',
      'mos_adaptive',
    ] as const)
      expect(after[field], field).toBe(before[field])
    // 20 ms less of buffer is 20 ms less of delay.
    expectNear((before.delay_p50_ms ?? 0) - (after.delay_p50_ms ?? 0), 20, 0.001)
  })

  it('adaptive:100-200 starts at 100 ms', async () => {
    const spikes: DirectionSpec = { jitter: { late: { every: 100, delay_ms: 90 } } }
    const scenario = { calls: [{ duration_s: 30, rtcp: false, media: { from_caller: spikes } }] }
    const config = { jitter_buffer: { kind: 'adaptive', minimumMs: 100, maximumMs: 200 } } as const
    const { calls } = await replayScenario(scenario, config)
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ late: 0, buffer_delay_ms: 100 })
  })
})

describe('the fixed buffer', () => {
  it('moves its base when two seconds in a row were late: a longer path is not loss for ever', async () => {
    // The path grows by 120 ms after 10 s, for good.
    const call = callByHand({ durationMs: 31_000 })
    const { calls } = await replay([
      ...call.frames,
      ...media({
        from: ALICE_AUDIO,
        to: BOB_AUDIO,
        startMs: call.answerMs + 40,
        packets: 1500,
        delay: (n) => (n < 500 ? 0 : 120),
      }),
    ])
    const direction = directionOf(only(calls), 'from_caller')
    // 2 s of 50 packets each, and the one with which the two seconds are over.
    expect(direction.late_fixed50).toBeGreaterThanOrEqual(100)
    expect(direction.late_fixed50).toBeLessThanOrEqual(101)
    expect(direction).toMatchObject({ lost: 0, late_fixed200: 0, late_adaptive: 1, late: 1 })
    expectNear(direction.pdv_max_ms, 120, 0.01)
  })
})

describe('burst seconds', () => {
  it('are seconds with three or more packets beyond 60 ms, as many as the network made', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 40,
          rtcp: false,
          media: { from_callee: { jitter: { queueing: { every_s: 7, stall_ms: 150, drain_ms: 1 } } } },
        },
      ],
    })
    const call = only(calls)
    const told = truth.calls[0].media.from_callee
    expect(told?.burst_seconds).toBeGreaterThan(3)
    expectTruth(directionOf(call, 'from_callee'), told)
    expect(directionOf(call, 'from_caller').burst_seconds).toBe(0)
  })

  it('with other thresholds are others', async () => {
    const scenario = {
      calls: [
        {
          duration_s: 30,
          rtcp: false,
          media: { from_caller: { jitter: { spikes: { every_s: 5, size_ms: 45, packets: 2 } } } },
        },
      ],
    }
    const standard = await replayScenario(scenario)
    const strict = await replayScenario(scenario, { burst_second: { pdv_ms: 40, packets: 2 } })
    expect(directionOf(only(standard.calls), 'from_caller').burst_seconds).toBe(0)
    expect(directionOf(only(strict.calls), 'from_caller').burst_seconds).toBe(5)
  })
})
