import { decimalText } from '../rounding.js'

const UTF8_BYTES_PER_UNIT = 3
const FIRST_BYTES = 64 * 1024
const MOST_KEPT_BYTES = 4 * 1024 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const TILDE = 0x7e

/**
 * Bytes that text is appended to. Thousands of points a second would leave a hundred small strings each to the garbage
 * collector; here they leave none.
 */
export class LineBytes {
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  length = 0

  /** Makes room for so many more bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + more))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  /** Appends `from` from its byte `begin` on. */
  append(from: Uint8Array, begin = 0): void {
    this.reserve(from.length)
    const { bytes } = this
    let at = this.length
    for (let i = begin; i < from.length; i++) bytes[at++] = from[i]
    this.length = at
  }

  copy(from: LineBytes, begin: number, end: number): void {
    this.reserve(end - begin)
    this.length += from.bytes.copy(this.bytes, this.length, begin, end)
  }

  /** UTF-8; half a surrogate pair becomes U+FFFD. */
  text(text: string): void {
    this.reserve(UTF8_BYTES_PER_UNIT * text.length)
    this.length += this.bytes.write(text, this.length, 'utf8')
  }

  /**
   * Appends `"text"` if it is printable ASCII without quote and backslash.
   * @returns false: it is not, and nothing was appended
   */
  quoted(text: string): boolean {
    this.reserve(text.length + 2)
    const { bytes } = this
    let at = this.length
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < SPACE || unit > TILDE || unit === QUOTE || unit === BACKSLASH) return false
      bytes[at++] = unit
    }
    bytes[at++] = QUOTE
    this.length = at
    return true
  }

  /** A finite number as `decimalText` writes it. */
  decimal(value: number, decimals: number): void {
    this.ascii(decimalText(value, decimals))
  }

  private ascii(text: string): void {
    this.reserve(text.length)
    const { bytes } = this
    let at = this.length
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.length = at
  }

  /** Forgets what was written; memory that only an unusual lot of it took goes back. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > MOST_KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }
}
