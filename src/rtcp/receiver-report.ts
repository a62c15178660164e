import { missing, type RtcpBody } from './defects.js'
import type { ReceiverReport } from './packets.js'
import { parseReportBlocks } from './report-blocks.js'
import { u32 } from './words.js'

/**
 * RR, RFC 3550 6.4.2:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   RC    |    PT=201     |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                       SSRC of reporter                        |
 * +---------------------------------------------------------------+
 * |                     report blocks (RC)                        |
 */
export function parseReceiverReport(body: RtcpBody): ReceiverReport | undefined {
  const { bytes, start, end } = body
  if (start + 4 > end) {
    missing(body, 'missing_ssrc')
    return undefined
  }
  return { type: 'rr', ssrc: u32(bytes, start), reports: parseReportBlocks(body, start + 4) }
}
