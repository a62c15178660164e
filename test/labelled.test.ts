import { describe, expect, it } from 'vitest'
import type { CallSpec, CodecName, DirectionSpec } from '../src/generate/scenario.js'
import { directionOf, expectTruth, only, replay, replayScenario } from './helpers/replay.js'

const START = '2024-03-01T12:00:00Z'

async function oneCall(call: CallSpec, seed = 1) {
  const replayed = await replayScenario({ seed, start: START, calls: [call] })
  return { ...replayed, call: only(replayed.calls), truthCall: only(replayed.truth.calls) }
}

function fromCaller(media: DirectionSpec, durationS = 60): CallSpec {
  return { duration_s: durationS, media: { from_caller: media } }
}

describe('numbers against labelled traffic', () => {
  it.each([
    [70, 30, 40],
    [700, 100, 600],
  ])(
    'a round trip of %i ms is measured within 1 ms, each leg too',
    async (endToEnd, callerLeg, calleeLeg) => {
      const { call } = await oneCall({
        duration_s: 60,
        rtcp: { interval_s: 5 },
        network: { caller_leg_rtt_ms: callerLeg, callee_leg_rtt_ms: calleeLeg },
      })
      expect(Math.abs((call.rtt_p50_ms ?? 0) - endToEnd)).toBeLessThan(1)
      expect(Math.abs((call.rtt_max_ms ?? 0) - endToEnd)).toBeLessThan(1)
      expect(Math.abs((call.caller_leg_rtt_p50_ms ?? 0) - callerLeg)).toBeLessThan(1)
      expect(Math.abs((call.callee_leg_rtt_p50_ms ?? 0) - calleeLeg)).toBeLessThan(1)
      const media = directionOf(call, 'from_caller')
      expect(media.delay_source).toBe('rtcp')
      // 20 ms of packet and 40 ms of buffer beside half the round trip; G.711 looks no further ahead.
      expect(media.delay_p95_ms).toBeCloseTo(60 + endToEnd / 2, 0)
    },
  )

  it('a long round trip lowers the conversational score and leaves the listening one', async () => {
    const { call } = await oneCall({
      duration_s: 60,
      rtcp: true,
      network: { caller_leg_rtt_ms: 100, callee_leg_rtt_ms: 600 },
    })
    const media = directionOf(call, 'from_caller')
    // Cole-Rosenbluth and G.107 alike: 410 ms one way costs over 30 points of R.
    expect(media.mos_lq).toBeCloseTo(4.409, 2)
    expect(media.r_factor).toBeLessThan(63)
  })

  it('5 % of packets 120 ms late: a fixed buffer of 50 ms suffers, one of 200 ms does not', async () => {
    const { call } = await oneCall(fromCaller({ jitter: { late: { percent: 5, delay_ms: 120 } } }))
    const media = directionOf(call, 'from_caller')
    expect(media.lost).toBe(0)
    expect(media.mos_fixed50).toBeLessThan(4.2)
    expect(media.mos_fixed200).toBeGreaterThan(4.35)
    expect(media.late_fixed200).toBe(0)
  })

  it('a loss of 0.8 % is seen in the score', async () => {
    const packets = Array.from({ length: 24 }, (_, k) => 60 + k * 120)
    const { call } = await oneCall(fromCaller({ loss: { packets } }))
    const media = directionOf(call, 'from_caller')
    expect(media.lost).toBe(24)
    // Ie,eff = 95 x 0.8 / (0.8 + 25.1) = 2.9 points of R (G.107 eq. 7-29).
    expect(media.mos_lq).toBeLessThan(4.35)
    expect(media.mos_lq).toBeGreaterThan(4.3)
  })

  it.each([20, 40])('EVS in packets of %i ms is scored by the mode of its payloads', async (ptime_ms) => {
    const { call } = await oneCall(fromCaller({ codec: 'EVS', ptime_ms }, 10))
    // SDP allows 9.6 to 24.4 kbit/s in any bandwidth up to super-wideband.
    expect(directionOf(call, 'from_caller')).toMatchObject({
      codec: 'EVS',
      clock_rate_hz: 16000,
      ptime_ms,
      mos_scale: 'fb',
      mos_grounded: true,
      mos_model: expect.stringContaining('EVS SWB 24.4 kbit/s') as string,
    })
  })

  it.each<[CodecName, string]>([
    ['AMR', 'AMR 12.2 kbit/s'],
    ['AMR-WB', 'AMR-WB 23.85 kbit/s'],
  ])('%s is scored by the mode of its payloads, not by one that is assumed', async (codec, model) => {
    const { call } = await oneCall(fromCaller({ codec }, 10))
    expect(directionOf(call, 'from_caller').mos_model).toContain(model)
    expect(directionOf(call, 'from_caller').mos_model).not.toContain('assumed')
  })

  it('a callee who never speaks does not leave the call at 4.4', async () => {
    const { call } = await oneCall({ duration_s: 30, media: { from_callee: { no_media: true } } })
    expect(call.quality).toBe('broken')
    expect(call.mos_cq_min).toBeUndefined()
    expect(call.media.from_callee).toMatchObject({ expected: true, packets: 0 })
  })

  it.each<[string, DirectionSpec]>([
    ['uniform jitter of 30 ms', { jitter: { uniform_ms: 30, preserve_order: true } }],
    ['a queue that stalls', { jitter: { queueing: { every_s: 7, stall_ms: 180 } } }],
    ['spikes', { jitter: { spikes: { every_s: 3, size_ms: 90, packets: 4 }, preserve_order: true } }],
    ['random loss and duplicates', { loss: { random_percent: 3 }, duplicates: { percent: 2, after_ms: 10 } }],
    [
      'Gilbert loss with reordering',
      { loss: { gilbert: { p: 0.02, q: 0.4 } }, reorder: { percent: 2, by: 2 } },
    ],
  ])('counts are exact, percentiles within 3 %% or 0.1 ms of an exact sort: %s', async (_, media) => {
    const { call, truthCall } = await oneCall(fromCaller(media, 28), 7)
    expectTruth(directionOf(call, 'from_caller'), truthCall.media.from_caller)
  })

  it('200 ppm of clock skew over an hour add less than 0.5 ms to the 95th percentile', async () => {
    const { call } = await oneCall({
      duration_s: 3600,
      media: {
        from_caller: { skew_ppm: 200, jitter: { uniform_ms: 4, preserve_order: true } },
        from_callee: { jitter: { uniform_ms: 4, preserve_order: true } },
      },
    })
    const skewed = directionOf(call, 'from_caller')
    const straight = directionOf(call, 'from_callee')
    expect(skewed.skew_ppm).toBeGreaterThan(198)
    expect(skewed.skew_ppm).toBeLessThan(202)
    expect((skewed.pdv_p95_ms ?? 99) - (straight.pdv_p95_ms ?? 0)).toBeLessThan(0.5)
    expect(skewed.late).toBe(0)
  }, 120_000)
})

describe('RTCP beside the tap', () => {
  it('loss after the tap shows in the far end and in mos_cq_receiver, not in lost', async () => {
    const { call, truthCall } = await oneCall({
      duration_s: 61,
      rtcp: { interval_s: 5 },
      media: { from_caller: { loss: { random_percent: 4, where: 'after_tap' } } },
    })
    const media = directionOf(call, 'from_caller')
    const truth = truthCall.media.from_caller
    expect(media.lost).toBe(0)
    expect(media.lost_before_tap).toBe(0)
    // The last report comes up to one interval (250 packets, 4 % of them lost) before the end.
    expect(media.lost_after_tap).toBeLessThanOrEqual(truth?.lost_after_tap ?? 0)
    expect(media.lost_after_tap).toBeGreaterThan((truth?.lost_after_tap ?? 0) - 30)
    expect(media.rtcp_lost).toBe(media.lost_after_tap)
    expect(media.mos_cq_receiver).toBeLessThan((media.mos_cq ?? 0) - 0.2)
    expect(call.validity.mirror_loss).toBe(0)
  })

  it('what only the mirror lost is mirror_loss', async () => {
    const { call } = await oneCall({ duration_s: 61, rtcp: { interval_s: 5 }, mirror: { drop_percent: 3 } })
    const media = directionOf(call, 'from_caller')
    expect(media.lost).toBeGreaterThan(50)
    expect(media.rtcp_lost).toBe(0)
    expect(media.lost_before_tap).toBe(0)
    expect(call.validity.mirror_loss).toBeGreaterThan(100)
  })

  it('encrypted RTCP is left alone, and the record says so', async () => {
    const { call } = await oneCall({ duration_s: 30, rtcp: true, srtp: true })
    expect(call.validity.encrypted_rtcp).toBe(true)
    expect(call.media.from_caller?.rtcp_lost).toBeUndefined()
    expect(call.media.from_caller?.encrypted).toBe(true)
  })
})

describe('endpoint reports (RFC 6035)', () => {
  it('a PUBLISH with vq-rtcpxr fills endpoint_* of the direction that its sender received', async () => {
    const { packets, truth } = await replayScenario({ seed: 3, start: START, calls: [{ duration_s: 20 }] })
    const { call_id: callId, media } = only(truth.calls)
    const lines = [
      'VQSessionReport: CallTerm',
      `CallID: ${callId}`,
      'LocalAddr: IP=198.51.100.20 PORT=20000 SSRC=0x1',
      `RemoteAddr: IP=192.0.2.10 PORT=10000 SSRC=${media.from_caller?.ssrcs[0]}`,
      'LocalMetrics:',
      'PacketLoss:NLR=1.5 JDR=0.4',
      'Delay:RTD=82 ESD=40 IAJ=3',
      'QualityEst:MOSLQ=4.1 MOSCQ=4.0',
      '',
    ]
    const body = lines.join('\r\n')
    const message = [
      'PUBLISH sip:collector@example.org SIP/2.0',
      'Via: SIP/2.0/UDP 198.51.100.20;branch=z9hG4bKvq1',
      'From: <sip:bob@example.org>;tag=1',
      'To: <sip:collector@example.org>',
      'Call-ID: publish-1',
      'CSeq: 1 PUBLISH',
      'Event: vq-rtcpxr',
      'Content-Type: application/vq-rtcpxr',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n')
    const last = packets.at(-1)?.timeMs ?? 0
    const { calls } = await replay([
      ...packets,
      { timeMs: last + 0.2, frame: udpFrame('198.51.100.20', '203.0.113.1', Buffer.from(message)) },
    ])
    expect(only(calls).media.from_caller).toMatchObject({
      endpoint_loss_percent: 1.5,
      endpoint_discard_percent: 0.4,
      endpoint_rtt_ms: 82,
      endpoint_mos_lq: 4.1,
      endpoint_mos_cq: 4,
    })
    expect(only(calls).media.from_callee?.endpoint_loss_percent).toBeUndefined()
  })
})

/** Ethernet, IPv4 and UDP on port 5060, without checksums. */
function udpFrame(source: string, destination: string, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(42 + payload.length)
  const view = new DataView(frame.buffer)
  view.setUint16(12, 0x0800)
  view.setUint16(14, 0x4500)
  view.setUint16(16, 28 + payload.length)
  view.setUint16(22, 0x4011)
  frame.set(source.split('.').map(Number), 26)
  frame.set(destination.split('.').map(Number), 30)
  view.setUint16(34, 5060)
  view.setUint16(36, 5060)
  view.setUint16(38, 8 + payload.length)
  frame.set(payload, 42)
  return frame
}
