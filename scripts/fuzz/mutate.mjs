// Ways to spoil an input. Each takes the bytes in `from` and leaves the result in `to`, a scratch buffer.

const INTERESTING_8 = [0, 1, 2, 4, 8, 16, 31, 32, 63, 64, 100, 127, 128, 129, 192, 223, 254, 255]
const INTERESTING_16 = [
  0, 1, 127, 128, 255, 256, 511, 512, 1023, 1024, 1500, 4096, 0x7fff, 0x8000, 0xfffe, 0xffff,
]
const INTERESTING_32 = [
  0, 1, 255, 65_535, 65_536, 100_000, 1_048_576, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
]
const INTERESTING_DECIMALS = [
  ...['0', '1', '-1', '00', '7', '9', '10', '99', '127', '128', '255', '256', '300', '487', '999', '5060'],
  ...[
    '65535',
    '65536',
    '1000000',
    '2147483647',
    '2147483648',
    '4294967295',
    '4294967296',
    '9007199254740993',
  ],
  ...['99999999999999999999999999', '1e9', '0x10', '1.5', ''],
].map((text) => Buffer.from(text))

const STRETCH_ONE_IN = 1000

/** Spoils inputs of one target: bytes, numbers, blocks, words of a dictionary, pieces of other inputs. */
export class Mutator {
  /**
   * @param {import('./random.mjs').Random} random
   * @param {{ maxLength: number, stretchTo?: number, dictionary?: readonly Uint8Array[], text?: boolean, step?: number }}
   *   options `text`: lines and decimal numbers are worth changing; `step`: inputs are rows of this many bytes;
   *   `stretchTo`: a few inputs become so long, as what takes time in the square of the length shows in these only
   */
  constructor(random, { maxLength, stretchTo = 0, dictionary = [], text = false, step = 0 }) {
    this.random = random
    this.shortLength = maxLength
    this.stretchTo = stretchTo
    this.maxLength = maxLength
    this.dictionary = dictionary
    this.bytes = Buffer.alloc(Math.max(maxLength, stretchTo))
    this.spare = Buffer.alloc(this.bytes.length)
    this.length = 0
    this.step = step
    const common = [this.flipBit, this.setByte, this.setByte, this.addTo, this.setNumber, this.setNumber]
    const blocks = [this.removeBlock, this.copyBlock, this.insertRandom, this.swapBlocks, this.repeatBlock]
    this.ways = [...common, ...common, ...blocks, this.crossOver]
    if (dictionary.length > 0) this.ways.push(this.insertWord, this.insertWord, this.overwriteWord)
    if (text)
      this.ways.push(this.changeDecimal, this.changeDecimal, this.removeLine, this.copyLine, this.changeCase)
    if (step > 0)
      this.ways.push(this.removeStep, this.copyStep, this.copyStep, this.repeatStep, this.setInStep)
  }

  /**
   * A spoiled copy of `parent`, valid until the next call. `other` gives pieces.
   * @param {Uint8Array} parent
   * @param {Uint8Array} other
   * @returns {Uint8Array}
   */
  mutate(parent, other) {
    this.maxLength = this.shortLength
    this.length = Math.min(parent.length, this.maxLength)
    this.bytes.set(parent.subarray(0, this.length))
    this.other = other
    // One change alone finds what a further one would spoil.
    for (let changes = this.random.oneIn(2) ? 1 : 1 << this.random.below(5); changes > 0; changes--)
      this.random.pick(this.ways).call(this)
    if (this.stretchTo > 0 && this.random.oneIn(STRETCH_ONE_IN)) this.stretch()
    return this.bytes.subarray(0, this.length)
  }

  at() {
    return this.random.below(this.length)
  }

  flipBit() {
    if (this.length > 0) this.bytes[this.at()] ^= 1 << this.random.below(8)
  }

  setByte() {
    if (this.length === 0) return
    this.bytes[this.at()] = this.random.oneIn(2) ? this.random.uint32() : this.random.pick(INTERESTING_8)
  }

  addTo() {
    if (this.length === 0) return
    this.bytes[this.at()] += this.random.below(2) * 2 - 1 + this.random.below(8) - 4
  }

  /** A 16 or 32-bit number of either byte order: an interesting one, or its own value a little changed. */
  setNumber() {
    const { bytes, random } = this
    const wide = random.oneIn(2)
    if (this.length < (wide ? 4 : 2)) return
    const at = random.below(this.length - (wide ? 3 : 1))
    const little = random.oneIn(2)
    const near = random.oneIn(2)
    const delta = random.below(33) - 16
    if (wide) {
      const old = little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
      const value = (near ? old + delta : random.pick(INTERESTING_32)) >>> 0
      if (little) bytes.writeUInt32LE(value, at)
      else bytes.writeUInt32BE(value, at)
    } else {
      const old = little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
      const value = (near ? old + delta : random.pick(INTERESTING_16)) & 0xffff
      if (little) bytes.writeUInt16LE(value, at)
      else bytes.writeUInt16BE(value, at)
    }
  }

  /** Puts `piece` in place of `remove` bytes at `at`, as far as the longest length allows. */
  splice(at, remove, piece) {
    const { bytes } = this
    const insert = Math.min(piece.length, this.maxLength - this.length + remove)
    // The piece may lie in `bytes` itself.
    this.spare.set(piece.subarray(0, insert))
    bytes.copyWithin(at + insert, at + remove, this.length)
    bytes.set(this.spare.subarray(0, insert), at)
    this.length += insert - remove
  }

  removeBlock() {
    if (this.length === 0) return
    const at = this.at()
    this.splice(at, Math.min(this.random.size(this.length), this.length - at), this.bytes.subarray(0, 0))
  }

  block() {
    const at = this.at()
    return this.bytes.subarray(at, Math.min(this.length, at + this.random.size(this.length)))
  }

  copyBlock() {
    if (this.length === 0) return
    const piece = this.block()
    const at = this.at()
    this.splice(at, this.random.oneIn(2) ? Math.min(piece.length, this.length - at) : 0, piece)
  }

  insertRandom() {
    const piece = Buffer.alloc(this.random.size(64))
    const fill = this.random.below(3)
    for (let i = 0; i < piece.length; i++)
      piece[i] = fill === 0 ? 0 : fill === 1 ? 0xff : this.random.uint32()
    this.splice(this.random.below(this.length + 1), 0, piece)
  }

  swapBlocks() {
    if (this.length < 2) return
    const length = Math.min(this.random.size(this.length >> 1), this.length >> 1)
    const a = this.random.below(this.length - length + 1)
    const b = this.random.below(this.length - length + 1)
    const first = Buffer.from(this.bytes.subarray(a, a + length))
    this.bytes.copyWithin(a, b, b + length)
    this.bytes.set(first, b)
  }

  /** The same bytes many times over: what bounds are for. */
  repeatBlock() {
    if (this.length === 0) return
    const piece = Buffer.from(this.block())
    const times = this.random.size(this.random.oneIn(4) ? 400 : 20)
    const many = Buffer.alloc(Math.min(piece.length * times, this.maxLength - this.length), piece)
    this.splice(this.at(), 0, many)
  }

  /** A word, a line or a block of it, over and over. */
  stretch() {
    const { random } = this
    this.maxLength = this.stretchTo
    if (this.length === 0) return
    const [begin, end] = random.oneIn(2) ? this.line() : [0, 0]
    const piece = random.oneIn(2)
      ? random.pick(this.dictionary)
      : Buffer.from(end > begin ? this.bytes.subarray(begin, end) : this.block())
    this.splice(this.at(), 0, Buffer.alloc(this.maxLength - this.length, piece))
  }

  /** This input's beginning, another's end; or a piece of the other somewhere in here. */
  crossOver() {
    const { other, random } = this
    if (other.length === 0) return
    const from = random.below(other.length)
    if (random.oneIn(2)) {
      const at = random.below(this.length + 1)
      this.splice(at, this.length - at, other.subarray(from))
    } else {
      this.splice(random.below(this.length + 1), 0, other.subarray(from, from + random.size(other.length)))
    }
  }

  insertWord() {
    this.splice(this.random.below(this.length + 1), 0, this.random.pick(this.dictionary))
  }

  overwriteWord() {
    if (this.length === 0) return
    const word = this.random.pick(this.dictionary)
    const at = this.at()
    this.splice(at, Math.min(word.length, this.length - at), word)
  }

  /** The first decimal number at or after a random place becomes an interesting one. */
  changeDecimal() {
    const { bytes, length } = this
    if (length === 0) return
    let begin = this.at()
    while (begin < length && !isDigit(bytes[begin])) begin++
    let end = begin
    while (end < length && isDigit(bytes[end])) end++
    if (end > begin) this.splice(begin, end - begin, this.random.pick(INTERESTING_DECIMALS))
  }

  line() {
    const at = this.at()
    const begin = at === 0 ? 0 : this.bytes.lastIndexOf(10, at - 1) + 1
    const end = this.bytes.indexOf(10, at)
    return [begin, end < 0 || end >= this.length ? this.length : end + 1]
  }

  removeLine() {
    if (this.length === 0) return
    const [begin, end] = this.line()
    this.splice(begin, end - begin, this.bytes.subarray(0, 0))
  }

  copyLine() {
    if (this.length === 0) return
    const [begin, end] = this.line()
    const [to] = this.line()
    this.splice(to, 0, this.bytes.subarray(begin, end))
  }

  changeCase() {
    if (this.length === 0) return
    const begin = this.at()
    const end = Math.min(this.length, begin + this.random.size(16))
    for (let at = begin; at < end; at++)
      if (/[a-z]/i.test(String.fromCharCode(this.bytes[at]))) this.bytes[at] ^= 32
  }

  /** A row's place: inputs of some targets are rows of one length. */
  row() {
    return this.random.below(Math.ceil(this.length / this.step)) * this.step
  }

  removeStep() {
    if (this.length === 0) return
    const at = this.row()
    this.splice(at, Math.min(this.step, this.length - at), this.bytes.subarray(0, 0))
  }

  copyStep() {
    if (this.length === 0) return
    const from = this.row()
    const rows = this.random.size(8) * this.step
    this.splice(this.row(), 0, this.bytes.subarray(from, Math.min(this.length, from + rows)))
  }

  repeatStep() {
    if (this.length === 0) return
    const from = this.row()
    const piece = Buffer.from(this.bytes.subarray(from, Math.min(this.length, from + this.step)))
    this.splice(from, 0, Buffer.alloc(piece.length * this.random.size(60), piece))
  }

  setInStep() {
    if (this.length === 0) return
    const at = this.row() + this.random.below(this.step)
    if (at < this.length) this.bytes[at] = this.random.uint32()
  }
}

function isDigit(byte) {
  return byte >= 0x30 && byte <= 0x39
}
