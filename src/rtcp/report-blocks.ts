import { missing, type RtcpBody } from './defects.js'
import type { ReportBlock } from './packets.js'
import { i24, u32 } from './words.js'

const BLOCK_BYTES = 24

/**
 * RFC 3550 6.4.1, `count` times:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                      SSRC reported on                         |
 * +---------------+-----------------------------------------------+
 * | fraction lost |     cumulative packets lost (signed)          |
 * +---------------+-----------------------------------------------+
 * |          extended highest sequence number received            |
 * +---------------------------------------------------------------+
 * |                     interarrival jitter                       |
 * +---------------------------------------------------------------+
 * |                           last SR                             |
 * +---------------------------------------------------------------+
 * |                    delay since last SR                        |
 * +---------------------------------------------------------------+
 */
export function parseReportBlocks(body: RtcpBody, at: number): ReportBlock[] {
  const { bytes, end, count } = body
  const reports: ReportBlock[] = []
  for (; reports.length < count && at + BLOCK_BYTES <= end; at += BLOCK_BYTES) {
    reports.push({
      ssrc: u32(bytes, at),
      fractionLost: bytes[at + 4],
      cumulativeLost: i24(bytes, at + 5),
      extendedHighest: u32(bytes, at + 8),
      jitter: u32(bytes, at + 12),
      lsr: u32(bytes, at + 16),
      dlsr: u32(bytes, at + 20),
    })
  }
  if (reports.length < count) missing(body, 'missing_report_blocks')
  return reports
}
