import { missing, type RtcpBody } from './defects.js'
import type { SenderReport } from './packets.js'
import { parseReportBlocks } from './report-blocks.js'
import { middle32, u32 } from './words.js'

/**
 * SR, RFC 3550 6.4.1:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   RC    |    PT=200     |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                        SSRC of sender                         |
 * +---------------------------------------------------------------+
 * |                     NTP time, seconds                         |
 * +---------------------------------------------------------------+
 * |                     NTP time, fraction                        |
 * +---------------------------------------------------------------+
 * |                       RTP timestamp                           |
 * +---------------------------------------------------------------+
 * |                       packets sent                            |
 * +---------------------------------------------------------------+
 * |                        octets sent                            |
 * +---------------------------------------------------------------+
 * |                     report blocks (RC)                        |
 */
export function parseSenderReport(body: RtcpBody): SenderReport | undefined {
  const { bytes, start, end } = body
  if (start + 4 > end) {
    missing(body, 'missing_ssrc')
    return undefined
  }
  const ssrc = u32(bytes, start)
  if (start + 24 > end) {
    missing(body, 'missing_sender_info')
    return { type: 'sr', ssrc, reports: [] }
  }
  const ntpSeconds = u32(bytes, start + 4)
  const ntpFraction = u32(bytes, start + 8)
  return {
    type: 'sr',
    ssrc,
    sender: {
      ntpSeconds,
      ntpFraction,
      ntpMiddle32: middle32(ntpSeconds, ntpFraction),
      rtpTimestamp: u32(bytes, start + 12),
      packetCount: u32(bytes, start + 16),
      octetCount: u32(bytes, start + 20),
    },
    reports: parseReportBlocks(body, start + 24),
  }
}
