import type { MetricPoint } from '../../aggregates/point.js'
import { seriesOf } from './line-protocol.js'

/** Tags with as many values as somebody has configured, widest first; all other tags have a handful. */
const WIDE_TAGS = ['caller_site', 'callee_site', 'trunk', 'codec', 'rule']
export const OTHER_TAG = 'other'

/**
 * Holds the number of series under a bound. Beyond it a new combination gets `other` for its sites, trunk, codec and
 * rule, and is counted: what remains of such a point's tags are combinations of few fixed values.
 */
export class SeriesBudget {
  /** Points whose tags were replaced. */
  overBudget = 0
  /** By itself: the same text again and again, whose hash is known, not an equal one. */
  private readonly known = new Map<string, string>()

  constructor(private readonly most: number) {}

  /** Series that this run has written. */
  get size(): number {
    return this.known.size
  }

  /** The text of measurement and tags that the point gets. */
  seriesFor({ measurement, tags }: MetricPoint): string {
    const series = seriesOf(measurement, tags)
    const known = this.known.get(series)
    if (known !== undefined) return known
    if (this.known.size < this.most) {
      this.known.set(series, series)
      return series
    }
    this.overBudget++
    const narrowed: Record<string, string> = { ...tags }
    for (const name of WIDE_TAGS) if (name in narrowed) narrowed[name] = OTHER_TAG
    const other = seriesOf(measurement, narrowed)
    this.known.set(other, other)
    return other
  }
}
