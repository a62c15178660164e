import { snap } from './ethernet.js'
import {
  LAYER_ETHERNET,
  LAYER_ETHERTYPE,
  LAYER_HDLC,
  LAYER_IP,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_LLC,
  LAYER_PPP,
  LAYER_PPPOE,
  LAYER_RADIOTAP,
  LAYER_WLAN,
} from './layers.js'
import { SKIP_NOT_IP, SKIP_TRUNCATED_LINK_HEADER, SKIP_UNSUPPORTED_LINK_TYPE } from './skip-reason.js'
import type { DecodeState } from './state.js'

export const LINKTYPE_ETHERNET = 1
export const LINKTYPE_RAW = 101
export const LINKTYPE_IPV4 = 228

/** The first header of a frame of LINKTYPE_* `linkType` (https://www.tcpdump.org/linktypes.html). */
export function linkHeader(s: DecodeState, linkType: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return LAYER_ETHERNET
    case 0: // NULL
    case 108: // LOOP
      return addressFamily(s)
    case 9: // PPP
      return LAYER_PPP
    case 50: // PPP_HDLC
    case 104: // C_HDLC
      return LAYER_HDLC
    case 51: // PPP_ETHER
      return LAYER_PPPOE
    case LINKTYPE_RAW:
    case 12: // RAW as some systems number it
    case 14:
      return LAYER_IP
    case 105: // 802.11
      return LAYER_WLAN
    case 107: // FRELAY
      return frameRelay(s)
    case 113:
      return linuxSll(s)
    case 127:
      return LAYER_RADIOTAP
    case 166:
      return pppd(s)
    case 197:
      return erf(s)
    case 204: // PPP_WITH_DIR: one byte of direction
      return skipBytes(s, 1, LAYER_PPP)
    case LINKTYPE_IPV4:
      return LAYER_IPV4
    case 229:
      return LAYER_IPV6
    case 239:
      return nflog(s)
    case 276:
      return linuxSll2(s)
    default:
      return s.skip(SKIP_UNSUPPORTED_LINK_TYPE)
  }
}

function skipBytes(s: DecodeState, length: number, next: number): number {
  if (!s.has(length)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  s.at += length
  return next
}

/** Four bytes of address family: in the writer's byte order (NULL) or the network's (LOOP), told by their size. */
function addressFamily(s: DecodeState): number {
  if (!s.has(4)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const little = s.view.getUint32(s.at, true)
  const family = little < 0x10000 ? little : s.view.getUint32(s.at)
  s.at += 4
  switch (family) {
    case 2:
      return LAYER_IPV4
    case 10: // Linux
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
      return LAYER_IPV6
    default:
      return s.skip(SKIP_NOT_IP)
  }
}

/** Q.922 address (2 to 4 bytes, the last is odd), then RFC 2427's control and NLPID, or Cisco's EtherType. */
function frameRelay(s: DecodeState): number {
  let address = 1
  while (address <= 4 && s.has(address) && (s.bytes[s.at + address - 1] & 1) === 0) address++
  if (!s.has(address + 2)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  if (address < 2 || address > 4) return s.skip(SKIP_NOT_IP)
  s.at += address
  if (s.bytes[s.at] !== 0x03) {
    s.protocol = s.view.getUint16(s.at)
    s.at += 2
    return LAYER_ETHERTYPE
  }
  // A zero pads the NLPID to an even place.
  s.at += s.bytes[s.at + 1] === 0 ? 2 : 1
  if (!s.has(1)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const nlpid = s.bytes[s.at++]
  if (nlpid === 0xcc) return LAYER_IPV4
  if (nlpid === 0x8e) return LAYER_IPV6
  if (nlpid === 0xcf) return LAYER_PPP
  return nlpid === 0x80 ? snap(s) : s.skip(SKIP_NOT_IP)
}

function linuxSll(s: DecodeState): number {
  if (!s.has(16)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const hardware = s.view.getUint16(s.at + 2)
  s.protocol = s.view.getUint16(s.at + 14)
  s.at += 16
  return cookedProtocol(s, hardware)
}

function linuxSll2(s: DecodeState): number {
  if (!s.has(20)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const hardware = s.view.getUint16(s.at + 8)
  s.protocol = s.view.getUint16(s.at)
  s.at += 20
  return cookedProtocol(s, hardware)
}

/** ARPHRD_* values say how to read the protocol; 0x0004 stands for LLC. */
function cookedProtocol(s: DecodeState, hardware: number): number {
  if (hardware === 801) return LAYER_WLAN
  if (hardware === 803) return LAYER_RADIOTAP
  if (s.protocol === 4) return LAYER_LLC
  return s.protocol < 0x0600 ? s.skip(SKIP_NOT_IP) : LAYER_ETHERTYPE
}

/** Like PPP in HDLC framing, but the address byte tells the direction. */
function pppd(s: DecodeState): number {
  if (!s.has(2)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  return skipBytes(s, s.bytes[s.at + 1] === 0x03 ? 2 : 1, LAYER_PPP)
}

/** Endace ERF: 16 bytes, then 8 for each extension header, then two bytes of padding for Ethernet types. */
function erf(s: DecodeState): number {
  if (!s.has(16)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const type = s.bytes[s.at + 8]
  s.at += 16
  for (let more = (type & 0x80) !== 0; more;) {
    if (!s.has(8)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
    more = (s.bytes[s.at] & 0x80) !== 0
    s.at += 8
  }
  switch (type & 0x7f) {
    case 2: // Ethernet
    case 11:
    case 16:
    case 20:
      return skipBytes(s, 2, LAYER_ETHERNET)
    case 1: // HDLC over POS
    case 10:
    case 15:
    case 19:
      return LAYER_HDLC
    case 22:
      return LAYER_IPV4
    case 23:
      return LAYER_IPV6
    default:
      return s.skip(SKIP_NOT_IP)
  }
}

const NFULA_PAYLOAD = 9

/** netfilter log: family, version, resource id, then TLVs in the byte order of the machine that wrote them. */
function nflog(s: DecodeState): number {
  if (!s.has(8)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const family = s.bytes[s.at]
  s.at += 4
  // A first attribute is short and its type small: the order that says so is the writer's.
  const little = s.view.getUint16(s.at, true) < s.view.getUint16(s.at)
  while (s.has(4)) {
    const length = s.view.getUint16(s.at, little)
    const type = s.view.getUint16(s.at + 2, little) & 0x7fff
    if (length < 4) break
    if (type === NFULA_PAYLOAD) {
      s.at += 4
      return family === 2 || family === 10 || family === 7 ? LAYER_IP : s.skip(SKIP_NOT_IP)
    }
    s.at += (length + 3) & ~3
  }
  return s.skip(SKIP_TRUNCATED_LINK_HEADER)
}
