const HEADER_BYTES = 16

/** The input that is being run, in memory that the watching thread sees even when the running one hangs. */
export class SharedInput {
  static bytesFor(maxLength) {
    return HEADER_BYTES + maxLength
  }

  /** @param {SharedArrayBuffer} memory */
  constructor(memory) {
    /** Number of inputs begun; length of the current one, -1 when none is running. */
    this.state = new Int32Array(memory, 0, 2)
    this.bytes = new Uint8Array(memory, HEADER_BYTES)
  }

  /** @param {Uint8Array} data */
  begin(data) {
    this.bytes.set(data)
    Atomics.store(this.state, 1, data.length)
    Atomics.add(this.state, 0, 1)
  }

  idle() {
    Atomics.store(this.state, 1, -1)
    Atomics.add(this.state, 0, 1)
  }

  get count() {
    return Atomics.load(this.state, 0)
  }

  /** The input that is being run, or undefined. */
  get current() {
    const length = Atomics.load(this.state, 1)
    return length < 0 ? undefined : Uint8Array.from(this.bytes.subarray(0, length))
  }
}
