import { u32 } from './words.js'

/**
 * SRTCP, RFC 3711 3.4 and RFC 7714 9.2:
 *
 * +---------------------------------------------------------------+
 * |        first header and SSRC of the compound, in clear        |
 * +---------------------------------------------------------------+
 * |        the rest of the compound, encrypted when E = 1         |
 * +---------------------------------------------------------------+
 * |                AEAD: tag, 16 bytes                            |
 * +-+-------------------------------------------------------------+
 * |E|                       SRTCP index                           |
 * +-+-------------------------------------------------------------+
 * |   MKI (optional)  |  else: tag, 10 bytes (seldom 4)           |
 * +-------------------+-------------------------------------------+
 *
 * No field says that this is SRTCP. The lengths of its headers do not add up to the datagram's, as those of RTCP do,
 * and a small index stands at one of few places.
 */
export type Protection = 'none' | 'encrypted' | 'authenticated'

interface TrailerForm {
  /** Bytes from the E flag to the datagram's end. */
  fromEnd: number
  /** Bytes between the compound and the E flag. */
  before: number
}

/** The last two have an MKI of one and of four bytes. */
const FORMS: readonly TrailerForm[] = [
  { fromEnd: 14, before: 0 },
  { fromEnd: 4, before: 16 },
  { fromEnd: 8, before: 0 },
  { fromEnd: 15, before: 0 },
  { fromEnd: 18, before: 0 },
]

/** One SRTCP packet per second reaches this after 12 days; a random word is below it once in 4,096. */
const INDEX_LIMIT = 2 ** 20

/**
 * Judges a whole datagram whose packets' lengths add up to `chainEnd`, the first packet's to `firstEnd` (offsets in
 * `bytes`).
 */
export function recogniseProtection(
  bytes: Uint8Array,
  end: number,
  firstEnd: number,
  chainEnd: number,
): Protection {
  if (chainEnd === end) return 'none'
  for (const form of FORMS) {
    const at = end - form.fromEnd
    const compoundEnd = at - form.before
    if (compoundEnd < firstEnd) continue
    // Only whole words are encrypted: the compound's length stays a multiple of four.
    if (((compoundEnd - firstEnd) & 3) !== 0) continue
    const word = u32(bytes, at)
    if (word >= 0x80000000) {
      if (word - 0x80000000 < INDEX_LIMIT) return 'encrypted'
    } else if (compoundEnd === chainEnd && word > 0 && word < INDEX_LIMIT) {
      return 'authenticated'
    }
  }
  return chainEnd === firstEnd && looksEncrypted(bytes, chainEnd, end) ? 'encrypted' : 'none'
}

/** Least bytes to tell by. */
const MIN_RANDOM = 12
const MAX_RANDOM = 32

/**
 * Forms of SRTCP that no standard has (other trailers, little-endian indices): behind the first packet no header
 * follows, but bytes that hardly repeat. Neither padding nor text is like that.
 */
function looksEncrypted(bytes: Uint8Array, start: number, end: number): boolean {
  const length = Math.min(end - start, MAX_RANDOM)
  if (length < MIN_RANDOM) return false
  const distinct = new Set(bytes.subarray(start, start + length)).size
  return distinct * 4 >= length * 3
}
