import { formatAddress } from './address.js'
import type { DecodedPacket } from './packet.js'

/** A host or router says that a UDP datagram could not be delivered. */
export interface UnreachableDatagram {
  ipVersion: 4 | 6
  /** ICMP type and code (IPv4 3/3 and IPv6 1/4: nobody listens on the port). */
  type: number
  code: number
  portUnreachable: boolean
  /** Who says so. */
  reporterAddress: string
  /** Source and destination of the datagram that was sent, as quoted. */
  sourceAddress: string
  sourcePort: number
  destinationAddress: string
  destinationPort: number
  /** The same addresses as int32 words in network order. */
  sourceWords: Int32Array
  destinationWords: Int32Array
}

const ICMPV4_UNREACHABLE = 3
const ICMPV6_UNREACHABLE = 1
const UDP = 17
/** Longest chain of extension headers that is followed in a quotation. */
const MAX_EXTENSION_HEADERS = 8

/**
 * Reads a destination-unreachable message (RFC 792, RFC 4443) that quotes a UDP datagram, from a packet of
 * KIND_ICMP. Undefined for every other message, and when the quotation ends before the ports.
 */
export function parseUnreachable(packet: DecodedPacket): UnreachableDatagram | undefined {
  const { view, payloadOffset: at } = packet
  const end = at + packet.payloadCaptured
  if (packet.payloadCaptured < 8 + 20) return undefined
  const type = view.getUint8(at)
  const code = view.getUint8(at + 1)
  const v4 = packet.ipVersion === 4
  if (type !== (v4 ? ICMPV4_UNREACHABLE : ICMPV6_UNREACHABLE)) return undefined
  const quoted = at + 8
  const ports = v4 ? portsAfterV4(view, quoted, end) : portsAfterV6(view, quoted, end)
  if (ports < 0 || ports + 4 > end) return undefined
  const sourceWords = addressWords(view, v4 ? quoted + 12 : quoted + 8, v4)
  const destinationWords = addressWords(view, v4 ? quoted + 16 : quoted + 24, v4)
  const version = v4 ? 4 : 6
  return {
    ipVersion: version,
    type,
    code,
    portUnreachable: code === (v4 ? 3 : 4),
    reporterAddress: formatAddress(version, packet.source0, packet.source1, packet.source2, packet.source3),
    sourceAddress: textOf(version, sourceWords),
    sourcePort: view.getUint16(ports),
    destinationAddress: textOf(version, destinationWords),
    destinationPort: view.getUint16(ports + 2),
    sourceWords,
    destinationWords,
  }
}

function textOf(version: 4 | 6, words: Int32Array): string {
  return formatAddress(version, words[0], words[1], words[2], words[3])
}

function addressWords(view: DataView, at: number, v4: boolean): Int32Array {
  const words = new Int32Array(4)
  for (let i = 0; i < (v4 ? 1 : 4); i++) words[i] = view.getInt32(at + i * 4)
  return words
}

/** Offset of the quoted ports, -1 when the quoted packet is not the start of a UDP datagram. */
function portsAfterV4(view: DataView, at: number, end: number): number {
  const first = view.getUint8(at)
  const headerLength = (first & 15) * 4
  if (first >> 4 !== 4 || headerLength < 20 || at + headerLength > end) return -1
  if (view.getUint8(at + 9) !== UDP || (view.getUint16(at + 6) & 0x1fff) !== 0) return -1
  return at + headerLength
}

function portsAfterV6(view: DataView, start: number, end: number): number {
  if (start + 40 > end || view.getUint8(start) >> 4 !== 6) return -1
  let next = view.getUint8(start + 6)
  let at = start + 40
  for (let headers = 0; headers < MAX_EXTENSION_HEADERS; headers++) {
    if (next === UDP) return at
    const fragment = next === 44
    if (at + 8 > end || !(fragment || next === 0 || next === 43 || next === 60)) return -1
    if (fragment && (view.getUint16(at + 2) & 0xfff8) !== 0) return -1
    const length = fragment ? 8 : (view.getUint8(at + 1) + 1) * 8
    next = view.getUint8(at)
    at += length
  }
  return -1
}
