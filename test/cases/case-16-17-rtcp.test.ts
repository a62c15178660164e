import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
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

describe("case 17: reports with odd values change none of the tap's numbers", () => {
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
