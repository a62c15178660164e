/** Buckets grow by 6 %, so that a percentile is off by at most 3 %; the first takes all below LEAST. */
const GROWTH = 1.06
const LOG_GROWTH = Math.log(GROWTH)
const LEAST = 0.1
/** Up to 0.1 x 1.06^359: 34 hours in ms. */
const BUCKETS = 360

/** Distribution of values from 0.1 to about 10^8 (ms), for percentiles that stay right when histograms are merged. */
export class ValueHistogram {
  count = 0
  sum = 0
  maximum = 0
  /** Made with the first value: most trunks have no registrations. */
  private buckets: Uint32Array | undefined

  add(value: number): void {
    this.count++
    this.sum += value
    this.maximum = Math.max(this.maximum, value)
    const bucket = value < LEAST ? 0 : 1 + Math.floor(Math.log(value / LEAST) / LOG_GROWTH)
    this.buckets ??= new Uint32Array(BUCKETS)
    this.buckets[Math.min(BUCKETS - 1, bucket)]++
  }

  merge(other: ValueHistogram): void {
    if (!other.buckets) return
    this.count += other.count
    this.sum += other.sum
    this.maximum = Math.max(this.maximum, other.maximum)
    this.buckets ??= new Uint32Array(BUCKETS)
    for (let k = 0; k < BUCKETS; k++) this.buckets[k] += other.buckets[k]
  }

  /** undefined without values. */
  get mean(): number | undefined {
    return this.count > 0 ? this.sum / this.count : undefined
  }

  /** undefined without values. */
  get largest(): number | undefined {
    return this.count > 0 ? this.maximum : undefined
  }

  /** Percentile by nearest rank, undefined without values. */
  percentile(percent: number): number | undefined {
    if (!this.buckets) return undefined
    const rank = Math.max(1, Math.ceil((percent / 100) * this.count - 1e-9))
    if (rank >= this.count) return this.maximum
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS - 1; bucket++) {
      seen += this.buckets[bucket]
      if (seen >= rank) return Math.min(representative(bucket), this.maximum)
    }
    return this.maximum
  }
}

/** The value that is off by the same share from both edges of a bucket. */
function representative(bucket: number): number {
  if (bucket === 0) return LEAST / 2
  const low = LEAST * GROWTH ** (bucket - 1)
  return (2 * low * GROWTH) / (1 + GROWTH)
}
