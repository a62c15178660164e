import { BATCH_CAPACITY, type PacketBatch } from './batch.js'

const NO_BYTES = new Uint8Array(0)
const NO_VIEW = new DataView(NO_BYTES.buffer)

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

  /** `capacity`: most packets held, 1..BATCH_CAPACITY. */
  constructor(capacity: number = BATCH_CAPACITY) {
    this.frameOffset = new Int32Array(capacity)
    this.capturedLength = new Int32Array(capacity)
    this.wireLength = new Int32Array(capacity)
    this.timeMs = new Float64Array(capacity)
    this.linkType = new Uint16Array(capacity)
  }
}
