import { KIND_ICMP, KIND_TCP, KIND_UDP } from './packet.js'
import { SKIP_BAD_TCP_HEADER, SKIP_BAD_UDP_LENGTH, SKIP_TRUNCATED_TRANSPORT_HEADER } from './skip-reason.js'
import type { DecodeState } from './state.js'
import { mayBeTunnel, udpTunnel } from './udp-tunnels.js'

/** UDP (RFC 768), then the tunnels that ride on it. */
export function udp(s: DecodeState): number {
  const at = s.at
  const left = s.wireEnd - at
  if (left < 8) return s.skip(SKIP_BAD_UDP_LENGTH)
  if (!s.has(8)) return s.skip(SKIP_TRUNCATED_TRANSPORT_HEADER)
  const length = s.view.getUint16(at + 4)
  if (length < 8) return s.skip(SKIP_BAD_UDP_LENGTH)
  s.sourcePort = s.view.getUint16(at)
  s.destinationPort = s.view.getUint16(at + 2)
  s.udpChecksum = s.view.getUint16(at + 6)
  s.setPayload(at + 8, (length < left ? length : left) - 8)
  if (s.payloadCaptured === 0 || !mayBeTunnel(s.bytes[at + 8], s.sourcePort, s.destinationPort))
    return KIND_UDP
  return udpTunnel(s)
}

/**
 * RFC 9293 header:
 *
 *     |          Source Port          |       Destination Port        |
 *     |                        Sequence Number                        |
 *     |                    Acknowledgment Number                      |
 *     | Offset| Rsrvd |     Flags     |            Window             |
 *     |           Checksum            |         Urgent Pointer        |
 */
export function tcp(s: DecodeState): number {
  const at = s.at
  if (s.wireEnd - at < 20) return s.skip(SKIP_BAD_TCP_HEADER)
  if (!s.has(20)) return s.skip(SKIP_TRUNCATED_TRANSPORT_HEADER)
  const headerLength = (s.bytes[at + 12] >> 4) * 4
  const length = s.wireEnd - at - headerLength
  if (headerLength < 20 || length < 0) return s.skip(SKIP_BAD_TCP_HEADER)
  s.sourcePort = s.view.getUint16(at)
  s.destinationPort = s.view.getUint16(at + 2)
  s.tcpSequence = s.view.getInt32(at + 4)
  s.tcpAcknowledgement = s.view.getInt32(at + 8)
  s.tcpFlags = s.bytes[at + 13]
  s.udpChecksum = 0
  s.setPayload(at + headerLength, length)
  return KIND_TCP
}

/** The whole ICMP message is the payload; ports are 0. */
export function icmp(s: DecodeState): number {
  if (s.wireEnd - s.at < 8 || !s.has(8)) return s.skip(SKIP_TRUNCATED_TRANSPORT_HEADER)
  s.sourcePort = 0
  s.destinationPort = 0
  s.udpChecksum = 0
  s.setPayload(s.at, s.wireEnd - s.at)
  return KIND_ICMP
}
