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
  if (codecs.length === 1) {
    const { row } = codecs[0]
    return row && scoreMedia({ codec: row, lossPercent, burstRatio: ratio, delayMs })
  }
  const stretches: ScoredStretch[] = []
  for (const { row, mediaMs } of codecs) {
    if (row === undefined) continue
    const media = { codec: row, lossPercent, burstRatio: ratio, delayMs }
    stretches.push({ codec: row, score: scoreMedia(media), durationMs: mediaMs })
  }
  return stretches.length === 1 ? stretches[0].score : combineByTime(stretches)
}

/** MOS and R of the counts, with the model that produced them. Nothing when nothing can be said. */
export function fillScores(
  fields: MediaFields,
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  context: ScoringContext,
): void {
  const delayMs = oneWayDelayMs(counts, codecs, context)
  if (delayMs === undefined || expectedMediaMs(counts, codecs) < LEAST_SCORED_MS) return
  if (mainCodec(codecs)?.row === undefined) return
  const headline = score(counts, codecs, counts.lateConfigured, delayMs)
  if (headline === undefined) return
  fields.mos_lq = headline.mosLq
  fields.mos_cq = headline.mosCq
  fields.r_factor = headline.rFactor
  // Listening quality of the other buffers; mostly none of them had another packet late.
  const listening = (late: number): number | undefined =>
    late === counts.lateConfigured ? headline.mosLq : score(counts, codecs, late, 0)?.mosLq
  fields.mos_fixed50 = listening(counts.lateFixed50)
  fields.mos_fixed200 = listening(counts.lateFixed200)
  fields.mos_adaptive = listening(counts.lateAdaptive)
  fields.mos_scale = headline.scale
  fields.mos_model = headline.model
  fields.mos_grounded = headline.grounded
  if (headline.mixedScale) fields.mos_mixed_scale = true
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

/** Percentiles, means and maxima of jitter and delay variation. */
export function fillDistributions(fields: MediaFields, counts: MediaCounts): void {
  if (counts.jitterUpdates > 0) {
    const { jitter, jitterMax } = counts
    const [p95, p99] = percentiles(jitter, JITTER_BUCKETS, P95_P99, jitterMax, counts.jitterUpdates)
    fields.jitter_mean_ms = counts.jitterSum / counts.jitterUpdates
    fields.jitter_max_ms = jitterMax
    fields.jitter_p95_ms = p95
    fields.jitter_p99_ms = p99
  }
  if (counts.measured > 0) {
    const { pdv, pdvMax } = counts
    const [p50, p95, p99] = percentiles(pdv, PDV_BUCKETS, P50_P95_P99, pdvMax, counts.measured)
    fields.pdv_p50_ms = p50
    fields.pdv_p95_ms = p95
    fields.pdv_p99_ms = p99
    fields.pdv_max_ms = pdvMax
  }
}

/** Burst and gap metrics of RFC 3611 4.7.2. */
function fillBursts(fields: MediaFields, counts: MediaCounts, ptimeMs: number): void {
  if (counts.finalPackets === 0) return
  const gapPackets = counts.finalPackets - counts.burstPackets
  // Each segment is preceded and followed by a gap (RFC 3611 4.7.2 assumes it), unless it ended in a burst.
  const gaps = counts.burstCount + Math.max(1, counts.segments) - counts.edgeBursts
  fields.burst_count = counts.burstCount
  if (counts.burstCount > 0) {
    fields.burst_density = counts.burstBad / counts.burstPackets
    fields.burst_duration_ms = (counts.burstPackets * ptimeMs) / counts.burstCount
  }
  if (gapPackets > 0) {
    fields.gap_density = counts.gapBad / gapPackets
    if (gaps > 0) fields.gap_duration_ms = (gapPackets * ptimeMs) / gaps
  }
  const runs = counts.lossRuns
  // Written out: a typed array is copied by its iterator otherwise, which takes as long as all of the rest.
  // prettier-ignore
  fields.loss_runs = [
    runs[0], runs[1], runs[2], runs[3], runs[4], runs[5], runs[6], runs[7], runs[8], runs[9],
  ]
  fields.burst_ratio = burstRatio(counts)
}

/** Counts, bursts, codec: everything but percentiles and scores. */
export function fillCounts(
  fields: MediaFields,
  counts: MediaCounts,
  codecs: readonly CodecUse[],
  context: ScoringContext,
): void {
  const main = mainCodec(codecs)
  const timed = counts.measured > 0
  const ptimeMs = packetTimeMs(counts, codecs)
  fields.packets = counts.packets
  fields.bytes = counts.bytes
  fields.lost = counts.lost
  fields.loss_percent = percentOfExpected(counts.lost, counts)
  fields.duplicates = counts.duplicates
  fields.reordered = counts.reordered
  fields.late = timed ? counts.lateConfigured : undefined
  fields.late_percent = timed ? percentOfExpected(counts.lateConfigured, counts) : undefined
  fields.late_fixed50 = timed ? counts.lateFixed50 : undefined
  fields.late_fixed200 = timed ? counts.lateFixed200 : undefined
  fields.late_adaptive = timed ? counts.lateAdaptive : undefined
  fields.buffer_delay_ms = bufferDelayMs(counts, context.jitterBuffer)
  fields.skew_ppm = Number.isNaN(counts.skewPpm) ? undefined : counts.skewPpm
  fields.timestamp_jumps = timed ? counts.timestampJumps : undefined
  fields.burst_seconds = timed ? counts.burstSeconds : undefined
  fillBursts(fields, counts, ptimeMs)
  fields.codec = main?.encoding
  fields.payload_type = main?.payloadType ?? (counts.payloadType >= 0 ? counts.payloadType : undefined)
  fields.clock_rate_hz = counts.clockRateHz > 0 ? counts.clockRateHz : undefined
  fields.ptime_ms = counts.ptimeMs > 0 ? counts.ptimeMs : undefined
  fields.dscp = counts.dscp
  fields.longest_gap_ms = counts.packets > 1 ? counts.longestGap : undefined
  fields.dtmf_events = counts.dtmfEvents
}
