/** Samples kept; when full, every second one is dropped and later ones are thinned alike. */
const MOST_SAMPLES = 4096

/** Round-trip times in ms with their percentiles. */
export class RttSeries {
  private samples: number[] = []
  private keepEvery = 1
  private skipped = 0
  count = 0
  maximum = 0
  latest = NaN
  latestMs = -Infinity

  add(rttMs: number, timeMs: number): void {
    this.count++
    this.maximum = Math.max(this.maximum, rttMs)
    this.latest = rttMs
    this.latestMs = timeMs
    if (++this.skipped < this.keepEvery) return
    this.skipped = 0
    this.samples.push(rttMs)
    if (this.samples.length < MOST_SAMPLES) return
    this.samples = this.samples.filter((_, i) => i % 2 === 0)
    this.keepEvery *= 2
  }

  /** Nearest rank; undefined without samples. */
  percentile(percent: number): number | undefined {
    const values = [...this.samples].sort((a, b) => a - b)
    if (values.length === 0) return undefined
    return values[Math.max(0, Math.ceil((percent / 100) * values.length - 1e-9) - 1)]
  }
}
