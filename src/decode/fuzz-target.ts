import { PacketDecoder } from './decoder.js'
import { parseUnreachable } from './icmp.js'
import { KIND_ICMP, KIND_SKIPPED } from './packet.js'
import { SKIP_FRAGMENT_INCOMPLETE, SKIP_FRAGMENT_TABLE_FULL } from './skip-reason.js'
import { TcpReassembler } from './tcp.js'

const LINK_TYPES = [
  1, 101, 0, 9, 50, 51, 104, 105, 107, 108, 113, 127, 166, 197, 204, 228, 229, 239, 276, 12, 7,
]

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`decoder broke a promise: ${what}`)
}

/** Sum of the reasons that stand for one frame each. */
function skippedFrames(decoder: PacketDecoder): number {
  let sum = 0
  decoder.skipped.forEach((count, reason) => {
    // These two count datagrams (and the first a fragment of an 802.11 frame).
    if (reason !== SKIP_FRAGMENT_INCOMPLETE && reason !== SKIP_FRAGMENT_TABLE_FULL) sum += count
  })
  return sum
}

/**
 * Reads the bytes as a run of frames (link type, length in two bytes, bytes cut off, frame) and checks what the
 * decoder promises: payload inside the buffer, each skipped frame counted once. Throws when it does not hold.
 */
export function fuzzDecodeOne(data: Uint8Array): void {
  const decoder = new PacketDecoder({ fragmentDatagrams: 8 })
  const bytes = Uint8Array.from(data)
  const view = new DataView(bytes.buffer)
  let timeMs = 0
  for (let at = 0; at + 4 <= bytes.length;) {
    const linkType = LINK_TYPES[bytes[at] % LINK_TYPES.length]
    const wire = Math.min(view.getUint16(at + 1), bytes.length - at - 4)
    const captured = Math.max(0, wire - bytes[at + 3])
    timeMs += bytes[at + 3] * 10
    const before = skippedFrames(decoder)
    const incomplete = decoder.skipped[SKIP_FRAGMENT_INCOMPLETE]
    const kind = decoder.decode(bytes, view, at + 4, captured, wire, linkType, timeMs)
    const counted = skippedFrames(decoder) - before
    const wlanFragment = counted === 0 && decoder.skipped[SKIP_FRAGMENT_INCOMPLETE] > incomplete
    check(
      kind === KIND_SKIPPED ? counted === 1 || wlanFragment : counted === 0,
      'a skipped frame is counted once',
    )
    checkPayload(decoder, kind)
    at += 4 + wire
  }
  decoder.finish()
  check(decoder.fragments.size === 0, 'no datagram stays behind')
}

function checkPayload(d: PacketDecoder, kind: number): void {
  if (kind === KIND_SKIPPED || kind > KIND_ICMP) return
  check(d.payloadLength >= 0 && d.payloadCaptured >= 0, 'lengths are not negative')
  check(d.payloadCaptured <= d.payloadLength, 'no more captured than promised')
  check(
    d.payloadCaptured === 0 || d.payloadOffset + d.payloadCaptured <= d.bytes.length,
    'payload in the buffer',
  )
  check(d.bytes.buffer === d.view.buffer, 'bytes and view are the same memory')
  if (kind === KIND_ICMP) parseUnreachable(d)
}

/**
 * Reads the bytes as a run of TCP segments of one connection (direction and flags, sequence step, length, content)
 * and checks that bytes come out in order and bounds hold. Throws when they do not.
 */
export function fuzzTcpOne(data: Uint8Array): void {
  const delivered = [0, 0]
  const ended = new Set<unknown>()
  const tcp = new TcpReassembler<number>(
    {
      onData: (connection, direction, bytes) => {
        check(bytes.length > 0, 'no empty data')
        check(!ended.has(connection), 'no data after the end')
        delivered[direction] += bytes.length
      },
      onGap: (_connection, _direction, missing) => check(missing >= 0, 'a gap is not negative'),
      onEnd: (connection) => ended.add(connection),
    },
    { maxHeldBytes: 512, maxHeldSegments: 8, maxTotalHeldBytes: 700, maxConnections: 3, idleMs: 60_000 },
  )
  const packet = new PacketDecoder({ fragmentDatagrams: 1 })
  packet.bytes = Uint8Array.from(data)
  packet.view = new DataView(packet.bytes.buffer)
  let sent = 0
  let timeMs = 0
  for (let at = 0; at + 6 <= data.length;) {
    const side = data[at] >> 7
    packet.source0 = side
    packet.destination0 = 1 - side
    packet.sourcePort = 5060 + (data[at + 1] >> 6)
    packet.destinationPort = packet.sourcePort
    packet.tcpFlags = data[at] & 0x1f
    packet.tcpSequence = (-100 + data[at + 1] + (data[at + 2] === 255 ? 1 << 23 : 0)) | 0
    packet.tcpAcknowledgement = (-100 + data[at + 3]) | 0
    packet.payloadOffset = at + 6
    packet.payloadLength = data[at + 4] & 0x7f
    packet.payloadCaptured = Math.min(packet.payloadLength, data.length - at - 6)
    sent += packet.payloadCaptured
    timeMs += data[at + 5] * 20
    tcp.push(packet, timeMs)
    check(tcp.heldBytes >= 0 && tcp.heldBytes <= 700 && tcp.size <= 3, 'bounds hold')
    at += 6 + packet.payloadCaptured
  }
  tcp.finish()
  check(tcp.heldBytes === 0 && tcp.size === 0, 'nothing stays behind')
  check(ended.size === tcp.counters.connections, 'each connection ends once')
  check(delivered[0] + delivered[1] <= sent, 'nothing comes out twice')
}
