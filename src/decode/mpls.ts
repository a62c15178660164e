import { looksLikeEthernet, looksLikeIp } from './ethernet.js'
import { LAYER_ETHERNET, LAYER_IP, TUNNEL_MPLS } from './layers.js'
import { SKIP_BAD_TUNNEL_HEADER, SKIP_NOT_IP } from './skip-reason.js'
import type { DecodeState } from './state.js'

/** More labels than any network pushes. */
const MAX_LABELS = 16

/**
 * Label stack entries (RFC 3032), then by content, as the labels do not say: IP, or a pseudowire with Ethernet
 * inside (RFC 4448) with or without its control word. A control word begins with a zero nibble, but so do most MAC
 * addresses, hence the look at the EtherType behind both.
 */
export function mpls(s: DecodeState): number {
  for (let labels = 0; ; labels++) {
    if (!s.has(4) || labels === MAX_LABELS) return s.skip(SKIP_BAD_TUNNEL_HEADER)
    const bottom = (s.bytes[s.at + 2] & 1) !== 0
    s.at += 4
    if (bottom) break
  }
  if (!s.has(1)) return s.skip(SKIP_BAD_TUNNEL_HEADER)
  s.tunnelCounts[TUNNEL_MPLS]++
  const nibble = s.bytes[s.at] >> 4
  if (nibble === 4 || nibble === 6) {
    return !looksLikeIp(s, s.at) && looksLikeEthernet(s, s.at) ? LAYER_ETHERNET : LAYER_IP
  }
  if (nibble === 0 && (looksLikeEthernet(s, s.at + 4) || !looksLikeEthernet(s, s.at))) s.at += 4
  // RFC 4385: 0001 begins an associated channel (OAM), not user data.
  else if (nibble === 1 && !looksLikeEthernet(s, s.at)) return s.skip(SKIP_NOT_IP)
  return LAYER_ETHERNET
}
