import * as L from './layout.js'

/** The keys of the meter's streams by slot: addresses as int32 words in network order, IPv4 in word 0. */
export class StreamKeys {
  constructor(
    private readonly i32: Int32Array,
    private readonly f64: Float64Array,
  ) {}

  ipVersion(slot: number): number {
    return this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_IPV6 ? 6 : 4
  }

  /** Word 0..3 of the source address. */
  source(slot: number, word: number): number {
    return this.i32[slot * L.STRIDE_32 + (word === 0 ? L.I_SOURCE0 : L.I_SOURCE1 + word - 1)]
  }

  destination(slot: number, word: number): number {
    return this.i32[slot * L.STRIDE_32 + (word === 0 ? L.I_DESTINATION0 : L.I_DESTINATION1 + word - 1)]
  }

  sourcePort(slot: number): number {
    return this.i32[slot * L.STRIDE_32 + L.I_PORTS] >>> 16
  }

  destinationPort(slot: number): number {
    return this.i32[slot * L.STRIDE_32 + L.I_PORTS] & 0xffff
  }

  firstArrival(slot: number): number {
    return this.f64[slot * L.STRIDE_64 + L.D_FIRST_ARRIVAL]
  }

  sourceHash(slot: number): number {
    const s = slot * L.STRIDE_32
    const w = s + L.I_SOURCE1
    const { i32 } = this
    return endHash(i32[s + L.I_SOURCE0], i32[w], i32[w + 1], i32[w + 2], i32[s + L.I_PORTS] >>> 16)
  }

  destinationHash(slot: number): number {
    const s = slot * L.STRIDE_32
    const w = s + L.I_DESTINATION1
    const { i32 } = this
    return endHash(i32[s + L.I_DESTINATION0], i32[w], i32[w + 1], i32[w + 2], i32[s + L.I_PORTS] & 0xffff)
  }

  /** Whether two streams run between the same two ends, either way. */
  samePair(a: number, b: number): boolean {
    if (this.ipVersion(a) !== this.ipVersion(b)) return false
    const from = this.sourcePort(a)
    const to = this.destinationPort(a)
    const otherFrom = this.sourcePort(b)
    const otherTo = this.destinationPort(b)
    let parallel = from === otherFrom && to === otherTo
    let reverse = from === otherTo && to === otherFrom
    for (let n = 0; n < 4 && (parallel || reverse); n++) {
      const source = this.source(a, n)
      const destination = this.destination(a, n)
      const otherSource = this.source(b, n)
      const otherDestination = this.destination(b, n)
      parallel &&= source === otherSource && destination === otherDestination
      reverse &&= source === otherDestination && destination === otherSource
    }
    return parallel || reverse
  }
}

/** 32-bit hash of an address and port. */
export function endHash(w0: number, w1: number, w2: number, w3: number, port: number): number {
  let hash = Math.imul(w0 ^ Math.imul(w1 ^ w2, 0x01000193) ^ w3, 0x9e3779b1) ^ Math.imul(port, 0xc2b2ae3d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
