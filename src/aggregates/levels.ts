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

/** Series written at once: some milliseconds. A bucket of more is spread over about five seconds. */
const SLICE = 500
const SLICES_PER_BUCKET = 50

type Bucket<S> = Map<Series, S>

/** A bucket on its way out. */
interface Closing<S> {
  start: number
  entries: [Series, S][]
  written: number
  /** '' for the first point of its series and time. */
  suffix: string
}

class Level<S> {
  readonly open = new Map<number, Bucket<S>>()
  /** What came after its bucket was written: goes out as a further point. */
  readonly late = new Map<number, Bucket<S>>()
  /** Being written, oldest first. */
  readonly closing: Closing<S>[] = []
  /** Buckets that begin before this time were written, or are being. */
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

  /** @param emit gets the points of a closed bucket, or a part of them, oldest bucket first */
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
    for (const [place, level] of this.levels.entries()) {
      if (due[place]) this.close(level, before[place])
      if (flushLate) this.closeLate(level)
      const above = before.at(place + 1) ?? -Infinity
      this.writeDue(place, flushLate ? above : -Infinity)
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
    for (const [place, level] of this.levels.entries()) {
      this.close(level, Infinity)
      this.closeLate(level)
      this.writeDue(place, Infinity)
    }
  }

  private close(level: Level<S>, before: number): void {
    enqueue(level.open, level.closing, before, '')
    level.closedBefore = before
  }

  private closeLate(level: Level<S>): void {
    enqueue(level.late, level.closing, Infinity, ` late ${this.nowMs}`)
  }

  /** Writes a slice of what is closing, and all of it that begins before `until`, as the level above needs it now. */
  private writeDue(place: number, until: number): void {
    const { closing } = this.levels[place]
    let slices = 1
    for (let first = closing.at(0); first; first = closing.at(0)) {
      if (first.start >= until && slices-- <= 0) return
      const most = first.start < until ? Infinity : Math.max(SLICE, first.entries.length / SLICES_PER_BUCKET)
      this.write(place, first, most)
      if (first.written === first.entries.length) closing.shift()
    }
  }

  private write(place: number, closing: Closing<S>, most: number): void {
    const { measurement } = this.levels[place]
    const { start, entries, suffix } = closing
    const above = this.levels.at(place + 1)
    const points: MetricPoint[] = []
    const end = Math.min(entries.length, closing.written + most)
    for (; closing.written < end; closing.written++) {
      const [series, sums] = entries[closing.written]
      const key = `${measurement} ${series.key} ${start} ${this.runKey}${suffix}`
      points.push({ measurement, tags: series.tags, fields: sums.fields(suffix === ''), timeMs: start, key })
      if (above) this.sumsOf(above, start, series).merge(sums)
    }
    if (suffix !== '') this.latePoints += points.length
    this.emit(points)
  }
}

/** Moves buckets that begin before a time from where they were filled to where they are written from, in order. */
function enqueue<S>(from: Map<number, Bucket<S>>, to: Closing<S>[], before: number, suffix: string): void {
  if (from.size === 0) return
  for (const start of [...from.keys()].sort((a, b) => a - b)) {
    const bucket = start < before ? from.get(start) : undefined
    if (!bucket) continue
    from.delete(start)
    to.push({ start, entries: [...bucket], written: 0, suffix })
  }
}
