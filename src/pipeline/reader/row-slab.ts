import { BATCH_CAPACITY, type PacketBatch } from '../../capture/batch.js'
import { describeFrames, PacketRows, ROW_BYTES } from '../../rtp/packet-rows.js'

/** Rows in a slab: any batch fits. */
const SLAB_ROWS = BATCH_CAPACITY
/** Batches in a slab. */
const SLAB_RANGES = 4096
/** A slab with so many rows is worth a message. */
const HAND_OVER_ROWS = 2048

/**
 * Described frames of one batch or several in memory that two threads share: one fills it, the other measures it. The
 * batches stay told apart, and their frames stay where they were read to.
 */
export class RowSlab {
  readonly rows: PacketRows
  /** Per batch: the id of the memory its frames lie in, and its end among the rows. */
  readonly ranges: Int32Array
  count = 0
  /** Rows in use. */
  private used = 0

  constructor(memory: SharedArrayBuffer) {
    this.rows = new PacketRows(memory, 0, SLAB_ROWS)
    this.ranges = new Int32Array(memory, SLAB_ROWS * ROW_BYTES, SLAB_RANGES * 2)
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLAB_ROWS * ROW_BYTES + SLAB_RANGES * 8)
  }

  clear(): void {
    this.count = this.used = 0
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
    this.ranges[this.count * 2] = memoryId
    this.ranges[this.count * 2 + 1] = this.used
    this.count++
  }
}
