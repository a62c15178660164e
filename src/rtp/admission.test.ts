import { expect, it } from 'vitest'
import { DecodeState } from '../decode/state.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import { PACKET_CANDIDATE, PACKET_RTP, RtpMeter } from './meter.js'
import type { IntervalRow } from './row.js'

const PORT = 5094
const OPUS: PayloadFormat = { payloadType: 96, encoding: 'OPUS', clockRateHz: 48_000, channels: 2 }

/** A meter, the rows it hands out, and a way to send it 172-byte packets of one flow. */
function setUp(formats?: readonly PayloadFormat[]) {
  const rows: { packets: number; jitterUpdates: number; jitterMax: number }[] = []
  const meter: RtpMeter = new RtpMeter(
    {
      onStreamStart: (slot) => {
        if (formats) meter.setPayloadFormats(slot, formats)
      },
      onRow: ({ packets, jitterUpdates, jitterMax }: IntervalRow) =>
        rows.push({ packets, jitterUpdates, jitterMax }),
      onStreamEnd: () => undefined,
    },
    { maxStreams: 16 },
  )
  const packet = new DecodeState()
  const view = new DataView(new ArrayBuffer(64))
  Object.assign(packet, {
    bytes: new Uint8Array(view.buffer),
    view,
    payloadLength: 172,
    payloadCaptured: 64,
    source0: 0x0a000001,
    destination0: 0x0a000002,
    sourcePort: 5084,
    destinationPort: PORT,
  })
  function send(timeMs: number, sequence: number, timestamp: number, payloadType: number, ssrc = 1): number {
    view.setUint16(0, 0x8000 | payloadType)
    view.setUint16(2, sequence)
    view.setUint32(4, timestamp)
    view.setUint32(8, ssrc)
    packet.timeMs = timeMs
    packet.udpChecksum = sequence
    return meter.onPacket(packet)
  }
  function end() {
    for (const _ of meter.finish()) continue
    return rows
  }
  return { meter, send, end }
}

it('a capture whose clock starts at zero (traffic generators write such files) loses no packet of its start', () => {
  const { send, end } = setUp()
  expect(send(254.277, 38_592, 0, 18)).toBe(PACKET_CANDIDATE)
  for (let k = 1; k < 150; k++) expect(send(254.277 + 20 * k, 38_592 + k, 160 * k, 18)).toBe(PACKET_RTP)
  expect(end().reduce((sum, row) => sum + row.packets, 0)).toBe(150)
})

it('a clock that was set back does not leave newcomers waiting for the old time', () => {
  const { meter, send, end } = setUp()
  // The clock was an hour ahead: flows of one packet each fill every place on probation.
  for (let flow = 0; flow < 20_000; flow++) send(3_600_000, 7, 0, 0, 0x10000 + flow)
  expect(meter.counters.candidatesTurnedAway).toBeGreaterThan(0)
  for (let k = 0; k < 10; k++) send(20 * k, 1000 + k, 160 * k, 0)
  expect(meter.counters.active).toBe(1)
  expect(end().reduce((sum, row) => sum + row.packets, 0)).toBe(10)
})

it('the first packet of an announced stream is timed by the clock rate that its SDP gives a dynamic type', () => {
  const { meter, send, end } = setUp([OPUS])
  meter.announced.add(0x0a000002, 0, 0, 0, PORT)
  send(1000, 1000, 0, 96)
  // 20 ms of media 18 us later: D = 19.982 ms, J = D/16 (RFC 3550 A.8).
  send(1000.018, 1001, 960, 96)
  const [row] = end()
  expect(row.jitterUpdates).toBe(1)
  expect(row.jitterMax).toBeCloseTo(19.982 / 16, 5)
})

it('a flow that signalling announces after its first packet keeps that packet, and its timing', () => {
  const { meter, send, end } = setUp([OPUS])
  expect(send(1000, 65_535, 0, 96)).toBe(PACKET_CANDIDATE)
  meter.announced.add(0x0a000002, 0, 0, 0, PORT)
  for (let k = 1; k < 100; k++) expect(send(1000 + 20 * k, 65_535 + k, 960 * k, 96)).toBe(PACKET_RTP)
  const rows = end()
  expect(rows.reduce((sum, row) => sum + row.packets, 0)).toBe(100)
  expect(rows.reduce((sum, row) => sum + row.jitterUpdates, 0)).toBe(99)
})
