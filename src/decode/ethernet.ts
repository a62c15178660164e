import {
  LAYER_ETHERNET,
  LAYER_ETHERTYPE,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_LLC,
  LAYER_MPLS,
  LAYER_PPP,
  LAYER_PPPOE,
} from './layers.js'
import { SKIP_ENCRYPTED_FRAME, SKIP_NOT_IP, SKIP_TRUNCATED_LINK_HEADER } from './skip-reason.js'
import type { DecodeState } from './state.js'

export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_IPV6 = 0x86dd
export const ETHERTYPE_VLAN = 0x8100
/** Values below are a length: IEEE 802.3, LLC follows. */
const FIRST_ETHERTYPE = 0x0600

export function ethernet(s: DecodeState): number {
  if (!s.has(14)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const type = s.view.getUint16(s.at + 12)
  s.at += 14
  return typeOrLength(s, type)
}

function typeOrLength(s: DecodeState, type: number): number {
  s.protocol = type
  return type < FIRST_ETHERTYPE ? LAYER_LLC : LAYER_ETHERTYPE
}

/** What follows an EtherType (also GRE's protocol type, which is the same number space plus 0x6558). */
export function etherType(s: DecodeState): number {
  switch (s.protocol) {
    case ETHERTYPE_IPV4:
      return LAYER_IPV4
    case ETHERTYPE_IPV6:
      return LAYER_IPV6
    case ETHERTYPE_VLAN:
    case 0x88a8: // 802.1ad service tag
    case 0x9100: // QinQ before 802.1ad
    case 0x9200:
      return vlanTag(s)
    case 0x8847:
    case 0x8848:
      return LAYER_MPLS
    case 0x8864:
      return LAYER_PPPOE
    case 0x6558: // transparent Ethernet bridging (RFC 7637, RFC 8926)
      return LAYER_ETHERNET
    case 0x880b:
      return LAYER_PPP
    case 0x8870: // jumbo frames with LLC
      return LAYER_LLC
    case 0x88e5: // MACsec: E bit of the TCI (802.1AE 9.5)
      return s.skip(s.has(1) && (s.bytes[s.at] & 0x08) !== 0 ? SKIP_ENCRYPTED_FRAME : SKIP_NOT_IP)
    default:
      return s.skip(SKIP_NOT_IP)
  }
}

function vlanTag(s: DecodeState): number {
  if (!s.has(4)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  setVlan(s, s.view.getUint16(s.at) & 0xfff)
  const type = s.view.getUint16(s.at + 2)
  s.at += 4
  return typeOrLength(s, type)
}

/** VLAN id 0 only carries a priority: the frame belongs to no VLAN by it (802.1Q table 9-2). */
export function setVlan(s: DecodeState, vlan: number): void {
  if (vlan !== 0) s.vlan = vlan
}

/** LLC, with SNAP or with IP's own SAP. Voice over anything else is not known. */
export function llc(s: DecodeState): number {
  if (!s.has(3)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const b = s.bytes
  const at = s.at
  if (b[at + 2] !== 0x03) return s.skip(SKIP_NOT_IP)
  if (b[at] === 0x06 && b[at + 1] === 0x06) {
    s.at += 3
    return LAYER_IPV4
  }
  if (b[at] !== 0xaa || b[at + 1] !== 0xaa) return s.skip(SKIP_NOT_IP)
  s.at += 3
  return snap(s)
}

/** OUI and protocol id (RFC 1042; 00-00-F8 is the bridge-tunnel encapsulation of 802.1H). */
export function snap(s: DecodeState): number {
  if (!s.has(5)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const oui = (s.view.getUint16(s.at) << 8) | s.bytes[s.at + 2]
  s.protocol = s.view.getUint16(s.at + 3)
  s.at += 5
  return oui === 0 || oui === 0xf8 ? LAYER_ETHERTYPE : s.skip(SKIP_NOT_IP)
}

/** Do the bytes from `at` on read as an Ethernet frame of a kind that carries IP (or ARP)? */
export function looksLikeEthernet(s: DecodeState, at: number): boolean {
  if (s.capturedEnd - at < 15) return false
  const next = s.bytes[at + 14]
  switch (s.view.getUint16(at + 12)) {
    case ETHERTYPE_IPV4:
      return next >= 0x45 && next <= 0x4f
    case ETHERTYPE_IPV6:
      return next >> 4 === 6
    case ETHERTYPE_VLAN:
    case 0x88a8:
    case 0x8847:
    case 0x8848:
      return true
    case 0x0806: // ARP: hardware type below 256
      return next === 0
    case 0x8864:
      return next === 0x11
    default:
      return false
  }
}

/** Do the bytes from `at` on read as an IP header whose length fits what is left? */
export function looksLikeIp(s: DecodeState, at: number): boolean {
  if (s.capturedEnd - at < 6) return false
  const first = s.bytes[at]
  const left = s.wireEnd - at
  if (first >> 4 === 6) return s.view.getUint16(at + 4) + 40 <= left
  if (first < 0x45 || first > 0x4f) return false
  const length = s.view.getUint16(at + 2)
  return length === 0 || (length >= (first & 15) * 4 && length <= left)
}
