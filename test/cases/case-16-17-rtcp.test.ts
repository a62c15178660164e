import { describe, expect, it } from 'vitest'
import { directionOf, expectNear, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, datagram, media } from './hand-made.js'

describe('case 16: RTCP is never taken for RTP', () => {
  it.each([true, false])('on the media port (rtcp-mux) and on the next: mux %s', async (mux) => {
    const { calls, truth, streams, summary, packets } = await replayScenario({
      calls: [{ duration_s: 30, rtcp: { interval_s: 1, mux, sdes: true, bye: true, xr: true } }],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ reordered: 0, timestamp_jumps: 0, segments: 1 })
    }
    expect(streams).toHaveLength(2)
    expect(summary.rtcp_packets).toBeGreaterThan(50)
    const rtp =
      (truth.calls[0].media.from_caller?.packets ?? 0) + (truth.calls[0].media.from_callee?.packets ?? 0)
    expect(summary.rtp_packets).toBe(rtp)
    expect(summary.rtcp_packets).toBe(packets.length - rtp - (summary.sip_messages ?? 0))
  })

  it('RTCP alone, of a call whose RTP takes another way, makes no stream', async () => {
    // SR (200) with one report block, in a row: the words at the place of sequence and timestamp even count up.
    const reports = Array.from({ length: 20 }, (_, n) => {
      const bytes = new Uint8Array(52)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, 0x81c8000c)
      view.setUint32(4, 0x1234)
      view.setUint32(8, 0xe0000000 + n)
      return datagram(1_714_564_800_000 + n * 20, '192.0.2.10:10001', '198.51.100.20:20001', bytes)
    })
    const { streams, calls, summary } = await replay(reports)
    expect(streams).toEqual([])
    expect(calls).toEqual([])
    expect(summary).toMatchObject({ rtcp_packets: 20, rtp_packets: 0 })
  })

  it('RTP with the marker and payload type 64 to 95 reads like RTCP, and no call negotiates these', async () => {
    const call = callByHand()
    const frames = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 300 })
    // RFC 5761 4: 192..223 in the second byte is RTCP.
    const odd = media({
      from: ALICE_AUDIO,
      to: BOB_AUDIO,
      startMs: call.answerMs + 50,
      packets: 5,
      marker: true,
      payloadType: 72,
      sequence: 7,
    })
    const { calls, summary } = await replay([...call.frames, ...frames, ...odd])
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 300, lost: 0, segments: 1 })
    expect(summary.rtcp_packets).toBe(5)
  })
})

describe('round trips at the tap', () => {
  it.each([true, false])('of both legs and end to end are those of the network, rtcp-mux %s', async (mux) => {
    // Multiples of 2^-11 s.
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 60,
          network: { caller_leg_rtt_ms: 31.25, callee_leg_rtt_ms: [62.5, 125] },
          rtcp: { interval_s: 2, mux },
        },
      ],
    })
    const call = only(calls)
    const told = truth.calls[0]
    for (const [field, expected] of [
      ['caller_leg_rtt_p50_ms', told.caller_leg?.rtt_p50_ms],
      ['callee_leg_rtt_p50_ms', told.callee_leg?.rtt_p50_ms],
      ['rtt_p50_ms', told.end_to_end?.rtt_p50_ms],
      ['rtt_p95_ms', told.end_to_end?.rtt_p95_ms],
      ['rtt_max_ms', told.end_to_end?.rtt_max_ms],
    ] as const) {
      expect(expected, field).toBeGreaterThan(30)
      // Percentiles come from a histogram (3 %).
      expectNear(call[field], expected ?? NaN, (expected ?? 0) * 0.03, field)
    }
    expect(directionOf(call, 'from_caller').delay_source).toBe('rtcp')
    // One way: 20 ms of packet, 40 of buffer, half of 93.75 or 156.25.
    expectNear(directionOf(call, 'from_caller').delay_p50_ms, 60 + (told.end_to_end?.rtt_p50_ms ?? 0) / 2, 3)
  })

  it('that SRTCP hides are absent, and delay says what it rests on instead', async () => {
    const { calls, intervals, streams, truth } = await replayScenario({
      calls: [{ duration_s: 30, srtp: true }],
    })
    const call = only(calls)
    expect(call.rtt_p50_ms).toBeUndefined()
    expect(call.validity.encrypted_rtcp).toBe(true)
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(call, name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction.encrypted).toBe(true)
      expect(direction.delay_source).not.toBe('rtcp')
      expect(direction.rtcp_lost).toBeUndefined()
    }
    // Streams get their records when the call has its own already.
    expect(streams.map(({ encrypted }) => encrypted)).toEqual([true, true])
    expect(new Set(intervals.map(({ encrypted }) => encrypted))).toEqual(new Set([true]))
  })
})

describe("case 17: reports with odd values change none of the tap's numbers", () => {
  it('duplicates make the cumulative loss negative: neither 16 million lost nor a percentage below zero', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 30,
          rtcp: { interval_s: 2 },
          media: { from_caller: { duplicates: { every: 2, after_ms: 5, kind: 'network' } } },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction.lost).toBe(0)
    expect(direction.rtcp_lost).toBeLessThanOrEqual(0)
    expect(direction.rtcp_loss_percent).toBe(0)
    expect(direction.lost_after_tap).toBe(0)
    expect(only(calls).quality).toBe('good')
  })

  it('negative cumulative loss, 127 for unavailable, several XR blocks', async () => {
    const call = callByHand()
    const frames = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: call.answerMs + 40, packets: 400 })
    const report = new Uint8Array(8 + 24)
    const view = new DataView(report.buffer)
    view.setUint32(0, 0x81c90007)
    view.setUint32(4, 0x2002)
    view.setUint32(8, 0x1001)
    // Fraction 127, cumulative -5 in 24 bits.
    view.setUint32(12, 0x7ffffffb)
    const xr = new Uint8Array(8 + 2 * 36)
    const blocks = new DataView(xr.buffer)
    blocks.setUint32(0, 0x80cf0013)
    blocks.setUint32(4, 0x2002)
    for (const at of [8, 44]) {
      blocks.setUint32(at, 0x07000008)
      blocks.setUint32(at + 4, 0x1001)
      xr.fill(127, at + 24, at + 28)
    }
    const { calls, summary } = await replay([
      ...call.frames,
      ...frames,
      datagram(call.answerMs + 1000, '198.51.100.20:20001', '192.0.2.10:10001', report),
      datagram(call.answerMs + 1001, '198.51.100.20:20001', '192.0.2.10:10001', xr),
    ])
    expect(summary.rtcp_packets).toBe(2)
    expect(directionOf(only(calls), 'from_caller')).toMatchObject({ packets: 400, lost: 0, loss_percent: 0 })
  })
})

describe('RTCP from which nothing follows', () => {
  const ALICE_RTCP = '192.0.2.10:10001'
  const BOB_RTCP = '198.51.100.20:20001'

  /** A receiver report of Alice about one source. */
  function report(about: number, lsr: number, dlsr: number): Uint8Array {
    const bytes = new Uint8Array(32)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 0x81c90007)
    view.setUint32(4, 0x1001)
    view.setUint32(8, about)
    view.setUint32(24, lsr)
    view.setUint32(28, dlsr)
    return bytes
  }

  /** A sender report of Bob, without report blocks. */
  function senderReport(seconds: number): Uint8Array {
    const bytes = new Uint8Array(28)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 0x80c80006)
    view.setUint32(4, 0x2002)
    view.setUint32(8, seconds)
    return bytes
  }

  it('is counted by reason: garbage gives no round trip, and does not vanish', async () => {
    const call = callByHand()
    const run = { from: BOB_AUDIO, to: ALICE_AUDIO, startMs: call.answerMs + 40, packets: 450, ssrc: 0x2002 }
    const at = (ms: number): number => call.answerMs + ms
    const { calls, summary } = await replay([
      ...call.frames,
      ...media(run),
      datagram(at(1000), ALICE_RTCP, BOB_RTCP, report(0x2002, 0, 0)),
      // The middle of its NTP time is 0x00050000.
      datagram(at(2000), BOB_RTCP, ALICE_RTCP, senderReport(5)),
      // It waited 3 s, says Alice 1 s later.
      datagram(at(3000), ALICE_RTCP, BOB_RTCP, report(0x2002, 0x50000, 3 * 65_536)),
      datagram(at(4000), ALICE_RTCP, BOB_RTCP, report(0x2002, 0x77770000, 65_536)),
      datagram(at(5000), ALICE_RTCP, BOB_RTCP, report(0x9999, 0, 0)),
      datagram(at(6000), '203.0.113.1:5005', '203.0.113.2:5005', report(0x2002, 0, 0)),
    ])
    expect(only(calls).caller_leg_rtt_p50_ms).toBeUndefined()
    expect(summary.rtcp_packets).toBe(6)
    expect(summary.rtcp_discarded).toEqual({
      packets_of_no_call: 1,
      reports_about_others: 1,
      round_trips_negative: 1,
      round_trips_of_unknown_reference: 1,
      round_trips_without_reference: 2,
    })
  })

  it('is not there when there was none', async () => {
    const { summary } = await replayScenario({ calls: [{ duration_s: 5, rtcp: false }] })
    expect(summary.rtcp_discarded).toBeUndefined()
  })
})

describe('XR VoIP metrics (RFC 3611 4.7)', () => {
  it.each([
    ['on a port of its own', '192.0.2.10:10001', '198.51.100.20:20001'],
    ['multiplexed', ALICE_AUDIO, BOB_AUDIO],
  ])("are the receiver's MOS of the other's media: %s", async (_, from, to) => {
    const call = callByHand()
    const run = { startMs: call.answerMs + 40, packets: 450 }
    const xr = new Uint8Array(44)
    const view = new DataView(xr.buffer)
    view.setUint32(0, 0x80cf000a)
    view.setUint32(4, 0x1001)
    view.setUint32(8, 0x07000008)
    view.setUint32(12, 0x2002)
    // R 88, no external R, MOS-LQ 4.1, MOS-CQ 3.9.
    xr.set([88, 127, 41, 39], 32)
    const { calls } = await replay([
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 0x1001 }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 0x2002 }),
      datagram(call.answerMs + 5000, from, to, xr),
    ])
    expect(directionOf(only(calls), 'from_callee')).toMatchObject({ rtcp_mos_lq: 4.1, rtcp_mos_cq: 3.9 })
    expect(directionOf(only(calls), 'from_caller').rtcp_mos_lq).toBeUndefined()
  })
})

describe('XR blocks beside the VoIP metrics', () => {
  it("are the receiver's numbers, as tshark reads them, of a call's direction only and never the tap's", async () => {
    const call = callByHand()
    const run = { startMs: call.answerMs + 40, packets: 450 }
    // Statistics summary (RFC 3611 4.6) with L, D, J and TTL; VoIP metrics (4.7).
    const bytes = Buffer.from(
      '80cf0014' + '00001001' + // XR of 0x1001
        '06e80009' + '00002002' + '000a01cc' + '0000000c' + '00000002' +
        '00000000' + '00000190' + '00000050' + '00000018' + '373b3901' +
        '07000008' + '00002002' + '10081f04' + '007801f4' + '00300028' +
        'eec42d10' + '587f2927' + 'f0000028' + '0050012c', 'hex') // prettier-ignore
    const frames = [
      ...call.frames,
      ...media({ ...run, from: ALICE_AUDIO, to: BOB_AUDIO, ssrc: 0x1001 }),
      ...media({ ...run, from: BOB_AUDIO, to: ALICE_AUDIO, ssrc: 0x2002 }),
      datagram(call.answerMs + 5000, ALICE_AUDIO, BOB_AUDIO, new Uint8Array(bytes)),
    ]
    const { calls, intervals } = await replay(frames)
    const { from_callee: heard, from_caller: sent } = only(calls).media
    expect(heard).toMatchObject({
      // Units of 1/8000 s.
      rtcp_xr_lost: 12,
      rtcp_xr_duplicates: 2,
      rtcp_xr_jitter_min_ms: 0,
      rtcp_xr_jitter_max_ms: 50,
      rtcp_xr_jitter_mean_ms: 10,
      rtcp_xr_jitter_deviation_ms: 3,
      rtcp_xr_ttl_min: 55,
      rtcp_xr_ttl_max: 59,
      rtcp_xr_ttl_mean: 57,
      rtcp_xr_ttl_deviation: 1,
      // 16, 8, 31 and 4 of 256.
      rtcp_xr_loss_percent: 6.25,
      rtcp_xr_discard_percent: 3.125,
      rtcp_xr_burst_density_percent: 12.109375,
      rtcp_xr_gap_density_percent: 1.5625,
      rtcp_xr_burst_duration_ms: 120,
      rtcp_xr_gap_duration_ms: 500,
      rtcp_xr_rtt_ms: 48,
      rtcp_xr_system_delay_ms: 40,
      rtcp_xr_signal_level_dbm: -18,
      rtcp_xr_noise_level_dbm: -60,
      rtcp_xr_echo_return_loss_db: 45,
      rtcp_xr_gmin: 16,
      rtcp_xr_r_factor: 88,
      rtcp_xr_concealment: 'standard',
      rtcp_xr_buffer: 'adaptive',
      rtcp_xr_buffer_nominal_ms: 40,
      rtcp_xr_buffer_max_ms: 80,
      rtcp_xr_buffer_absolute_max_ms: 300,
      rtcp_mos_lq: 4.1,
      rtcp_mos_cq: 3.9,
      lost: 0,
      duplicates: 0,
    })
    expect(heard).not.toHaveProperty('rtcp_xr_external_r_factor')
    for (const record of [sent, ...intervals]) {
      expect(Object.keys(record ?? {}).filter((name) => name.startsWith('rtcp_xr_'))).toEqual([])
    }
  })
})

describe('R factor and MOS of generated VoIP metrics', () => {
  const xr = { r_factor: 87, mos_lq: 4.1, mos_cq: 3.8 }

  it('are in the truth, and in the record of each direction', async () => {
    const { calls, truth } = await replayScenario({ calls: [{ duration_s: 12, rtcp: { xr } }] })
    const told = { rtcp_xr_r_factor: 87, rtcp_mos_lq: 4.1, rtcp_mos_cq: 3.8 }
    for (const name of ['from_caller', 'from_callee'] as const) {
      expect(truth.calls[0].media[name]).toMatchObject(told)
      expect(directionOf(only(calls), name)).toMatchObject(told)
    }
  })

  it('are only those that the scenario gives, and that the capture shows', async () => {
    const some = await replayScenario({ calls: [{ duration_s: 12, rtcp: { xr: { mos_cq: 2.5 } } }] })
    const { from_caller } = only(some.calls).media
    expect(from_caller).toMatchObject({ rtcp_mos_cq: 2.5, rtcp_xr_loss_percent: 0 })
    expect(from_caller).not.toHaveProperty('rtcp_xr_r_factor')
    expect(from_caller?.rtcp_mos_lq).toBeUndefined()
    const hidden = await replayScenario({ calls: [{ duration_s: 12, srtp: true, rtcp: { xr } }] })
    expect(hidden.truth.calls[0].media.from_caller?.rtcp_mos_cq).toBeUndefined()
    expect(only(hidden.calls).media.from_caller?.rtcp_mos_cq).toBeUndefined()
  })
})
