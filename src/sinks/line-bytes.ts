import { roundTo, SCALES } from './rounding.js'

const UTF8_BYTES_PER_UNIT = 3
const FIRST_BYTES = 64 * 1024
const MOST_KEPT_BYTES = 4 * 1024 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const TILDE = 0x7e
const POINT = 0x2e
const ZERO = 0x30

/** Most bytes of a number that is written digit by digit. */
const MOST_DIGITS = 12
const MOST_INT32 = 0x7fffffff

/**
 * Bytes that text is appended to. Thousands of points or records a second would leave a hundred small strings each to the
 * garbage collector; here they leave none.
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

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
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

  /** A finite number as JavaScript writes it once it is rounded (`roundTo`). */
  decimal(value: number, decimals: number): void {
    if (value === (value | 0) && value >= 0) {
      this.reserve(MOST_DIGITS)
      this.digits(value)
      return
    }
    const scale = SCALES[decimals]
    const scaled = Math.round(value * scale)
    if (!(scaled >= 0 && scaled <= MOST_INT32)) {
      this.ascii(String(roundTo(value, decimals)))
      return
    }
    this.reserve(MOST_DIGITS)
    const whole = Math.floor(scaled / scale)
    this.digits(whole)
    this.fraction(scaled - whole * scale, decimals)
  }

  /** A whole number of up to 31 bits, for which there is room. */
  private digits(value: number): void {
    const { bytes } = this
    let end = this.length + 1
    for (let most = 9; value > most && most < MOST_INT32; most = most * 10 + 9) end++
    this.length = end
    let rest = value
    do {
      const tens = Math.floor(rest / 10)
      bytes[--end] = ZERO + rest - tens * 10
      rest = tens
    } while (rest > 0)
  }

  /** What stands behind the point, without zeros at its end. */
  private fraction(value: number, decimals: number): void {
    if (value === 0) return
    const { bytes } = this
    bytes[this.length] = POINT
    let rest = value
    let length = 0
    for (let place = decimals; place > 0; place--) {
      const tens = Math.floor(rest / 10)
      const digit = rest - tens * 10
      if (digit !== 0 && length === 0) length = place
      bytes[this.length + place] = ZERO + digit
      rest = tens
    }
    this.length += 1 + length
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
