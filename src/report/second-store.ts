import type { MediaSecond } from '../calls/second-watch.js'
import { bucketOf, representative } from '../rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import type { BatchWriter } from './call-batch.js'
import { HEAT_BANDS, HEAT_EDGES_MS, mosCode, timeCode, timeOfCode } from './page/second-codes.js'
import {
  DELAY,
  FIELDS,
  HEAT,
  JITTER_MAX,
  JITTER_MEAN,
  JITTER_P95,
  LATE,
  LOST,
  MOS,
  PACKETS,
  PDV_MAX,
  PDV_P50,
  PDV_P95,
  TIMES,
} from './point-fields.js'
import { COUNT, FIRST, LAST_MS, ROOM, START_MS, STEP_S, TrackNumbers } from './track-numbers.js'

/** Band of each histogram bucket. */
const BAND_OF = Uint8Array.from({ length: PDV_BUCKETS }, (_, bucket) => {
  const band = HEAT_EDGES_MS.findIndex((edge) => bucket < bucketOf(edge))
  return band < 0 ? HEAT_BANDS - 1 : band
})
/** Codes of the values that stand for buckets: percentiles are read as codes. */
const BUCKET_CODES = Uint8Array.from({ length: PDV_BUCKETS }, (_, bucket) => timeCode(representative(bucket)))

const SECOND_MS = 1000
const DEFAULT_PTIME_MS = 20

/** Points that a new direction has room for; it then grows fourfold. */
const FIRST_ROOM = 16
/** Points of one piece of memory. */
const CHUNK = 1 << 14

/** Seconds of all directions that are open, at most `mostPoints` of each: a longer one is thinned by joining neighbours. */
export class SecondStore {
  private readonly chunks: Uint16Array[] = []
  /** Points of the last chunk that were never given out. */
  private left = 0
  /** First points of rooms that were given back, by their size. */
  private readonly spare = new Map<number, number[]>()
  /** Of all directions. */
  points = 0

  constructor(
    private readonly mostPoints: number,
    readonly tracks = new TrackNumbers(),
  ) {}

  /** A direction without seconds. @returns its place among the tracks */
  open(): number {
    const n = this.tracks.open()
    const { values } = this.tracks
    values[n + START_MS] = NaN
    values[n + STEP_S] = 1
    values[n + COUNT] = values[n + ROOM] = 0
    values[n + LAST_MS] = NaN
    return n
  }

  /** It is not needed any more. */
  close(n: number): void {
    const { values } = this.tracks
    this.points -= values[n + COUNT]
    this.giveRoom(values[n + FIRST], values[n + ROOM])
    this.tracks.close(n)
  }

  /** First of `room` points, all zero. */
  private takeRoom(room: number): number {
    const spare = this.spare.get(room)?.pop()
    if (spare !== undefined) {
      const from = (spare % CHUNK) * FIELDS
      this.chunkOf(spare).fill(0, from, from + room * FIELDS)
      return spare
    }
    if (room > this.left) {
      this.chunks.push(new Uint16Array(CHUNK * FIELDS))
      this.left = CHUNK
    }
    const first = this.chunks.length * CHUNK - this.left
    this.left -= room
    return first
  }

  private giveRoom(first: number, room: number): void {
    if (room === 0) return
    const spare = this.spare.get(room)
    if (spare) spare.push(first)
    else this.spare.set(room, [first])
  }

  private chunkOf(point: number): Uint16Array {
    return this.chunks[(point / CHUNK) | 0]
  }

  /**
   * Adds a second of one of the direction's streams. Losses of an outage are counted when the media resume: they are
   * laid out backwards over the seconds without media before it.
   * @param delayMs mouth to ear; NaN: not known
   * @param mos MOS-CQ of this second alone; NaN: not known
   */
  add(n: number, second: MediaSecond, delayMs: number, mos: number): void {
    const { values } = this.tracks
    const { startMs } = second
    if (Number.isNaN(values[n + START_MS])) values[n + START_MS] = Math.floor(startMs / SECOND_MS) * SECOND_MS
    let index = this.indexOf(n, startMs)
    if (index < 0) return
    while (index >= this.mostPoints) {
      this.halve(n)
      index = this.indexOf(n, startMs)
    }
    const silentFrom = values[n + COUNT]
    if (index >= silentFrom) this.growTo(n, index + 1)
    const first = values[n + FIRST]
    const p = this.chunkOf(first)
    const from = (first % CHUNK) * FIELDS
    const at = from + index * FIELDS
    const lostHere =
      second.lost > 0 && silentFrom < index
        ? this.spread(p, from, values[n + STEP_S], second, silentFrom, index)
        : second.lost
    const isNew = p[at + PACKETS] === 0
    p[at + PACKETS] = within(p[at + PACKETS] + second.packets)
    p[at + LOST] = within(p[at + LOST] + lostHere)
    p[at + LATE] = within(p[at + LATE] + second.late)
    if (second.jitterUpdates > 0) addJitter(p, at, second)
    if (second.measured > 0) addVariation(p, at, second)
    if (!Number.isNaN(delayMs)) p[at + DELAY] = timeCode(delayMs)
    if (Number.isNaN(mos)) return
    const code = mosCode(mos)
    p[at + MOS] = isNew || p[at + MOS] === 0 ? code : Math.min(p[at + MOS], code)
  }

  private indexOf(n: number, timeMs: number): number {
    const { values } = this.tracks
    return Math.floor((timeMs - values[n + START_MS]) / (values[n + STEP_S] * SECOND_MS))
  }

  private growTo(n: number, count: number): void {
    const { values } = this.tracks
    const before = values[n + COUNT]
    const had = values[n + ROOM]
    values[n + COUNT] = count
    this.points += count - before
    if (count <= had) return
    let room = FIRST_ROOM
    while (room < count) room *= 4
    room = Math.min(this.mostPoints, room)
    const first = this.takeRoom(room)
    if (had > 0) {
      const from = values[n + FIRST]
      const begin = (from % CHUNK) * FIELDS
      this.chunkOf(first).set(
        this.chunkOf(from).subarray(begin, begin + before * FIELDS),
        (first % CHUNK) * FIELDS,
      )
      this.giveRoom(from, had)
    }
    values[n + FIRST] = first
    values[n + ROOM] = room
  }

  /** Joins neighbours. */
  private halve(n: number): void {
    const { values } = this.tracks
    const count = values[n + COUNT]
    const first = values[n + FIRST]
    const p = this.chunkOf(first)
    const begin = (first % CHUNK) * FIELDS
    const halved = Math.ceil(count / 2)
    for (let k = 0; k < halved; k++) {
      const from = 2 * k
      p.copyWithin(begin + k * FIELDS, begin + from * FIELDS, begin + (from + 1) * FIELDS)
      if (from + 1 < count) join(p, begin + k * FIELDS, begin + (from + 1) * FIELDS)
    }
    p.fill(0, begin + halved * FIELDS, begin + count * FIELDS)
    values[n + COUNT] = halved
    this.points -= count - halved
    values[n + STEP_S] *= 2
  }

  /**
   * Puts losses that do not fit into a point into the silent ones before it.
   * @returns what is left for the point itself
   */
  private spread(
    p: Uint16Array,
    from: number,
    stepS: number,
    { lost, packets, ptimeMs }: MediaSecond,
    silentFrom: number,
    index: number,
  ): number {
    const perPoint = Math.ceil((stepS * SECOND_MS) / (ptimeMs > 0 ? ptimeMs : DEFAULT_PTIME_MS))
    let left = lost - Math.max(0, perPoint - packets)
    let spread = 0
    for (let k = index - 1; k >= silentFrom && left > 0; k--) {
      const here = Math.min(left, perPoint)
      p[from + k * FIELDS + LOST] = here
      p[from + k * FIELDS + MOS] = mosCode(1)
      left -= here
      spread += here
    }
    return lost - spread
  }

  /** For `readSeconds`. */
  write(n: number, writer: BatchWriter): void {
    const { values } = this.tracks
    const count = values[n + COUNT]
    writer.addNumber(count)
    writer.addNumber(values[n + START_MS])
    writer.addNumber(values[n + STEP_S])
    if (count === 0) return
    const first = values[n + FIRST]
    const from = (first % CHUNK) * FIELDS
    writer.addPoints(this.chunkOf(first), from, from + count * FIELDS)
  }
}

function addJitter(p: Uint16Array, at: number, { jitter, jitterUpdates, jitterSum }: MediaSecond): void {
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

function addVariation(p: Uint16Array, at: number, { pdv, measured, pdvMax }: MediaSecond): void {
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
