import type { XrBody } from './extended-report.js'
import { u16, u32 } from './words.js'
import type {
  BurstGapDiscardBlock,
  BurstGapLossBlock,
  BytesDiscardedBlock,
  DiscardCountBlock,
} from './xr-blocks.js'
import { interval, measured24, measured32 } from './xr-later.js'

/**
 * Block 20, RFC 6958 3.1. C: discarded packets count as lost.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     BT=20     | I |C|  resv.  |       block length = 5        |
 * +---------------+---+-+---------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------+-----------------------------------------------+
 * |   threshold   |        sum of burst durations (ms)            |
 * +---------------+-------------------------------+---------------+
 * |            packets lost in bursts             |    packets    |
 * +-------------------------------+---------------+-------+-------+
 * |      expected in bursts       |   number of bursts    | sum of|
 * +-------------------------------+-----------------------+-------+
 * |             squares of burst durations (ms^2, 36 bits)        |
 * +---------------------------------------------------------------+
 */
export function parseBurstGapLoss(body: XrBody): BurstGapLossBlock {
  const { bytes, at } = body
  const bursts = u16(bytes, at + 18) >> 4
  const squares = (bytes[at + 19] & 0x0f) * 4294967296 + u32(bytes, at + 20)
  return {
    type: 'burst_gap_loss',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    includesDiscards: (bytes[at + 1] & 0x20) !== 0,
    threshold: bytes[at + 8],
    burstDurationSumMs: measured24(bytes, at + 9),
    packetsLostInBursts: measured24(bytes, at + 12),
    packetsExpectedInBursts: measured24(bytes, at + 15),
    bursts: bursts < 0xffe ? bursts : undefined,
    burstDurationSquaresSum: squares < 2 ** 36 - 2 ? squares : undefined,
  }
}

/**
 * Block 21, RFC 7003 3.1 (block type by erratum 3735):
 *
 * +---------------+---+-----------+-------------------------------+
 * |     BT=21     | I |   resv    |       block length = 3        |
 * +---------------+---+-----------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------+-----------------------------------------------+
 * |   threshold   |        packets discarded in bursts            |
 * +---------------+-------------------------------+---------------+
 * |          packets expected in bursts           |   reserved    |
 * +-----------------------------------------------+---------------+
 */
export function parseBurstGapDiscard(body: XrBody): BurstGapDiscardBlock {
  const { bytes, at } = body
  return {
    type: 'burst_gap_discard',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    threshold: bytes[at + 8],
    packetsDiscardedInBursts: measured24(bytes, at + 9),
    packetsExpectedInBursts: measured24(bytes, at + 12),
  }
}

const DISCARD_REASONS = ['duplicate', 'early', 'late', 'reserved'] as const

/**
 * Block 24, RFC 7002 3.1. DT: which discards are counted.
 *
 * +---------------+---+---+-------+-------------------------------+
 * |     BT=24     | I |DT | resv  |       block length = 2        |
 * +---------------+---+---+-------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------------------------------------------------------+
 * |                       packets discarded                       |
 * +---------------------------------------------------------------+
 */
export function parseDiscardCount(body: XrBody): DiscardCountBlock {
  const { bytes, at } = body
  return {
    type: 'discard_count',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    reason: DISCARD_REASONS[(bytes[at + 1] >> 4) & 3],
    packets: measured32(bytes, at + 8),
  }
}

/**
 * Block 26, RFC 7243 3. E: discarded for being early, else late.
 *
 * +---------------+---+-+---------+-------------------------------+
 * |     BT=26     | I |E|reserved |       block length = 2        |
 * +---------------+---+-+---------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------------------------------------------------------+
 * |                   RTP payload bytes discarded                 |
 * +---------------------------------------------------------------+
 */
export function parseBytesDiscarded(body: XrBody): BytesDiscardedBlock {
  const { bytes, at } = body
  return {
    type: 'bytes_discarded',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    early: (bytes[at + 1] & 0x20) !== 0,
    bytes: u32(bytes, at + 8),
  }
}
