import { FRAGMENT_COMPLETE, FRAGMENT_STORED } from './fragments.js'
import {
  LAYER_ETHERNET,
  LAYER_GRE,
  LAYER_ICMP,
  LAYER_IP_PROTOCOL,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_MPLS,
  LAYER_TCP,
  LAYER_UDP,
  TUNNEL_IP_IN_IP,
} from './layers.js'
import { KIND_FRAGMENT } from './packet.js'
import {
  SKIP_BAD_IP_HEADER,
  SKIP_FRAGMENT_OVERLAP,
  SKIP_NOT_IP,
  SKIP_TRUNCATED_IP_HEADER,
  SKIP_UNSUPPORTED_IP_PROTOCOL,
} from './skip-reason.js'
import type { DecodeState } from './state.js'

const MORE_FRAGMENTS = 0x2000

/** IPv4 or IPv6 by the version field. */
export function ip(s: DecodeState): number {
  if (!s.has(1)) return s.skip(SKIP_TRUNCATED_IP_HEADER)
  const version = s.bytes[s.at] >> 4
  if (version === 4) return LAYER_IPV4
  return version === 6 ? LAYER_IPV6 : s.skip(SKIP_NOT_IP)
}

/**
 * RFC 791 header:
 *
 *     |Version|  IHL  |Type of Service|          Total Length         |
 *     |         Identification        |Flags|      Fragment Offset    |
 *     |  Time to Live |    Protocol   |         Header Checksum       |
 *     |                       Source Address                          |
 *     |                    Destination Address                        |
 *     |                    Options                    |    Padding    |
 *
 * The checksum is not judged: captures on the sending host have it unfilled.
 */
export function ipv4(s: DecodeState): number {
  if (!s.has(20)) return s.skip(SKIP_TRUNCATED_IP_HEADER)
  const at = s.at
  const first = s.view.getInt32(at)
  const headerLength = ((first >>> 24) & 0x0f) * 4
  if (first >>> 28 !== 4 || headerLength < 20) return s.skip(SKIP_BAD_IP_HEADER)
  // Segmentation offload hands over packets with total length 0: the frame's own length counts then.
  const length = (first & 0xffff) === 0 ? s.wireEnd - at : first & 0xffff
  if (length < headerLength) return s.skip(SKIP_BAD_IP_HEADER)
  if (!s.has(headerLength)) return s.skip(SKIP_TRUNCATED_IP_HEADER)
  s.ipVersion = 4
  s.source0 = s.view.getInt32(at + 12)
  s.destination0 = s.view.getInt32(at + 16)
  s.source1 = s.source2 = s.source3 = 0
  s.destination1 = s.destination2 = s.destination3 = 0
  s.dscp = (first >>> 18) & 0x3f
  s.ttl = s.bytes[at + 8]
  s.ipLength = length
  s.protocol = s.bytes[at + 9]
  endAt(s, at + length)
  s.at = at + headerLength
  const fragment = s.view.getUint16(at + 6)
  if ((fragment & 0x3fff) === 0) return LAYER_IP_PROTOCOL
  const identification = s.view.getUint16(at + 4)
  const more = (fragment & MORE_FRAGMENTS) !== 0
  return reassemble(s, identification, (fragment & 0x1fff) * 8, more, headerLength)
}

/**
 * RFC 8200 header:
 *
 *     |Version| Traffic Class |           Flow Label                  |
 *     |         Payload Length        |  Next Header  |   Hop Limit   |
 *     |            Source Address (16), Destination Address (16)      |
 */
export function ipv6(s: DecodeState): number {
  if (!s.has(40))
    return s.skip(s.has(1) && s.bytes[s.at] >> 4 !== 6 ? SKIP_BAD_IP_HEADER : SKIP_TRUNCATED_IP_HEADER)
  const at = s.at
  const first = s.view.getInt32(at)
  if (first >>> 28 !== 6) return s.skip(SKIP_BAD_IP_HEADER)
  const payload = s.view.getUint16(at + 4)
  const length = payload === 0 ? s.wireEnd - at : payload + 40
  if (length < 40) return s.skip(SKIP_BAD_IP_HEADER)
  s.ipVersion = 6
  s.source0 = s.view.getInt32(at + 8)
  s.source1 = s.view.getInt32(at + 12)
  s.source2 = s.view.getInt32(at + 16)
  s.source3 = s.view.getInt32(at + 20)
  s.destination0 = s.view.getInt32(at + 24)
  s.destination1 = s.view.getInt32(at + 28)
  s.destination2 = s.view.getInt32(at + 32)
  s.destination3 = s.view.getInt32(at + 36)
  s.dscp = (first >>> 22) & 0x3f
  s.ttl = s.bytes[at + 7]
  s.ipLength = length
  s.protocol = s.bytes[at + 6]
  endAt(s, at + length)
  s.at = at + 40
  return LAYER_IP_PROTOCOL
}

function endAt(s: DecodeState, end: number): void {
  s.wireEnd = end
  if (s.capturedEnd > end) s.capturedEnd = end
}

/** What follows an IP header or an IPv6 extension header. */
export function ipProtocol(s: DecodeState): number {
  switch (s.protocol) {
    case 17:
      return LAYER_UDP
    case 6:
      return LAYER_TCP
    case 1:
      return s.ipVersion === 4 ? LAYER_ICMP : s.skip(SKIP_UNSUPPORTED_IP_PROTOCOL)
    case 58:
      return s.ipVersion === 6 ? LAYER_ICMP : s.skip(SKIP_UNSUPPORTED_IP_PROTOCOL)
    case 4:
      s.tunnelCounts[TUNNEL_IP_IN_IP]++
      return LAYER_IPV4
    case 41:
      s.tunnelCounts[TUNNEL_IP_IN_IP]++
      return LAYER_IPV6
    case 47:
      return LAYER_GRE
    case 137: // RFC 4023
      return LAYER_MPLS
    case 143: // RFC 8986
      return LAYER_ETHERNET
    case 51:
      return extensionHeader(s, 4, 2)
    case 0:
    case 43:
    case 60:
      return s.ipVersion === 6 ? extensionHeader(s, 8, 1) : s.skip(SKIP_UNSUPPORTED_IP_PROTOCOL)
    case 44:
      return s.ipVersion === 6 ? fragmentHeader(s) : s.skip(SKIP_UNSUPPORTED_IP_PROTOCOL)
    default:
      return s.skip(SKIP_UNSUPPORTED_IP_PROTOCOL)
  }
}

/** Hop-by-hop, routing, destination options (units of 8 bytes, less 1) and AH (RFC 4302: units of 4, less 2). */
function extensionHeader(s: DecodeState, unit: number, implied: number): number {
  if (!s.has(2)) return s.skip(SKIP_TRUNCATED_IP_HEADER)
  const length = (s.bytes[s.at + 1] + implied) * unit
  if (s.wireEnd - s.at < length) return s.skip(SKIP_BAD_IP_HEADER)
  if (!s.has(length)) return s.skip(SKIP_TRUNCATED_IP_HEADER)
  s.protocol = s.bytes[s.at]
  s.at += length
  return LAYER_IP_PROTOCOL
}

function fragmentHeader(s: DecodeState): number {
  if (!s.has(8)) return s.skip(SKIP_TRUNCATED_IP_HEADER)
  s.protocol = s.bytes[s.at]
  const offset = s.view.getUint16(s.at + 2)
  const identification = s.view.getInt32(s.at + 4)
  s.at += 8
  // RFC 6946: offset 0 and none to follow is a whole packet.
  if ((offset & 0xfff9) === 0) return LAYER_IP_PROTOCOL
  return reassemble(s, identification, offset & 0xfff8, (offset & 1) !== 0, 40)
}

function reassemble(
  s: DecodeState,
  identification: number,
  start: number,
  more: boolean,
  header: number,
): number {
  const length = s.wireEnd - s.at
  if (length <= 0 || (more && (length & 7) !== 0) || start + length > 0xffff)
    return s.skip(SKIP_BAD_IP_HEADER)
  const captured = s.capturedEnd - s.at
  const table = s.fragments
  const outcome = table.store(s, identification, s.protocol, s.at, captured, length, start, more)
  if (outcome === FRAGMENT_STORED) return KIND_FRAGMENT
  if (outcome !== FRAGMENT_COMPLETE) return s.skip(SKIP_FRAGMENT_OVERLAP)
  s.bytes = table.bytes
  s.view = table.view
  s.at = 0
  s.capturedEnd = table.captured
  s.wireEnd = table.length
  s.protocol = table.protocol
  s.ipLength = header + table.length
  s.reassembled = true
  return LAYER_IP_PROTOCOL
}
