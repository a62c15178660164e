/** Decompressed pieces that wait to be copied out, in order. */
export class OutputQueue {
  private pieces: Uint8Array[] = []
  private index = 0
  private offset = 0
  /** Bytes waiting. */
  size = 0

  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.pieces.push(piece)
    this.size += piece.length
  }

  /** Copies up to `end - start` waiting bytes to `target[start]`; returns their number. */
  take(target: Uint8Array, start: number, end: number): number {
    let position = start
    while (position < end && this.index < this.pieces.length) {
      const piece = this.pieces[this.index]
      const count = Math.min(end - position, piece.length - this.offset)
      target.set(piece.subarray(this.offset, this.offset + count), position)
      position += count
      this.offset += count
      if (this.offset === piece.length) {
        this.index++
        this.offset = 0
      }
    }
    if (this.index === this.pieces.length) {
      this.pieces = []
      this.index = 0
    }
    this.size -= position - start
    return position - start
  }
}
