import { ROLL_UPS } from './fields.js'
import type { MetricPoint } from './point.js'
import type { Series } from './series.js'

/** Sums of one series over one stretch of time. */
export interface Sums<S> {
  merge(other: S): void
  /** @param whole false: only what can be added to the point that was written before */
  fields(whole: boolean): MetricPoint['fields']
}

/** An interval is handed in when the next one of its direction is there; with this much over for the sweep. */
const INTERVAL_GRACE_MS = 5_000
/** A direction may be silent for 30 s before its interval is given up on (DESIGN: section 2, intervals). */
const MINUTE_GRACE_MS = 45_000
const HOUR_GRACE_MS = 60_000

/** A clock that steps back further than this was set. */
export const CLOCK_STEP_MS = 60_000

type Bucket<S> = Map<Series, S>

class Level<S> {
  readonly open = new Map<number, Bucket<S>>()
  /** What came after its bucket was written: goes out as a further point. */
  readonly late = new Map<number, Bucket<S>>()
  /** Buckets that begin before this time were written. */
  closedBefore = -Infinity

  constructor(
    readonly measurement: string,
    readonly widthMs: number,
    readonly graceMs: number,
  ) {}

  startOf(timeMs: number): number {
    return Math.floor(timeMs / this.widthMs) * this.widthMs
  }
}

/**
 * One measurement with its roll-ups: sums per series and interval; a closed interval is added to its minute, a closed
 * minute to its hour. Everything goes by packet time, so that a replay writes the same points. What comes late is
 * written as a further point without percentiles, so that sums stay exact.
 */
export class Levels<S extends Sums<S>> {
  /** Further points for intervals that were written already. */
  latePoints = 0
  private readonly levels: Level<S>[]
  private runKey = ''
  private nowMs = -Infinity

  /** @param emit gets the points of a closed bucket, oldest bucket first */
  constructor(
    measurement: string,
    intervalMs: number,
    private readonly create: () => S,
    private readonly emit: (points: MetricPoint[]) => void,
  ) {
    const [minute, hour] = ROLL_UPS
    this.levels = [
      new Level(measurement, intervalMs, intervalMs + INTERVAL_GRACE_MS),
      new Level(
        measurement + minute.suffix,
        minute.widthMs,
        Math.max(MINUTE_GRACE_MS, intervalMs + INTERVAL_GRACE_MS),
      ),
      new Level(
        measurement + hour.suffix,
        hour.widthMs,
        Math.max(HOUR_GRACE_MS, intervalMs + INTERVAL_GRACE_MS),
      ),
    ]
  }

  /** The sums to which something that happened at `timeMs` is added. */
  at(timeMs: number, series: Series): S {
    return this.sumsOf(this.levels[0], timeMs, series)
  }

  private sumsOf(level: Level<S>, timeMs: number, series: Series): S {
    const start = level.startOf(timeMs)
    const buckets = start < level.closedBefore ? level.late : level.open
    let bucket = buckets.get(start)
    if (bucket === undefined) buckets.set(start, (bucket = new Map()))
    let sums = bucket.get(series)
    if (sums === undefined) bucket.set(series, (sums = this.create()))
    return sums
  }

  /** Packet time is `timeMs`: writes what is due. */
  advance(timeMs: number): void {
    if (this.nowMs === -Infinity) this.begin(timeMs)
    if (timeMs < this.nowMs - CLOCK_STEP_MS) this.beginAnew(timeMs)
    if (timeMs <= this.nowMs) return
    this.nowMs = timeMs
    const before = this.levels.map((level) => level.startOf(timeMs - level.graceMs))
    const due = this.levels.map((level, place) => before[place] > level.closedBefore)
    // What is late goes out once a minute, and before the minute or hour that it is part of.
    const flushLate = due[1] || due[2]
    for (const place of this.levels.keys()) {
      if (due[place]) this.close(place, before[place])
      if (flushLate) this.flushLate(place)
    }
  }

  /** Makes the points of this run its own. */
  private begin(timeMs: number): void {
    this.runKey = String(timeMs)
    this.nowMs = timeMs
  }

  /** The capture's clock was set back, or an older file follows: as if another run began. */
  private beginAnew(timeMs: number): void {
    this.finish()
    for (const level of this.levels) level.closedBefore = -Infinity
    this.runKey += ` ${timeMs}`
    this.nowMs = timeMs
  }

  /** The run is over: writes all that is open. */
  finish(): void {
    for (const place of this.levels.keys()) {
      this.close(place, Infinity)
      this.flushLate(place)
    }
  }

  private close(place: number, before: number): void {
    const level = this.levels[place]
    for (const start of [...level.open.keys()].sort((a, b) => a - b)) {
      if (start >= before) break
      const bucket = level.open.get(start)
      level.open.delete(start)
      if (bucket) this.write(place, start, bucket, '')
    }
    level.closedBefore = before
  }

  private flushLate(place: number): void {
    const { late } = this.levels[place]
    if (late.size === 0) return
    for (const start of [...late.keys()].sort((a, b) => a - b)) {
      const bucket = late.get(start)
      if (bucket) this.write(place, start, bucket, ` late ${this.nowMs}`)
    }
    late.clear()
  }

  private write(place: number, start: number, bucket: Bucket<S>, suffix: string): void {
    const { measurement } = this.levels[place]
    const above = this.levels.at(place + 1)
    const points: MetricPoint[] = []
    for (const [series, sums] of bucket) {
      const key = `${measurement} ${series.key} ${start} ${this.runKey}${suffix}`
      points.push({ measurement, tags: series.tags, fields: sums.fields(suffix === ''), timeMs: start, key })
      if (above) this.sumsOf(above, start, series).merge(sums)
    }
    if (suffix !== '') this.latePoints += points.length
    this.emit(points)
  }
}
