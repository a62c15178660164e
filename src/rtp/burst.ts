import {
  I_BAD_RUN,
  I_BAD_RUNS,
  I_BAD_TOTAL,
  I_BURST_BAD,
  I_BURST_COUNT,
  I_BURST_PACKETS,
  I_CLUSTER_BAD,
  I_CLUSTER_LENGTH,
  I_EDGE_BURSTS,
  I_FINAL,
  I_FINAL_PACKETS,
  I_GAP_BAD,
  I_GOOD_RUN,
  I_HIGHEST,
  I_LATE,
  I_LOSS_RUNS,
  I_LOST_RUN,
  receivedAt,
  STRIDE_32,
  WINDOW_WORDS,
} from './layout.js'

/** RFC 3611 4.7.2: this many received packets in a row end a burst. */
export const GMIN = 16

/**
 * Bursts and gaps by the direct definition of RFC 3611 4.7.2 over lost and late packets, and runs of loss. Packets reach
 * it in sequence order some 128 packets behind the highest, when reordering can no longer fill a hole.
 */
export class BurstMachine {
  constructor(private readonly i32: Int32Array) {}

  /** A new stream or segment starts at this extended sequence number; a session begins as if after a gap. */
  restart(slot: number, extended: number): void {
    const i = slot * STRIDE_32
    this.i32[i + I_FINAL] = extended
    this.i32[i + I_GOOD_RUN] = GMIN
    this.i32[i + I_CLUSTER_LENGTH] = 0
    this.i32[i + I_CLUSTER_BAD] = 0
    this.i32[i + I_BAD_RUN] = 0
    this.i32[i + I_LOST_RUN] = 0
  }

  /** Takes in all packets below `limit` (exclusive). */
  finalize(slot: number, limit: number): void {
    const { i32 } = this
    const i = slot * STRIDE_32
    const highest = i32[i + I_HIGHEST]
    let at = i32[i + I_FINAL]
    if (at >= limit) return
    i32[i + I_FINAL_PACKETS] += limit - at
    while (at < limit) {
      const received = i32[receivedAt(i, at, highest)]
      const late = i32[i + I_LATE + ((at >> 5) & (WINDOW_WORDS - 1))]
      const bit = at & 31
      const run = Math.min(32 - bit, limit - at)
      if (run === 32 && received === -1 && late === 0) {
        this.good(i, 32)
      } else {
        for (let b = bit; b < bit + run; b++) {
          const arrived = (received >>> b) & 1
          if (arrived === 0) this.bad(i, 1, true)
          else if ((late >>> b) & 1) this.bad(i, 1, false)
          else this.good(i, 1)
        }
      }
      at += run
    }
    i32[i + I_FINAL] = limit
  }

  /**
   * Up to where (exclusive) no late arrival changes anything any more: the first hole less than `misorder` packets
   * behind the highest.
   */
  settled(slot: number, misorder: number, lowest: number): number {
    const { i32 } = this
    const i = slot * STRIDE_32
    const highest = i32[i + I_HIGHEST]
    // The segment's start itself may still move down.
    if (highest - lowest < misorder) return i32[i + I_FINAL]
    let at = Math.max(i32[i + I_FINAL], highest - misorder + 1)
    for (; at <= highest; at++) {
      if (((i32[receivedAt(i, at, highest)] >>> (at & 31)) & 1) === 0) break
    }
    return at
  }

  /** Takes in a run of lost packets that the window does not hold (a long outage). */
  lostRun(slot: number, count: number, next: number): void {
    const i = slot * STRIDE_32
    this.i32[i + I_FINAL_PACKETS] += count
    this.bad(i, count, true)
    this.i32[i + I_FINAL] = next
  }

  /** End of the stream or segment: closes what is open. */
  finish(slot: number): void {
    const i = slot * STRIDE_32
    this.finalize(slot, this.i32[i + I_HIGHEST] + 1)
    if (this.i32[i + I_CLUSTER_BAD] >= 2 && this.i32[i + I_GOOD_RUN] === 0) this.i32[i + I_EDGE_BURSTS]++
    this.closeCluster(i)
    this.endLossRun(i)
    this.i32[i + I_GOOD_RUN] = GMIN
    this.i32[i + I_BAD_RUN] = 0
  }

  private good(i: number, count: number): void {
    const { i32 } = this
    const goodRun = (i32[i + I_GOOD_RUN] += count)
    i32[i + I_BAD_RUN] = 0
    // The burst is over, and belongs to the interval in which it ended.
    if (goodRun >= GMIN && i32[i + I_CLUSTER_BAD] !== 0) this.closeCluster(i)
    if (i32[i + I_LOST_RUN] !== 0) this.endLossRun(i)
  }

  private bad(i: number, count: number, lost: boolean): void {
    const { i32 } = this
    const goodRun = i32[i + I_GOOD_RUN]
    if (goodRun >= GMIN || i32[i + I_CLUSTER_BAD] === 0) {
      this.closeCluster(i)
      i32[i + I_CLUSTER_LENGTH] = count
      i32[i + I_CLUSTER_BAD] = count
    } else {
      i32[i + I_CLUSTER_LENGTH] += goodRun + count
      i32[i + I_CLUSTER_BAD] += count
    }
    i32[i + I_GOOD_RUN] = 0
    i32[i + I_BAD_TOTAL] += count
    if (i32[i + I_BAD_RUN] === 0) i32[i + I_BAD_RUNS]++
    i32[i + I_BAD_RUN] += count
    if (lost) i32[i + I_LOST_RUN] += count
    else if (i32[i + I_LOST_RUN] !== 0) this.endLossRun(i)
  }

  private endLossRun(i: number): void {
    const run = this.i32[i + I_LOST_RUN]
    if (run > 0) this.i32[i + I_LOSS_RUNS + (run < 10 ? run : 10) - 1]++
    this.i32[i + I_LOST_RUN] = 0
  }

  private closeCluster(i: number): void {
    const { i32 } = this
    const bad = i32[i + I_CLUSTER_BAD]
    if (bad >= 2) {
      i32[i + I_BURST_COUNT]++
      i32[i + I_BURST_PACKETS] += i32[i + I_CLUSTER_LENGTH]
      i32[i + I_BURST_BAD] += bad
    } else if (bad === 1) {
      i32[i + I_GAP_BAD]++
    }
    i32[i + I_CLUSTER_BAD] = 0
    i32[i + I_CLUSTER_LENGTH] = 0
  }
}
