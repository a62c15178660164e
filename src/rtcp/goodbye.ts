import { missing, type RtcpBody } from './defects.js'
import type { Goodbye } from './packets.js'
import { text, u32 } from './words.js'

/**
 * BYE, RFC 3550 6.6:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   SC    |    PT=203     |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                       SSRC / CSRC (SC)                        |
 * +---------------+-----------------------------------------------+
 * | reason length |  reason (optional) ...                        |
 * +---------------+-----------------------------------------------+
 */
export function parseGoodbye(body: RtcpBody): Goodbye {
  const { bytes, end, count } = body
  const ssrcs: number[] = []
  let at = body.start
  for (; ssrcs.length < count && at + 4 <= end; at += 4) ssrcs.push(u32(bytes, at))
  if (ssrcs.length < count) {
    missing(body, 'missing_bye_sources')
    return { type: 'bye', ssrcs }
  }
  if (at >= end || bytes[at] === 0) return { type: 'bye', ssrcs }
  const reasonEnd = at + 1 + bytes[at]
  if (reasonEnd > end) missing(body, 'bye_reason_too_long')
  return { type: 'bye', ssrcs, reason: text(bytes, at + 1, Math.min(reasonEnd, end)) }
}
