import type { DecodedPacket } from './packet.js'

const KEY_WORDS = 11
const BUCKETS = 2048

/** Finds the slot of a datagram by addresses, identification and protocol: a chained hash over typed arrays. */
export class FragmentKeys {
  private readonly keys: Int32Array
  private readonly head = new Int32Array(BUCKETS).fill(-1)
  private readonly next: Int32Array

  constructor(slots: number) {
    this.keys = new Int32Array(slots * KEY_WORDS)
    this.next = new Int32Array(slots).fill(-1)
  }

  /** Slot, or -1. `protocol`: -1 where it is no part of the key. */
  find(p: DecodedPacket, identification: number, protocol: number): number {
    const k = this.keys
    const bucket = bucketOf(identification, p.source0, p.source3, p.destination0, p.destination3)
    for (let slot = this.head[bucket]; slot >= 0; slot = this.next[slot]) {
      const i = slot * KEY_WORDS
      if (
        k[i] === identification &&
        k[i + 1] === p.source0 &&
        k[i + 2] === p.source1 &&
        k[i + 3] === p.source2 &&
        k[i + 4] === p.source3 &&
        k[i + 5] === p.destination0 &&
        k[i + 6] === p.destination1 &&
        k[i + 7] === p.destination2 &&
        k[i + 8] === p.destination3 &&
        k[i + 9] === p.ipVersion &&
        k[i + 10] === protocol
      ) {
        return slot
      }
    }
    return -1
  }

  insert(slot: number, p: DecodedPacket, identification: number, protocol: number): void {
    const k = this.keys
    const i = slot * KEY_WORDS
    k[i] = identification
    k[i + 1] = p.source0
    k[i + 2] = p.source1
    k[i + 3] = p.source2
    k[i + 4] = p.source3
    k[i + 5] = p.destination0
    k[i + 6] = p.destination1
    k[i + 7] = p.destination2
    k[i + 8] = p.destination3
    k[i + 9] = p.ipVersion
    k[i + 10] = protocol
    const bucket = this.bucketOfSlot(slot)
    this.next[slot] = this.head[bucket]
    this.head[bucket] = slot
  }

  remove(slot: number): void {
    const bucket = this.bucketOfSlot(slot)
    let previous = -1
    for (let s = this.head[bucket]; s >= 0; previous = s, s = this.next[s]) {
      if (s !== slot) continue
      if (previous < 0) this.head[bucket] = this.next[s]
      else this.next[previous] = this.next[s]
      return
    }
  }

  private bucketOfSlot(slot: number): number {
    const k = this.keys
    const i = slot * KEY_WORDS
    return bucketOf(k[i], k[i + 1], k[i + 4], k[i + 5], k[i + 8])
  }
}

/** First and last words: where IPv4 and IPv6 hosts differ. */
function bucketOf(identification: number, s0: number, s3: number, d0: number, d3: number): number {
  let h = Math.imul(identification ^ Math.imul(s0 ^ Math.imul(s3, 31), 0x9e3779b1), 0x85ebca6b)
  h ^= Math.imul(d0 ^ Math.imul(d3, 31), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (h ^ (h >>> 13)) & (BUCKETS - 1)
}
