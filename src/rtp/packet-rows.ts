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

/**
 * Length of the UDP payload in the lower 16 bits, above it what `I_FLAGS` has of the same (`FLAG_IPV6`, the DSCP); 0 for a
 * frame that is not plain, and then alone valid.
 */
export const R_LENGTH_FLAGS = 0
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

const RTP_HEADER = 12
/** Header bytes before an RTP packet's own: IPv4 without options, UDP. */
const PLAIN_HEADERS = 28
const LEAST_CAPTURED = 14 + 4 + PLAIN_HEADERS + RTP_HEADER
const PROTOCOL_UDP = 17
/** EtherType, then version 4 and a header of five words. */
const PLAIN_IPV4 = (ETHERTYPE_IPV4 << 8) | 0x45
/** More fragments follow, or an offset (RFC 791), before the time to live; the protocol behind that. */
const FRAGMENT_AND_PROTOCOL = 0x3fff00ff
/** No row and no place in a buffer is larger. Said so, the compiler knows that no index can overflow. */
export const MOST_ROWS = 0xfffff
export const MOST_BYTES = 0x3fffffff

/** Describes the frames `first` to `end` (exclusive) of a batch in rows from `row` on. */
export type DescribeFrames = (batch: PacketBatch, first: number, end: number, row: number) => void

/** What describes frames in these rows. */
export function frameDescriber(rows: Int32Array): DescribeFrames {
  return function describeFrames(batch, first, end, row) {
    const { view, frameOffset, capturedLength, wireLength, linkType } = batch
    const size = view.byteLength
    for (let k = first; k < end; k++) {
      const r = ((row + k - first) & MOST_ROWS) * ROW_32
      const captured = capturedLength[k]
      const offset = frameOffset[k] & MOST_BYTES
      const isWhole =
        linkType[k] === LINKTYPE_ETHERNET &&
        captured === wireLength[k] &&
        frameOffset[k] + captured <= size &&
        frameOffset[k] === offset
      const at = isWhole ? plainPacketAt(view, offset, captured) : 0
      if (at === 0) rows[r + R_LENGTH_FLAGS] = 0
      else describePacket(view, at, rows, r)
    }
  }
}

/**
 * Where the IPv4 packet of a whole Ethernet frame begins that lies at `offset`; 0 if the frame is not plain. Plain is the
 * shape that nearly all frames on a mirror port have: at most one VLAN tag, an unfragmented IPv4 packet without options,
 * UDP, and at least twelve bytes that could begin an RTP packet. `PacketDecoder` would decode these to the same fields; all
 * else takes that way.
 *
 * Apart from `describePacket`, since the compiler takes no function of more than 460 bytes of bytecode into a loop, and no
 * more than some 900 altogether.
 */
export function plainPacketAt(view: DataView, offset: number, captured: number): number {
  if (captured < LEAST_CAPTURED) return 0
  let at = offset + 14
  let head = view.getInt32(offset + 12)
  if (head >>> 16 === ETHERTYPE_VLAN) {
    at = offset + 18
    head = view.getInt32(offset + 16)
  }
  const udpLength = view.getUint16(at + 24)
  const word = view.getInt32(at + PLAIN_HEADERS)
  const isPlain =
    head >>> 8 === PLAIN_IPV4 &&
    (view.getInt32(at + 6) & FRAGMENT_AND_PROTOCOL) === PROTOCOL_UDP &&
    udpLength >= 8 + RTP_HEADER &&
    udpLength + 20 <= view.getUint16(at + 2) &&
    at + 20 + udpLength <= offset + captured &&
    word >>> 30 === 2 &&
    word >>> 24 !== VXLAN_GROUP_POLICY
  return isPlain ? at : 0
}

/**
 * Describes the RTP packet whose IPv4 header, without options, begins at `at`.
 * @param r where its row begins in `rows`
 */
export function describePacket(view: DataView, at: number, rows: Int32Array, r: number): void {
  const source = view.getInt32(at + 12)
  const destination = view.getInt32(at + 16)
  const lengths = view.getInt32(at + 24)
  const word = view.getInt32(at + PLAIN_HEADERS)
  const ssrc = view.getInt32(at + PLAIN_HEADERS + 8)
  const checksum = lengths & 0xffff
  const length = (lengths >>> 16) - 8
  rows[r + R_LENGTH_FLAGS] = length | ((view.getUint8(at + 1) >> 2) << DSCP_SHIFT)
  rows[r + R_HASH] = hashKey(source, destination, view.getInt32(at + 20), ssrc)
  rows[r + R_SOURCE] = source
  rows[r + R_DESTINATION] = destination
  rows[r + R_SSRC] = ssrc
  rows[r + R_RTP] = word
  rows[r + R_TIMESTAMP] = view.getInt32(at + PLAIN_HEADERS + 4)
  const content =
    checksum !== 0 || length < 20
      ? checksumContent(checksum, length)
      : payloadContent(view.getInt32(at + PLAIN_HEADERS + 12), view.getInt32(at + PLAIN_HEADERS + 16), length)
  rows[r + R_SIGNATURE] = mixed(content, word)
}

/** The signature of a packet with a UDP checksum, or of one too short for `payloadSignature`. */
export function checksumSignature(checksum: number, length: number, word: number): number {
  return mixed(checksumContent(checksum, length), word)
}

function checksumContent(checksum: number, length: number): number {
  return checksum ^ Math.imul(length, 0x10001)
}

/** The signature of a packet without UDP checksum: of the first eight bytes behind the RTP header. */
export function payloadSignature(first: number, second: number, length: number, word: number): number {
  return mixed(payloadContent(first, second, length), word)
}

function payloadContent(first: number, second: number, length: number): number {
  return first ^ Math.imul(second, 0x9e3779b1) ^ length
}

/** 32 bits of which the upper 16 are never all 0 (which would mean: not known). */
function mixed(content: number, word: number): number {
  const hash = Math.imul(content ^ Math.imul(word, 0x85ebca77), 0xc2b2ae3d)
  return (hash ^ (hash << 13)) | 0x10000
}
