import type { MediaSecond } from '../calls/second-watch.js'
import { bucketOf, representative } from '../rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import {
  COUNT_COLUMNS,
  HEAT_BANDS,
  HEAT_EDGES_MS,
  mosCode,
  shareCode,
  TIME_COLUMNS,
  timeCode,
  timeOfCode,
} from './page/second-codes.js'
import type { SecondsPlace } from './page/data.js'
import type { BatchReader, BatchWriter } from './call-batch.js'

/** Band of each histogram bucket. */
const BAND_OF = Uint8Array.from({ length: PDV_BUCKETS }, (_, bucket) => {
  const band = HEAT_EDGES_MS.findIndex((edge) => bucket < bucketOf(edge))
  return band < 0 ? HEAT_BANDS - 1 : band
})
/** Codes of the values that stand for buckets: percentiles are read as codes. */
const BUCKET_CODES = Uint8Array.from({ length: PDV_BUCKETS }, (_, bucket) => timeCode(representative(bucket)))

const SECOND_MS = 1000
const DEFAULT_PTIME_MS = 20

// Fields of a point: counts as they are, times as codes, packets per band.
const PACKETS = 0
const LOST = 1
const LATE = 2
const TIMES = COUNT_COLUMNS.length
const [JITTER_MEAN, JITTER_P95, JITTER_MAX, PDV_P50, PDV_P95, PDV_MAX, DELAY] = TIME_COLUMNS.map(
  (_, place) => TIMES + place,
)
const MOS = TIMES + TIME_COLUMNS.length
const HEAT = MOS + 1
const FIELDS = HEAT + HEAT_BANDS
const FIRST_ROOM = 16
const NOTHING = new Uint16Array(0)

/** Memory of series that are done, used again, by its length: thousands of small blocks weigh on the garbage collector. */
const spare = new Map<number, Uint16Array[]>()
const MOST_SPARE = 512
const MOST_SPARE_POINTS = 256

function takeRoom(points: number): Uint16Array {
  return (
    spare
      .get(points * FIELDS)
      ?.pop()
      ?.fill(0) ?? new Uint16Array(points * FIELDS)
  )
}

function giveRoom(room: Uint16Array): void {
  if (room.length === 0 || room.length > MOST_SPARE_POINTS * FIELDS) return
  const kept = spare.get(room.length)
  if (!kept) spare.set(room.length, [room])
  else if (kept.length < MOST_SPARE) kept.push(room)
}

/** Seconds of one direction, at most `mostPoints` of them: a longer one is thinned by joining neighbours. */
export class SecondSeries {
  private points: Uint16Array = NOTHING
  private count = 0
  private stepS = 1
  private startMs = NaN

  constructor(private readonly mostPoints: number) {}

  /** Points held, those without media included. */
  get length(): number {
    return this.count
  }

  /**
   * Adds a second of one of the direction's streams. Losses of an outage are counted when the media resume: they are
   * laid out backwards over the seconds without media before it.
   * @param delayMs mouth to ear
   * @param mos MOS-CQ of this second alone
   */
  add(second: MediaSecond, delayMs: number | undefined, mos: number | undefined): void {
    if (Number.isNaN(this.startMs)) this.startMs = Math.floor(second.startMs / SECOND_MS) * SECOND_MS
    let index = this.indexOf(second.startMs)
    if (index < 0) return
    while (index >= this.mostPoints) {
      this.halve()
      index = this.indexOf(second.startMs)
    }
    const silentFrom = this.count
    this.growTo(index + 1)
    const at = index * FIELDS
    const lostHere = this.spread(second, silentFrom, index)
    const p = this.points
    const isNew = p[at + PACKETS] === 0
    p[at + PACKETS] = within(p[at + PACKETS] + second.packets)
    p[at + LOST] = within(p[at + LOST] + lostHere)
    p[at + LATE] = within(p[at + LATE] + second.late)
    if (second.jitterUpdates > 0) this.addJitter(at, second)
    if (second.measured > 0) this.addVariation(at, second)
    if (delayMs !== undefined) p[at + DELAY] = timeCode(delayMs)
    const code = mosCode(mos)
    if (code !== 0) p[at + MOS] = isNew || p[at + MOS] === 0 ? code : Math.min(p[at + MOS], code)
  }

  private addJitter(at: number, { jitter, jitterUpdates, jitterSum }: MediaSecond): void {
    const p = this.points
    const rank = Math.max(1, Math.ceil(0.95 * jitterUpdates - 1e-9))
    let seen = 0
    let p95 = 0
    let highest = 0
    for (let bucket = 0; bucket < JITTER_BUCKETS && seen < jitterUpdates; bucket++) {
      const here = jitter[bucket]
      if (here === 0) continue
      if (seen < rank) p95 = bucket
      seen += here
      highest = bucket
    }
    p[at + JITTER_MEAN] = timeCode(jitterSum / jitterUpdates)
    p[at + JITTER_P95] = Math.max(p[at + JITTER_P95], BUCKET_CODES[p95])
    p[at + JITTER_MAX] = Math.max(p[at + JITTER_MAX], BUCKET_CODES[highest])
  }

  private addVariation(at: number, { pdv, measured, pdvMax }: MediaSecond): void {
    const p = this.points
    const rank50 = Math.max(1, Math.ceil(0.5 * measured - 1e-9))
    const rank95 = Math.max(1, Math.ceil(0.95 * measured - 1e-9))
    let seen = 0
    let p50 = 0
    let p95 = 0
    for (let bucket = 0; bucket < PDV_BUCKETS && seen < measured; bucket++) {
      const here = pdv[bucket]
      if (here === 0) continue
      if (seen < rank50) p50 = bucket
      if (seen < rank95) p95 = bucket
      seen += here
      p[at + HEAT + BAND_OF[bucket]] += here
    }
    const highest = timeCode(pdvMax)
    p[at + PDV_P50] = Math.min(BUCKET_CODES[p50], highest)
    p[at + PDV_P95] = Math.max(p[at + PDV_P95], Math.min(BUCKET_CODES[p95], highest))
    p[at + PDV_MAX] = Math.max(p[at + PDV_MAX], highest)
  }

  private indexOf(timeMs: number): number {
    return Math.floor((timeMs - this.startMs) / (this.stepS * SECOND_MS))
  }

  private growTo(count: number): void {
    if (count <= this.count) return
    this.count = count
    if (count * FIELDS <= this.points.length) return
    let room = FIRST_ROOM
    while (room < count) room *= 4
    const larger = takeRoom(Math.min(this.mostPoints, room))
    larger.set(this.points)
    giveRoom(this.points)
    this.points = larger
  }

  /** It is not needed any more. */
  release(): void {
    giveRoom(this.points)
    this.points = NOTHING
    this.count = 0
  }

  /** Joins neighbours. */
  private halve(): void {
    const { points, count } = this
    const halved = Math.ceil(count / 2)
    for (let k = 0; k < halved; k++) {
      const from = 2 * k
      points.copyWithin(k * FIELDS, from * FIELDS, (from + 1) * FIELDS)
      if (from + 1 < count) join(points, k * FIELDS, (from + 1) * FIELDS)
    }
    points.fill(0, halved * FIELDS, count * FIELDS)
    this.count = halved
    this.stepS *= 2
  }

  /**
   * Puts losses that do not fit into a point into the silent ones before it.
   * @returns what is left for the point itself
   */
  private spread({ lost, packets, ptimeMs }: MediaSecond, silentFrom: number, index: number): number {
    const perPoint = Math.ceil((this.stepS * SECOND_MS) / (ptimeMs > 0 ? ptimeMs : DEFAULT_PTIME_MS))
    let left = lost - Math.max(0, perPoint - packets)
    if (left <= 0 || silentFrom >= index) return lost
    let spread = 0
    for (let k = index - 1; k >= silentFrom && left > 0; k--) {
      const here = Math.min(left, perPoint)
      this.points[k * FIELDS + LOST] = here
      this.points[k * FIELDS + MOS] = mosCode(1)
      left -= here
      spread += here
    }
    return lost - spread
  }

  /** For `readSeenCall`. */
  write(writer: BatchWriter): void {
    writer.addNumber(this.count)
    writer.addNumber(this.startMs)
    writer.addNumber(this.stepS)
    writer.addPoints(this.points.subarray(0, this.count * FIELDS))
  }
}

/** Seconds as `SecondSeries.write` wrote them. */
export interface SeenSeconds {
  count: number
  startMs: number
  /** Seconds per point. */
  step: number
  points: Uint16Array
}

export function readSeconds(reader: BatchReader): SeenSeconds {
  const count = reader.number()
  return { count, startMs: reader.number(), step: reader.number(), points: reader.points(count * FIELDS) }
}

/** Writes the points column by column, as `unpackSeconds` reads them, to zeroed bytes: POINT_BYTES of each. */
export function packSeconds(seen: SeenSeconds, bytes: Uint8Array, offset: number): SecondsPlace {
  const { count, points, startMs, step } = seen
  for (let i = 0; i < count; i++) {
    const at = i * FIELDS
    let to = offset + i
    for (let k = 0; k < TIMES; k++) {
      bytes[to] = points[at + k] & 0xff
      bytes[to + count] = points[at + k] >> 8
      to += 2 * count
    }
    for (let k = TIMES; k < HEAT; k++) {
      bytes[to] = points[at + k]
      to += count
    }
    let measured = 0
    for (let k = HEAT; k < FIELDS; k++) measured += points[at + k]
    for (let k = HEAT; k < FIELDS; k++) {
      if (points[at + k] > 0) bytes[to] = shareCode(points[at + k], measured)
      to += count
    }
  }
  return { startMs, step, count, at: offset }
}

/** Losses that turned out to be late arrivals may be more than those of their second. */
function within(value: number): number {
  return Math.max(0, Math.min(0xffff, value))
}

/** Joins the point at `other` to that at `at`: counts add up, means are means, of the rest the worse stays. */
function join(points: Uint16Array, at: number, other: number): void {
  const a = points[at + PACKETS]
  const b = points[other + PACKETS]
  for (const field of [JITTER_MEAN, PDV_P50, DELAY]) {
    const [x, y] = [timeOfCode(points[at + field]), timeOfCode(points[other + field])]
    if (x === null) points[at + field] = points[other + field]
    else if (y !== null && a + b > 0) points[at + field] = timeCode((x * a + y * b) / (a + b))
  }
  for (const field of [JITTER_P95, JITTER_MAX, PDV_P95, PDV_MAX])
    points[at + field] = Math.max(points[at + field], points[other + field])
  for (let k = 0; k < TIMES; k++) points[at + k] = within(points[at + k] + points[other + k])
  for (let k = HEAT; k < FIELDS; k++) points[at + k] = within(points[at + k] + points[other + k])
  const [m, n] = [points[at + MOS], points[other + MOS]]
  points[at + MOS] = m === 0 || n === 0 ? m + n : Math.min(m, n)
}
