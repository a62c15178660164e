/** Numbers of a direction: two lines of the cache. */
const TRACK = 16

/**
 * What the report needs of a direction of an open call once a second: numbers that lie together, not in objects. When a
 * direction's turn comes, nothing of it is in the processor's cache, and each place to be fetched costs as much as the
 * arithmetic.
 */
export class TrackNumbers {
  /** Grows: ask for it anew after `open`. */
  values = new Float64Array(64 * TRACK)
  private used = 0
  private readonly free: number[] = []

  /** @returns where the numbers of a new direction begin; they are what they were */
  open(): number {
    const track = this.free.pop() ?? this.used++ * TRACK
    if (track >= this.values.length) {
      const larger = new Float64Array(2 * this.values.length)
      larger.set(this.values)
      this.values = larger
    }
    return track
  }

  close(track: number): void {
    this.free.push(track)
  }
}

// Its seconds (second-store.ts): time of the first point; seconds per point: 1, 2, 4, ...; points; points that there is
// room for, and place of the first of them.
export const START_MS = 0
export const STEP_S = 1
export const COUNT = 2
export const ROOM = 3
export const FIRST = 4
/** Start of the last second with packets; NaN: there was none. */
export const LAST_MS = 5
// For scoring (second-scorer.ts): half the latest round trip; packet time and look-ahead of the codec; the score of the
// last second, and what it is the score of.
export const HALF_RTT_MS = 8
export const PTIME_MS = 9
export const LOOKAHEAD_MS = 10
export const SCORE_KEY = 11
export const SCORE = 12
