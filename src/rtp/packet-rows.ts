import type { PacketBatch } from '../capture/batch.js'
import { ETHERTYPE_IPV4, ETHERTYPE_VLAN } from '../decode/ethernet.js'
import { LINKTYPE_ETHERNET } from '../decode/link.js'
import { VXLAN_GROUP_POLICY } from '../decode/udp-tunnels.js'
import { DSCP_SHIFT } from './layout.js'
import { hashKey } from './stream-index.js'

/**
 * What measuring needs of one frame beyond its time: eight words of 32 bits in an Int32Array. `R_` fields count from
 * `row * ROW_32`. The ports are not among them: source, destination and SSRC being equal, the hash is a permutation of
 * the ports (`hashKey`), so that an equal hash says equal ports.
 */
export const ROW_32 = 8

/** Length of the UDP payload in the lower 16 bits, DSCP from bit 24 on; 0 for a frame that is not plain, and then alone valid. */
export const R_LENGTH_DSCP = 0
/** Hash of the stream's key: where to look for the stream. */
export const R_HASH = 1
export const R_SOURCE = 2
export const R_DESTINATION = 3
export const R_SSRC = 4
/** First word of the RTP header: version, marker, payload type, sequence number. */
export const R_RTP = 5
export const R_TIMESTAMP = 6
/** Tells one packet from the next of its stream. */
export const R_SIGNATURE = 7

/** Header bytes before an RTP packet's own: IPv4 without options, UDP. */
const PLAIN_HEADERS = 28
const RTP_HEADER = 12
const LEAST_CAPTURED = 14 + 4 + PLAIN_HEADERS + RTP_HEADER
const PROTOCOL_UDP = 17
/** More fragments follow, or an offset (RFC 791). */
const FRAGMENT_BITS = 0x3fff

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
  rows: Int32Array,
  row: number,
): void {
  const { view, frameOffset, capturedLength, wireLength, linkType } = batch
  const size = view.byteLength
  for (let k = first; k < end; k++) {
    const r = (row + k - first) * ROW_32
    const captured = capturedLength[k]
    const offset = frameOffset[k]
    rows[r + R_LENGTH_DSCP] = 0
    if (
      linkType[k] !== LINKTYPE_ETHERNET ||
      captured < LEAST_CAPTURED ||
      captured !== wireLength[k] ||
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
    rows[r + R_LENGTH_DSCP] = length | (((first32 >>> 18) & 63) << DSCP_SHIFT)
    rows[r + R_HASH] = hashKey(source, destination, ports, ssrc)
    rows[r + R_SOURCE] = source
    rows[r + R_DESTINATION] = destination
    rows[r + R_SSRC] = ssrc
    rows[r + R_RTP] = word
    rows[r + R_TIMESTAMP] = view.getInt32(at + PLAIN_HEADERS + 4)
    rows[r + R_SIGNATURE] =
      checksum !== 0 || length < 20
        ? checksumSignature(checksum, length, word)
        : payloadSignature(
            view.getInt32(at + PLAIN_HEADERS + 12),
            view.getInt32(at + PLAIN_HEADERS + 16),
            length,
            word,
          )
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
