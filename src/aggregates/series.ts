import { OTHER } from './tags.js'

/** One tag set of a measurement. */
export interface Series {
  readonly tags: Readonly<Record<string, string>>
  /** The same for the same tags in every run. */
  readonly key: string
}

/**
 * The tag sets of one measurement, at most `budget` of them: beyond that a new one is counted under `other` in the tags
 * that may grow.
 */
export class SeriesTable {
  /** Lookups that ended in `other` for want of room. */
  overflow = 0
  private readonly known = new Map<string, Series>()

  /**
   * @param names the tags in the order in which `get` takes their values
   * @param fixed how many of the first names keep their value in the overflow series
   * @param reserved room for the overflow series: as many as there are combinations of the fixed values
   */
  constructor(
    private readonly probe: string,
    private readonly names: readonly string[],
    private readonly fixed: number,
    private readonly reserved: number,
    private readonly budget: number,
    private readonly onOverflow?: () => void,
  ) {}

  get size(): number {
    return this.known.size
  }

  get(...values: string[]): Series {
    const key = values.join('\u001f')
    const known = this.known.get(key)
    if (known) return known
    if (this.known.size < this.budget - this.reserved) return this.create(key, values)
    if (this.overflow++ === 0) this.onOverflow?.()
    const folded = values.map((value, i) => (i < this.fixed ? value : OTHER))
    const otherKey = folded.join('\u001f')
    return this.known.get(otherKey) ?? this.create(otherKey, folded)
  }

  private create(key: string, values: readonly string[]): Series {
    const tags: Record<string, string> = { probe: this.probe }
    for (const [i, name] of this.names.entries()) tags[name] = values[i]
    const series = { tags, key }
    this.known.set(key, series)
    return series
  }
}
