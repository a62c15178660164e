import { SKIP_REASONS, type SkipReason } from './packet.js'

const index = (reason: SkipReason): number => SKIP_REASONS.indexOf(reason)

/** Positions in SKIP_REASONS, for code that counts. */
export const SKIP_UNSUPPORTED_LINK_TYPE = index('unsupported_link_type')
export const SKIP_TRUNCATED_LINK_HEADER = index('truncated_link_header')
export const SKIP_NOT_IP = index('not_ip')
export const SKIP_TRUNCATED_IP_HEADER = index('truncated_ip_header')
export const SKIP_BAD_IP_HEADER = index('bad_ip_header')
export const SKIP_TRUNCATED_TRANSPORT_HEADER = index('truncated_transport_header')
export const SKIP_BAD_UDP_LENGTH = index('bad_udp_length')
export const SKIP_BAD_TCP_HEADER = index('bad_tcp_header')
export const SKIP_UNSUPPORTED_IP_PROTOCOL = index('unsupported_ip_protocol')
export const SKIP_FRAGMENT_INCOMPLETE = index('fragment_incomplete')
export const SKIP_FRAGMENT_OVERLAP = index('fragment_overlap')
export const SKIP_FRAGMENT_TABLE_FULL = index('fragment_table_full')
export const SKIP_TUNNEL_TOO_DEEP = index('tunnel_too_deep')
export const SKIP_BAD_TUNNEL_HEADER = index('bad_tunnel_header')
export const SKIP_ENCRYPTED_FRAME = index('encrypted_frame')
export const SKIP_BAD_HEP = index('bad_hep')

/** The reasons that occurred, with their counts. */
export function skippedByReason(skipped: Float64Array): Partial<Record<SkipReason, number>> {
  const record: Partial<Record<SkipReason, number>> = {}
  SKIP_REASONS.forEach((reason, i) => {
    if (skipped[i] > 0) record[reason] = skipped[i]
  })
  return record
}
