import { describe, expect, it } from 'vitest'
import { generateScenario } from './generate.js'
import { readDatagram, rtpPackets } from './read-back.js'
import type { DirectionSpec, StreamSpec } from './scenario.js'

const FROM = '192.0.2.1:4000'
const TO = '192.0.2.2:5000'

/** A PCMU stream of `packets` packets, 20 ms apart. */
function stream(packets: number, spec: DirectionSpec = {}) {
  const whole: StreamSpec = { from: FROM, to: TO, duration_s: (packets * 20) / 1000, ...spec }
  const made = generateScenario({ start: '2024-01-01T00:00:00Z', streams: [whole] })
  return { packets: made.packets, rtp: rtpPackets(made.packets), truth: made.truth.streams[0] }
}

describe('loss', () => {
  it('in the middle is lost, at the head and tail it is only missing', () => {
    const { rtp, truth } = stream(10, { initial_sequence: 100, loss: { packets: [0, 3, 4, 9] } })
    expect(rtp.map((packet) => packet.sequence)).toEqual([101, 102, 105, 106, 107, 108])
    expect(truth).toMatchObject({ sent: 10, packets: 6, lost: 2, lost_before_tap: 4, loss_percent: 25 })
    expect(truth.loss_runs).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('of an outage counts every packet sent meanwhile', () => {
    const { truth } = stream(100, { loss: { outages: [{ at_s: 0.5, duration_s: 0.3 }] } })
    expect(truth).toMatchObject({ packets: 85, lost: 15, longest_gap_ms: 320 })
    expect(truth.loss_runs[9]).toBe(1)
  })

  it('beyond the tap is not seen by the tap', () => {
    const { truth } = stream(10, { loss: { packets: [5], where: 'after_tap' } })
    expect(truth).toMatchObject({ packets: 10, lost: 0, lost_after_tap: 1 })
  })

  it('goes on counting over the wrap of the sequence number', () => {
    const { rtp, truth } = stream(6, { initial_sequence: 65533, loss: { packets: [3] } })
    expect(rtp.map((packet) => packet.sequence)).toEqual([65533, 65534, 65535, 1, 2])
    expect(truth.lost).toBe(1)
  })

  it('of a mirror is lost to the tap and named as the mirror doing', () => {
    const spec = { from: FROM, to: TO, duration_s: 0.1 }
    const { packets, truth } = generateScenario({ mirror: { drop_packets: [2] }, streams: [spec] })
    expect(packets).toHaveLength(4)
    expect(truth.streams[0]).toMatchObject({ lost: 1, lost_before_tap: 0, mirror_dropped: 1 })
  })
})

describe('delay', () => {
  it('gives RFC 3550 A.8 jitter worked out by hand', () => {
    // Delays 0, 8, 0, 0: |D| = 8, 8, 0; J = 0.5, 0.5 + 7.5/16 = 0.96875, 0.908203125.
    const { truth } = stream(4, { jitter: { pattern_ms: [0, 8, 0, 0] } })
    expect(truth.jitter_max_ms).toBe(0.96875)
    expect(truth.jitter_mean_ms).toBeCloseTo((0.5 + 0.96875 + 0.908203125) / 3, 6)
    expect(truth).toMatchObject({ pdv_p50_ms: 0, pdv_p95_ms: 8, pdv_max_ms: 8 })
  })

  it('is measured against the lowest so far, not the lowest ever', () => {
    // Delays 10, 10, 4, 10, 4: PDV 0, 0, 0, 6, 0.
    const { truth } = stream(5, { jitter: { pattern_ms: [10, 10, 4, 10, 4] } })
    expect(truth).toMatchObject({ pdv_max_ms: 6, pdv_p50_ms: 0 })
    expect(truth.pdv_over).toMatchObject({ 20: 0 })
  })

  it('late packets overtake nobody: they are overtaken, and that is reordering, not loss', () => {
    const { truth } = stream(10, { jitter: { late: { packets: [4], delay_ms: 70 } } })
    expect(truth).toMatchObject({ packets: 10, lost: 0, reordered: 1, made_late: 1, pdv_max_ms: 70 })
    expect(truth.pdv_over).toEqual({ 20: 1, 40: 1, 50: 1, 60: 1, 100: 0, 200: 0 })
    expect(truth.jitter_max_ms).toBe(0)
  })

  it('of a queue drains packet by packet', () => {
    // Stall at 1.0 s for 100 ms: the packets of 1.00 .. 1.08 leave at 1.100 .. 1.108, that of 1.10 behind them.
    const { rtp, truth } = stream(75, { jitter: { queueing: { every_s: 1, stall_ms: 100, drain_ms: 2 } } })
    const start = Date.parse('2024-01-01T00:00:00Z')
    expect(rtp.slice(49, 57).map((packet) => packet.timeMs - start)).toEqual([
      980, 1100, 1102, 1104, 1106, 1108, 1110, 1120,
    ])
    expect(truth).toMatchObject({ reordered: 0, pdv_max_ms: 100 })
  })

  it('makes a burst second of three packets over 60 ms in one second', () => {
    const two = stream(100, { jitter: { spikes: { every_s: 1, size_ms: 61, packets: 2 } } })
    const three = stream(100, { jitter: { spikes: { every_s: 1, size_ms: 61, packets: 3 } } })
    expect([two.truth.burst_seconds, three.truth.burst_seconds]).toEqual([0, 1])
  })

  it('of a fast clock is drift of the packets, not delay variation', () => {
    const { rtp, truth } = stream(500, { skew_ppm: 1000 })
    const span = rtp[rtp.length - 1].timeMs - rtp[0].timeMs
    const ticks = (rtp[rtp.length - 1].timestamp - rtp[0].timestamp) >>> 0
    // 1000 ppm fast: its timestamps advance by 1.001 s per second.
    expect(ticks / 8 / span).toBeCloseTo(1.001, 6)
    expect(truth.pdv_max_ms).toBeLessThan(0.001)
  })
})

describe('order', () => {
  it('reorders by as many places as asked', () => {
    const { rtp, truth } = stream(6, { initial_sequence: 0, reorder: { packets: [1], by: 2 } })
    expect(rtp.map((packet) => packet.sequence)).toEqual([0, 2, 3, 1, 4, 5])
    expect(truth).toMatchObject({ packets: 6, reordered: 1, lost: 0 })
  })

  it('duplicates are copies from the UDP header up, in another VLAN with another TTL', () => {
    const duplicates = { packets: [2], after_ms: 30, vlan: 77, ttl_change: -1 }
    const { packets, truth } = stream(6, { duplicates })
    const seen = packets.map(readDatagram)
    const copies = seen.filter((datagram) => datagram.ttl === 63)
    expect(copies).toHaveLength(1)
    expect(copies[0].vlans).toEqual([77])
    expect(copies[0].segment).toEqual(seen[2].segment)
    expect(copies[0].timeMs - seen[2].timeMs).toBe(30)
    expect(truth).toMatchObject({ packets: 6, duplicates: 1, span_duplicates: 1, reordered: 0 })
  })

  it('duplicates later than 50 ms are not mirror copies', () => {
    const { truth } = stream(6, { duplicates: { packets: [2], after_ms: 50.5 } })
    expect(truth).toMatchObject({ duplicates: 1, span_duplicates: 0 })
  })
})

describe('segments', () => {
  it('an SSRC change is no loss and begins a segment', () => {
    const { rtp, truth } = stream(10, { ssrc: '0x00000001', ssrc_change: [{ at_s: 0.1, ssrc: 2 }] })
    expect(rtp.map((packet) => packet.ssrc)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
    expect(truth).toMatchObject({ lost: 0, ssrcs: ['0x00000001', '0x00000002'] })
    expect(truth.segments.map((segment) => segment.packets)).toEqual([5, 5])
  })

  it('a sequence reset of 3000 or more is no loss, a smaller step is', () => {
    const far = stream(10, { initial_sequence: 10, sequence_reset: [{ at_s: 0.1, to: 14 + 3000 }] })
    const near = stream(10, { initial_sequence: 10, sequence_reset: [{ at_s: 0.1, to: 14 + 2999 }] })
    expect([far.truth.lost, far.truth.segments.length]).toEqual([0, 2])
    expect([near.truth.lost, near.truth.segments.length]).toEqual([2998, 1])
  })

  it('a timestamp jump is counted and disturbs neither jitter nor delay', () => {
    const { rtp, truth } = stream(10, {
      initial_timestamp: 1000,
      timestamp_jump: [{ at_s: 0.1, by_ms: 5000 }],
    })
    expect(rtp[5].timestamp - rtp[4].timestamp).toBe(160 + 40000)
    expect(truth).toMatchObject({ timestamp_jumps: 1, jitter_max_ms: 0, pdv_max_ms: 0 })
  })
})

describe('telephone events and pauses', () => {
  it('an event keeps one timestamp, grows in duration and ends three times', () => {
    const { rtp, truth } = stream(20, { dtmf: [{ at_s: 0.1, digit: '#', duration_ms: 60 }] })
    const events = rtp.filter((packet) => packet.payloadType === 101)
    expect(new Set(events.map((packet) => packet.timestamp)).size).toBe(1)
    expect(events.map((packet) => packet.marker)).toEqual([true, false, false, false, false])
    expect(events.map(({ payload }) => [payload[0], payload[1] >> 7, payload[2] * 256 + payload[3]])).toEqual(
      [
        [11, 0, 160],
        [11, 0, 320],
        [11, 1, 480],
        [11, 1, 480],
        [11, 1, 480],
      ],
    )
    expect(truth).toMatchObject({ dtmf_events: 1, lost: 0, packets: 20 })
  })

  it('silence advances the timestamp and not the sequence, and speech resumes with a marker', () => {
    const { rtp, truth } = stream(30, { initial_sequence: 0, dtx: { talk_s: 0.2, silence_s: 0.1 } })
    expect(rtp.map((packet) => packet.sequence)).toEqual(rtp.map((_, i) => i))
    expect(rtp[10].payloadType).toBe(13)
    expect([rtp[11].marker, rtp[12].marker]).toEqual([true, false])
    expect((rtp[11].timestamp - rtp[9].timestamp) >>> 0).toBe(6 * 160)
    expect(truth).toMatchObject({ sent: 22, lost: 0, jitter_max_ms: 0 })
  })
})
