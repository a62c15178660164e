const LENGTH_BYTES = 4
/** UTF-8 of one UTF-16 unit. */
const MOST_BYTES_PER_UNIT = 3

/**
 * A block before it is compressed: length of its JSON (4 bytes, little-endian), the JSON (an array of details), then the
 * bytes of all seconds. The memory is used again: what `end` gives is valid until the next `begin`.
 */
export class DetailBlock {
  private bytes = Buffer.allocUnsafe(1 << 20)
  private length = 0

  begin(): void {
    this.length = LENGTH_BYTES
  }

  /**
   * Adds a call.
   * @param detail a JSON object
   * @param texts a JSON array, which becomes its `texts`
   */
  addDetail(detail: string, texts: string): void {
    this.makeRoom(MOST_BYTES_PER_UNIT * (detail.length + texts.length) + 16)
    this.write(this.length === LENGTH_BYTES ? '[' : ',')
    this.length += this.bytes.write(detail, this.length, 'utf8') - 1
    this.write(',"texts":')
    this.length += this.bytes.write(texts, this.length, 'utf8')
    this.write('}')
  }

  private write(ascii: string): void {
    this.length += this.bytes.write(ascii, this.length, 'latin1')
  }

  end(seconds: Uint8Array): Uint8Array {
    this.makeRoom(1 + seconds.length)
    this.write(']')
    this.bytes.writeUInt32LE(this.length - LENGTH_BYTES)
    this.bytes.set(seconds, this.length)
    this.length += seconds.length
    return this.bytes.subarray(0, this.length)
  }

  private makeRoom(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.length + bytes, 2 * this.bytes.length))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}
