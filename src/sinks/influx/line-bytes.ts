import { decimalText } from '../rounding.js'

/** What a number takes at most, sign, point and exponent included. */
const MOST_NUMBER_BYTES = 32
const UTF8_BYTES_PER_UNIT = 3
const FIRST_BYTES = 64 * 1024

const ZERO = 0x30
const POINT = 0x2e
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const TILDE = 0x7e
const SCALES = [1, 1e1, 1e2, 1e3, 1e4]

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
    if (Number.isInteger(value)) {
      this.integer(value)
      return
    }
    const scale = SCALES[decimals]
    const scaled = Math.round(value * scale)
    if (decimals > 4 || scaled > 0x7fffffff || scaled < 0) {
      this.text(decimalText(value, decimals))
      return
    }
    const whole = Math.floor(scaled / scale)
    this.integer(whole)
    let rest = scaled - whole * scale
    if (rest === 0) return
    const { bytes } = this
    let at = this.length
    bytes[at++] = POINT
    for (let unit = scale / 10; rest > 0; unit /= 10) {
      const digit = Math.floor(rest / unit)
      bytes[at++] = ZERO + digit
      rest -= digit * unit
    }
    this.length = at
  }

  /** A whole number, without an exponent as long as it is safe. */
  integer(value: number): void {
    this.reserve(MOST_NUMBER_BYTES)
    const { bytes } = this
    if (value >= 0 && value <= 0x7fffffff) {
      let left = value | 0
      let digits = 1
      for (let power = 10; power <= left; power *= 10) digits++
      const end = this.length + digits
      for (let at = end - 1; at >= this.length; at--) {
        const tenth = (left / 10) | 0
        bytes[at] = ZERO + left - tenth * 10
        left = tenth
      }
      this.length = end
      return
    }
    this.text(String(value))
  }
}
