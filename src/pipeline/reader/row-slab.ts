import { BATCH_CAPACITY, type PacketBatch } from '../../capture/batch.js'
import { frameDescriber, ROW_32, type DescribeFrames } from '../../rtp/packet-rows.js'

/** Frames in a slab: any batch fits. */
const SLAB_FRAMES = BATCH_CAPACITY
/** Batches in a slab. */
const SLAB_BATCHES = 4096
/** A slab with so many frames is handed over. */
const HAND_OVER_FRAMES = 2048
/** Batches in it; bytes of the files read so far. */
const HEADER_DOUBLES = 2
/** Per batch: its end, the id of the memory its frames lie in, and the captures cut before it. */
const BATCH_WORDS = 3
const BYTES_PER_FRAME = 8 + 3 * 4 + ROW_32 * 4 + 2
export const SLAB_BYTES = HEADER_DOUBLES * 8 + SLAB_BATCHES * BATCH_WORDS * 4 + SLAB_FRAMES * BYTES_PER_FRAME

/**
 * One batch or several, described, in memory that two threads share: one fills it, the other measures it. The batches
 * stay told apart, and their frames stay where they were read to.
 */
export class RowSlab {
  private readonly header: Float64Array
  private readonly batches: Int32Array
  private readonly timeMs: Float64Array
  private readonly frameOffset: Int32Array
  private readonly capturedLength: Int32Array
  private readonly wireLength: Int32Array
  private readonly rows: Int32Array
  private readonly linkType: Uint16Array
  private readonly describe: DescribeFrames
  /** Frames in it. */
  private used = 0

  /** @param byteOffset where its SLAB_BYTES begin, a multiple of 8 */
  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    let at = byteOffset
    const words = (length: number): Int32Array => {
      const array = new Int32Array(memory, at, length)
      at += length * 4
      return array
    }
    this.header = new Float64Array(memory, at, HEADER_DOUBLES)
    at += HEADER_DOUBLES * 8
    this.timeMs = new Float64Array(memory, at, SLAB_FRAMES)
    at += SLAB_FRAMES * 8
    this.batches = words(SLAB_BATCHES * BATCH_WORDS)
    this.frameOffset = words(SLAB_FRAMES)
    this.capturedLength = words(SLAB_FRAMES)
    this.wireLength = words(SLAB_FRAMES)
    this.rows = words(SLAB_FRAMES * ROW_32)
    this.describe = frameDescriber(this.rows)
    this.linkType = new Uint16Array(memory, at, SLAB_FRAMES)
  }

  clear(): void {
    this.header[0] = this.used = 0
  }

  /** Batches in it. */
  get count(): number {
    return this.header[0]
  }

  get bytesRead(): number {
    return this.header[1]
  }

  set bytesRead(bytes: number) {
    this.header[1] = bytes
  }

  hasRoomFor(packets: number): boolean {
    return this.count < SLAB_BATCHES && this.used + packets <= SLAB_FRAMES
  }

  get isFull(): boolean {
    return this.used >= HAND_OVER_FRAMES || this.count === SLAB_BATCHES
  }

  /**
   * Adds a batch whose frames lie in memory that the other thread knows by that id.
   * @param cuts `PacketSource.cuts` when it was handed out
   */
  append(batch: PacketBatch, memoryId: number, cuts: number): void {
    const { first, end } = batch
    const at = this.used
    this.timeMs.set(batch.timeMs.subarray(first, end), at)
    this.frameOffset.set(batch.frameOffset.subarray(first, end), at)
    this.capturedLength.set(batch.capturedLength.subarray(first, end), at)
    this.wireLength.set(batch.wireLength.subarray(first, end), at)
    this.linkType.set(batch.linkType.subarray(first, end), at)
    if (batch.rows) this.rows.set(batch.rows.subarray(first * ROW_32, end * ROW_32), at * ROW_32)
    else this.describe(batch, first, end, at)
    this.used += end - first
    const word = this.count * BATCH_WORDS
    this.batches[word] = this.used
    this.batches[word + 1] = memoryId
    this.batches[word + 2] = cuts
    this.header[0]++
  }

  /** The id of the memory where the frames of the `n`th batch lie. */
  memoryOf(n: number): number {
    return this.batches[n * BATCH_WORDS + 1]
  }

  /** `PacketSource.cuts` when the `n`th batch was handed out. */
  cutsBefore(n: number): number {
    return this.batches[n * BATCH_WORDS + 2]
  }

  /** The `n`th batch, its frames in that memory. */
  batch(n: number, memory: Pick<PacketBatch, 'bytes' | 'view'>): PacketBatch {
    const { timeMs, frameOffset, capturedLength, wireLength, linkType, rows, batches } = this
    const { bytes, view } = memory
    const first = n === 0 ? 0 : batches[(n - 1) * BATCH_WORDS]
    const end = batches[n * BATCH_WORDS]
    return { bytes, view, first, end, timeMs, frameOffset, capturedLength, wireLength, linkType, rows }
  }
}
