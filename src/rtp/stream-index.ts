/**
 * Hash index from a 32-bit stream hash to slots: open addressing with linear probing over (hash, slot + 1) pairs, at
 * most half full, deletion by shifting back. Equal hashes are told apart by the caller, which compares the key.
 */
export class StreamIndex {
  /** (hash, slot + 1) pairs. Only the first `mask` + 1 are in use: few streams share few cache lines. */
  readonly pairs: Int32Array
  mask: number
  private entries = 0

  /**
   * @param streams most that it will hold
   * @param places in use at first, a power of two; they double as streams come
   */
  constructor(streams: number, places = 1024) {
    let most = places
    while (most <= streams * 2) most *= 2
    this.pairs = new Int32Array(most * 2)
    this.mask = places - 1
  }

  insert(hash: number, slot: number): void {
    if (++this.entries * 2 > this.mask) this.grow()
    this.place(hash, slot + 1)
  }

  private place(hash: number, occupant: number): void {
    const { pairs, mask } = this
    let at = hash & mask
    while (pairs[at * 2 + 1] !== 0) at = (at + 1) & mask
    pairs[at * 2] = hash
    pairs[at * 2 + 1] = occupant
  }

  private grow(): void {
    const held = this.pairs.slice(0, (this.mask + 1) * 2)
    this.pairs.fill(0, 0, held.length)
    this.mask = this.mask * 2 + 1
    for (let at = 0; at < held.length; at += 2) if (held[at + 1] !== 0) this.place(held[at], held[at + 1])
  }

  remove(hash: number, slot: number): void {
    const { pairs, mask } = this
    let at = hash & mask
    while (pairs[at * 2 + 1] !== slot + 1) {
      if (pairs[at * 2 + 1] === 0) return
      at = (at + 1) & mask
    }
    this.entries--
    let hole = at
    for (;;) {
      at = (at + 1) & mask
      if (pairs[at * 2 + 1] === 0) break
      const home = pairs[at * 2] & mask
      // Move back only what may stand at the hole: its home is not cyclically in (hole, at].
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        pairs[hole * 2] = pairs[at * 2]
        pairs[hole * 2 + 1] = pairs[at * 2 + 1]
        hole = at
      }
    }
    pairs[hole * 2] = 0
    pairs[hole * 2 + 1] = 0
  }
}

/** 32-bit hash of a stream's key. The mixing constants are odd numbers without structure. */
export function hashKey(source: number, destination: number, ports: number, ssrc: number): number {
  let hash = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca77)
  hash ^= Math.imul(ports, 0xc2b2ae3d) ^ Math.imul(ssrc, 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash ^= hash >>> 13
  return hash | 0
}
