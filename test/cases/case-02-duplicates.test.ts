import { describe, expect, it } from 'vitest'
import type { DirectionSpec } from '../../src/generate/scenario.js'
import { directionOf, expectNear, expectTruth, only, replayScenario } from '../helpers/replay.js'
import { CALM_DELAY_MS, DELAY_TOLERANCE, mosOf } from './e-model.js'

/** 10 s of PCMU from the caller, some of it seen twice. */
async function duplicated(duplicates: DirectionSpec['duplicates'], link?: { vlan: number }) {
  const replayed = await replayScenario({
    calls: [{ duration_s: 10, rtcp: false, link, media: { from_caller: { duplicates } } }],
  })
  const call = only(replayed.calls)
  const truth = replayed.truth.calls[0].media.from_caller
  return { ...replayed, call, media: directionOf(call, 'from_caller'), truth }
}

describe('case 2: a packet seen twice is one packet', () => {
  it('adjacent copies of a mirror: counted as mirror copies, in no other number', async () => {
    const { call, media, truth, streams } = await duplicated({ every: 2, after_ms: 0, kind: 'mirror' })
    expectTruth(media, truth)
    // 10 s x 50 packets/s from 20 ms after the ACK (21 ms after the 200): 498 packets, every second one twice.
    expect(media.packets).toBe(498)
    expect(media.duplicates).toBe(249)
    expect(call.validity.span_duplicates).toBe(249)
    expect(media).toMatchObject({ lost: 0, reordered: 0, late: 0, jitter_max_ms: 0, pdv_max_ms: 0 })
    expect(media.bytes).toBe(498 * 172)
    expectNear(media.mos_cq, mosOf({ delayMs: CALM_DELAY_MS }), DELAY_TOLERANCE)
    const stream = only(streams.filter(({ direction }) => direction === 'from_caller'))
    expect(stream).toMatchObject({ packets: 498, duplicates: 249, validity: { span_duplicates: 249 } })
  })

  it('copies 30 ms later, behind the next packet: duplicates of the mirror, no reordering', async () => {
    const { call, media, truth } = await duplicated({ every: 3, after_ms: 30, kind: 'mirror' })
    expectTruth(media, truth)
    expect(media.duplicates).toBe(166)
    expect(call.validity.span_duplicates).toBe(166)
    expect(media).toMatchObject({ lost: 0, reordered: 0, jitter_max_ms: 0 })
  })

  it('copies on another VLAN belong to the same stream', async () => {
    const { call, media, truth, streams } = await duplicated(
      { percent: 100, after_ms: 1, kind: 'mirror', vlan: 200 },
      { vlan: 100 },
    )
    expectTruth(media, truth)
    expect(streams).toHaveLength(2)
    expect(media).toMatchObject({ packets: 498, duplicates: 498, lost: 0, reordered: 0, jitter_max_ms: 0 })
    expect(call.validity.span_duplicates).toBe(498)
  })

  it('copies behind a router, with a lower TTL, are the same packets', async () => {
    const { call, media, truth } = await duplicated({ every: 4, after_ms: 2, kind: 'mirror', ttl_change: -1 })
    expectTruth(media, truth)
    expect(media.duplicates).toBe(124)
    expect(call.validity.span_duplicates).toBe(124)
  })

  it('repeats more than 50 ms later are duplicates of the network, not of the mirror', async () => {
    const { call, media, truth } = await duplicated({ every: 5, after_ms: 70, kind: 'network' })
    expectTruth(media, truth)
    expect(media.duplicates).toBe(99)
    expect(call.validity.span_duplicates).toBe(0)
    expect(media).toMatchObject({ packets: 498, lost: 0, reordered: 0 })
  })

  it('the copy of a packet does not stand in for the lost one behind it', async () => {
    const replayed = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          media: {
            from_caller: {
              loss: { packets: [101, 201, 202] },
              duplicates: { packets: [100, 200], after_ms: 10 },
            },
          },
        },
      ],
    })
    const media = directionOf(only(replayed.calls), 'from_caller')
    expectTruth(media, replayed.truth.calls[0].media.from_caller)
    expect(media).toMatchObject({ packets: 495, lost: 3, duplicates: 2 })
    expect(media.loss_runs?.slice(0, 3)).toEqual([1, 1, 0])
  })
})
