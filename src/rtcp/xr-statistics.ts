import type { XrBody } from './extended-report.js'
import { u16, u32 } from './words.js'
import type { StatisticsSummaryBlock } from './xr-blocks.js'

/**
 * Block 6, RFC 3611 4.6. L, D, J: loss, duplicates, jitter are there; ToH: 1 IPv4 TTL, 2 IPv6 hop limit.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     BT=6      |L|D|J|ToH|rsvd.|       block length = 9        |
 * +---------------+-+-+-+---+-----+-------------------------------+
 * |                        SSRC of source                         |
 * +-------------------------------+-------------------------------+
 * |          begin_seq            |            end_seq            |
 * +-------------------------------+-------------------------------+
 * |                         lost packets                          |
 * +---------------------------------------------------------------+
 * |                       duplicate packets                       |
 * +---------------------------------------------------------------+
 * |          jitter: least, greatest, mean, deviation (4 words)   |
 * +---------------+---------------+---------------+---------------+
 * |   least TTL   | greatest TTL  |   mean TTL    | TTL deviation |
 * +---------------+---------------+---------------+---------------+
 */
export function parseStatisticsSummary(body: XrBody): StatisticsSummaryBlock {
  const { bytes, at } = body
  const flags = bytes[at + 1]
  const block: StatisticsSummaryBlock = {
    type: 'statistics_summary',
    ssrc: u32(bytes, at + 4),
    beginSequence: u16(bytes, at + 8),
    endSequence: u16(bytes, at + 10),
  }
  if (flags & 0x80) block.lost = u32(bytes, at + 12)
  if (flags & 0x40) block.duplicates = u32(bytes, at + 16)
  if (flags & 0x20) {
    block.jitter = {
      min: u32(bytes, at + 20),
      max: u32(bytes, at + 24),
      mean: u32(bytes, at + 28),
      deviation: u32(bytes, at + 32),
    }
  }
  const hops = (flags >> 3) & 3
  if (hops === 1 || hops === 2) {
    block.ttl = {
      min: bytes[at + 36],
      max: bytes[at + 37],
      mean: bytes[at + 38],
      deviation: bytes[at + 39],
      ipv6: hops === 2,
    }
  }
  return block
}
