/** A buffer for a window over a file, with both ways to look at it. */
export interface WindowBuffer {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Where windows get their buffers from. */
export interface WindowMemory {
  /** A buffer of exactly `size` bytes, with anything in it. */
  take(size: number): WindowBuffer
  /** The window is done with a buffer; batches that were handed out may still be looked at. */
  giveBack(buffer: WindowBuffer): void
}

/** Memory of one window that uses its buffers again as soon as it gave them back. */
export class OwnMemory implements WindowMemory {
  private free: WindowBuffer | null = null

  take(size: number): WindowBuffer {
    const { free } = this
    this.free = null
    if (free !== null && free.bytes.length === size) return free
    // Not zeroed: each byte is written before it is read, and untouched pages cost nothing.
    const memory = Buffer.allocUnsafeSlow(size)
    return { bytes: new Uint8Array(memory.buffer, 0, size), view: new DataView(memory.buffer, 0, size) }
  }

  giveBack(buffer: WindowBuffer): void {
    this.free = buffer
  }
}
