import { missing, type RtcpBody } from './defects.js'
import type { Feedback } from './packets.js'
import { u32 } from './words.js'

/**
 * RTPFB (PT 205) and PSFB (PT 206), RFC 4585 6.1:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   FMT   |   PT=205/206  |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                        SSRC of sender                         |
 * +---------------------------------------------------------------+
 * |                     SSRC of media source                      |
 * +---------------------------------------------------------------+
 * |                 feedback control information ...              |
 */
export function parseFeedback(body: RtcpBody, type: Feedback['type']): Feedback | undefined {
  const { bytes, start, end, count } = body
  if (start + 8 > end) missing(body, 'missing_ssrc')
  if (start + 4 > end) return undefined
  const feedback: Feedback = { type, format: count, ssrc: u32(bytes, start) }
  if (start + 8 <= end) feedback.mediaSsrc = u32(bytes, start + 4)
  return feedback
}
