/** Reads generated frames back for tests: plain Ethernet, VLAN tags, IPv4 or IPv6 without options, UDP or TCP. */
import type { GeneratedPacket } from './frame-source.js'

export interface Datagram {
  timeMs: number
  vlans: number[]
  source: string
  destination: string
  protocol: number
  ttl: number
  dscp: number
  sourcePort: number
  destinationPort: number
  payload: Uint8Array
  /** Transport segment with the addresses as bytes, for checksums. */
  segment: Uint8Array
  addresses: Uint8Array
  /** IPv4 header; empty for IPv6. */
  header: Uint8Array
}

export interface Rtp {
  timeMs: number
  source: string
  sourcePort: number
  ssrc: number
  sequence: number
  timestamp: number
  payloadType: number
  marker: boolean
  payload: Uint8Array
}

function hex(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : Buffer.from(bytes).toString('hex')
}

export function readDatagram({ frame, timeMs }: GeneratedPacket): Datagram {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const vlans: number[] = []
  let at = 12
  while (view.getUint16(at) === 0x8100 || view.getUint16(at) === 0x88a8) {
    vlans.push(view.getUint16(at + 2) & 0xfff)
    at += 4
  }
  const v4 = view.getUint16(at) === 0x0800
  const ip = at + 2
  const length = v4 ? view.getUint16(ip + 2) : 40 + view.getUint16(ip + 4)
  const size = v4 ? 4 : 16
  const addresses = frame.slice(v4 ? ip + 12 : ip + 8, (v4 ? ip + 12 : ip + 8) + 2 * size)
  const segment = frame.slice(ip + (v4 ? 20 : 40), ip + length)
  const ports = new DataView(segment.buffer)
  const protocol = frame[v4 ? ip + 9 : ip + 6]
  return {
    timeMs,
    vlans,
    source: hex(addresses.slice(0, size)),
    destination: hex(addresses.slice(size)),
    protocol,
    ttl: frame[v4 ? ip + 8 : ip + 7],
    dscp: (v4 ? frame[ip + 1] : ((frame[ip] << 4) | (frame[ip + 1] >> 4)) & 0xff) >> 2,
    sourcePort: segment.length >= 4 ? ports.getUint16(0) : 0,
    destinationPort: segment.length >= 4 ? ports.getUint16(2) : 0,
    payload: segment.slice(protocol === 17 ? 8 : 20),
    segment,
    addresses,
    header: v4 ? frame.slice(ip, ip + 20) : new Uint8Array(0),
  }
}

/** UDP payloads to or from port 5060, as text. */
export function sipTexts(packets: GeneratedPacket[]): { timeMs: number; source: string; text: string }[] {
  return packets
    .map(readDatagram)
    .filter((d) => d.protocol === 17 && (d.sourcePort === 5060 || d.destinationPort === 5060))
    .map(({ timeMs, source, payload }) => ({ timeMs, source, text: Buffer.from(payload).toString() }))
}

/** RTP of version 2 that is not RTCP, with the fixed header only. */
export function rtpPackets(packets: GeneratedPacket[]): Rtp[] {
  return packets.map(readDatagram).flatMap((d) => {
    const { payload, timeMs, source, sourcePort } = d
    const isRtp = d.protocol === 17 && payload.length >= 12 && payload[0] >> 6 === 2
    if (!isRtp || d.sourcePort === 5060 || (payload[1] >= 192 && payload[1] <= 223)) return []
    const view = new DataView(payload.buffer)
    return {
      timeMs,
      source,
      sourcePort,
      ssrc: view.getUint32(8),
      sequence: view.getUint16(2),
      timestamp: view.getUint32(4),
      payloadType: payload[1] & 0x7f,
      marker: payload[1] >= 128,
      payload: payload.slice(12),
    }
  })
}

/** First packet of an RTCP compound, with its first report block. */
export interface Rtcp {
  timeMs: number
  source: string
  type: number
  ssrc: number
  /** Middle 32 bits of an SR's NTP time. */
  ntpMiddle: number
  senderPackets: number
  block?: { ssrc: number; fraction: number; lost: number; highest: number; lsr: number; dlsr: number }
}

export function rtcpPackets(packets: GeneratedPacket[]): Rtcp[] {
  return packets.map(readDatagram).flatMap((d) => {
    const { payload, timeMs, source } = d
    if (d.protocol !== 17 || payload.length < 8 || payload[0] >> 6 !== 2) return []
    if (payload[1] !== 200 && payload[1] !== 201) return []
    const view = new DataView(payload.buffer)
    const sender = payload[1] === 200
    const at = sender ? 28 : 8
    return {
      timeMs,
      source,
      type: payload[1],
      ssrc: view.getUint32(4),
      ntpMiddle: sender ? view.getUint32(10) : 0,
      senderPackets: sender ? view.getUint32(20) : 0,
      block:
        (payload[0] & 31) === 0
          ? undefined
          : {
              ssrc: view.getUint32(at),
              fraction: payload[at + 4],
              lost: (view.getInt32(at + 4) << 8) >> 8,
              highest: view.getUint32(at + 8),
              lsr: view.getUint32(at + 16),
              dlsr: view.getUint32(at + 20),
            },
    }
  })
}
