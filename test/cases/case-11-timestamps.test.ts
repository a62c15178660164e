import { describe, expect, it } from 'vitest'
import type { DirectionSpec } from '../../src/generate/scenario.js'
import { directionOf, expectNear, expectTruth, only, replayScenario } from '../helpers/replay.js'
import { CALM_DELAY_MS, DELAY_TOLERANCE, mosOf } from './e-model.js'

async function fromCaller(spec: DirectionSpec, duration_s = 20) {
  const { calls, truth } = await replayScenario({
    calls: [{ duration_s, rtcp: false, media: { from_caller: spec } }],
  })
  const call = only(calls)
  return { call, direction: directionOf(call, 'from_caller'), truth: truth.calls[0].media.from_caller }
}

describe('case 11: timestamps wrap, jump and drift', () => {
  it('the timestamp wraps at 2^32: no jitter, no jump', async () => {
    const { direction, truth } = await fromCaller({
      initial_timestamp: 2 ** 32 - 48_000,
      jitter: { uniform_ms: 6 },
    })
    expectTruth(direction, truth)
    expect(direction).toMatchObject({ timestamp_jumps: 0, late: 0 })
    expect(direction.jitter_max_ms).toBeLessThan(6)
  })

  it('the signed half of the timestamp is nothing special', async () => {
    const { direction, truth } = await fromCaller({ initial_timestamp: 2 ** 31 - 48_000 })
    expectTruth(direction, truth)
    expect(direction).toMatchObject({ timestamp_jumps: 0, jitter_max_ms: 0, pdv_max_ms: 0 })
  })

  it.each([-700, 900, 60_000, -40_000])(
    'a jump by %d ms is counted, and neither jitter nor late',
    async (by_ms) => {
      const { direction, truth } = await fromCaller({
        timestamp_jump: [{ at_s: 5, by_ms }],
        jitter: { uniform_ms: 4 },
      })
      // By how much it jumped beside the packet's own delay nobody knows: d goes on with an offset of up to 4 ms.
      expectTruth(direction, truth, 'pdv_p50_ms', 'pdv_p95_ms', 'pdv_p99_ms', 'pdv_max_ms')
      expect(direction).toMatchObject({ timestamp_jumps: 1, late: 0, lost: 0, segments: 1 })
      expect(direction.jitter_max_ms).toBeLessThan(4)
      expect(direction.pdv_max_ms).toBeLessThan(8.1)
      expectNear(direction.mos_cq, mosOf({ delayMs: CALM_DELAY_MS }), DELAY_TOLERANCE)
    },
  )

  it.each([120, -180])(
    'a clock of %d ppm is drift: skew_ppm has it, and nothing is late',
    async (skew_ppm) => {
      const { direction, truth } = await fromCaller({ skew_ppm, jitter: { uniform_ms: 3 } }, 180)
      expectNear(direction.skew_ppm, skew_ppm, 3)
      expect(direction).toMatchObject({ lost: 0, late: 0, late_fixed50: 0, timestamp_jumps: 0 })
      expectTruth(direction, truth, 'pdv_p50_ms', 'pdv_p95_ms', 'pdv_p99_ms', 'pdv_max_ms')
      // 180 s at 180 ppm are 32 ms of drift; before 30 s it is not yet known (5.4 ms).
      expect(direction.pdv_max_ms).toBeLessThan(3 + 5.4 + 1)
    },
  )

  it('a drift of 1000 ppm is beyond belief (500) and is not taken out', async () => {
    const { direction } = await fromCaller({ skew_ppm: -1000 }, 90)
    // A slow sender's packets come later and later: 90 ms after 90 s, past the adaptive buffer's 40 ms.
    expectNear(direction.pdv_max_ms, 90, 2)
    expect(direction.late).toBeGreaterThan(0)
  })
})
