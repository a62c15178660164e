/** Jitter, delay variation, clock skew and the emulated jitter buffers of one segment. */
import type { ReferenceOptions } from './reference.js'
import { inStep, type Segment } from './segments.js'

const JUMP_MS = 200
const MARKED_PAUSE_MS = 500
const SKEW_AFTER_MS = 30_000
const SKEW_LIMIT_PPM = 500
const FIXED_REBASE_MS = 2_000
const ADAPTIVE_LOWEST_MS = 40
const ADAPTIVE_HIGHEST_MS = 500
const ADAPTIVE_MEMORY_MS = 10_000
const BURST_SECOND_PDV_MS = 60
const BURST_SECOND_PACKETS = 3

export interface SegmentTiming {
  /** Jitter after each update, ms. */
  jitters: number[]
  pdvs: number[]
  timestampJumps: number
  skewPpm?: number
  lateFixed50: number
  lateFixed200: number
  /** Extended sequence numbers. */
  lateAdaptive: number[]
  /** Adaptive depth that each packet was judged by. */
  depths: number[]
  /** Packets of high PDV by clock-aligned second. */
  highBySecond: Map<number, number>
}

/** One audio packet with its relative delay. */
interface Point {
  timeMs: number
  /** arrival - timestamp/clock, ms, up to a constant. */
  d: number
  extended: number
}

/** Nearest-rank percentile of sorted values; undefined for none. */
export function nearestRank(sorted: number[], percent: number): number | undefined {
  if (sorted.length === 0) return undefined
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1]
}

/** Median of all pairwise slopes (Theil-Sen); undefined for fewer than two points. */
export function theilSen(points: { timeMs: number; d: number }[]): number | undefined {
  const slopes: number[] = []
  for (let i = 0; i < points.length; i++) {
    for (let j = i + 1; j < points.length; j++) {
      slopes.push((points[j].d - points[i].d) / (points[j].timeMs - points[i].timeMs))
    }
  }
  if (slopes.length === 0) return undefined
  const sorted = Float64Array.from(slopes).sort()
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)]
}

/**
 * d of every audio packet, jitter by RFC 3550 A.8, and timestamp jumps. dt, ds, dq are arrival, timestamp and
 * sequence steps from the latest in-order audio packet, dev = dt - ds. A jump is |dev| > 200 ms while the timestamp
 * is not in step with the sequence, or a marked packet in step with dev > 500 ms (a pause the clock did not count).
 * After a jump d continues where it was.
 */
function delays(
  segment: Segment,
  options: ReferenceOptions,
  ptimeMs: number,
): { points: Point[]; jitters: number[]; timestampJumps: number } {
  const points: Point[] = []
  const jitters: number[] = []
  let timestampJumps = 0
  let jitter = 0
  /** Where d was last put on new ground. */
  let timedFrom = -Infinity
  let last: { timeMs: number; ts: number; clock: number; extended: number; d: number } | undefined
  for (const { packet, extended, inOrder } of segment.distinct) {
    const clock = options.clockRates[packet.pt]
    if (clock === undefined || (options.classes?.[packet.pt] ?? 'audio') !== 'audio') continue
    const { timeMs, ts } = packet
    if (last === undefined) {
      last = { timeMs, ts, clock, extended, d: 0 }
      points.push({ timeMs, d: 0, extended })
      continue
    }
    const ds = (((ts - last.ts) | 0) * 1000) / clock
    const dev = timeMs - last.timeMs - ds
    const stepping = inStep(ds, (extended - last.extended) * ptimeMs)
    const jumped =
      (Math.abs(dev) > JUMP_MS && !stepping) || (packet.marker && stepping && dev > MARKED_PAUSE_MS)
    if (!inOrder) {
      // One that was sent before a jump has no place on this side of it.
      if (extended >= timedFrom && clock === last.clock) points.push({ timeMs, d: last.d + dev, extended })
      continue
    }
    const rebased = jumped || clock !== last.clock
    if (rebased) timedFrom = extended
    if (jumped && clock === last.clock) timestampJumps++
    if (!rebased) {
      jitter += (Math.abs(dev) - jitter) / 16
      jitters.push(jitter)
    }
    last = { timeMs, ts, clock, extended, d: rebased ? last.d : last.d + dev }
    points.push({ timeMs, d: last.d, extended })
  }
  return { points, jitters, timestampJumps }
}

/** Slope of d in force at each packet, and the last estimate: re-made when a clock-aligned second completes. */
function skewLine(points: Point[]): { slopes: number[]; latest: number | undefined } {
  const minima: Point[] = []
  const slopes: number[] = []
  let second = NaN
  let lowest: Point | undefined
  let estimate: number | undefined
  for (const point of points) {
    const own = Math.floor(point.timeMs / 1000)
    if (own !== second) {
      if (lowest !== undefined) {
        minima.push(lowest)
        // Not used earlier, so not computed earlier.
        if (point.timeMs - points[0].timeMs >= SKEW_AFTER_MS) estimate = theilSen(minima)
      }
      second = own
      lowest = undefined
    }
    if (lowest === undefined || point.d < lowest.d) lowest = point
    const usable =
      estimate !== undefined &&
      Math.abs(estimate) * 1e6 <= SKEW_LIMIT_PPM &&
      point.timeMs - points[0].timeMs >= SKEW_AFTER_MS
    slopes.push(usable && estimate !== undefined ? estimate : 0)
  }
  const last = points.at(-1)
  const longEnough = last !== undefined && last.timeMs - points[0].timeMs >= SKEW_AFTER_MS
  const known = longEnough && estimate !== undefined && Math.abs(estimate) * 1e6 <= SKEW_LIMIT_PPM
  return { slopes, latest: known ? estimate : undefined }
}

/** The lowest d so far, carried along the skew line from where it was found. */
class Base {
  constructor(private point: Point) {}

  /** d above the base; a d below it becomes the base. */
  above(point: Point, slope: number): number {
    const height = point.d - (this.point.d + slope * (point.timeMs - this.point.timeMs))
    if (height >= 0) return height
    this.point = point
    return 0
  }

  moveTo(point: Point): void {
    this.point = point
  }
}

function fixedBuffer(points: Point[], slopes: number[], depthMs: number): number {
  if (points.length === 0) return 0
  const base = new Base(points[0])
  let late = 0
  let lateRun: Point[] = []
  points.forEach((point, i) => {
    if (base.above(point, slopes[i]) <= depthMs) {
      lateRun = []
      return
    }
    late++
    lateRun.push(point)
    if (point.timeMs - lateRun[0].timeMs >= FIXED_REBASE_MS) {
      base.moveTo(lateRun.reduce((lowest, next) => (next.d < lowest.d ? next : lowest)))
      lateRun = []
    }
  })
  return late
}

function adaptiveBuffer(
  points: Point[],
  pdvs: number[],
  ptimeMs: number,
): { late: number[]; depths: number[] } {
  const late: number[] = []
  const depths: number[] = []
  let depth = ADAPTIVE_LOWEST_MS
  let second = points.length === 0 ? 0 : Math.floor(points[0].timeMs / 1000)
  points.forEach((point, i) => {
    while (second < Math.floor(point.timeMs / 1000)) {
      second++
      const boundary = second * 1000
      const recent = pdvs.filter(
        (_, j) => j < i && points[j].timeMs < boundary && points[j].timeMs >= boundary - ADAPTIVE_MEMORY_MS,
      )
      if (Math.max(0, ...recent) < depth - ptimeMs) depth = Math.max(ADAPTIVE_LOWEST_MS, depth - ptimeMs)
    }
    depths.push(depth)
    if (pdvs[i] > depth) {
      late.push(point.extended)
      depth = Math.min(ADAPTIVE_HIGHEST_MS, Math.ceil(pdvs[i] / ptimeMs) * ptimeMs)
    }
  })
  return { late, depths }
}

function highBySecond(points: Point[], pdvs: number[]): Map<number, number> {
  const high = new Map<number, number>()
  points.forEach((point, i) => {
    if (pdvs[i] <= BURST_SECOND_PDV_MS) return
    const second = Math.floor(point.timeMs / 1000)
    high.set(second, (high.get(second) ?? 0) + 1)
  })
  return high
}

/** Seconds of one SSRC that are burst seconds, whatever segments share them. */
export function countBurstSeconds(timings: SegmentTiming[]): number {
  const high = new Map<number, number>()
  for (const timing of timings) {
    for (const [second, count] of timing.highBySecond) high.set(second, (high.get(second) ?? 0) + count)
  }
  return [...high.values()].filter((count) => count >= BURST_SECOND_PACKETS).length
}

export function measureTiming(segment: Segment, options: ReferenceOptions, ptimeMs: number): SegmentTiming {
  const { points, jitters, timestampJumps } = delays(segment, options, ptimeMs)
  const { slopes, latest } = skewLine(points)
  const base = points.length === 0 ? undefined : new Base(points[0])
  const pdvs = base === undefined ? [] : points.map((point, i) => base.above(point, slopes[i]))
  const { late, depths } = adaptiveBuffer(points, pdvs, ptimeMs)
  return {
    jitters,
    pdvs,
    timestampJumps,
    // d falls when the sender's clock is fast.
    skewPpm: latest === undefined ? undefined : -latest * 1e6,
    lateFixed50: fixedBuffer(points, slopes, 50),
    lateFixed200: fixedBuffer(points, slopes, 200),
    lateAdaptive: late,
    depths,
    highBySecond: highBySecond(points, pdvs),
  }
}
