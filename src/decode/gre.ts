import { setVlan } from './ethernet.js'
import { LAYER_ETHERNET, LAYER_ETHERTYPE, LAYER_IP, LAYER_PPP, TUNNEL_ERSPAN, TUNNEL_GRE } from './layers.js'
import { SKIP_BAD_TUNNEL_HEADER, SKIP_NOT_IP } from './skip-reason.js'
import type { DecodeState } from './state.js'

const CHECKSUM = 0x8000
const ROUTING = 0x4000
const KEY = 0x2000
const SEQUENCE = 0x1000
/** Version 1 only (RFC 2637). */
const ACKNOWLEDGEMENT = 0x0080
const ERSPAN_I_OR_II = 0x88be
const ERSPAN_III = 0x22eb

/** GRE: RFC 2784 with the key and sequence of RFC 2890 (version 0), PPTP's of RFC 2637 (version 1). */
export function gre(s: DecodeState): number {
  if (!s.has(4)) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  const flags = s.view.getUint16(s.at)
  const type = s.view.getUint16(s.at + 2)
  const version = flags & 7
  // Source routing was withdrawn by RFC 2784.
  if (version > 1 || (flags & ROUTING) !== 0) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  let header = 4
  if ((flags & CHECKSUM) !== 0) header += 4
  if ((flags & KEY) !== 0) header += 4
  if ((flags & SEQUENCE) !== 0) header += 4
  if (version === 1 && (flags & ACKNOWLEDGEMENT) !== 0) header += 4
  if (!s.has(header)) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  s.at += header
  s.tunnelCounts[TUNNEL_GRE]++
  // PPTP: without a sequence number there is only an acknowledgement.
  if (version === 1) return (flags & SEQUENCE) !== 0 && type === 0x880b ? LAYER_PPP : s.skip(SKIP_NOT_IP)
  if (type === ERSPAN_I_OR_II) return erspan2(s, (flags & SEQUENCE) !== 0)
  if (type === ERSPAN_III) return erspan3(s)
  s.protocol = type
  return LAYER_ETHERTYPE
}

/**
 * Type I has no header and no GRE sequence number. Type II (draft-foschiano-erspan 4.2):
 *
 *     | Ver (1)|        VLAN (12)       | COS | En|T|   Session ID    |
 *     |      Reserved         |                  Index                |
 */
function erspan2(s: DecodeState, hasSequence: boolean): number {
  s.tunnelCounts[TUNNEL_ERSPAN]++
  if (!hasSequence) return LAYER_ETHERNET
  if (!s.has(8) || s.bytes[s.at] >> 4 !== 1) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  setVlan(s, s.view.getUint16(s.at) & 0xfff)
  s.at += 8
  return LAYER_ETHERNET
}

/**
 * Type III (4.3): 12 bytes, and 8 more of platform data when the last bit (O) is set:
 *
 *     | Ver (2)|        VLAN (12)       | COS |BSO|T|   Session ID    |
 *     |                          Timestamp                            |
 *     |             SGT               |P|    FT   |   Hw ID   |D|Gra|O|
 */
function erspan3(s: DecodeState): number {
  s.tunnelCounts[TUNNEL_ERSPAN]++
  if (!s.has(12) || s.bytes[s.at] >> 4 !== 2) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  setVlan(s, s.view.getUint16(s.at) & 0xfff)
  const last = s.view.getUint16(s.at + 10)
  const header = (last & 1) !== 0 ? 20 : 12
  if (!s.has(header)) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  s.at += header
  const frameType = (last >> 10) & 0x1f
  if (frameType === 0) return LAYER_ETHERNET
  return frameType === 2 ? LAYER_IP : s.skip(SKIP_NOT_IP)
}
