import { clampBurstRatio } from '../quality/burst-ratio.js'
import { combineByTime, scoreMedia, type CombinedScore, type ScoredStretch } from '../quality/mos.js'
import type { ConfiguredBuffer } from '../rtp/jitter-buffers.js'
import { percentiles } from '../rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import type { MediaCounts } from '../rtp/row.js'
import { mainCodec, type CodecUse } from './media-codecs.js'
import type { DelaySource, MediaFields } from './records.js'

/** What a score needs beyond the counts. */
export interface ScoringContext {
  jitterBuffer: ConfiguredBuffer
  /** One-way delay between the parties without packetization, codec and buffer, ms. */
  networkDelayMs: number
  delaySource: DelaySource
}

const DEFAULT_PTIME_MS = 20
const P95_P99 = [95, 99]
const P50_P95_P99 = [50, 95, 99]
/** Less media than this is not scored: a fraction of a second says nothing about quality. */
const LEAST_SCORED_MS = 1000

/** Packets whose loss or delay a listener could hear: those of events and comfort noise are not. */
export function mediaPackets(counts: MediaCounts): number {
  return counts.packets - counts.eventPackets - counts.noisePackets
}

export function packetTimeMs(counts: MediaCounts, codecs: readonly CodecUse[]): number {
  if (counts.ptimeMs > 0) return counts.ptimeMs
  return mainCodec(codecs)?.row?.ptimeMs ?? DEFAULT_PTIME_MS
}

/** Media that should have come, ms. */
export function expectedMediaMs(counts: MediaCounts, codecs: readonly CodecUse[]): number {
  return (mediaPackets(counts) + counts.lost) * packetTimeMs(counts, codecs)
}

/** Percent of the expected packets (distinct and lost), undefined when none were. */
export function percentOfExpected(part: number, counts: MediaCounts): number | undefined {
  const expected = counts.packets + counts.lost
  return expected > 0 ? (100 * part) / expected : undefined
}

/**
 * BurstR of G.107: mean length of the runs of lost and late packets over that of independent loss, 1 / (1 - P); held
 * within 1..8, and within 1..2 from 2 % on. undefined without loss.
 */
export function burstRatio(counts: MediaCounts): number | undefined {
  if (counts.badRuns === 0 || counts.finalPackets === 0) return undefined
  const p = counts.badTotal / counts.finalPackets
  const lossPercent = percentOfExpected(counts.lost + counts.lateConfigured, counts) ?? 0
  return clampBurstRatio((counts.badTotal / counts.badRuns) * (1 - p), lossPercent)
}

/** Mean delay of the configured jitter buffer, ms. */
export function bufferDelayMs(counts: MediaCounts, buffer: ConfiguredBuffer): number | undefined {
  if (counts.measured === 0) return undefined
  return buffer.kind === 'fixed' ? buffer.depthMs : counts.depthSum / counts.measured
}

/** Mouth to ear, one way: packet time + codec look-ahead + buffer + network (DESIGN: section 2). */
export function oneWayDelayMs(
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  context: ScoringContext,
): number | undefined {
  const buffer = bufferDelayMs(counts, context.jitterBuffer)
  if (buffer === undefined) return undefined
  const lookahead = mainCodec(codecs)?.row?.lookaheadMs ?? 0
  return packetTimeMs(counts, codecs) + lookahead + buffer + context.networkDelayMs
}

/** Scores the counts as if `late` packets were late. */
function score(
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  late: number,
  delayMs: number,
): CombinedScore | undefined {
  const lossPercent = percentOfExpected(counts.lost + late, counts) ?? 0
  const ratio = burstRatio(counts) ?? 1
  const stretches: ScoredStretch[] = []
  for (const { row, packets } of codecs) {
    if (row === undefined) continue
    const media = { codec: row, lossPercent, burstRatio: ratio, delayMs }
    stretches.push({ codec: row, score: scoreMedia(media), durationMs: packets })
  }
  return stretches.length === 1 ? { ...stretches[0].score, mixedScale: false } : combineByTime(stretches)
}

/** MOS and R of the counts, with the model that produced them. Empty when nothing can be said. */
export function scoreFields(
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  context: ScoringContext,
): Partial<MediaFields> {
  const delayMs = oneWayDelayMs(counts, codecs, context)
  if (delayMs === undefined || expectedMediaMs(counts, codecs) < LEAST_SCORED_MS) return {}
  if (mainCodec(codecs)?.row === undefined) return {}
  const headline = score(counts, codecs, counts.lateConfigured, delayMs)
  if (headline === undefined) return {}
  // Listening quality of the other buffers; mostly none of them had another packet late.
  const listening = (late: number): number | undefined =>
    late === counts.lateConfigured ? headline.mosLq : score(counts, codecs, late, 0)?.mosLq
  return {
    mos_lq: headline.mosLq,
    mos_cq: headline.mosCq,
    r_factor: headline.rFactor,
    mos_fixed50: listening(counts.lateFixed50),
    mos_fixed200: listening(counts.lateFixed200),
    mos_adaptive: listening(counts.lateAdaptive),
    mos_scale: headline.scale,
    mos_model: headline.model,
    mos_grounded: headline.grounded,
    mos_mixed_scale: headline.mixedScale || undefined,
  }
}

/** Conversational MOS of the tap's view with losses after the tap added; undefined as `mos_cq` is. */
export function receiverMosCq(
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  lostAfterTap: number,
  context: ScoringContext,
): number | undefined {
  const delayMs = oneWayDelayMs(counts, codecs, context)
  if (delayMs === undefined || expectedMediaMs(counts, codecs) < LEAST_SCORED_MS) return undefined
  if (mainCodec(codecs)?.row === undefined) return undefined
  // Lost after the tap: arrived here, so out of the expected packets it takes the place of received ones.
  return score(counts, codecs, counts.lateConfigured + lostAfterTap, delayMs)?.mosCq
}

/** Percentiles: what cannot be corrected afterwards. */
export function distributionFields(counts: MediaCounts): Partial<MediaFields> {
  const fields: Partial<MediaFields> = {}
  if (counts.jitterUpdates > 0) {
    const { jitter, jitterMax } = counts
    fields.jitter_mean_ms = counts.jitterSum / counts.jitterUpdates
    fields.jitter_max_ms = jitterMax
    const [p95, p99] = percentiles(jitter, JITTER_BUCKETS, P95_P99, jitterMax)
    fields.jitter_p95_ms = p95
    fields.jitter_p99_ms = p99
  }
  if (counts.measured > 0) {
    const { pdv, pdvMax } = counts
    const [p50, p95, p99] = percentiles(pdv, PDV_BUCKETS, P50_P95_P99, pdvMax)
    fields.pdv_p50_ms = p50
    fields.pdv_p95_ms = p95
    fields.pdv_p99_ms = p99
    fields.pdv_max_ms = pdvMax
  }
  return fields
}

/** Burst and gap metrics of RFC 3611 4.7.2. */
function burstFields(counts: MediaCounts, ptimeMs: number): Partial<MediaFields> {
  if (counts.finalPackets === 0) return {}
  const gapPackets = counts.finalPackets - counts.burstPackets
  const gaps = counts.burstCount + 1 - counts.edgeBursts
  return {
    burst_count: counts.burstCount,
    burst_density: counts.burstPackets > 0 ? counts.burstBad / counts.burstPackets : undefined,
    burst_duration_ms:
      counts.burstCount > 0 ? (counts.burstPackets * ptimeMs) / counts.burstCount : undefined,
    gap_density: gapPackets > 0 ? counts.gapBad / gapPackets : undefined,
    gap_duration_ms: gapPackets > 0 && gaps > 0 ? (gapPackets * ptimeMs) / gaps : undefined,
    loss_runs: Array.from(counts.lossRuns),
    burst_ratio: burstRatio(counts),
  }
}

/** Counts, bursts, codec: everything but percentiles and scores. */
export function countFields(
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  context: ScoringContext,
): MediaFields {
  const main = mainCodec(codecs)
  const timed = counts.measured > 0
  const ptimeMs = packetTimeMs(counts, codecs)
  return {
    packets: counts.packets,
    bytes: counts.bytes,
    lost: counts.lost,
    loss_percent: percentOfExpected(counts.lost, counts),
    duplicates: counts.duplicates,
    reordered: counts.reordered,
    late: timed ? counts.lateConfigured : undefined,
    late_percent: timed ? percentOfExpected(counts.lateConfigured, counts) : undefined,
    late_fixed50: timed ? counts.lateFixed50 : undefined,
    late_fixed200: timed ? counts.lateFixed200 : undefined,
    late_adaptive: timed ? counts.lateAdaptive : undefined,
    buffer_delay_ms: bufferDelayMs(counts, context.jitterBuffer),
    skew_ppm: Number.isNaN(counts.skewPpm) ? undefined : counts.skewPpm,
    timestamp_jumps: timed ? counts.timestampJumps : undefined,
    burst_seconds: timed ? counts.burstSeconds : undefined,
    ...burstFields(counts, ptimeMs),
    codec: main?.encoding,
    payload_type: main?.payloadType ?? (counts.payloadType >= 0 ? counts.payloadType : undefined),
    clock_rate_hz: counts.clockRateHz > 0 ? counts.clockRateHz : undefined,
    ptime_ms: counts.ptimeMs > 0 ? counts.ptimeMs : undefined,
    dscp: counts.dscp,
    longest_gap_ms: counts.packets > 1 ? counts.longestGap : undefined,
    dtmf_events: counts.dtmfEvents,
  }
}
