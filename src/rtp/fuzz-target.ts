import { DecodeState } from '../decode/state.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import { MeterChecks } from './fuzz-checks.js'
import type { ConfiguredBuffer } from './jitter-buffers.js'
import { PACKET_CANDIDATE, PACKET_RTP, RtpMeter, type MeterOptions } from './meter.js'

/** Bytes of the input per packet. */
const ROW_BYTES = 8
const START_MS = 1_700_000_000_000
const MAX_STREAMS = 6

// What bytes choose from. The first entries are the ordinary, so that a row of zeros is a calm stream.
const SEQUENCE_STEPS = [
  ...[1, 1, 1, 2, 0, -1, 3, -2, 17, 33, -40, -99, -100, -101, 300, 2999, 3000, 5000, 20_000, 32_767, -32_768],
]
const TIMESTAMP_STEPS = [160, 160, 160, 0, 320, 480, 960, -160, 1, 80_000, -80_000, 2_147_483_647, 480_000]
const TIME_STEPS_MS = [
  ...[20, 20, 20, 20, 0, 1, 40, 75, 250, 600, 990, 1000, 5000, 10_000, 31_000, 61_000, 121_000, 3_600_000],
  ...[86_400_000, 40_000_000_000, -1, -20, -1000, -100_000, 0.3],
]
const SECOND_BYTES = [0, 0, 0, 8, 9, 13, 18, 96, 101, 111, 77, 34, 128, 136, 128 + 101, 128 + 96, 200]
const LENGTHS = [172, 172, 172, 12, 16, 24, 52, 332, 1400, 65_507]
const FORMATS: readonly (readonly PayloadFormat[])[] = [
  [],
  [
    { payloadType: 96, encoding: 'OPUS', clockRateHz: 48_000, channels: 2 },
    { payloadType: 101, encoding: 'TELEPHONE-EVENT', clockRateHz: 8000, channels: 1 },
  ],
  [{ payloadType: 96, encoding: 'AMR-WB', clockRateHz: 16_000, channels: 1 }],
  [{ payloadType: 0, encoding: 'PCMU', clockRateHz: 0, channels: 1 }],
  [{ payloadType: 111, encoding: 'X', clockRateHz: 1_000_000, channels: 1 }],
]
const BUFFERS: readonly ConfiguredBuffer[] = [
  { kind: 'adaptive', minimumMs: 40, maximumMs: 500 },
  { kind: 'adaptive', minimumMs: 0, maximumMs: 2000 },
  { kind: 'fixed', depthMs: 0 },
  { kind: 'fixed', depthMs: 60 },
]

function pick<T>(choices: readonly T[], byte: number): T {
  return choices[byte % choices.length]
}

function options(byte: number): MeterOptions {
  return {
    maxStreams: MAX_STREAMS,
    intervalMs: pick([10_000, 1000, 60_000], byte >> 2),
    jitterBuffer: pick(BUFFERS, byte),
    idleMs: 60_000,
    announcedPlaces: 8,
    payloadMaps: 3,
  }
}

/** Sends packets of a few flows, and does to their streams what calls do. */
class Traffic {
  accepted = 0
  candidates = 0
  private readonly packet = new DecodeState({ fragmentDatagrams: 1 })
  private readonly view = new DataView(new ArrayBuffer(64))
  private readonly sequences = new Uint16Array(8).fill(65_500)
  private readonly timestamps = new Int32Array(8).fill(-2000)
  private timeMs = START_MS

  constructor(
    private readonly meter: RtpMeter,
    private readonly checks: MeterChecks,
  ) {
    this.packet.bytes = new Uint8Array(this.view.buffer)
    this.packet.view = this.view
  }

  /** Row: what, flow, sequence step, timestamp step, time step, payload type, length, anything. */
  row(row: Uint8Array): void {
    const [what, flow, sequenceStep, timestampStep, timeStep, secondByte, length, anything] = row
    this.timeMs += pick(TIME_STEPS_MS, timeStep)
    if (what >= 192) {
      this.control(what - 192, flow, anything)
      return
    }
    const { view } = this
    const f = flow & 7
    this.sequences[f] += pick(SEQUENCE_STEPS, sequenceStep)
    this.timestamps[f] += pick(TIMESTAMP_STEPS, timestampStep)
    // The upper rows are raw: their bytes are the packet's first ones.
    if (what >= 176) for (let at = 0; at < 8; at++) view.setUint8(at, at === 0 ? 0x80 | row[0] : row[at])
    else {
      view.setUint32(0, (0x80 << 24) | (pick(SECOND_BYTES, secondByte) << 16) | this.sequences[f])
      view.setInt32(4, this.timestamps[f])
    }
    this.address(flow)
    view.setUint32(12, anything)
    const { packet } = this
    packet.payloadLength = pick(LENGTHS, length)
    packet.payloadCaptured = Math.min(packet.payloadLength, anything & 1 ? 64 : 16)
    packet.udpChecksum = anything & 2 ? 0 : 0x1234
    packet.dscp = anything >> 4
    packet.timeMs = this.timeMs
    const result = this.meter.onPacket(packet)
    if (result === PACKET_RTP) this.accepted++
    if (result === PACKET_CANDIDATE) this.candidates++
    // The probe sweeps once per batch.
    if (anything & 4) this.meter.sweep(this.timeMs, MAX_STREAMS)
  }

  /** Eight flows: of two SSRCs, two ports, IPv4 and IPv6. */
  private address(flow: number): void {
    const { packet, view } = this
    packet.ipVersion = flow & 4 ? 6 : 4
    packet.source0 = 0x0a000001
    packet.destination0 = 0x0a000002
    packet.source3 = flow & 4 ? 1 : 0
    packet.destination3 = flow & 4 ? 2 : 0
    packet.sourcePort = 4000
    packet.destinationPort = 5000 + (flow & 2)
    view.setInt32(8, flow & 1)
  }

  private control(what: number, flow: number, anything: number): void {
    const { meter } = this
    this.address(flow)
    const { destination0, destination3, destinationPort } = this.packet
    const slots = [...this.checks.running.keys()]
    const slot = slots[anything % Math.max(1, slots.length)]
    switch (what >> 3) {
      case 0:
        return meter.announced.add(destination0, 0, 0, destination3, destinationPort)
      case 1:
        return meter.announced.remove(destination0, 0, 0, destination3, destinationPort)
      case 2:
        return meter.sweep(this.timeMs, anything)
    }
    if (slot === undefined) return
    switch (what >> 3) {
      case 3:
        return meter.setPayloadFormats(slot, pick(FORMATS, flow))
      case 4:
        return meter.cut(slot)
      case 5:
        return meter.conclude(slot)
      case 6:
        return meter.setBound(slot, (flow & 1) === 1)
      default:
        return meter.close(slot)
    }
  }
}

/**
 * Reads `data` as a row of RTP packets of a few flows, and of what calls do to their streams. Whatever they are, the
 * meter must not throw, give every packet to one count, keep its figures in order and every slot free in the end.
 */
export function fuzzRtpOne(data: Uint8Array): void {
  const first = data.length > 0 ? data[0] : 0
  const checks = new MeterChecks((slot) => {
    if (first & 0x40) meter.setPayloadFormats(slot, pick(FORMATS, first >> 4))
  })
  const meter: RtpMeter = new RtpMeter(checks, options(first))
  checks.connect(meter)
  const traffic = new Traffic(meter, checks)
  for (let at = ROW_BYTES; at + ROW_BYTES <= data.length; at += ROW_BYTES)
    traffic.row(data.subarray(at, at + ROW_BYTES))
  for (const _ of meter.finish()) continue
  const { active, streams, rejectedCandidates } = meter.counters
  if (active !== 0 || checks.running.size !== 0) throw new Error(`${active} slots are left behind`)
  if (streams !== checks.started) throw new Error(`${streams} streams, ${checks.started} starts`)
  const { accepted, candidates } = traffic
  if (checks.accounted > accepted + candidates)
    throw new Error(
      `${checks.accounted} packets in rows, ${accepted} accepted and ${candidates} on probation`,
    )
  if (rejectedCandidates === 0 && checks.accounted < accepted)
    throw new Error(`${checks.accounted} packets in rows, ${accepted} accepted`)
}
