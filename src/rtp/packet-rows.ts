import type { PacketBatch } from '../capture/batch.js'
import { ETHERTYPE_IPV4, ETHERTYPE_VLAN } from '../decode/ethernet.js'
import { LINKTYPE_ETHERNET } from '../decode/link.js'
import { VXLAN_GROUP_POLICY } from '../decode/udp-tunnels.js'
import { DSCP_SHIFT, FLAG_TIMED, FLAG_VALID } from './layout.js'
import { hashKey } from './stream-index.js'

/**
 * What measuring needs of one frame, in a cache line of its own: 16 words of 32 bits, the first two of which are a
 * Float64. `R_` fields index the Int32 view from `row * ROW_32`, the time the Float64 view at `row * ROW_64`.
 */
export const ROW_BYTES = 64
export const ROW_32 = ROW_BYTES / 4
export const ROW_64 = ROW_BYTES / 8

/** Length of the UDP payload of a plain frame (`describeFrames`); 0 in all others, of which the last four fields alone are valid. */
export const R_LENGTH = 2
/** Hash of the stream's key: where to look for the stream. */
export const R_HASH = 3
export const R_SOURCE = 4
export const R_DESTINATION = 5
/** Source port in the upper, destination port in the lower 16 bits. */
export const R_PORTS = 6
export const R_SSRC = 7
/** First word of the RTP header: version, marker, payload type, sequence number. */
export const R_RTP = 8
export const R_TIMESTAMP = 9
/** Tells one packet from the next of its stream (`packetSignature`). */
export const R_SIGNATURE = 10
/** The flags, and the DSCP, of a stream that goes on as usual. */
export const R_FLAGS = 11
export const R_WIRE_LENGTH = 12
export const R_CAPTURED_LENGTH = 13
export const R_FRAME_OFFSET = 14
export const R_LINK_TYPE = 15

/** Header bytes before an RTP packet's own: IPv4 without options, UDP. */
const PLAIN_HEADERS = 28
const RTP_HEADER = 12
const LEAST_CAPTURED = 14 + 4 + PLAIN_HEADERS + RTP_HEADER
const PROTOCOL_UDP = 17
/** More fragments follow, or an offset (RFC 791). */
const FRAGMENT_BITS = 0x3fff

/** A measured stream with nothing pending. */
export const USUAL_FLAGS = FLAG_VALID | FLAG_TIMED

/** Frames described ahead of being measured, in memory that another thread may fill. */
export class PacketRows {
  readonly i32: Int32Array
  readonly f64: Float64Array

  /** @param memory of 64 bytes per row, from `byteOffset` (a multiple of 8) on */
  constructor(memory: ArrayBufferLike, byteOffset: number, rows: number) {
    this.i32 = new Int32Array(memory, byteOffset, rows * ROW_32)
    this.f64 = new Float64Array(memory, byteOffset, rows * ROW_64)
  }

  static of(rows: number): PacketRows {
    return new PacketRows(new ArrayBuffer(rows * ROW_BYTES), 0, rows)
  }
}

/** A run of described frames: rows `first <= row < end`, of frames that lie in one buffer. */
export interface RowBatch {
  readonly bytes: Uint8Array
  /** The same memory as `bytes`. */
  readonly view: DataView
  readonly rows: PacketRows
  readonly first: number
  readonly end: number
}

/**
 * Describes the frames `first` to `end` of a batch in rows from `row` on. Plain is the shape that nearly all frames on
 * a mirror port have: a whole Ethernet frame (at most one VLAN tag) with an unfragmented IPv4 packet without options,
 * UDP, and at least twelve bytes that could begin an RTP packet. `PacketDecoder` would decode these to the same fields;
 * all else takes that way.
 */
export function describeFrames(
  batch: PacketBatch,
  first: number,
  end: number,
  rows: PacketRows,
  row: number,
): void {
  const { view, frameOffset, capturedLength, wireLength, timeMs, linkType } = batch
  const { i32, f64 } = rows
  const size = view.byteLength
  for (let k = first; k < end; k++) {
    const r = (row + k - first) * ROW_32
    const captured = capturedLength[k]
    const wire = wireLength[k]
    const offset = frameOffset[k]
    const link = linkType[k]
    f64[(row + k - first) * ROW_64] = timeMs[k]
    i32[r + R_WIRE_LENGTH] = wire
    i32[r + R_CAPTURED_LENGTH] = captured
    i32[r + R_FRAME_OFFSET] = offset
    i32[r + R_LINK_TYPE] = link
    i32[r + R_LENGTH] = 0
    if (
      link !== LINKTYPE_ETHERNET ||
      captured < LEAST_CAPTURED ||
      captured !== wire ||
      offset + captured > size
    ) {
      continue
    }
    let type = view.getUint16(offset + 12)
    let at = offset + 14
    if (type === ETHERTYPE_VLAN) {
      type = view.getUint16(offset + 16)
      at = offset + 18
    }
    const first32 = view.getInt32(at)
    const lengths = view.getInt32(at + 24)
    const udpLength = lengths >>> 16
    const word = view.getInt32(at + PLAIN_HEADERS)
    if (
      type !== ETHERTYPE_IPV4 ||
      first32 >>> 24 !== 0x45 ||
      view.getUint8(at + 9) !== PROTOCOL_UDP ||
      (view.getUint16(at + 6) & FRAGMENT_BITS) !== 0 ||
      udpLength < 8 + RTP_HEADER ||
      udpLength + 20 > (first32 & 0xffff) ||
      at + 20 + udpLength > offset + captured ||
      word >>> 30 !== 2 ||
      word >>> 24 === VXLAN_GROUP_POLICY
    ) {
      continue
    }
    const source = view.getInt32(at + 12)
    const destination = view.getInt32(at + 16)
    const ports = view.getInt32(at + 20)
    const ssrc = view.getInt32(at + PLAIN_HEADERS + 8)
    const checksum = lengths & 0xffff
    const length = udpLength - 8
    i32[r + R_LENGTH] = length
    i32[r + R_HASH] = hashKey(source, destination, ports, ssrc)
    i32[r + R_SOURCE] = source
    i32[r + R_DESTINATION] = destination
    i32[r + R_PORTS] = ports
    i32[r + R_SSRC] = ssrc
    i32[r + R_RTP] = word
    i32[r + R_TIMESTAMP] = view.getInt32(at + PLAIN_HEADERS + 4)
    i32[r + R_SIGNATURE] =
      checksum !== 0 || length < 20
        ? checksumSignature(checksum, length, word)
        : payloadSignature(
            view.getInt32(at + PLAIN_HEADERS + 12),
            view.getInt32(at + PLAIN_HEADERS + 16),
            length,
            word,
          )
    i32[r + R_FLAGS] = USUAL_FLAGS | (((first32 >>> 18) & 63) << DSCP_SHIFT)
  }
}

/** The signature of a packet with a UDP checksum, or of one too short for `payloadSignature`. */
export function checksumSignature(checksum: number, length: number, word: number): number {
  return mixed(checksum ^ Math.imul(length, 0x10001), word)
}

/** The signature of a packet without UDP checksum: of the first eight bytes behind the RTP header. */
export function payloadSignature(first: number, second: number, length: number, word: number): number {
  return mixed(first ^ Math.imul(second, 0x9e3779b1) ^ length, word)
}

/** 32 bits of which the upper 16 are never all 0 (which would mean: not known). */
function mixed(content: number, word: number): number {
  const hash = Math.imul(content ^ Math.imul(word, 0x85ebca77), 0xc2b2ae3d)
  return (hash ^ (hash << 13)) | 0x10000
}
