/** Bytes of control words in front of the data. */
const CONTROL_BYTES = 64
const WRITTEN = 0
const READ = 1
/** Head of a message: bytes of its body, kind. */
const HEAD_BYTES = 8
/** Kind of what fills the end of the ring when a message did not fit there. */
const FILLER = -1

/**
 * Messages from one thread to one other, in shared memory: bounded, in order, without locks. Bodies begin at multiples
 * of 8, so that they can be seen through typed arrays. One side calls `reserve` and `commit`, the other `next` and
 * `release`.
 */
export class MessageRing {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly i32: Int32Array
  readonly f64: Float64Array
  private readonly control: Int32Array
  private readonly size: number
  /** Where the message that is being written, or read, ends. */
  private end = 0
  /** Of the message that `next` found: its kind, the byte where its body begins (from the start of `bytes`), its length. */
  kind = 0
  at = 0
  length = 0

  /** @param memory of `memory(size)` */
  constructor(readonly memory: SharedArrayBuffer) {
    this.size = memory.byteLength - CONTROL_BYTES
    this.control = new Int32Array(memory, 0, CONTROL_BYTES / 4)
    this.bytes = new Uint8Array(memory, CONTROL_BYTES)
    this.view = new DataView(memory, CONTROL_BYTES)
    this.i32 = new Int32Array(memory, CONTROL_BYTES)
    this.f64 = new Float64Array(memory, CONTROL_BYTES)
  }

  /** @param size bytes, a power of two of at most 2^30 */
  static memory(size: number): SharedArrayBuffer {
    return new SharedArrayBuffer(CONTROL_BYTES + size)
  }

  /** Bytes in use. */
  get used(): number {
    return (Atomics.load(this.control, WRITTEN) - Atomics.load(this.control, READ)) >>> 0
  }

  get capacity(): number {
    return this.size
  }

  /**
   * Room for a message's body; what is written there is sent with `commit`.
   * @returns where it begins in `bytes`, -1 when there is no room now
   */
  reserve(kind: number, bytes: number): number {
    const { size, i32 } = this
    const whole = HEAD_BYTES + ((bytes + 7) & ~7)
    const written = Atomics.load(this.control, WRITTEN)
    const free = size - ((written - Atomics.load(this.control, READ)) >>> 0)
    let from = written & (size - 1)
    let filler = 0
    if (from + whole > size) filler = size - from
    if (filler + whole > free) return -1
    if (filler > 0) {
      i32[from >> 2] = filler - HEAD_BYTES
      i32[(from >> 2) + 1] = FILLER
      from = 0
    }
    i32[from >> 2] = bytes
    i32[(from >> 2) + 1] = kind
    this.end = (written + filler + whole) | 0
    return from + HEAD_BYTES
  }

  /** Sends what was reserved. */
  commit(): void {
    Atomics.store(this.control, WRITTEN, this.end)
  }

  /** True when there is a message: `kind`, `at` and `length` say which. It stays until `release`. */
  next(): boolean {
    const { control, size, i32 } = this
    const written = Atomics.load(control, WRITTEN)
    let read = Atomics.load(control, READ)
    if (read === written) return false
    let from = read & (size - 1)
    if (i32[(from >> 2) + 1] === FILLER) {
      read = (read + HEAD_BYTES + i32[from >> 2]) | 0
      from = read & (size - 1)
    }
    this.length = i32[from >> 2]
    this.kind = i32[(from >> 2) + 1]
    this.at = from + HEAD_BYTES
    this.end = (read + HEAD_BYTES + ((this.length + 7) & ~7)) | 0
    return true
  }

  /** The message that `next` found is done with. */
  release(): void {
    Atomics.store(this.control, READ, this.end)
  }

  /** Forgets all messages: both sides have to stand still. */
  clear(): void {
    Atomics.store(this.control, READ, Atomics.load(this.control, WRITTEN))
  }
}
