/** Literals_Block_Type of literals that bring their own Huffman tree (RFC 8878 3.1.1.3.1.1). */
const COMPRESSED_LITERALS = 2
/** Block_Maximum_Size over the shortest match: no block can have more sequences. */
const MAX_SEQUENCES = Math.floor(131_072 / 3)

interface LiteralsSection {
  type: number
  /** Where its content (Huffman tree, or the literals) starts and ends. */
  start: number
  end: number
}

/** Reads Literals_Section_Header (RFC 8878 3.1.1.3.1.1). Reads past the block are 0. */
function literalsSection(content: Uint8Array): LiteralsSection {
  const at = (index: number): number => content[index] ?? 0
  const type = at(0) & 3
  const format = (at(0) >> 2) & 3
  if (type < COMPRESSED_LITERALS) {
    const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1
    const size =
      headerBytes === 1
        ? at(0) >> 3
        : headerBytes === 2
          ? (at(0) >> 4) | (at(1) << 4)
          : (at(0) >> 4) | (at(1) << 4) | (at(2) << 12)
    return { type, start: headerBytes, end: headerBytes + (type === 1 ? 1 : size) }
  }
  const headerBytes = format === 3 ? 5 : format === 2 ? 4 : 3
  const sizeBits = format === 3 ? 18 : format === 2 ? 14 : 10
  // Compressed_Size is the last field of the little-endian header, after 4 bits and Regenerated_Size.
  let header = 0
  for (let i = headerBytes - 1; i >= 0; i--) header = header * 256 + at(i)
  return { type, start: headerBytes, end: headerBytes + Math.floor(header / 2 ** (4 + sizeBits)) }
}

/**
 * True when an FSE table description (RFC 8878 4.1.1) at `start` gives one symbol all of the probability. Such a table
 * consumes no bits, so that a decoder which runs until its bits are used up never stops.
 */
function hasSingleSymbol(bytes: Uint8Array, start: number): boolean {
  let bit = start * 8
  const peek = (count: number): number => {
    const byte = bit >> 3
    const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16)
    return (word >> (bit & 7)) & ((1 << count) - 1)
  }
  const tableSize = 1 << (peek(4) + 5)
  bit += 4
  const bits = Math.floor(Math.log2(tableSize + 1)) + 1
  const lowMask = (1 << (bits - 1)) - 1
  const threshold = (1 << bits) - 1 - (tableSize + 1)
  // Symbols of probability 0 may precede the one that matters; each takes some bits, and there are at most 256.
  for (let symbol = 0; symbol < 256; symbol++) {
    let value = peek(bits)
    if ((value & lowMask) < threshold) {
      value &= lowMask
      bit += bits - 1
    } else {
      if (value > lowMask) value -= threshold
      bit += bits
    }
    const probability = value - 1
    if (probability !== 0) return probability === tableSize
    for (;;) {
      const repeat = peek(2)
      bit += 2
      symbol += repeat
      if (repeat !== 3 || symbol >= 256) break
    }
  }
  return false
}

/**
 * Why a compressed block with this content must not be given to the decoder, or null. fzstd trusts two
 * things that a hostile file can make endless or very long: Huffman weights in a one-symbol FSE table, and the number
 * of sequences.
 */
export function zstdBlockFault(content: Uint8Array): string | null {
  const literals = literalsSection(content)
  // Huffman_Tree_Description (4.2.1): a first byte under 128 means FSE-compressed weights.
  if (
    literals.type === COMPRESSED_LITERALS &&
    content[literals.start] < 128 &&
    hasSingleSymbol(content, literals.start + 1)
  ) {
    return 'a Huffman table without end'
  }
  const first = content[literals.end] ?? 0
  const second = content[literals.end + 1] ?? 0
  const third = content[literals.end + 2] ?? 0
  // Number_of_Sequences (3.1.1.3.2.1).
  const sequences =
    first < 128 ? first : first < 255 ? ((first - 128) << 8) + second : second + (third << 8) + 0x7f00
  return sequences > MAX_SEQUENCES ? 'more sequences than a block can hold' : null
}
