import { missing, type RtcpBody } from './defects.js'
import type { ExtendedReport } from './packets.js'
import { u16, u32 } from './words.js'
import type { XrBlock } from './xr-blocks.js'
import {
  parseBurstGapDiscard,
  parseBurstGapLoss,
  parseBytesDiscarded,
  parseDiscardCount,
} from './xr-discards.js'
import { parseDelay, parseMeasurementInformation, parsePdv } from './xr-measurement.js'
import { parseConcealedSeconds, parseJitterBuffer, parseLossConcealment, parseMos } from './xr-playout.js'
import { parseDlrr, parseReceiverReferenceTime } from './xr-reference-time.js'
import { parseReceiptTimes, parseRle } from './xr-rle.js'
import { parseStatisticsSummary } from './xr-statistics.js'
import { parseVoipMetrics } from './xr-voip.js'

/** A datagram of blocks without content would hold this many words; nothing real comes near. */
const MAX_BLOCKS = 64

/** What a block's parser reads: `at` is its first word, `end` behind its last byte. */
export interface XrBody {
  bytes: Uint8Array
  at: number
  end: number
}

interface BlockReader {
  /** Least words behind the first one. */
  words: number
  read: (body: XrBody) => XrBlock
}

/** By block type (IANA "RTCP XR Block Type"). */
const READERS: ReadonlyMap<number, BlockReader> = new Map<number, BlockReader>([
  [1, { words: 2, read: (body) => parseRle(body, 'loss_rle') }],
  [2, { words: 2, read: (body) => parseRle(body, 'duplicate_rle') }],
  [3, { words: 2, read: parseReceiptTimes }],
  [4, { words: 2, read: parseReceiverReferenceTime }],
  [5, { words: 0, read: parseDlrr }],
  [6, { words: 9, read: parseStatisticsSummary }],
  // The prose of RFC 3611 4.7 says seven words, its diagram has eight; senders of both exist.
  [7, { words: 7, read: parseVoipMetrics }],
  [14, { words: 7, read: parseMeasurementInformation }],
  [15, { words: 4, read: parsePdv }],
  [16, { words: 6, read: parseDelay }],
  [20, { words: 5, read: parseBurstGapLoss }],
  [21, { words: 3, read: parseBurstGapDiscard }],
  [23, { words: 3, read: parseJitterBuffer }],
  [24, { words: 2, read: parseDiscardCount }],
  [26, { words: 2, read: parseBytesDiscarded }],
  [29, { words: 1, read: parseMos }],
  [30, { words: 6, read: parseLossConcealment }],
  [31, { words: 4, read: parseConcealedSeconds }],
])

/**
 * XR, RFC 3611 2 and 3:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|reserved |    PT=207     |       length in words - 1     |
 * +---+-+---------+---------------+-------------------------------+
 * |                             SSRC                              |
 * +---------------+---------------+-------------------------------+
 * |  block type   | type-specific |  block length in words - 1    |
 * +---------------+---------------+-------------------------------+
 * |                       block content ...                       |
 */
export function parseExtendedReport(body: RtcpBody): ExtendedReport | undefined {
  const { bytes, start, end } = body
  if (start + 4 > end) {
    missing(body, 'missing_ssrc')
    return undefined
  }
  const blocks: XrBlock[] = []
  for (let at = start + 4; at + 4 <= end;) {
    if (blocks.length === MAX_BLOCKS) {
      body.defects.add('too_many_xr_blocks')
      break
    }
    const length = (u16(bytes, at + 2) + 1) * 4
    if (at + length > end) {
      missing(body, 'xr_block_too_long')
      break
    }
    blocks.push(parseBlock(body, at, length))
    at += length
  }
  return { type: 'xr', ssrc: u32(bytes, start), blocks }
}

function parseBlock(body: RtcpBody, at: number, length: number): XrBlock {
  const blockType = body.bytes[at]
  const reader = READERS.get(blockType)
  if (reader === undefined) return { type: 'other', blockType, length }
  if (length < (reader.words + 1) * 4) {
    body.defects.add('xr_block_too_short')
    return { type: 'other', blockType, length }
  }
  return reader.read({ bytes: body.bytes, at, end: at + length })
}
