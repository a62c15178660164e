import { NANOSECONDS_PER_SECOND, nanosecondsOf, secondOf, type PointMoment } from './line-protocol.js'

/** Times that are remembered, over all series; the oldest seconds are forgotten first. */
const MOST_TIMES = 300_000

/**
 * Gives each point a time of its own within its series and second: hashes meet once in a while, and two points with equal
 * tags and time would be one. Points that come together take ties in the order of their keys, later ones come behind.
 */
export class PointTimes {
  /** Points whose hash was taken. */
  ties = 0
  /** By series and second. */
  private readonly taken = new Map<string, Map<number, Set<number>>>()
  /** Which there are, the oldest first. */
  private slots: { series: string; second: number }[] = []
  private forgotten = 0
  private remembered = 0

  /** @param wantedOf nanoseconds within the second that a point would have alone */
  constructor(
    private readonly wantedOf: (point: PointMoment) => number = nanosecondsOf,
    private readonly most = MOST_TIMES,
  ) {}

  get rememberedTimes(): number {
    return this.remembered
  }

  /**
   * @param series text of measurement and tags, by point
   * @returns nanoseconds within each point's second, in the order of the points
   */
  assign(points: readonly PointMoment[], series: readonly string[]): number[] {
    const wanted = points.map(this.wantedOf)
    const order = wanted
      .map((_, i) => i)
      .sort((a, b) => wanted[a] - wanted[b] || compare(points[a].key, points[b].key))
    const given = new Array<number>(points.length).fill(0)
    for (const i of order) {
      // One per tags and time by construction: a second value for it is meant to replace the first.
      given[i] = points[i].key === '' ? wanted[i] : this.take(series[i], secondOf(points[i]), wanted[i])
    }
    return given
  }

  private take(series: string, second: number, wanted: number): number {
    const taken = this.timesIn(series, second)
    let nanoseconds = wanted
    while (taken.has(nanoseconds)) nanoseconds = (nanoseconds + 1) % NANOSECONDS_PER_SECOND
    if (nanoseconds !== wanted) this.ties++
    taken.add(nanoseconds)
    this.remembered++
    if (this.remembered > this.most) this.forget()
    return nanoseconds
  }

  private timesIn(series: string, second: number): Set<number> {
    let seconds = this.taken.get(series)
    if (seconds === undefined) this.taken.set(series, (seconds = new Map()))
    let taken = seconds.get(second)
    if (taken === undefined) {
      seconds.set(second, (taken = new Set()))
      this.slots.push({ series, second })
    }
    return taken
  }

  private forget(): void {
    while (this.remembered > this.most && this.forgotten < this.slots.length) {
      const { series, second } = this.slots[this.forgotten++]
      const seconds = this.taken.get(series)
      this.remembered -= seconds?.get(second)?.size ?? 0
      seconds?.delete(second)
      if (seconds?.size === 0) this.taken.delete(series)
    }
    if (2 * this.forgotten < this.slots.length) return
    this.slots = this.slots.slice(this.forgotten)
    this.forgotten = 0
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
