import { parseAddress } from '../decode/address.js'
import type { StreamEntry } from './stream-entry.js'

// Links of a slot: the next and the previous stream in the chain of its source and of its destination (slot + 1).
const LINKS = 4
const FIRST_SLOTS = 1024

/**
 * Streams that no signalling explains, by either end: to pair the directions of a call, and for SDP that comes late. Two
 * hash tables of chains over slots, in typed arrays: a busy tap without signalling has hundreds of thousands.
 */
export class UnboundStreams {
  private slots = FIRST_SLOTS
  /** First slot + 1 of each chain: of sources, then of destinations. */
  private heads = new Int32Array(2 * FIRST_SLOTS)
  private links = new Int32Array(LINKS * FIRST_SLOTS)
  private entries: (StreamEntry | undefined)[] = []

  add(stream: StreamEntry): void {
    if (this.entries[stream.slot] === stream) return
    while (stream.slot >= this.slots) this.grow()
    this.entries[stream.slot] = stream
    this.chain(stream)
  }

  remove(stream: StreamEntry): void {
    if (this.entries[stream.slot] !== stream) return
    this.unchain(stream.slot, 0, this.sourceHead(stream))
    this.unchain(stream.slot, 2, this.destinationHead(stream))
    this.entries[stream.slot] = undefined
  }

  /** Another stream between the same two ends, either way. */
  partner(stream: StreamEntry): StreamEntry | undefined {
    for (let at = this.heads[this.headOf(stream, false, 0)]; at !== 0; at = this.links[(at - 1) * LINKS]) {
      const other = this.entries[at - 1]
      if (other && isReverse(stream, other)) return other
    }
    for (let at = this.heads[this.headOf(stream, true, 0)]; at !== 0; at = this.links[(at - 1) * LINKS]) {
      const other = this.entries[at - 1]
      if (other && other !== stream && isParallel(stream, other)) return other
    }
    return undefined
  }

  /** Streams from or to an address and port, those that came from it first. */
  at(address: string, port: number): StreamEntry[] {
    const parsed = parseAddress(address)
    if (!parsed) return []
    const { version, words: w } = parsed
    const bucket = endHash(w[0], w[1], w[2], w[3], port) & (this.slots - 1)
    const found: StreamEntry[] = []
    for (const [first, head] of [
      [0, bucket],
      [2, this.slots + bucket],
    ]) {
      for (let at = this.heads[head]; at !== 0; at = this.links[(at - 1) * LINKS + first]) {
        const stream = this.entries[at - 1]
        if (!stream || stream.ipVersion !== version) continue
        const isEnd =
          first === 0
            ? stream.sourcePort === port && w.every((word, n) => stream.sourceWord(n) === word)
            : stream.destinationPort === port && w.every((word, n) => stream.destinationWord(n) === word)
        if (isEnd) found.push(stream)
      }
    }
    return found
  }

  private sourceHead(stream: StreamEntry): number {
    return this.headOf(stream, true, 0)
  }

  private destinationHead(stream: StreamEntry): number {
    return this.headOf(stream, false, this.slots)
  }

  /** Chain of the stream's source or destination, in the table that begins at `table`. */
  private headOf(s: StreamEntry, source: boolean, table: number): number {
    const hash = source
      ? s.ipVersion === 4
        ? endHash(s.source0, 0, 0, 0, s.sourcePort)
        : endHash(s.source0, s.sourceWord(1), s.sourceWord(2), s.sourceWord(3), s.sourcePort)
      : s.ipVersion === 4
        ? endHash(s.destination0, 0, 0, 0, s.destinationPort)
        : endHash(
            s.destination0,
            s.destinationWord(1),
            s.destinationWord(2),
            s.destinationWord(3),
            s.destinationPort,
          )
    return table + (hash & (this.slots - 1))
  }

  private chain(stream: StreamEntry): void {
    this.push(stream.slot, 0, this.sourceHead(stream))
    this.push(stream.slot, 2, this.destinationHead(stream))
  }

  private push(slot: number, first: number, head: number): void {
    const { heads, links } = this
    const next = heads[head]
    links[slot * LINKS + first] = next
    links[slot * LINKS + first + 1] = 0
    if (next !== 0) links[(next - 1) * LINKS + first + 1] = slot + 1
    heads[head] = slot + 1
  }

  private unchain(slot: number, first: number, head: number): void {
    const { heads, links } = this
    const next = links[slot * LINKS + first]
    const previous = links[slot * LINKS + first + 1]
    if (previous !== 0) links[(previous - 1) * LINKS + first] = next
    else heads[head] = next
    if (next !== 0) links[(next - 1) * LINKS + first + 1] = previous
  }

  private grow(): void {
    this.slots *= 2
    this.heads = new Int32Array(2 * this.slots)
    this.links = new Int32Array(LINKS * this.slots)
    for (const stream of this.entries) if (stream) this.chain(stream)
  }
}

function isReverse(a: StreamEntry, b: StreamEntry): boolean {
  if (
    a.sourcePort !== b.destinationPort ||
    a.destinationPort !== b.sourcePort ||
    a.source0 !== b.destination0 ||
    a.destination0 !== b.source0 ||
    a.ipVersion !== b.ipVersion
  ) {
    return false
  }
  if (a.ipVersion === 4) return true
  for (let n = 1; n < 4; n++) {
    if (a.sourceWord(n) !== b.destinationWord(n) || a.destinationWord(n) !== b.sourceWord(n)) return false
  }
  return true
}

function isParallel(a: StreamEntry, b: StreamEntry): boolean {
  if (
    a.sourcePort !== b.sourcePort ||
    a.destinationPort !== b.destinationPort ||
    a.source0 !== b.source0 ||
    a.destination0 !== b.destination0 ||
    a.ipVersion !== b.ipVersion
  ) {
    return false
  }
  if (a.ipVersion === 4) return true
  for (let n = 1; n < 4; n++) {
    if (a.sourceWord(n) !== b.sourceWord(n) || a.destinationWord(n) !== b.destinationWord(n)) return false
  }
  return true
}

/** 32-bit hash of an address and port. */
function endHash(w0: number, w1: number, w2: number, w3: number, port: number): number {
  let hash = Math.imul(w0 ^ Math.imul(w1 ^ w2, 0x01000193) ^ w3, 0x9e3779b1) ^ Math.imul(port, 0xc2b2ae3d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
