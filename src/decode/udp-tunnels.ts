import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, looksLikeEthernet, looksLikeIp } from './ethernet.js'
import { HEP_FIRST_BYTE, hep, isHep } from './hep.js'
import {
  LAYER_ETHERNET,
  LAYER_ETHERTYPE,
  LAYER_IP,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_MPLS,
  LAYER_WLAN,
  TUNNEL_GENEVE,
  TUNNEL_GTP,
  TUNNEL_TEREDO,
  TUNNEL_TZSP,
  TUNNEL_VXLAN,
} from './layers.js'
import { KIND_UDP } from './packet.js'
import type { DecodeState } from './state.js'

const PORT_VXLAN = 4789
const PORT_VXLAN_GPE = 4790
/** Linux before the assignment. */
const PORT_VXLAN_OLD = 8472
const PORT_GENEVE = 6081
const PORT_GTP_U = 2152
const PORT_TZSP = 37008
const PORT_TEREDO = 3544

/** VXLAN group policy (draft-smith-vxlan-group-policy): the one tunnel whose first byte can pass for RTP's. */
export const VXLAN_GROUP_POLICY = 0x88

/**
 * Quick test of a datagram's first byte and ports. Version 2 in the first two bits is RTP or RTCP: no tunnel of
 * ours begins so, but VXLAN with group policy.
 */
export function mayBeTunnel(first: number, sourcePort: number, destinationPort: number): boolean {
  if ((first & 0xc0) === 0x80 && first !== VXLAN_GROUP_POLICY) return false
  if (first === HEP_FIRST_BYTE) return true
  switch (destinationPort) {
    case PORT_VXLAN:
    case PORT_VXLAN_GPE:
    case PORT_VXLAN_OLD:
    case PORT_GENEVE:
    case PORT_GTP_U:
    case PORT_TZSP:
    case PORT_TEREDO:
      return true
    default:
      return sourcePort === PORT_TEREDO
  }
}

/**
 * The layer inside a UDP tunnel, with the cursor on it. A payload that does not read as the tunnel of its port is
 * an ordinary datagram (KIND_UDP): media may use any port.
 */
export function udpTunnel(s: DecodeState): number {
  if (s.bytes[s.payloadOffset] === HEP_FIRST_BYTE && isHep(s)) return hep(s)
  s.capturedEnd = s.payloadOffset + s.payloadCaptured
  s.wireEnd = s.payloadOffset + s.payloadLength
  switch (s.destinationPort) {
    case PORT_VXLAN:
    case PORT_VXLAN_OLD:
      return vxlan(s)
    case PORT_VXLAN_GPE:
      return vxlanGpe(s)
    case PORT_GENEVE:
      return geneve(s)
    case PORT_GTP_U:
      return gtp(s)
    case PORT_TZSP:
      return tzsp(s)
    default:
      return s.destinationPort === PORT_TEREDO || s.sourcePort === PORT_TEREDO ? teredo(s) : KIND_UDP
  }
}

function enter(s: DecodeState, tunnel: number, at: number, layer: number): number {
  s.tunnelCounts[tunnel]++
  s.at = at
  return layer
}

/** RFC 7348: flags, 24 reserved bits, VNI, 8 reserved bits. Reserved bits are zero, or group policy's. */
function vxlan(s: DecodeState): number {
  const p = s.payloadOffset
  if (s.payloadCaptured < 8 || s.bytes[p + 7] !== 0) return KIND_UDP
  const word = s.view.getInt32(p)
  const policy =
    word >>> 24 === VXLAN_GROUP_POLICY && (word & 0x00b70000) === 0 && looksLikeEthernet(s, p + 8)
  return word === 0x08000000 || policy ? enter(s, TUNNEL_VXLAN, p + 8, LAYER_ETHERNET) : KIND_UDP
}

/** draft-ietf-nvo3-vxlan-gpe: version 0, I set; P says that the fourth byte names what is inside. */
function vxlanGpe(s: DecodeState): number {
  const p = s.payloadOffset
  if (s.payloadCaptured < 8) return KIND_UDP
  const flags = s.bytes[p]
  if ((flags & 0xf8) !== 0x08 || s.view.getUint16(p + 1) !== 0 || s.bytes[p + 7] !== 0) return KIND_UDP
  switch ((flags & 0x04) !== 0 ? s.bytes[p + 3] : 3) {
    case 1:
      return enter(s, TUNNEL_VXLAN, p + 8, LAYER_IPV4)
    case 2:
      return enter(s, TUNNEL_VXLAN, p + 8, LAYER_IPV6)
    case 3:
      return enter(s, TUNNEL_VXLAN, p + 8, LAYER_ETHERNET)
    case 5:
      return enter(s, TUNNEL_VXLAN, p + 8, LAYER_MPLS)
    default:
      return KIND_UDP
  }
}

/** RFC 8926: version 0, options in units of 4, six reserved bits, protocol, VNI, reserved byte. */
function geneve(s: DecodeState): number {
  const p = s.payloadOffset
  if (s.payloadCaptured < 8) return KIND_UDP
  const type = s.view.getUint16(p + 2)
  const known = type === 0x6558 || type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6
  const header = 8 + (s.bytes[p] & 0x3f) * 4
  if (s.bytes[p] >> 6 !== 0 || (s.bytes[p + 1] & 0x3f) !== 0 || s.bytes[p + 7] !== 0) return KIND_UDP
  if (!known || s.payloadLength < header) return KIND_UDP
  s.protocol = type
  return enter(s, TUNNEL_GENEVE, p + header, LAYER_ETHERTYPE)
}

/**
 * 3GPP TS 29.281 5.1: version 1, protocol type 1, message 255 (G-PDU), a length that fits; 4 more bytes when any of
 * E, S, PN is set, then extension headers (length in units of 4, the last byte names the next).
 */
function gtp(s: DecodeState): number {
  const p = s.payloadOffset
  if (s.payloadCaptured < 8 || (s.bytes[p] & 0xf8) !== 0x30 || s.bytes[p + 1] !== 255) return KIND_UDP
  if (s.view.getUint16(p + 2) + 8 > s.payloadLength) return KIND_UDP
  const end = p + s.payloadCaptured
  let at = p + 8
  if ((s.bytes[p] & 0x07) !== 0) {
    if (at + 4 > end) return KIND_UDP
    let next = (s.bytes[p] & 0x04) !== 0 ? s.bytes[at + 3] : 0
    at += 4
    while (next !== 0) {
      const length = at < end ? s.bytes[at] * 4 : 0
      if (length === 0 || at + length > end) return KIND_UDP
      next = s.bytes[at + length - 1]
      at += length
    }
  }
  if (looksLikeIp(s, at)) return enter(s, TUNNEL_GTP, at, LAYER_IP)
  return looksLikeEthernet(s, at) ? enter(s, TUNNEL_GTP, at, LAYER_ETHERNET) : KIND_UDP
}

/** Version 1, type 0 or 1, encapsulated protocol, tags up to the end tag (1; 0 is padding). */
function tzsp(s: DecodeState): number {
  const p = s.payloadOffset
  const end = p + s.payloadCaptured
  if (s.payloadCaptured < 5 || s.bytes[p] !== 1 || s.bytes[p + 1] > 1) return KIND_UDP
  const protocol = s.view.getUint16(p + 2)
  if (protocol !== 1 && protocol !== 0x12) return KIND_UDP
  let at = p + 4
  while (at < end && s.bytes[at] !== 1) at += s.bytes[at] === 0 ? 1 : 2 + (at + 1 < end ? s.bytes[at + 1] : 0)
  if (at >= end) return KIND_UDP
  return enter(s, TUNNEL_TZSP, at + 1, protocol === 1 ? LAYER_ETHERNET : LAYER_WLAN)
}

/** RFC 4380 5.1.1: IPv6, after an optional authentication header and an optional origin indication. */
function teredo(s: DecodeState): number {
  const p = s.payloadOffset
  const end = p + s.payloadCaptured
  let at = p
  if (end - at >= 4 && s.view.getUint16(at) === 1) at += 13 + s.bytes[at + 2] + s.bytes[at + 3]
  if (end - at >= 8 && s.view.getUint16(at) === 0) at += 8
  if (end - at < 6 || s.bytes[at] >> 4 !== 6) return KIND_UDP
  // Nothing may follow the IPv6 packet (bubbles have an empty one).
  if (s.view.getUint16(at + 4) + 40 !== p + s.payloadLength - at) return KIND_UDP
  return enter(s, TUNNEL_TEREDO, at, LAYER_IPV6)
}
