import { expect, it } from 'vitest'
import { Recomputation } from './explain.js'
import { measure, RULES } from './measure.js'
import { placePackets } from './order.js'
import type { RtpPacket } from './packets.js'

const SETTING = { clockRateHz: undefined, splitsMs: [] }
const OURS = new Set(RULES)
const TSHARK = new Set<never>()

/** Packet n of a G.711 stream of 20 ms, on time. */
function packet(n: number, changes: Partial<RtpPacket> = {}): RtpPacket {
  return {
    frame: n + 1,
    timeMs: 20 * n,
    sequence: (65_530 + n) & 0xffff,
    timestamp: 160 * n,
    payloadType: 0,
    marker: false,
    kind: 'media',
    clockRateHz: 8000,
    transport: 'udp',
    length: 172,
    ...changes,
  }
}

function stream(count: number): RtpPacket[] {
  return Array.from({ length: count }, (_, n) => packet(n))
}

it('a clean stream that wraps its sequence number has the same figures by both definitions', () => {
  const placed = placePackets(stream(50))
  const expected = { packets: 50, lost: 0, maxDeltaMs: 20, meanJitterMs: 0, maxJitterMs: 0, jumpFrames: [] }
  expect(measure(placed, TSHARK, SETTING)).toEqual(expected)
  expect(measure(placed, OURS, SETTING)).toEqual(expected)
})

it('every packet mirrored twice is loss below zero to tshark, and only duplicates to us', () => {
  const twice = stream(10).flatMap((p) => [p, { ...p, timeMs: p.timeMs + 0.1 }])
  const placed = placePackets(twice)
  expect(measure(placed, TSHARK, SETTING)).toMatchObject({ packets: 20, lost: -10 })
  expect(measure(placed, OURS, SETTING)).toMatchObject({ packets: 10, lost: 0, maxJitterMs: 0 })
  const { reasons, checked } = new Recomputation(placed, placed, SETTING).explain('lost', 0, -10, true)
  expect(checked).toBe(true)
  expect(reasons).toMatchObject([{ code: 'copies', packets: 10 }])
})

it('an event whose timestamp stands still is the reason of jitter that only tshark shows', () => {
  const packets = stream(20)
  for (let n = 8; n < 13; n++)
    packets[n] = packet(n, { kind: 'event', payloadType: 101, timestamp: 160 * 8, clockRateHz: 8000 })
  const placed = placePackets(packets)
  // tshark moves on in time but not in the timestamp: the next packet is 100 ms of media in 20 ms, J = 100/16.
  expect(measure(placed, TSHARK, SETTING).maxJitterMs).toBeCloseTo(100 / 16, 9)
  expect(measure(placed, OURS, SETTING).maxJitterMs).toBeCloseTo(0, 9)
  const { reasons, checked } = new Recomputation(placed, placed, SETTING).explain(
    'max_jitter_ms',
    0,
    6.25,
    true,
  )
  expect(checked).toBe(true)
  expect(reasons).toMatchObject([{ code: 'events', packets: 5, frames: [9, 10, 11, 12, 13] }])
})

it('a figure that the packets do not yield stays unexplained, whoever printed it', () => {
  const placed = placePackets(stream(20))
  const recomputation = new Recomputation(placed, placed, SETTING)
  expect(recomputation.explain('lost', 3, 0, true)).toMatchObject({
    checked: false,
    reasons: [],
    recomputed: { ours: 0, tshark: 0 },
  })
  expect(recomputation.explain('lost', 0, 7, true).checked).toBe(false)
})

it('a packet that comes last but late shortens the stream for tshark, not for us', () => {
  const packets = stream(10)
  const [late] = packets.splice(8, 1)
  packets.push({ ...late, timeMs: 200 })
  const placed = placePackets(packets)
  expect(measure(placed, TSHARK, SETTING).lost).toBe(-1)
  expect(measure(placed, OURS, SETTING).lost).toBe(0)
})

it('a sequence that starts afresh is no loss by RFC 3550 A.1; a lone stray packet is in no figure', () => {
  const packets = stream(20)
  for (let n = 10; n < 20; n++) packets[n] = packet(n, { sequence: 20_000 + n })
  expect(measure(placePackets(packets), OURS, SETTING)).toMatchObject({ packets: 20, lost: 0 })
  const strayed = stream(20)
  strayed[10] = packet(10, { sequence: 30_000 })
  expect(measure(placePackets(strayed), OURS, SETTING)).toMatchObject({ packets: 19, lost: 1 })
})

it('an outage of 4,000 packets in step with the timestamp is loss', () => {
  const packets = [...stream(20), ...[4020, 4021, 4022].map((n) => packet(n))]
  expect(measure(placePackets(packets), OURS, SETTING)).toMatchObject({ packets: 23, lost: 4000 })
})

it('tshark divides 44,100 Hz by 1000 in whole numbers, which looks like jitter', () => {
  const packets = Array.from({ length: 30 }, (_, n) =>
    packet(n, { clockRateHz: 44_100, timestamp: 882 * n, payloadType: 11 }),
  )
  const placed = placePackets(packets)
  expect(measure(placed, TSHARK, SETTING).maxJitterMs).toBeGreaterThan(0.03)
  expect(measure(placed, OURS, SETTING).maxJitterMs).toBeCloseTo(0, 9)
})
