/** Slices of a window: the oldest falls out as a whole. */
const SLICES = 60
/** Resolution of percentiles: each bucket is 3 % wider than the one before. */
const BUCKET_RATIO = Math.log(1.03)
/** Values at or below this share one bucket. */
const SMALLEST = 1e-3

interface Slice {
  index: number
  count: number
  bad: number
  sum: number
  min: number
  max: number
  buckets?: Map<number, number>
}

/** Numbers over a sliding window, in at most 61 slices. Percentiles are off by 3 % at most. Times in ms. */
export class SlidingWindow {
  private readonly slices: Slice[] = []
  private readonly sliceMs: number

  /** @param keepsDistribution for percentiles */
  constructor(
    private readonly windowMs: number,
    private readonly keepsDistribution: boolean,
  ) {
    this.sliceMs = Math.max(1000, windowMs / SLICES)
  }

  add(timeMs: number, value: number, isBad: boolean): void {
    const index = Math.floor(timeMs / this.sliceMs)
    const slice = this.sliceAt(index)
    slice.count++
    if (isBad) slice.bad++
    if (Number.isNaN(value)) return
    slice.sum += value
    if (value < slice.min) slice.min = value
    if (value > slice.max) slice.max = value
    if (!this.keepsDistribution) return
    slice.buckets ??= new Map()
    const bucket = bucketOf(value)
    slice.buckets.set(bucket, (slice.buckets.get(bucket) ?? 0) + 1)
  }

  /** Samples may come a little out of order: a second is told when its stream's next packet comes. */
  private sliceAt(index: number): Slice {
    const { slices } = this
    let at = slices.length
    while (at > 0 && slices[at - 1].index > index) at--
    if (at > 0 && slices[at - 1].index === index) return slices[at - 1]
    const slice = { index, count: 0, bad: 0, sum: 0, min: Infinity, max: -Infinity }
    slices.splice(at, 0, slice)
    return slice
  }

  /** Forgets what is older than the window. */
  expire(nowMs: number): void {
    const oldest = Math.floor((nowMs - this.windowMs) / this.sliceMs)
    let gone = 0
    while (gone < this.slices.length && this.slices[gone].index <= oldest) gone++
    if (gone > 0) this.slices.splice(0, gone)
  }

  get count(): number {
    return this.total((slice) => slice.count)
  }

  get bad(): number {
    return this.total((slice) => slice.bad)
  }

  get sum(): number {
    return this.total((slice) => slice.sum)
  }

  get min(): number {
    return Math.min(...this.slices.map(({ min }) => min))
  }

  get max(): number {
    return Math.max(...this.slices.map(({ max }) => max))
  }

  private total(of: (slice: Slice) => number): number {
    let sum = 0
    for (const slice of this.slices) sum += of(slice)
    return sum
  }

  /** By nearest rank; undefined without values. */
  percentile(percent: number): number | undefined {
    const merged = new Map<number, number>()
    let count = 0
    for (const { buckets } of this.slices) {
      if (!buckets) continue
      for (const [bucket, n] of buckets) {
        merged.set(bucket, (merged.get(bucket) ?? 0) + n)
        count += n
      }
    }
    if (count === 0) return undefined
    const rank = Math.max(1, Math.ceil((percent / 100) * count))
    let seen = 0
    for (const bucket of [...merged.keys()].sort((a, b) => a - b)) {
      seen += merged.get(bucket) ?? 0
      if (seen >= rank) return Math.min(this.max, Math.max(this.min, middleOf(bucket)))
    }
    return this.max
  }
}

/** Negative values (skew) mirror the positive ones. */
function bucketOf(value: number): number {
  const size = Math.abs(value)
  if (size <= SMALLEST) return 0
  const bucket = 1 + Math.floor(Math.log(size / SMALLEST) / BUCKET_RATIO)
  return value < 0 ? -bucket : bucket
}

function middleOf(bucket: number): number {
  if (bucket === 0) return 0
  const size = SMALLEST * Math.exp((Math.abs(bucket) - 0.5) * BUCKET_RATIO)
  return bucket < 0 ? -size : size
}
