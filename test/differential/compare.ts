import type { MediaTotals } from '../../src/calls/media-totals.js'
import { percentile } from '../../src/rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../../src/rtp/layout.js'
import type { ReferenceResult } from '../reference/reference.js'

export interface Tolerance {
  /** Packets that may be judged otherwise by a jitter buffer. */
  late: number
  /** Bursts that may differ by such packets. */
  bursts: number
  pdvMs: number
}

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
  near('jitter p95', jitter(95), reference.jitterP95Ms)
  near('jitter p99', jitter(99), reference.jitterP99Ms)

  const pdv = (p: number): number | undefined => percentile(totals.pdv, PDV_BUCKETS, p, totals.pdvMax)
  near('pdv p50', pdv(50), reference.pdvP50Ms, tolerance.pdvMs)
  near('pdv p95', pdv(95), reference.pdvP95Ms, tolerance.pdvMs)
  near('pdv p99', pdv(99), reference.pdvP99Ms, tolerance.pdvMs)
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
  same('burst seconds', totals.burstSeconds, reference.burstSeconds, tolerance.late > 0 ? 1 : 0)
  same(
    'adaptive depth',
    totals.measured > 0 ? totals.depthSum / totals.measured : undefined,
    reference.meanAdaptiveDepthMs,
    tolerance.late > 0 ? 2 : 0.01,
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
  const p = totals.badTotal / totals.finalPackets
  const ratio = totals.badRuns > 0 ? (totals.badTotal / totals.badRuns) * (1 - p) : undefined
  same('burst ratio', ratio, reference.burstRatioUnclamped, 1e-9)
}
