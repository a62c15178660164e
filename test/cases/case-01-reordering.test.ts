import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replayScenario } from '../helpers/replay.js'
import { CALM_DELAY_MS, DELAY_TOLERANCE, mosOf } from './e-model.js'

describe('case 1: reordering is not loss, nor a burst', () => {
  it('every 20th packet one place late: none lost, no jitter from it, full MOS', async () => {
    const { calls, truth } = await replayScenario({
      calls: [{ duration_s: 30, rtcp: false, media: { both: { reorder: { every: 20, by: 1 } } } }],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const media = directionOf(only(calls), name)
      expectTruth(media, truth.calls[0].media[name])
      expect(media.reordered).toBeGreaterThan(70)
      expect(media).toMatchObject({
        lost: 0,
        loss_percent: 0,
        late: 0,
        late_fixed50: 0,
        burst_count: 0,
        burst_seconds: 0,
        loss_runs: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      })
      expect(media.burst_ratio).toBeUndefined()
      expectNear(media.mos_lq, mosOf({}), 0.001)
      expectNear(media.mos_cq, mosOf({ delayMs: CALM_DELAY_MS }), DELAY_TOLERANCE)
    }
    expect(only(calls).quality).toBe('good')
  })

  it('a packet 30 places late is not lost either, but too late for the buffer', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        { duration_s: 30, rtcp: false, media: { from_caller: { reorder: { packets: [500], by: 30 } } } },
      ],
    })
    const media = directionOf(only(calls), 'from_caller')
    expectTruth(media, truth.calls[0].media.from_caller)
    // It comes with the packet 30 x 20 ms behind it.
    expect(media).toMatchObject({ lost: 0, reordered: 1, late: 1, late_fixed200: 1 })
    expectNear(media.pdv_max_ms, 600, 2)
    expect(media.burst_count).toBe(0)
  })

  it('reordering across the end of an interval takes the loss back from the interval that had it', async () => {
    const { intervals, truth } = await replayScenario({
      calls: [{ duration_s: 40, rtcp: false, media: { both: { reorder: { every: 3, by: 2 } } } }],
    })
    expect(truth.calls[0].media.from_caller?.reordered).toBeGreaterThan(500)
    expect(intervals.length).toBeGreaterThanOrEqual(8)
    expect(intervals.map((interval) => interval.lost)).toEqual(intervals.map(() => 0))
  })
})
