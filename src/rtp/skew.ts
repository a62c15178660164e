import {
  D_SEGMENT_START,
  D_SLOPE,
  FLAG_SKEW_KNOWN,
  I_FLAGS,
  I_SKEW_NEXT,
  I_SKEW_POINTS,
  I_SKEW_SPAN,
  STRIDE_32,
  STRIDE_64,
} from './layout.js'

const POINTS = 40
/** Slopes beyond this are not a clock's: ignored (DESIGN: section 2). */
const LIMIT = 500e-6
const USED_AFTER_MS = 30_000
/** The slope is estimated again after a tenth of the time that it is over, but at least this often. */
const AGAIN_AFTER = 0.1
const AGAIN_AFTER_MOST_MS = 30_000

const slopes = new Float64Array((POINTS * (POINTS - 1)) / 2)
/** Of one estimate: the points, less the slope that is guessed, and pairs of them (first << 8 | second). */
const pointTimes = new Float64Array(POINTS)
const rests = new Float64Array(POINTS)
const nearPairs = new Uint16Array(slopes.length)
/** Slopes are near the guess that differ by no more than this part of the steepest that the points allow. */
const NEAR_SHARE = 4

/**
 * Clock skew of each stream: Theil-Sen slope over the per-second minima of d since the segment's start. At most 40
 * points a stream: when they are full, neighbours are joined, the lower one (along the slope) staying.
 */
export class SkewEstimator {
  private readonly times: Float32Array
  private readonly lows: Float32Array

  constructor(
    private readonly i32: Int32Array,
    private readonly f64: Float64Array,
    streams: number,
  ) {
    this.times = new Float32Array(streams * POINTS)
    this.lows = new Float32Array(streams * POINTS)
  }

  restart(slot: number): void {
    const i = slot * STRIDE_32
    this.i32[i + I_SKEW_POINTS] = 0
    this.i32[i + I_SKEW_SPAN] = 1
    this.i32[i + I_SKEW_NEXT] = 0
    this.i32[i + I_FLAGS] &= ~FLAG_SKEW_KNOWN
  }

  /** Adds the lowest d of a second that is over, seen at `timeMs`; updates the slope when `nowMs` is 30 s on. */
  add(slot: number, timeMs: number, lowMs: number, nowMs: number): void {
    const i = slot * STRIDE_32
    const f = slot * STRIDE_64
    const base = slot * POINTS
    const since = timeMs - this.f64[f + D_SEGMENT_START]
    let count = this.i32[i + I_SKEW_POINTS]
    const span = this.i32[i + I_SKEW_SPAN] || 1
    const bin = Math.floor(since / 1000 / span)
    const last = base + count - 1
    if (count > 0 && span > 1 && Math.floor(this.times[last] / 1000 / span) === bin) {
      if (lowMs - this.lows[last] < this.f64[f + D_SLOPE] * (since - this.times[last])) {
        this.times[last] = since
        this.lows[last] = lowMs
      }
    } else {
      if (count === POINTS) count = this.halve(base, i, this.f64[f + D_SLOPE])
      this.times[base + count] = since
      this.lows[base + count] = lowMs
      this.i32[i + I_SKEW_POINTS] = count + 1
    }
    const age = nowMs - this.f64[f + D_SEGMENT_START]
    if (age >= USED_AFTER_MS && age >= this.i32[i + I_SKEW_NEXT]) {
      const slope = this.estimate(base, this.i32[i + I_SKEW_POINTS], this.f64[f + D_SLOPE])
      const isClock = Math.abs(slope) <= LIMIT
      this.f64[f + D_SLOPE] = isClock ? slope : 0
      if (isClock) this.i32[i + I_FLAGS] |= FLAG_SKEW_KNOWN
      else this.i32[i + I_FLAGS] &= ~FLAG_SKEW_KNOWN
      this.i32[i + I_SKEW_NEXT] = age + Math.min(age * AGAIN_AFTER, AGAIN_AFTER_MOST_MS)
    }
  }

  private halve(base: number, i: number, slope: number): number {
    const { times, lows } = this
    for (let to = 0; to < POINTS / 2; to++) {
      const a = base + 2 * to
      const b = a + 1
      const keep = lows[b] - lows[a] < slope * (times[b] - times[a]) ? b : a
      times[base + to] = times[keep]
      lows[base + to] = lows[keep]
    }
    this.i32[i + I_SKEW_SPAN] *= 2
    return POINTS / 2
  }

  /**
   * ms per ms; NaN when there are not two points.
   * @param guess what it probably is near
   */
  private estimate(base: number, count: number, guess: number): number {
    const near = this.medianNear(base, count, guess)
    if (!Number.isNaN(near)) return near
    let n = 0
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count; b++) {
        const dt = this.times[base + b] - this.times[base + a]
        if (dt > 0) slopes[n++] = (this.lows[base + b] - this.lows[base + a]) / dt
      }
    }
    return n === 0 ? NaN : median(slopes, n)
  }

  /**
   * The median of the slopes of all pairs of points, found by dividing and selecting only among those that lie around the
   * guess, the others being counted; NaN when it is not among them, or the points are not in order of time.
   */
  private medianNear(base: number, count: number, guess: number): number {
    const { times, lows } = this
    const pairCount = (count * (count - 1)) / 2
    if (pairCount < MANY) return NaN
    let least = Infinity
    let most = -Infinity
    for (let k = 0; k < count; k++) {
      const timeMs = times[base + k]
      const rest = lows[base + k] - guess * timeMs
      if (k > 0 && timeMs <= pointTimes[k - 1]) return NaN
      if (rest < least) least = rest
      if (rest > most) most = rest
      pointTimes[k] = timeMs
      rests[k] = rest
    }
    const reach = (most - least) / (pointTimes[count - 1] - pointTimes[0]) / NEAR_SHARE
    let below = 0
    let n = 0
    for (let a = 0; a < count - 1; a++) {
      const timeMs = pointTimes[a]
      const rest = rests[a]
      for (let b = a + 1; b < count; b++) {
        const bound = reach * (pointTimes[b] - timeMs)
        const rise = rests[b] - rest
        // Without a branch, which would be guessed wrong every other time.
        const isBelow = Number(rise < -bound)
        nearPairs[n] = (a << 8) | b
        below += isBelow
        n += Number(rise <= bound) - isBelow
      }
    }
    const isEven = (pairCount & 1) === 0
    const rank = (pairCount >> 1) - below
    if (rank < Number(isEven) || rank >= n) return NaN
    for (let k = 0; k < n; k++) {
      const a = base + (nearPairs[k] >> 8)
      const b = base + (nearPairs[k] & 255)
      near[k] = (lows[b] - lows[a]) / (times[b] - times[a])
    }
    return middle(near, n, rank, isEven)
  }
}

/** So many values are looked at to guess what the median lies between. */
const SAMPLES = 32
const MANY = 8 * SAMPLES
/** Of the sorted samples: the true median lies between these nine times out of ten. */
const LOW_SAMPLE = 10
const HIGH_SAMPLE = 21
const samples = new Float64Array(SAMPLES)
const near = new Float64Array(slopes.length)

/** Median of the first `n` values, at most 780 (mean of the middle two when n is even), reordering them. */
export function median(values: Float64Array, n: number): number {
  const guessed = n >= MANY ? medianNearSamples(values, n) : NaN
  return Number.isNaN(guessed) ? middle(values, n, n >> 1, (n & 1) === 0) : guessed
}

/** As `median`, selecting among the few values that lie where a sample says; NaN when it is not among them. */
function medianNearSamples(values: Float64Array, n: number): number {
  const step = Math.floor(n / SAMPLES)
  for (let k = 0; k < SAMPLES; k++) samples[k] = values[k * step + (step >> 1)]
  samples.sort()
  const low = samples[LOW_SAMPLE]
  const high = samples[HIGH_SAMPLE]
  let below = 0
  let count = 0
  // Without a branch, which would be guessed wrong every other time.
  for (let k = 0; k < n; k++) {
    const value = values[k]
    const isBelow = Number(value < low)
    near[count] = value
    below += isBelow
    count += Number(value <= high) - isBelow
  }
  const isEven = (n & 1) === 0
  const rank = (n >> 1) - below
  return rank < Number(isEven) || rank >= count ? NaN : middle(near, count, rank, isEven)
}

/** The value of this rank among the first `n`, or its mean with the one before; reorders them. */
function middle(values: Float64Array, n: number, rank: number, isMean: boolean): number {
  const upper = quickselect(values, n, rank)
  if (!isMean) return upper
  let lower = -Infinity
  for (let k = 0; k < rank; k++) if (values[k] > lower) lower = values[k]
  return (lower + upper) / 2
}

/** Hoare's selection: afterwards values[k] is the k-th smallest and all before it are no larger. */
function quickselect(values: Float64Array, n: number, k: number): number {
  let left = 0
  let right = n - 1
  while (left < right) {
    const pivot = values[(left + right) >> 1]
    let a = left
    let b = right
    while (a <= b) {
      while (values[a] < pivot) a++
      while (values[b] > pivot) b--
      if (a <= b) {
        const swap = values[a]
        values[a] = values[b]
        values[b] = swap
        a++
        b--
      }
    }
    if (k <= b) right = b
    else if (k >= a) left = a
    else break
  }
  return values[k]
}
