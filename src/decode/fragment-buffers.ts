import { DATAGRAM_BYTES } from './fragment-units.js'

/** Reassembly buffers, made when needed and then reused; the caller bounds how many are out. */
export class FragmentBuffers {
  readonly bytes: Uint8Array[] = []
  readonly views: DataView[] = []
  private readonly free: number[] = []
  private readonly delivered: number[] = []

  /** Index of a buffer. */
  take(): number {
    const free = this.free.pop()
    if (free !== undefined) return free
    // A plain Uint8Array, not a Buffer: one hidden class for `bytes` wherever packets come from.
    const memory = Buffer.allocUnsafeSlow(DATAGRAM_BYTES).buffer
    this.views.push(new DataView(memory))
    return this.bytes.push(new Uint8Array(memory)) - 1
  }

  giveBack(index: number): void {
    this.free.push(index)
  }

  /** The reader of the packet still looks at it: free with the next `release()`. */
  deliver(index: number): void {
    this.delivered.push(index)
  }

  release(): void {
    for (let index = this.delivered.pop(); index !== undefined; index = this.delivered.pop())
      this.free.push(index)
  }
}
