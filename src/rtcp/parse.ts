import { parseApplicationDefined } from './application-defined.js'
import type { RtcpBody, RtcpDefect } from './defects.js'
import { parseExtendedReport } from './extended-report.js'
import { parseFeedback } from './feedback.js'
import { parseGoodbye } from './goodbye.js'
import type { RtcpCompound, RtcpPacket } from './packets.js'
import { parseReceiverReport } from './receiver-report.js'
import { parseSenderReport } from './sender-report.js'
import { parseSourceDescription } from './source-description.js'
import { recogniseProtection } from './srtcp.js'
import { u16, u32 } from './words.js'

/** Packets read from one datagram. */
export const MAX_PACKETS = 128

export interface ParseOptions {
  /** The session's SDP says SRTP: what may be encrypted is not read. */
  expectEncrypted?: boolean
  /** Length of the datagram's payload on the wire, when the capture holds less of it. */
  wireLength?: number
}

interface Chain {
  /** Offsets of the headers found. */
  starts: number[]
  /** Behind the last packet whose length fits. */
  end: number
}

/**
 * Reads the `length` bytes of one datagram at `offset`: one compound, several, or a single packet (RFC 5506). Never
 * throws; what is missing or wrong is left out and named in `defects`.
 */
export function parseRtcp(
  bytes: Uint8Array,
  offset: number,
  length: number,
  options: ParseOptions = {},
): RtcpCompound {
  const defects = new Set<RtcpDefect>()
  const start = Math.max(0, Math.min(offset, bytes.length))
  const end = Math.max(start, Math.min(offset + length, bytes.length))
  const wireEnd = Math.max(end, start + (options.wireLength ?? end - start))
  const compound: RtcpCompound = {
    packets: [],
    defects: [],
    encrypted: false,
    authenticated: false,
    reducedSize: false,
    truncated: wireEnd > end,
  }
  const chain = followLengths(bytes, start, end, wireEnd, defects)
  if (chain.starts.length > 0) {
    const packetType = bytes[start + 1]
    compound.reducedSize = packetType !== 200 && packetType !== 201
    if (start + 8 <= end) compound.first = { packetType, ssrc: u32(bytes, start + 4) }
    readCompound(compound, bytes, chain, start, end, wireEnd, defects, options.expectEncrypted === true)
  }
  compound.defects = [...defects]
  return compound
}

function readCompound(
  compound: RtcpCompound,
  bytes: Uint8Array,
  chain: Chain,
  start: number,
  end: number,
  wireEnd: number,
  defects: Set<RtcpDefect>,
  expectEncrypted: boolean,
): void {
  const firstEnd = start + packetLength(bytes, start)
  const protection = compound.truncated ? 'none' : recogniseProtection(bytes, end, firstEnd, chain.end)
  compound.authenticated = protection === 'authenticated'
  compound.encrypted =
    protection === 'encrypted' ||
    // Lengths that add up leave no room for the index and tag that every SRTCP packet has.
    (expectEncrypted && !compound.authenticated && (compound.truncated || chain.end !== end))
  if (compound.encrypted) {
    defects.clear()
    return
  }
  for (let i = 0; i < chain.starts.length; i++) {
    const last = i === chain.starts.length - 1
    compound.packets.push(readPacket(bytes, chain.starts[i], end, wireEnd, last, defects))
  }
  if (chain.end >= end || compound.authenticated || defects.has('length_beyond_datagram')) return
  const cutHeader = compound.truncated && end - chain.end < 4
  if (chain.starts.length === MAX_PACKETS) defects.add('too_many_packets')
  else if (!cutHeader) defects.add('trailing_bytes')
}

function packetLength(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at + 2) + 1) * 4
}

/** Finds the packets by their length fields. A header that cannot be one ends the chain. */
function followLengths(
  bytes: Uint8Array,
  start: number,
  end: number,
  wireEnd: number,
  defects: Set<RtcpDefect>,
): Chain {
  const starts: number[] = []
  if (start + 4 > end) {
    if (wireEnd === end) defects.add('too_short')
    return { starts, end: start }
  }
  let at = start
  while (at + 4 <= end && starts.length < MAX_PACKETS) {
    const defect = headerDefect(bytes, at)
    if (defect !== undefined) {
      if (at === start) defects.add(defect)
      break
    }
    starts.push(at)
    const next = at + packetLength(bytes, at)
    if (next > wireEnd) {
      defects.add('length_beyond_datagram')
      break
    }
    at = next
  }
  return { starts, end: at }
}

/**
 * The first word of every packet, RFC 3550 6.4:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|  count  |  packet type  |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 */
function headerDefect(bytes: Uint8Array, at: number): RtcpDefect | undefined {
  if (bytes[at] >> 6 !== 2) return 'bad_version'
  // RFC 5761 4: what RTCP may use without being taken for RTP.
  return bytes[at + 1] >= 192 && bytes[at + 1] <= 223 ? undefined : 'bad_packet_type'
}

function readPacket(
  bytes: Uint8Array,
  at: number,
  captureEnd: number,
  wireEnd: number,
  last: boolean,
  defects: Set<RtcpDefect>,
): RtcpPacket {
  const length = packetLength(bytes, at)
  const promised = Math.min(at + length, wireEnd)
  let end = Math.min(promised, captureEnd)
  const cut = promised > captureEnd
  if (bytes[at] & 0x20) {
    if (!last) defects.add('padding_not_last')
    if (!cut) end -= paddingLength(bytes, at, end, defects)
  }
  const body: RtcpBody = { bytes, start: at + 4, end, count: bytes[at] & 0x1f, cut, defects }
  return readBody(body, bytes[at + 1]) ?? { type: 'other', packetType: bytes[at + 1], length }
}

/** RFC 3550 6.4.1: the last byte counts the padding, itself included, in whole words. */
function paddingLength(bytes: Uint8Array, at: number, end: number, defects: Set<RtcpDefect>): number {
  const padding = bytes[end - 1]
  if (padding > 0 && (padding & 3) === 0 && padding <= end - at - 4) return padding
  defects.add('bad_padding')
  return 0
}

function readBody(body: RtcpBody, packetType: number): RtcpPacket | undefined {
  switch (packetType) {
    case 200:
      return parseSenderReport(body)
    case 201:
      return parseReceiverReport(body)
    case 202:
      return parseSourceDescription(body)
    case 203:
      return parseGoodbye(body)
    case 204:
      return parseApplicationDefined(body)
    case 205:
      return parseFeedback(body, 'rtpfb')
    case 206:
      return parseFeedback(body, 'psfb')
    case 207:
      return parseExtendedReport(body)
    default:
      return undefined
  }
}

/**
 * Whether a UDP payload is RTCP rather than RTP (RFC 5761 4): version 2, packet type 192..223 (RTP with a marker and
 * payload type 64..95, which RTP must not use where RTCP may come), and a first length that the datagram can hold.
 * For RTP that length is the sequence number. SRTCP passes: its first header is clear. `length` bytes are there,
 * `wireLength` were sent.
 */
export function looksLikeRtcp(
  bytes: Uint8Array,
  offset: number,
  length: number,
  wireLength: number = length,
): boolean {
  if (length < 8 || offset < 0 || offset + length > bytes.length) return false
  if (headerDefect(bytes, offset) !== undefined) return false
  const rest = wireLength - packetLength(bytes, offset)
  return rest === 0 || rest >= 4
}
