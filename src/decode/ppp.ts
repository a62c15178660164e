import { LAYER_ETHERTYPE, LAYER_IPV4, LAYER_IPV6, LAYER_MPLS, LAYER_PPP, TUNNEL_PPPOE } from './layers.js'
import {
  SKIP_BAD_TUNNEL_HEADER,
  SKIP_ENCRYPTED_FRAME,
  SKIP_NOT_IP,
  SKIP_TRUNCATED_LINK_HEADER,
} from './skip-reason.js'
import type { DecodeState } from './state.js'

/** RFC 2516: version 1, type 1, code 0 for session data; session id; length. */
export function pppoe(s: DecodeState): number {
  if (!s.has(6)) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  if (s.bytes[s.at] !== 0x11) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  if (s.bytes[s.at + 1] !== 0) return s.skip(SKIP_NOT_IP)
  s.tunnelCounts[TUNNEL_PPPOE]++
  s.at += 6
  return LAYER_PPP
}

/** RFC 1661, with the address and control bytes of RFC 1662 or without, the protocol in two bytes or one. */
export function ppp(s: DecodeState): number {
  if (s.has(2) && s.bytes[s.at] === 0xff && s.bytes[s.at + 1] === 0x03) s.at += 2
  if (!s.has(2)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  // The last byte of a protocol number is odd, every other even: one odd byte is a compressed field.
  const compressed = (s.bytes[s.at] & 1) !== 0
  const protocol = compressed ? s.bytes[s.at] : s.view.getUint16(s.at)
  s.at += compressed ? 1 : 2
  switch (protocol) {
    case 0x0021:
      return LAYER_IPV4
    case 0x0057:
      return LAYER_IPV6
    case 0x0281:
    case 0x0283:
      return LAYER_MPLS
    case 0x0053: // RFC 1968 encryption
    case 0x00fd: // RFC 3078: MPPE travels as compressed data
      return s.skip(SKIP_ENCRYPTED_FRAME)
    default:
      return s.skip(SKIP_NOT_IP)
  }
}

/** Cisco HDLC (unicast 0x0F, multicast 0x8F, a zero, an EtherType) or PPP in HDLC framing. */
export function hdlc(s: DecodeState): number {
  if (!s.has(4)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const address = s.bytes[s.at]
  if (address !== 0x0f && address !== 0x8f) return LAYER_PPP
  s.protocol = s.view.getUint16(s.at + 2)
  s.at += 4
  return LAYER_ETHERTYPE
}
