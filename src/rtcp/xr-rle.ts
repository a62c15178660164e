import type { XrBody } from './extended-report.js'
import { u16, u32 } from './words.js'
import type { ReceiptTimesBlock, RleBlock, SequenceRange } from './xr-blocks.js'

const MAX_RANGES = 256

/**
 * Blocks 1 and 2, RFC 3611 4.1 and 4.2:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |   BT=1 / 2    | rsvd. |   T   |        block length           |
 * +---------------+-------+-------+-------------------------------+
 * |                        SSRC of source                         |
 * +-------------------------------+-------------------------------+
 * |          begin_seq            |       end_seq (exclusive)     |
 * +-------------------------------+-------------------------------+
 * |           chunk 1             |           chunk 2        ...  |
 *
 * A chunk is 0 R nnnnnnnnnnnnnn (a run of n times R), 1 bbbbbbbbbbbbbbb (15 single bits), or all zero (the end). Bit 0
 * means lost in block 1, and received more than once in block 2.
 */
export function parseRle(body: XrBody, type: RleBlock['type']): RleBlock {
  const { bytes, at, end } = body
  const thinning = bytes[at + 1] & 0x0f
  const trace = new Trace(u16(bytes, at + 8), u16(bytes, at + 10), thinning)
  for (let chunkAt = at + 12; chunkAt + 2 <= end && trace.left > 0; chunkAt += 2) {
    const chunk = u16(bytes, chunkAt)
    if (chunk === 0) break
    if (chunk < 0x8000) trace.add((chunk & 0x4000) === 0, chunk & 0x3fff)
    else for (let bit = 14; bit >= 0; bit--) trace.add(((chunk >> bit) & 1) === 0, 1)
  }
  return {
    type,
    ssrc: u32(bytes, at + 4),
    thinning,
    beginSequence: u16(bytes, at + 8),
    endSequence: u16(bytes, at + 10),
    reported: trace.reported,
    marked: trace.marked,
    ranges: trace.ranges,
  }
}

/** Walks the reported sequence numbers from begin to end and gathers runs of marked ones. */
class Trace {
  reported = 0
  marked = 0
  readonly ranges: SequenceRange[] = []
  /** Reported numbers that are still to come. */
  left: number
  private readonly step: number
  private next: number
  private open: SequenceRange | undefined

  constructor(begin: number, end: number, thinning: number) {
    this.step = 1 << thinning
    // The first reported number is the first multiple of the step (RFC 3611 4.1).
    const skipped = -begin & (this.step - 1)
    const covered = ((end - begin) & 0xffff) - skipped
    this.next = (begin + skipped) & 0xffff
    this.left = covered > 0 ? Math.ceil(covered / this.step) : 0
  }

  add(mark: boolean, count: number): void {
    const n = Math.min(count, this.left)
    if (n === 0) return
    this.left -= n
    this.reported += n
    const last = (this.next + (n - 1) * this.step) & 0xffff
    if (mark) this.mark(n, last)
    else this.open = undefined
    this.next = (last + this.step) & 0xffff
  }

  private mark(n: number, last: number): void {
    this.marked += n
    if (this.open !== undefined) {
      this.open.last = last
      this.open.count += n
      return
    }
    this.open = { first: this.next, last, count: n }
    if (this.ranges.length < MAX_RANGES) this.ranges.push(this.open)
  }
}

/**
 * Block 3, RFC 3611 4.3: as above, then one 32-bit receipt time in timestamp units per packet. Only the header is read.
 */
export function parseReceiptTimes(body: XrBody): ReceiptTimesBlock {
  const { bytes, at, end } = body
  return {
    type: 'receipt_times',
    ssrc: u32(bytes, at + 4),
    thinning: bytes[at + 1] & 0x0f,
    beginSequence: u16(bytes, at + 8),
    endSequence: u16(bytes, at + 10),
    count: (end - at - 12) >> 2,
  }
}
