import { parseAddress } from '../decode/address.js'
import { endHash, type StreamKeys } from '../rtp/stream-keys.js'

// Each stream is in three chains: of its source, its destination, and the pair of both, whichever way.
const CHAINS = 3
const BY_SOURCE = 0
const BY_DESTINATION = 1
const BY_PAIR = 2
/** Per slot and chain: the next and the previous slot + 1. */
const LINKS = 2 * CHAINS
const FIRST_SLOTS = 1024
/** Streams between the same two ends that are looked at for a partner. */
const MOST_PARTNERS = 64

/**
 * Streams that no signalling explains, by either end: to pair the directions of a call, and for SDP that comes late.
 * Hash tables of chains over the meter's slots, in typed arrays: a busy tap without signalling has hundreds of thousands.
 */
export class UnboundStreams {
  private slots = FIRST_SLOTS
  /** First slot + 1 of each chain, one table after the other. */
  private heads = new Int32Array(CHAINS * FIRST_SLOTS)
  private links = new Int32Array(LINKS * FIRST_SLOTS)
  private members = new Uint8Array(FIRST_SLOTS)
  size = 0

  constructor(private readonly keys: StreamKeys) {}

  has(slot: number): boolean {
    return slot < this.slots && this.members[slot] === 1
  }

  add(slot: number): void {
    if (this.has(slot)) return
    while (slot >= this.slots) this.grow()
    this.members[slot] = 1
    this.size++
    this.chain(slot)
  }

  remove(slot: number): void {
    if (!this.has(slot)) return
    this.members[slot] = 0
    this.size--
    for (let chain = 0; chain < CHAINS; chain++) this.unlink(slot, chain)
  }

  /** Slots of the streams between the same two ends, either way, this one included, in the order of their beginning. */
  between(slot: number): number[] {
    const { keys } = this
    const found = [slot]
    let left = MOST_PARTNERS
    for (let at = this.heads[this.headOf(slot, BY_PAIR)]; at !== 0 && left > 0; left--) {
      const other = at - 1
      at = this.links[other * LINKS + 2 * BY_PAIR]
      if (other !== slot && keys.samePair(slot, other)) found.push(other)
    }
    if (found.length > 1) found.sort((x, y) => keys.firstArrival(x) - keys.firstArrival(y) || x - y)
    return found
  }

  /** Slots of the streams from or to an address and port, those that came from it first. */
  at(address: string, port: number): number[] {
    const parsed = parseAddress(address)
    if (!parsed) return []
    const { keys } = this
    const { version, words: w } = parsed
    const hash = endHash(w[0], w[1], w[2], w[3], port)
    const found: number[] = []
    for (const chain of [BY_SOURCE, BY_DESTINATION]) {
      const head = chain * this.slots + (hash & (this.slots - 1))
      for (let at = this.heads[head]; at !== 0; at = this.links[(at - 1) * LINKS + 2 * chain]) {
        const slot = at - 1
        if (keys.ipVersion(slot) !== version) continue
        const isEnd =
          chain === BY_SOURCE
            ? keys.sourcePort(slot) === port && w.every((word, n) => keys.source(slot, n) === word)
            : keys.destinationPort(slot) === port && w.every((word, n) => keys.destination(slot, n) === word)
        if (isEnd) found.push(slot)
      }
    }
    return found
  }

  /** Where the chain of a stream begins. */
  private headOf(slot: number, chain: number): number {
    const { keys } = this
    let hash: number
    if (chain === BY_SOURCE) hash = keys.sourceHash(slot)
    else if (chain === BY_DESTINATION) hash = keys.destinationHash(slot)
    else hash = keys.sourceHash(slot) ^ keys.destinationHash(slot)
    return chain * this.slots + (hash & (this.slots - 1))
  }

  private chain(slot: number): void {
    const { heads, links } = this
    for (let chain = 0; chain < CHAINS; chain++) {
      const head = this.headOf(slot, chain)
      const at = slot * LINKS + 2 * chain
      const next = heads[head]
      links[at] = next
      links[at + 1] = 0
      if (next !== 0) links[(next - 1) * LINKS + 2 * chain + 1] = slot + 1
      heads[head] = slot + 1
    }
  }

  private unlink(slot: number, chain: number): void {
    const { heads, links } = this
    const at = slot * LINKS + 2 * chain
    const next = links[at]
    const previous = links[at + 1]
    if (previous !== 0) links[(previous - 1) * LINKS + 2 * chain] = next
    else heads[this.headOf(slot, chain)] = next
    if (next !== 0) links[(next - 1) * LINKS + 2 * chain + 1] = previous
  }

  private grow(): void {
    const { members, slots } = this
    this.slots *= 2
    this.heads = new Int32Array(CHAINS * this.slots)
    this.links = new Int32Array(LINKS * this.slots)
    this.members = new Uint8Array(this.slots)
    this.members.set(members)
    for (let slot = 0; slot < slots; slot++) if (members[slot] === 1) this.chain(slot)
  }
}
