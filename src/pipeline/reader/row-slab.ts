import { BATCH_CAPACITY, type PacketBatch } from '../../capture/batch.js'
import { describeFrames, PacketRows, ROW_BYTES } from '../../rtp/packet-rows.js'

/** Rows in a slab: any batch fits. */
const SLAB_ROWS = BATCH_CAPACITY
/** Batches in a slab. */
const SLAB_RANGES = 4096
/** A slab with so many rows is handed over. */
const HAND_OVER_ROWS = 2048
const HEADER_DOUBLES = 2
const RANGES_AT = HEADER_DOUBLES * 8
const ROWS_AT = RANGES_AT + SLAB_RANGES * 8
export const SLAB_BYTES = ROWS_AT + SLAB_ROWS * ROW_BYTES

/**
 * Described frames of one batch or several in memory that two threads share: one fills it, the other measures it. The
 * batches stay told apart, and their frames stay where they were read to.
 */
export class RowSlab {
  readonly rows: PacketRows
  /** Number of ranges; bytes of the files read so far. */
  private readonly header: Float64Array
  /** Per batch: the id of the memory its frames lie in, and its end among the rows. */
  private readonly ranges: Int32Array
  /** Rows in use. */
  private used = 0

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.header = new Float64Array(memory, byteOffset, HEADER_DOUBLES)
    this.ranges = new Int32Array(memory, byteOffset + RANGES_AT, SLAB_RANGES * 2)
    this.rows = new PacketRows(memory, byteOffset + ROWS_AT, SLAB_ROWS)
  }

  clear(): void {
    this.count = this.used = 0
  }

  /** Batches in it. */
  get count(): number {
    return this.header[0]
  }

  private set count(count: number) {
    this.header[0] = count
  }

  get bytesRead(): number {
    return this.header[1]
  }

  set bytesRead(bytes: number) {
    this.header[1] = bytes
  }

  hasRoomFor(packets: number): boolean {
    return this.count < SLAB_RANGES && this.used + packets <= SLAB_ROWS
  }

  get isFull(): boolean {
    return this.used >= HAND_OVER_ROWS || this.count === SLAB_RANGES
  }

  append(batch: PacketBatch, memoryId: number): void {
    describeFrames(batch, batch.first, batch.end, this.rows, this.used)
    this.used += batch.end - batch.first
    const n = this.count++
    this.ranges[n * 2] = memoryId
    this.ranges[n * 2 + 1] = this.used
  }

  memoryOf(n: number): number {
    return this.ranges[n * 2]
  }

  firstRowOf(n: number): number {
    return n === 0 ? 0 : this.ranges[n * 2 - 1]
  }

  endRowOf(n: number): number {
    return this.ranges[n * 2 + 1]
  }
}
