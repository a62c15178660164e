import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { mosOf } from './e-model.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media } from './hand-made.js'

describe('case 8: the same SSRC from a new address (NAT rebinding)', () => {
  it('a new port in mid-call is the same direction of the same call, nothing lost', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: { from_caller: { address_change: [{ at_s: 8, port: 40_000 }] } },
        },
      ],
    })
    const call = only(calls)
    const direction = directionOf(call, 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({
      lost: 0,
      reordered: 0,
      late: 0,
      ssrcs: truth.calls[0].media.from_caller?.ssrcs,
    })
    expectTruth(directionOf(call, 'from_callee'), truth.calls[0].media.from_callee)
    // The callee's media follow to the new port (symmetric RTP): four streams, all the call's.
    expect(streams).toHaveLength(4)
    expect(streams.map((stream) => stream.call_id)).toEqual(streams.map(() => call.call_id))
    expect(call).toMatchObject({ state: 'completed', quality: 'good' })
  })

  it('a new address and port: packets lost during the switch are lost, in count, percentage and MOS', async () => {
    // Packet 398 is the first after the change at 8 s (the first is sent 41 ms after the 200).
    const lost = [395, 396, 397, 398, 399, 400, 401, 402]
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 20,
          rtcp: false,
          media: {
            from_caller: {
              address_change: [{ at_s: 8, address: '203.0.113.7', port: 33_000 }],
              loss: { packets: lost },
            },
          },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    const told = truth.calls[0].media.from_caller
    expect(told?.lost).toBe(8)
    expectTruth(direction, told)
    // Four before the switch and four after it: one run of eight, made of a tail, a gap between streams, and a head.
    expect(direction.loss_runs?.[7]).toBe(1)
    expect(direction.lost).toBe(8)
    expectNear(direction.loss_percent, 100 * (8 / 998), 1e-6)
    expectNear(direction.longest_gap_ms, 180, 0.01)
    // BurstR is the run's length times (1 - P); loss below 2 % leaves it alone up to 8.
    const burstRatio = 8 * (1 - 8 / 998)
    expectNear(direction.burst_ratio, burstRatio, 1e-6)
    expectNear(direction.mos_lq, mosOf({ lossPercent: 100 * (8 / 998), burstRatio }), 0.001)
  })

  it('three rebindings in a row, some without loss', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 30,
          rtcp: false,
          media: {
            from_callee: {
              initial_sequence: 65_000,
              address_change: [
                { at_s: 5, port: 21_000 },
                { at_s: 10, address: '198.51.100.99' },
                { at_s: 20, port: 22_000 },
              ],
              loss: { packets: [498, 499, 500, 998] },
            },
          },
        },
      ],
    })
    const call = only(calls)
    const direction = directionOf(call, 'from_callee')
    expectTruth(direction, truth.calls[0].media.from_callee)
    expect(direction.lost).toBe(4)
    const sources = streams.filter((stream) => stream.direction === 'from_callee')
    expect(sources.map((stream) => `${stream.source_address}:${stream.source_port}`)).toEqual([
      '198.51.100.20:20000',
      '198.51.100.20:21000',
      '198.51.100.99:21000',
      '198.51.100.99:22000',
    ])
  })
})

describe('a source that moves and comes back', () => {
  it('is not charged with what it sent from elsewhere', async () => {
    const call = callByHand({ durationMs: 31_000 })
    const startMs = call.answerMs + 40
    const part = (from: string, first: number, packets: number) =>
      media({
        from,
        to: BOB_AUDIO,
        startMs: startMs + first * 20,
        packets,
        sequence: 65_000 + first,
        timestamp: 16_000 + first * 160,
        without: (n) => n === 50,
      })
    const elsewhere = '192.0.2.10:10400'
    const { calls, streams, intervals } = await replay([
      ...call.frames,
      ...part(ALICE_AUDIO, 0, 400),
      ...part(elsewhere, 400, 300),
      ...part(ALICE_AUDIO, 700, 400),
      ...part(elsewhere, 1100, 300),
    ])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({ packets: 1396, lost: 4, late: 0, timestamp_jumps: 0, jitter_max_ms: 0 })
    expect(direction.loss_runs).toEqual([4, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(intervals.map(({ lost }) => lost)).toEqual([2, 1, 1])
    expect(direction.mos_cq_min).toBeGreaterThan(4.2)
    expect(streams.map((stream) => [stream.packets, stream.lost, stream.segments])).toEqual([
      [798, 2, 2],
      [598, 2, 2],
    ])
  })
})

describe('a tap that sees both sides of an address translation', () => {
  it('has each packet twice under two addresses, and counts it once', async () => {
    const call = callByHand({ offer: { audio: '192.168.1.5:10000' } })
    const inside = '192.168.1.5:10000'
    const outside = '203.0.113.50:62000'
    const run = { startMs: call.answerMs + 40, packets: 400 }
    const out = { ...run, to: BOB_AUDIO, ssrc: 1, without: (n: number) => n === 77 }
    const back = { ...run, from: BOB_AUDIO, ssrc: 2, without: (n: number) => n === 99 || n === 100 }
    const { calls, streams } = await replay([
      ...call.frames,
      ...media({ ...out, from: inside }),
      ...media({ ...out, from: outside, startMs: run.startMs + 0.3 }),
      ...media({ ...back, to: outside }),
      ...media({ ...back, to: inside, startMs: run.startMs + 0.3 }),
    ])
    expect(streams.map((stream) => stream.packets)).toEqual([399, 398, 399, 398])
    const record = only(calls)
    expect(directionOf(record, 'from_caller')).toMatchObject({
      packets: 399,
      lost: 1,
      segments: 1,
      duplicates: 0,
    })
    expect(directionOf(record, 'from_callee')).toMatchObject({
      packets: 398,
      lost: 2,
      segments: 1,
      duplicates: 0,
    })
    expectNear(directionOf(record, 'from_callee').loss_percent, 0.5, 1e-9)
  })
})
