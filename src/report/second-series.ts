import type { MediaSecond } from '../calls/second-watch.js'
import { bucketOf, percentiles, representative } from '../rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import {
  COUNT_COLUMNS,
  HEAT_BANDS,
  HEAT_EDGES_MS,
  mosCode,
  POINT_BYTES,
  shareCode,
  TIME_COLUMNS,
  timeCode,
  type CountColumn,
  type TimeColumn,
} from './page/second-codes.js'

/** First histogram bucket of each band, and the end. */
const BAND_STARTS = [0, ...HEAT_EDGES_MS.map((edge) => bucketOf(edge)), PDV_BUCKETS]
const SECOND_MS = 1000
const P95 = [95]
const P50_P95 = [50, 95]

interface Point extends Record<CountColumn, number>, Record<TimeColumn, number> {
  mos: number
  heat: number[]
}

/** Seconds of one direction, at most `mostPoints` of them: a longer one is thinned by joining neighbours. */
export class SecondSeries {
  private points: (Point | undefined)[] = []
  private stepS = 1
  private startMs = NaN

  constructor(private readonly mostPoints: number) {}

  /** Points held, those without media included. */
  get length(): number {
    return this.points.length
  }

  /**
   * Adds a second of one of the direction's streams. Losses of an outage are counted when the media resume: they are
   * laid out backwards over the seconds without media before it.
   * @param delayMs mouth to ear
   * @param mos MOS-CQ of this second alone
   */
  add(second: MediaSecond, delayMs: number | undefined, mos: number | undefined): void {
    if (Number.isNaN(this.startMs)) this.startMs = Math.floor(second.startMs / SECOND_MS) * SECOND_MS
    const index = this.indexOf(second.startMs)
    if (index < 0) return
    const silent = index - this.points.length
    const point = pointOf(second, delayMs, mos)
    this.spread(point, silent, second)
    const place = this.indexOf(second.startMs)
    const before = this.points[place]
    while (this.points.length < place) this.points.push(undefined)
    this.points[place] = before ? joined(before, point) : point
  }

  /** Index of the point that holds a time; thins the series until that fits. */
  private indexOf(timeMs: number): number {
    for (;;) {
      const index = Math.floor((timeMs - this.startMs) / (this.stepS * SECOND_MS))
      if (index < this.mostPoints) return index
      this.halve()
    }
  }

  private halve(): void {
    const halved: (Point | undefined)[] = []
    for (let k = 0; k < this.points.length; k += 2) {
      const first = this.points[k]
      const second = this.points[k + 1]
      halved.push(first && second ? joined(first, second) : (first ?? second))
    }
    this.points = halved
    this.stepS *= 2
  }

  /** Puts losses that do not fit into one second into the silent ones before it. */
  private spread(point: Point, silent: number, { ptimeMs }: MediaSecond): void {
    const perPoint = Math.ceil((this.stepS * SECOND_MS) / (ptimeMs > 0 ? ptimeMs : 20))
    let left = point.lost - Math.max(0, perPoint - point.packets)
    if (silent <= 0 || left <= 0) return
    const at = this.points.length
    while (this.points.length < at + silent) this.points.push(undefined)
    for (let k = at + silent - 1; k >= at && left > 0; k--) {
      const lost = Math.min(left, perPoint)
      this.points[k] = { ...EMPTY_POINT, lost, mos: mosCode(1) }
      point.lost -= lost
      left -= lost
    }
  }

  /** Column by column, as `unpackSeconds` reads it. undefined when there is nothing. */
  pack(): { startMs: number; step: number; count: number; bytes: Uint8Array } | undefined {
    const count = this.points.length
    if (count === 0) return undefined
    const bytes = new Uint8Array(count * POINT_BYTES)
    this.points.forEach((held, i) => {
      const point = held ?? EMPTY_POINT
      let at = i
      const put = (value: number): void => {
        bytes[at] = value
        at += count
      }
      for (const name of COUNT_COLUMNS) {
        const value = Math.max(0, Math.min(0xffff, point[name]))
        put(value & 0xff)
        put(value >> 8)
      }
      for (const name of TIME_COLUMNS) put(timeCode(point[name]))
      put(point.mos)
      for (let band = 0; band < HEAT_BANDS; band++) put(shareCode(point.heat[band] ?? 0, sum(point.heat)))
    })
    return { startMs: this.startMs, step: this.stepS, count, bytes }
  }
}

const EMPTY_POINT: Point = {
  packets: 0,
  lost: 0,
  late: 0,
  jitterMean: NaN,
  jitterP95: NaN,
  jitterMax: NaN,
  pdvP50: NaN,
  pdvP95: NaN,
  pdvMax: NaN,
  delay: NaN,
  mos: 0,
  heat: [],
}

function pointOf(second: MediaSecond, delayMs: number | undefined, mos: number | undefined): Point {
  const point: Point = {
    ...EMPTY_POINT,
    packets: second.packets,
    lost: second.lost,
    late: second.late,
    delay: delayMs ?? NaN,
    mos: mosCode(mos),
  }
  if (second.jitterUpdates > 0) {
    const highest = highestMs(second.jitter, JITTER_BUCKETS)
    const [p95] = percentiles(second.jitter, JITTER_BUCKETS, P95, highest)
    point.jitterMean = second.jitterSum / second.jitterUpdates
    point.jitterP95 = p95
    point.jitterMax = highest
  }
  if (second.measured > 0) {
    const [p50, p95] = percentiles(second.pdv, PDV_BUCKETS, P50_P95, second.pdvMax)
    point.pdvP50 = p50
    point.pdvP95 = p95
    point.pdvMax = second.pdvMax
    point.heat = bandsOf(second.pdv)
  }
  return point
}

/** Value of the highest bucket that holds anything. */
function highestMs(histogram: ArrayLike<number>, buckets: number): number {
  for (let bucket = buckets - 1; bucket >= 0; bucket--)
    if (histogram[bucket] > 0) return representative(bucket)
  return 0
}

function bandsOf(histogram: ArrayLike<number>): number[] {
  const bands = new Array<number>(HEAT_BANDS).fill(0)
  for (let band = 0; band < HEAT_BANDS; band++)
    for (let bucket = BAND_STARTS[band]; bucket < BAND_STARTS[band + 1]; bucket++)
      bands[band] += histogram[bucket]
  return bands
}

/** Two neighbours as one: counts add up, of times the worse one stays, means are means. */
function joined(a: Point, b: Point): Point {
  const worse = (x: number, y: number): number => (x >= y || Number.isNaN(y) ? x : y)
  const whole = a.packets + b.packets
  const mean = (x: number, y: number): number => {
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? y : x
    return whole > 0 ? (x * a.packets + y * b.packets) / whole : x
  }
  return {
    packets: whole,
    lost: a.lost + b.lost,
    late: a.late + b.late,
    jitterMean: mean(a.jitterMean, b.jitterMean),
    jitterP95: worse(a.jitterP95, b.jitterP95),
    jitterMax: worse(a.jitterMax, b.jitterMax),
    pdvP50: mean(a.pdvP50, b.pdvP50),
    pdvP95: worse(a.pdvP95, b.pdvP95),
    pdvMax: worse(a.pdvMax, b.pdvMax),
    delay: mean(a.delay, b.delay),
    mos: a.mos === 0 || b.mos === 0 ? a.mos + b.mos : Math.min(a.mos, b.mos),
    heat: Array.from({ length: HEAT_BANDS }, (_, band) => (a.heat[band] ?? 0) + (b.heat[band] ?? 0)),
  }
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
