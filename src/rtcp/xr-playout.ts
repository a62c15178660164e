import type { XrBody } from './extended-report.js'
import { u16, u32 } from './words.js'
import type {
  ConcealedSecondsBlock,
  JitterBufferBlock,
  LossConcealmentBlock,
  MosBlock,
  MosSegment,
} from './xr-blocks.js'
import { interval, measured16, measured32 } from './xr-later.js'

/**
 * Block 23, RFC 7005 4.1. C: adaptive. All in ms.
 *
 * +---------------+---+-+---------+-------------------------------+
 * |     BT=23     | I |C|  resv   |       block length = 3        |
 * +---------------+---+-+---------+-------------------------------+
 * |                        SSRC of source                         |
 * +-------------------------------+-------------------------------+
 * |           nominal             |            maximum            |
 * +-------------------------------+-------------------------------+
 * |       high-water mark         |        low-water mark         |
 * +-------------------------------+-------------------------------+
 */
export function parseJitterBuffer(body: XrBody): JitterBufferBlock {
  const { bytes, at } = body
  return {
    type: 'jitter_buffer',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    adaptive: (bytes[at + 1] & 0x20) !== 0,
    nominalMs: measured16(bytes, at + 8),
    maximumMs: measured16(bytes, at + 10),
    highWaterMs: measured16(bytes, at + 12),
    lowWaterMs: measured16(bytes, at + 14),
  }
}

const MAX_SEGMENTS = 16

/**
 * Block 29, RFC 7266 3, one word per segment. S: the segment is for one channel of several. MOS in 1/256.
 *
 * +---------------+---+-----------+-------------------------------+
 * |     BT=29     | I | reserved  |         block length          |
 * +---------------+---+-----------+-------------------------------+
 * |                        SSRC of source                         |
 * +-+---------------+-------------+-------------------------------+
 * |0|     CAID      |     PT      |              MOS              |
 * +-+---------------+-------------+-----+-------------------------+
 * |1|     CAID      |     PT      |CHID |           MOS           |
 * +-+---------------+-------------+-----+-------------------------+
 */
export function parseMos(body: XrBody): MosBlock {
  const { bytes, end } = body
  const segments: MosSegment[] = []
  for (let at = body.at + 8; at + 4 <= end && segments.length < MAX_SEGMENTS; at += 4) {
    const head = u16(bytes, at)
    const value = u16(bytes, at + 2)
    const segment: MosSegment = { algorithm: (head >> 7) & 0xff, payloadType: head & 0x7f }
    if (head & 0x8000) segment.channel = value >> 13
    const mos = (head & 0x8000 ? value & 0x1fff : value) / 256
    // Over-range and unavailable lie outside, too.
    if (mos >= 1 && mos <= 5) segment.mos = mos
    segments.push(segment)
  }
  return {
    type: 'mos',
    ssrc: u32(bytes, body.at + 4),
    interval: interval(bytes[body.at + 1]),
    segments,
  }
}

/**
 * Block 30, RFC 7294 3.1:
 *
 * +---------------+---+---+-------+-------------------------------+
 * |     BT=30     | I |plc| resv  |       block length = 6        |
 * +---------------+---+---+-------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------------------------------------------------------+
 * |                   on-time playout duration                    |
 * +---------------------------------------------------------------+
 * |                   loss concealment duration                   |
 * +---------------------------------------------------------------+
 * |            buffer adjustment concealment duration             |
 * +-------------------------------+-------------------------------+
 * |    playout interrupt count    |           reserved            |
 * +-------------------------------+-------------------------------+
 * |                 mean playout interrupt size                   |
 * +---------------------------------------------------------------+
 */
export function parseLossConcealment(body: XrBody): LossConcealmentBlock {
  const { bytes, at } = body
  return {
    type: 'loss_concealment',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    method: (bytes[at + 1] >> 4) & 3,
    onTimeMs: measured32(bytes, at + 8),
    lossConcealedMs: measured32(bytes, at + 12),
    bufferConcealedMs: measured32(bytes, at + 16),
    interruptions: measured16(bytes, at + 20),
    meanInterruptionMs: measured32(bytes, at + 24),
  }
}

/**
 * Block 31, RFC 7294 4.1:
 *
 * +---------------+---+---+-------+-------------------------------+
 * |     BT=31     | I |plc| resv  |       block length = 4        |
 * +---------------+---+---+-------+-------------------------------+
 * |                        SSRC of source                         |
 * +---------------------------------------------------------------+
 * |                      unimpaired seconds                       |
 * +---------------------------------------------------------------+
 * |                      concealed seconds                        |
 * +-------------------------------+---------------+---------------+
 * |  severely concealed seconds   |   reserved    | SCS threshold |
 * +-------------------------------+---------------+---------------+
 */
export function parseConcealedSeconds(body: XrBody): ConcealedSecondsBlock {
  const { bytes, at } = body
  return {
    type: 'concealed_seconds',
    ssrc: u32(bytes, at + 4),
    interval: interval(bytes[at + 1]),
    method: (bytes[at + 1] >> 4) & 3,
    unimpairedSeconds: measured32(bytes, at + 8),
    concealedSeconds: measured32(bytes, at + 12),
    severelyConcealedSeconds: measured16(bytes, at + 16),
    severeThresholdMs: bytes[at + 19],
  }
}
