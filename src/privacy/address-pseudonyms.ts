import { formatAddress, parseAddress } from '../decode/address.js'
import type { KeyedHash } from './keyed-hash.js'

/** Results of the keyed function that are kept; a new prefix beyond that starts over. */
const MOST_NODES = 200_000
const MOST_ADDRESSES = 50_000

/**
 * Blocks of IPv4 whose addresses stay within them, so that a private address still reads as one. Prefix, length.
 */
const CLOSED_V4: readonly (readonly [number, number])[] = [
  [0x0a000000, 8], // RFC 1918
  [0xac100000, 12],
  [0xc0a80000, 16],
  [0x64400000, 10], // RFC 6598
  [0xa9fe0000, 16], // RFC 3927
]
/** Blocks that name no host: this network, loopback, multicast, reserved, broadcast. Their addresses stay as they are. */
const KEPT_V4: readonly (readonly [number, number])[] = [
  [0x00000000, 8],
  [0x7f000000, 8],
  [0xe0000000, 3],
]

/**
 * Replaces addresses by others, one to one, so that two with the same first n bits keep n bits in common (the method of
 * Xu, Fan, Ammar and Moon, "Prefix-Preserving IP Address Anonymization", ICNP 2002, with HMAC-SHA-256 as its function:
 * bit n is turned over when the HMAC of the n bits before it is odd). Subnets remain subnets.
 *
 * Private blocks map onto themselves. A public IPv4 address that would land in such a block is mapped again until it
 * does not; blocks are at most 16 bits long, so addresses with 16 or more bits in common always go the same way.
 */
export class AddressPseudonyms {
  private readonly flips = new Map<string, number>()
  private readonly known = new Map<string, string>()

  constructor(private readonly hash: KeyedHash) {}

  /** The pseudonym of an address in any spelling; undefined for text that is no address. */
  of(text: string): string | undefined {
    const seen = this.known.get(text)
    if (seen !== undefined) return seen
    const address = parseAddress(text)
    if (address === undefined) return undefined
    const w = address.words
    const shown = address.version === 4 ? formatAddress(4, this.v4(w[0]), 0, 0, 0) : this.v6(w)
    if (this.known.size >= MOST_ADDRESSES) this.known.clear()
    this.known.set(text, shown)
    return shown
  }

  private v4(word: number): number {
    if (blockOf(word, KEPT_V4) !== undefined) return word
    const closed = blockOf(word, CLOSED_V4)
    if (closed !== undefined) return this.permute('ipv4', [word], closed[1], 32)[0]
    let mapped = word
    do mapped = this.permute('ipv4', [mapped], 0, 32)[0]
    while (blockOf(mapped, CLOSED_V4) !== undefined || blockOf(mapped, KEPT_V4) !== undefined)
    return mapped
  }

  private v6(words: Int32Array): string {
    const [w0, w1, w2, w3] = words
    // IPv4 in IPv6 is the same host as in IPv4: RFC 4291 2.5.5.2, RFC 6052.
    const mapped = w0 === 0 && w1 === 0 && w2 === 0xffff
    const translated = w0 === 0x0064ff9b && w1 === 0 && w2 === 0
    if (mapped || translated) return formatAddress(6, w0, w1, w2, this.v4(w3))
    const kept = w0 >>> 24 === 0 || w0 >>> 24 === 0xff
    if (kept) return formatAddress(6, w0, w1, w2, w3)
    const p = this.permute('ipv6', [w0, w1, w2, w3], closedBitsV6(w0), 128)
    return formatAddress(6, p[0], p[1], p[2], p[3])
  }

  /** Turns over bits `from` to `to`, each as the bits before it say. */
  private permute(family: string, words: readonly number[], from: number, to: number): number[] {
    const bits = words.map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('')
    const mapped = [...words]
    for (let n = from; n < to; n++) mapped[n >> 5] ^= this.flip(family, bits.slice(0, n)) << (31 - (n & 31))
    return mapped
  }

  private flip(family: string, prefix: string): number {
    const node = `${family} ${prefix}`
    const seen = this.flips.get(node)
    if (seen !== undefined) return seen
    const bit = this.hash.bytes(family, prefix)[31] & 1
    if (this.flips.size >= MOST_NODES) this.flips.clear()
    this.flips.set(node, bit)
    return bit
  }
}

function blockOf(
  word: number,
  blocks: readonly (readonly [number, number])[],
): readonly [number, number] | undefined {
  return blocks.find(([prefix, length]) => (word ^ prefix) >>> (32 - length) === 0)
}

/** How many leading bits tell what kind of IPv6 address it is: they stay. */
function closedBitsV6(w0: number): number {
  if (w0 >>> 25 === 0xfc >> 1) return 7 // unique local (RFC 4193)
  if (w0 >>> 22 === 0xfe80 >> 6) return 10 // link-local
  return 3 // 2000::/3 is global unicast (RFC 4291)
}

/** The network alone: the first two octets of IPv4, 32 bits of IPv6. Undefined for text that is no address. */
export function maskedAddress(text: string): string | undefined {
  const address = parseAddress(text)
  if (address === undefined) return undefined
  const [w0, w1, w2, w3] = address.words
  if (address.version === 4) {
    if (blockOf(w0, KEPT_V4) !== undefined) return formatAddress(4, w0, 0, 0, 0)
    return formatAddress(4, w0 & 0xffff0000, 0, 0, 0)
  }
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return formatAddress(6, 0, 0, w2, w3 & 0xffff0000)
  if (w0 >>> 24 === 0 || w0 >>> 24 === 0xff) return formatAddress(6, w0, w1, w2, w3)
  return formatAddress(6, w0, 0, 0, 0)
}
