import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { CALM_DELAY_MS, DELAY_TOLERANCE, mosOf } from './e-model.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON } from './hand-made.js'

describe('MOS of G.711 with concealment', () => {
  it.each([1, 2, 5, 10, 20])('at every n-th packet lost (%d %%) is what G.107 says', async (percent) => {
    // Single losses at even distance: BurstR would be (1 - P) < 1, and is held at 1.
    const every = 100 / percent
    const call = callByHand({ durationMs: 20_500 })
    const run = {
      startMs: call.answerMs + 40,
      packets: 1001,
      without: (n: number) => n % every === every - 1,
    }
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
    ])
    const lost = Math.floor(1001 / every)
    const lossPercent = (100 * lost) / 1001
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expect(direction).toMatchObject({ packets: 1001 - lost, lost, mos_scale: 'nb', mos_grounded: true })
      expect(direction.loss_runs).toEqual([lost, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      expectNear(direction.loss_percent, lossPercent, 1e-6)
      expectNear(direction.mos_lq, mosOf({ lossPercent }), 0.001)
      expectNear(direction.mos_cq, mosOf({ lossPercent, delayMs: CALM_DELAY_MS }), DELAY_TOLERANCE)
      expect(direction.mos_model).toMatch(/G\.107/)
      // Nothing was late, so that all buffers agree.
      for (const field of ['mos_fixed50', 'mos_fixed200', 'mos_adaptive'] as const)
        expectNear(direction[field], mosOf({ lossPercent }), 0.001)
    }
    expectNear(streams[0].mos_lq, mosOf({ lossPercent }), 0.001)
  })

  it('in bursts is worse than the same loss one by one', async () => {
    // 10 runs of 5 of 1001 packets: 5 %. BurstR = 5 x (1 - P) = 4.75, held at 2 for loss of 2 % and more.
    const call = callByHand({ durationMs: 20_500 })
    const run = {
      startMs: call.answerMs + 40,
      packets: 1001,
      without: (n: number) => n % 100 >= 50 && n % 100 < 55,
    }
    const { calls } = await replay([...call.frames, ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO })])
    const direction = directionOf(only(calls), 'from_caller')
    const lossPercent = (100 * 50) / 1001
    expect(direction).toMatchObject({ lost: 50, loss_runs: [0, 0, 0, 0, 10, 0, 0, 0, 0, 0], burst_count: 10 })
    // RFC 3611: each run is a burst of its own, all of it lost; 45 or more received packets lie between.
    expect(direction).toMatchObject({ burst_density: 1, burst_duration_ms: 100, gap_density: 0 })
    expectNear(direction.mos_lq, mosOf({ lossPercent, burstRatio: 2 }), 0.001)
    expect(direction.mos_lq).toBeLessThan(mosOf({ lossPercent }))
  })

  it('counts late packets as lost: a packet that misses its turn is not heard', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 40,
          rtcp: false,
          media: { from_caller: { jitter: { late: { every: 25, delay_ms: 130 }, preserve_order: false } } },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    const told = truth.calls[0].media.from_caller
    expectTruth(direction, told)
    expect(direction.lost).toBe(0)
    // 130 ms late: always too late for a fixed buffer of 50 ms, never for one of 200.
    expect(direction.late_fixed50).toBe(told?.pdv_over['50'])
    expect(direction.late_fixed50).toBe(told?.made_late)
    expect(direction.late_fixed200).toBe(0)
    expectNear(
      direction.mos_fixed50,
      mosOf({ lossPercent: (100 * (told?.made_late ?? 0)) / (told?.packets ?? 1) }),
      0.02,
    )
    expectNear(direction.mos_fixed200, mosOf({}), 0.001)
    // The adaptive one is caught once, grows, and takes 10 s to forget.
    expect(direction.late_adaptive).toBeLessThan((told?.made_late ?? 0) / 4)
    expect(direction.late).toBe(direction.late_adaptive)
  })
})

describe('the quality of a call', () => {
  it('is broken when a party that should speak is never heard, and then there is no lowest MOS', async () => {
    const { calls } = await replayScenario({
      calls: [{ duration_s: 20, rtcp: false, media: { from_callee: { no_media: true } } }],
    })
    const call = only(calls)
    expect(call).toMatchObject({ quality: 'broken', state: 'completed' })
    expect(call.mos_cq_min).toBeUndefined()
    expect(call.media.from_callee).toMatchObject({ expected: true, packets: 0 })
    expect(directionOf(call, 'from_caller').mos_cq).toBeGreaterThan(4.3)
    expect(call.validity.directions_seen).toEqual(['from_caller'])
  })

  it('is broken when more than half is lost', async () => {
    const call = callByHand()
    const run = { startMs: call.answerMs + 40, packets: 450 }
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, without: (n) => n % 5 !== 0 && n % 5 !== 2 }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
    ])
    expect(directionOf(only(calls), 'from_caller').loss_percent).toBeGreaterThan(50)
    expect(only(calls).quality).toBe('broken')
  })

  it.each([
    [0, 'good'],
    // One by one: R 51.1 and 75.1, less 2.2 for the delay.
    [20, 'poor'],
    [6, 'fair'],
  ])('with %d %% lost is %s', async (percent, quality) => {
    const call = callByHand({ durationMs: 20_500 })
    const every = percent === 0 ? Infinity : Math.round(100 / percent)
    const run = { startMs: call.answerMs + 40, packets: 1000 }
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, without: (n) => n % every === every - 1 }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
    ])
    expect(only(calls).quality).toBe(quality)
  })

  it('follows its worst ten seconds: mos_cq_min is that of the interval with the burst', async () => {
    // Noon is the edge of an interval. 60 s of media from 0.54 s; 100 packets lost one by one from 20 s to 30 s.
    const call = callByHand({ durationMs: 61_000 })
    const startMs = NOON + 540
    const inBurst = (n: number): boolean => n * 20 + 540 >= 20_000 && n * 20 + 540 < 30_000 && n % 5 === 2
    const run = { startMs, packets: 3000 }
    const { calls, intervals } = await replay([
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, without: inBurst }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 2 }),
    ])
    const bad = only(
      intervals.filter((one) => one.direction === 'from_caller' && one.start === '2024-05-01T12:00:20.000Z'),
    )
    expect(bad).toMatchObject({ packets: 400, lost: 100, end: '2024-05-01T12:00:30.000Z' })
    const expected = mosOf({ lossPercent: 20, delayMs: CALM_DELAY_MS })
    expectNear(bad.mos_cq, expected, 0.02)
    const direction = directionOf(only(calls), 'from_caller')
    expectNear(direction.mos_cq_min, expected, 0.02)
    expectNear(only(calls).mos_cq_min, expected, 0.02)
    // Over the whole call 3.3 % were lost, which alone would be good enough.
    expectNear(direction.loss_percent, 100 / 30, 1e-6)
    expect(direction.mos_cq).toBeGreaterThan(3.9)
    expect(only(calls).quality).toBe('poor')
    expect(directionOf(only(calls), 'from_callee').mos_cq_min).toBeGreaterThan(4.3)
  })

  it('of a call that lasts less than a second says nothing', async () => {
    const { calls } = await replayScenario({ calls: [{ duration_s: 0.7, rtcp: false }] })
    const call = only(calls)
    expect(call).toMatchObject({ state: 'completed', quality: 'unknown' })
    expect(directionOf(call, 'from_caller').packets).toBeGreaterThan(20)
    expect(call.mos_cq_min).toBeUndefined()
  })

  it('of signalling alone, with no RTP on the tap at all, is unknown and not broken', async () => {
    const { frames } = callByHand()
    const { calls } = await replay(frames)
    expect(only(calls)).toMatchObject({ state: 'completed', quality: 'unknown' })
  })
})
