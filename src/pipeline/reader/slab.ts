import type { PacketBatch } from '../../capture/batch.js'

/** Most packets in a slab. */
export const SLAB_PACKETS = 16_384
/** Bytes of frames in a slab: room for the longest frame that a capture may hold, many times over. */
export const SLAB_BYTES = 4_194_304

const COLUMNS = 4 + 4 + 4 + 4 + 8 + 2

/**
 * A batch of frames in memory that two threads share: one fills it, the other measures it. Frames lie in `bytes`, one
 * after the other as in their file; the columns stand in front.
 */
export class Slab implements PacketBatch {
  readonly memory: SharedArrayBuffer
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly timeMs: Float64Array
  readonly frameOffset: Int32Array
  readonly capturedLength: Int32Array
  readonly wireLength: Int32Array
  /** Where the IPv4 header of a plain frame begins, -1 in others (`scanPlainFrames`). */
  readonly ipAt: Int32Array
  readonly linkType: Uint16Array
  first = 0
  end = 0
  /** Bytes in use. */
  private used = 0

  constructor(memory = new SharedArrayBuffer(SLAB_PACKETS * COLUMNS + SLAB_BYTES)) {
    this.memory = memory
    let at = 0
    this.timeMs = new Float64Array(memory, at, SLAB_PACKETS)
    at += SLAB_PACKETS * 8
    const column = (): Int32Array => {
      const array = new Int32Array(memory, at, SLAB_PACKETS)
      at += SLAB_PACKETS * 4
      return array
    }
    this.frameOffset = column()
    this.capturedLength = column()
    this.wireLength = column()
    this.ipAt = column()
    this.linkType = new Uint16Array(memory, at, SLAB_PACKETS)
    at += SLAB_PACKETS * 2
    this.bytes = new Uint8Array(memory, at, SLAB_BYTES)
    this.view = new DataView(memory, at, SLAB_BYTES)
  }

  clear(): void {
    this.first = this.end = this.used = 0
  }

  /**
   * Copies packets of a batch, from its `first` on: as many as there is room for.
   * @returns index of the first packet that found none
   */
  append(batch: PacketBatch): number {
    const { frameOffset, capturedLength } = batch
    const from = frameOffset[batch.first]
    const room = SLAB_BYTES - this.used
    let k = batch.first
    let to = from
    while (k < batch.end && this.end + (k - batch.first) < SLAB_PACKETS) {
      const frameEnd = frameOffset[k] + capturedLength[k]
      if (frameEnd - from > room) break
      if (frameEnd > to) to = frameEnd
      k++
    }
    const count = k - batch.first
    if (count === 0) return k
    this.bytes.set(batch.bytes.subarray(from, to), this.used)
    const shift = this.used - from
    for (let n = 0; n < count; n++) this.frameOffset[this.end + n] = frameOffset[batch.first + n] + shift
    this.capturedLength.set(capturedLength.subarray(batch.first, k), this.end)
    this.wireLength.set(batch.wireLength.subarray(batch.first, k), this.end)
    this.timeMs.set(batch.timeMs.subarray(batch.first, k), this.end)
    this.linkType.set(batch.linkType.subarray(batch.first, k), this.end)
    this.used += to - from
    this.end += count
    return k
  }
}
