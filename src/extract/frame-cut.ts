import type { DecodedPacket } from '../decode/packet.js'

/** An RTP header as far as it was captured: where the payload begins, from the header's first byte (RFC 3550 5.1). */
export function rtpHeaderLength(bytes: Uint8Array, at: number, captured: number): number {
  let length = 12 + (bytes[at] & 15) * 4
  if ((bytes[at] & 0x10) !== 0) {
    if (length + 4 > captured) return captured
    length += 4 + ((bytes[at + length + 2] << 8) | bytes[at + length + 3]) * 4
  }
  return Math.min(length, captured)
}

/** RFC 5761 4: what second bytes RTCP has. */
export function isRtcp(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] >= 192 && bytes[at + 1] <= 223
}

/** The synchronisation source of an RTP header. */
export function ssrcAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 8] << 24) | (bytes[at + 9] << 16) | (bytes[at + 10] << 8) | bytes[at + 11]) >>> 0
}

/** ICMP header, quoted IP and UDP headers, and the RTP header behind them: its quotation holds no more of the media. */
export function icmpQuotationLength(p: DecodedPacket): number {
  const quoted = p.payloadOffset + 8
  const header = p.ipVersion === 4 ? (p.bytes[quoted] & 15) * 4 : 40
  return Math.min(8 + header + 8 + 12, p.payloadCaptured)
}
