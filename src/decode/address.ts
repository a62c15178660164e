/** Addresses as four int32 words in network order (see DecodedPacket), and as text. */
export interface Address {
  version: 4 | 6
  /** Always four; IPv4 uses the first. */
  words: Int32Array
}

/** RFC 5952 text of an IPv6 address, dotted decimal of an IPv4 one. */
export function formatAddress(version: number, w0: number, w1: number, w2: number, w3: number): string {
  return version === 4 ? formatV4(w0) : formatV6(w0, w1, w2, w3)
}

/** The texts of addresses seen lately, by a hash of their word: a network has few, and each packet names two. */
const KNOWN = 4096
const knownWords = new Int32Array(KNOWN)
const knownTexts: string[] = new Array<string>(KNOWN).fill('')

function formatV4(word: number): string {
  const place = Math.imul(word, 0x9e3779b1) >>> 20
  if (knownWords[place] === word && knownTexts[place] !== '') return knownTexts[place]
  // Joined, not concatenated: the text is kept for long, and a concatenation would keep its parts.
  const text = [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join('.')
  knownWords[place] = word
  knownTexts[place] = text
  return text
}

function formatV6(w0: number, w1: number, w2: number, w3: number): string {
  // RFC 5952 section 5: mapped addresses keep the dotted form.
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return `::ffff:${formatV4(w3)}`
  const groups = [w0, w1, w2, w3].flatMap((w) => [w >>> 16, w & 0xffff])
  let best = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && groups[i + n] === 0) n++
    if (n > bestLength) {
      best = i
      bestLength = n
    }
  }
  const hex = groups.map((g) => g.toString(16))
  if (best < 0) return hex.join(':')
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + bestLength).join(':')}`
}

/**
 * Reads an address, IPv6 with or without the brackets of a SIP URI and a zone. Undefined when it is none (a host
 * name, say). Leading zeros in IPv4 are decimal: RFC 3261 25.1 has 1*3DIGIT.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 64) return undefined
  const v4 = parseV4(text)
  if (v4 !== undefined) return { version: 4, words: Int32Array.of(v4, 0, 0, 0) }
  let bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const zone = bare.indexOf('%')
  if (zone >= 0) bare = bare.slice(0, zone)
  const words = parseV6(bare)
  return words && { version: 6, words }
}

/** Four numbers of one to three digits, none above 255, and nothing else. */
function parseV4(text: string): number | undefined {
  if (text.length > 15) return undefined
  let word = 0
  let dots = 0
  let octet = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x30 && code <= 0x39) {
      octet = octet * 10 + code - 0x30
      if (++digits > 3 || octet > 255) return undefined
    } else if (code === 0x2e) {
      if (digits === 0 || ++dots > 3) return undefined
      word = (word << 8) | octet
      octet = digits = 0
    } else return undefined
  }
  return dots === 3 && digits > 0 ? (word << 8) | octet : undefined
}

function parseV6(text: string): Int32Array | undefined {
  if (!text.includes(':')) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0], halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1], true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // "::" stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return Int32Array.from([0, 2, 4, 6], (i) => (groups[i] << 16) | groups[i + 1])
}

/** 16-bit groups; the last two may be written as IPv4 when nothing follows. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    const v4 = atEnd && i === parts.length - 1 ? parseV4(part) : undefined
    if (v4 !== undefined) groups.push(v4 >>> 16, v4 & 0xffff)
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(parseInt(part, 16))
    else return undefined
  }
  return groups
}

/**
 * One spelling for each address: RFC 5952, IPv4-mapped IPv6 as IPv4, brackets and zone taken off. Undefined when
 * the text is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text)
  if (address === undefined) return undefined
  const { version, words } = address
  const v4 = version === 6 ? mappedV4(words) : words[0]
  return v4 !== undefined ? formatV4(v4) : formatV6(words[0], words[1], words[2], words[3])
}

/** The IPv4 word of an IPv4-mapped IPv6 address (RFC 4291 2.5.5.2). */
function mappedV4(words: Int32Array): number | undefined {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff ? words[3] : undefined
}

/** Bits of a prefix and its length, IPv4. */
const PRIVATE_V4: readonly (readonly [number, number])[] = [
  [0x0a000000, 8], // RFC 1918
  [0xac100000, 12],
  [0xc0a80000, 16],
  [0x64400000, 10], // RFC 6598 shared address space
  [0xa9fe0000, 16], // RFC 3927 link-local
  [0x7f000000, 8], // loopback
]

/**
 * Is the address one that the public internet does not route: RFC 1918, RFC 6598, link-local, loopback, unique
 * local (RFC 4193)? False for text that is no address.
 */
export function isPrivateAddress(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && isPrivate(address.version, address.words)
}

/** The same for words. */
export function isPrivate(version: number, words: Int32Array): boolean {
  const v4 = version === 4 ? words[0] : mappedV4(words)
  if (v4 !== undefined) return PRIVATE_V4.some(([prefix, bits]) => (v4 ^ prefix) >>> (32 - bits) === 0)
  const w0 = words[0]
  if (w0 >>> 25 === 0xfc >> 1) return true
  if (w0 >>> 22 === 0xfe80 >> 6) return true
  return w0 === 0 && words[1] === 0 && words[2] === 0 && words[3] === 1
}
