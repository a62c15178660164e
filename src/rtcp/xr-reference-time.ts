import type { XrBody } from './extended-report.js'
import { middle32, u32 } from './words.js'
import type { DlrrBlock, DlrrReport, ReceiverReferenceTimeBlock } from './xr-blocks.js'

/**
 * Block 4, RFC 3611 4.4: what an SR's NTP time is for those who send no media.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     BT=4      |   reserved    |       block length = 2        |
 * +---------------+---------------+-------------------------------+
 * |                      NTP time, seconds                        |
 * +---------------------------------------------------------------+
 * |                      NTP time, fraction                       |
 * +---------------------------------------------------------------+
 */
export function parseReceiverReferenceTime(body: XrBody): ReceiverReferenceTimeBlock {
  const ntpSeconds = u32(body.bytes, body.at + 4)
  const ntpFraction = u32(body.bytes, body.at + 8)
  return {
    type: 'receiver_reference_time',
    ntpSeconds,
    ntpFraction,
    ntpMiddle32: middle32(ntpSeconds, ntpFraction),
  }
}

const MAX_REPORTS = 64

/**
 * Block 5, RFC 3611 4.5, three words per receiver:
 *
 * +---------------+---------------+-------------------------------+
 * |     BT=5      |   reserved    |   block length = 3 x reports  |
 * +---------------+---------------+-------------------------------+
 * |                      SSRC of receiver                         |
 * +---------------------------------------------------------------+
 * |                       last RR time (LRR)                      |
 * +---------------------------------------------------------------+
 * |                delay since last RR (DLRR), 1/65536 s          |
 * +---------------------------------------------------------------+
 */
export function parseDlrr(body: XrBody): DlrrBlock {
  const { bytes, end } = body
  const reports: DlrrReport[] = []
  for (let at = body.at + 4; at + 12 <= end && reports.length < MAX_REPORTS; at += 12) {
    reports.push({ ssrc: u32(bytes, at), lrr: u32(bytes, at + 4), dlrr: u32(bytes, at + 8) })
  }
  return { type: 'dlrr', reports }
}
