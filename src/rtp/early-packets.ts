/**
 * Timing of packets that came before anything told their clock rate (media ahead of its SDP): kept in one bounded pool,
 * so that they can be measured once it is known. Chains of packets, first in first out, one per stream.
 */
export class EarlyPackets {
  private readonly times: Float64Array
  private readonly timestamps: Int32Array
  /** Extended sequence number; the marker bit in the sign. */
  private readonly numbers: Int32Array
  private readonly next: Int32Array
  /** First and last packet + 1 of each stream. */
  private readonly heads: Int32Array
  private readonly tails: Int32Array
  private free = 0
  private used = 0
  /** Packets that found the pool full. */
  dropped = 0

  /** `packets`: most that are kept at once; `slots`: most streams. Memory that is not used is not resident. */
  constructor(
    private readonly packets: number,
    slots: number,
  ) {
    this.times = new Float64Array(packets)
    this.timestamps = new Int32Array(packets)
    this.numbers = new Int32Array(packets)
    this.next = new Int32Array(packets)
    this.heads = new Int32Array(slots)
    this.tails = new Int32Array(slots)
  }

  has(slot: number): boolean {
    return this.heads[slot] !== 0
  }

  add(slot: number, timeMs: number, timestamp: number, extended: number, marker: boolean): void {
    let at: number
    if (this.free !== 0) {
      at = this.free - 1
      this.free = this.next[at]
    } else if (this.used < this.packets) {
      at = this.used++
    } else {
      this.dropped++
      return
    }
    this.times[at] = timeMs
    this.timestamps[at] = timestamp
    this.numbers[at] = marker ? extended | 0x80000000 : extended
    this.next[at] = 0
    if (this.heads[slot] === 0) this.heads[slot] = at + 1
    else this.next[this.tails[slot] - 1] = at + 1
    this.tails[slot] = at + 1
  }

  /** Hands out what was kept of a stream, in the order of arrival, and forgets it. */
  take(
    slot: number,
    visit: (timeMs: number, timestamp: number, extended: number, marker: boolean) => void,
  ): void {
    for (let at = this.heads[slot]; at !== 0; at = this.next[at - 1]) {
      const number = this.numbers[at - 1]
      visit(this.times[at - 1], this.timestamps[at - 1], number & 0x7fffffff, number < 0)
    }
    this.discard(slot)
  }

  discard(slot: number): void {
    if (this.heads[slot] === 0) return
    this.next[this.tails[slot] - 1] = this.free
    this.free = this.heads[slot]
    this.heads[slot] = this.tails[slot] = 0
  }
}
