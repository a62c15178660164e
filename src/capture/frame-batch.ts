import { BATCH_CAPACITY, type PacketBatch } from './batch.js'

const NO_BYTES = new Uint8Array(0)
const NO_VIEW = new DataView(NO_BYTES.buffer)

/**
 * Reads ordinary records of a pcap and finds out about their frames in one go, while the processor has them at hand: all
 * into the one batch that it was made for.
 */
export interface RecordReader {
  /** What was found out, by the index of the frame (`PacketBatch.rows`). */
  readonly rows: Int32Array
  /**
   * Appends records, with headers of sixteen bytes in little-endian order, from `position` on. Stops where the batch is
   * full and in front of a record that `end` cuts or whose lengths are odd.
   * @param unitsPerMs of the fractions of a second
   * @returns where it stopped
   */
  read(position: number, end: number, unitsPerMs: number, linkType: number): number
  /** Finds out about a frame of the batch that was appended by other means. */
  describe(frame: number): void
}

/** The batch that a reader fills again and again: `bytes` follows the reader's window, the arrays stay. */
export class FrameBatch implements PacketBatch {
  bytes: Uint8Array = NO_BYTES
  view: DataView = NO_VIEW
  first = 0
  end = 0
  readonly frameOffset: Int32Array
  readonly capturedLength: Int32Array
  readonly wireLength: Int32Array
  readonly timeMs: Float64Array
  readonly linkType: Uint16Array
  rows?: Int32Array = undefined
  /** Used by parsers that can. */
  records?: RecordReader = undefined
  /** A reader fills it. */
  inUse = false

  /** `capacity`: most packets held, 1..BATCH_CAPACITY. */
  constructor(capacity: number = BATCH_CAPACITY) {
    this.frameOffset = new Int32Array(capacity)
    this.capturedLength = new Int32Array(capacity)
    this.wireLength = new Int32Array(capacity)
    this.timeMs = new Float64Array(capacity)
    this.linkType = new Uint16Array(capacity)
  }
}
