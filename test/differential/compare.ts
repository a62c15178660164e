import type { MediaTotals } from '../../src/calls/media-totals.js'
import { bucketOf, jitterBucketOf, percentile } from '../../src/rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../../src/rtp/layout.js'
import type { ReferenceResult } from '../reference/reference.js'

export interface Tolerance {
  /** Packets that may be judged otherwise by a jitter buffer. */
  late: number
  /** Bursts that may differ by such packets. When there are any, densities and durations are not compared. */
  bursts: number
  /** Seconds that may differ in being burst seconds. */
  seconds: number
  pdvMs: number
  depthMs: number
}

/** Nothing but rounding: f32 maxima, histogram buckets. */
export const EXACT: Tolerance = { late: 0, bursts: 0, seconds: 0, pdvMs: 0, depthMs: 0.01 }

/** Lower edge of a histogram's last bucket but one: values from there on are all read as the maximum, to compare. */
function limitOf(bucketOfValue: (ms: number) => number, buckets: number): number {
  let ms = 0
  while (bucketOfValue(ms) < buckets - 2) ms += 0.1
  return ms
}

const JITTER_LIMIT_MS = limitOf(jitterBucketOf, JITTER_BUCKETS)
const PDV_LIMIT_MS = limitOf(bucketOf, PDV_BUCKETS)

/** What the meter and the reference disagree on, one line each. */
export function differences(totals: MediaTotals, reference: ReferenceResult, tolerance: Tolerance): string[] {
  const found: string[] = []
  const same = (name: string, actual: number | undefined, expected: number | undefined, slack = 0): void => {
    if (actual === undefined && expected === undefined) return
    if (actual !== undefined && expected !== undefined && Math.abs(actual - expected) <= slack) return
    found.push(`${name}: meter ${actual}, reference ${expected}${slack > 0 ? ` (+-${slack})` : ''}`)
  }
  const near = (name: string, actual: number | undefined, expected: number | undefined, extra = 0): void =>
    same(name, actual, expected, Math.max(0.03 * Math.abs(expected ?? 0), 0.1) + 1e-6 + extra)

  same('packets', totals.packets, reference.packets)
  same('bytes', totals.bytes, reference.bytes)
  same('lost', totals.lost, reference.lost)
  same('duplicates', totals.duplicates, reference.duplicates)
  same('reordered', totals.reordered, reference.reordered)
  same('strays', totals.stray, reference.strays)
  same('segments', totals.segments, reference.segments)
  same('timestamp jumps', totals.timestampJumps, reference.timestampJumps)
  same('longest gap', totals.longestGap, reference.longestGapMs, 1e-6 * reference.longestGapMs + 0.001)

  const jitterMax = reference.jitterMaxMs ?? 0
  const timed = totals.jitterUpdates > 0
  same(
    'jitter mean',
    timed ? totals.jitterSum / totals.jitterUpdates : undefined,
    reference.jitterMeanMs,
    1e-6 * jitterMax + 1e-6,
  )
  same('jitter max', timed ? totals.jitterMax : undefined, reference.jitterMaxMs, 1e-6 * jitterMax + 1e-6)
  const jitter = (p: number): number | undefined =>
    percentile(totals.jitter, JITTER_BUCKETS, p, totals.jitterMax)
  // What lies beyond a histogram's last edge reads as the maximum.
  const readable = (ms: number | undefined): number | undefined =>
    ms !== undefined && ms >= JITTER_LIMIT_MS ? reference.jitterMaxMs : ms
  near('jitter p95', readable(jitter(95)), readable(reference.jitterP95Ms))
  near('jitter p99', readable(jitter(99)), readable(reference.jitterP99Ms))

  const pdv = (p: number): number | undefined => percentile(totals.pdv, PDV_BUCKETS, p, totals.pdvMax)
  const plausible = (ms: number | undefined): number | undefined =>
    ms !== undefined && ms >= PDV_LIMIT_MS ? reference.pdvMaxMs : ms
  near('pdv p50', plausible(pdv(50)), plausible(reference.pdvP50Ms), tolerance.pdvMs)
  near('pdv p95', plausible(pdv(95)), plausible(reference.pdvP95Ms), tolerance.pdvMs)
  near('pdv p99', plausible(pdv(99)), plausible(reference.pdvP99Ms), tolerance.pdvMs)
  const pdvMax = reference.pdvMaxMs
  same(
    'pdv max',
    totals.measured > 0 ? totals.pdvMax : undefined,
    pdvMax,
    1e-6 * (pdvMax ?? 0) + 1e-4 + tolerance.pdvMs,
  )

  same('late fixed 50', totals.lateFixed50, reference.lateFixed50, tolerance.late)
  same('late fixed 200', totals.lateFixed200, reference.lateFixed200, tolerance.late)
  same('late adaptive', totals.lateAdaptive, reference.lateAdaptive, tolerance.late)
  same('burst seconds', totals.burstSeconds, reference.burstSeconds, tolerance.seconds)
  same(
    'adaptive depth',
    totals.measured > 0 ? totals.depthSum / totals.measured : undefined,
    reference.meanAdaptiveDepthMs,
    tolerance.depthMs,
  )
  bursts(totals, reference, tolerance, same)
  return found
}

function bursts(
  totals: MediaTotals,
  reference: ReferenceResult,
  tolerance: Tolerance,
  same: (name: string, actual: number | undefined, expected: number | undefined, slack?: number) => void,
): void {
  for (let k = 0; k < 10; k++) same(`loss runs of ${k + 1}`, totals.lossRuns[k], reference.lossRuns[k])
  same('packets through the burst machine', totals.finalPackets, reference.packets + reference.lost)
  same('burst count', totals.burstCount, reference.burstCount, tolerance.bursts)
  if (tolerance.bursts > 0) return
  const gapPackets = totals.finalPackets - totals.burstPackets
  const { burstCount, burstPackets } = totals
  same('burst density', burstPackets > 0 ? totals.burstBad / burstPackets : 0, reference.burstDensity, 1e-9)
  const { ptimeMs } = reference
  same(
    'burst duration',
    burstCount > 0 ? (burstPackets * ptimeMs) / burstCount : 0,
    reference.burstDurationMs,
    1e-6,
  )
  same('gap density', gapPackets > 0 ? totals.gapBad / gapPackets : 0, reference.gapDensity, 1e-9)
  const gaps = burstCount + totals.segments - totals.edgeBursts
  // The meter does not see that a burst began with a segment's very first packet: it counts an empty gap before it.
  const gapDurations = Array.from(
    { length: totals.segments + 1 },
    (_, k) => (gapPackets * ptimeMs) / (gaps - k),
  )
  if (!gapDurations.some((duration) => Math.abs(duration - reference.gapDurationMs) < 1e-6))
    same('gap duration', gapDurations[0], reference.gapDurationMs)
  const p = totals.badTotal / totals.finalPackets
  const ratio = totals.badRuns > 0 ? (totals.badTotal / totals.badRuns) * (1 - p) : undefined
  same('burst ratio', ratio, reference.burstRatioUnclamped, 1e-9)
}
