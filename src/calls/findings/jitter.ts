import { DIRECTIONS, type Confidence, type Finding } from '../records.js'
import type { CallEvidence, MediaEvidence } from './evidence.js'
import { atMost, countText, finding, percentText, timeText } from './finding.js'
import type { CaptureFaults } from './mirror.js'

/** Burst seconds, and stretches of them, that make a repetition. */
const LEAST_BURST_SECONDS = 3
const LEAST_BURST_EVENTS = 2
/** The rest is calm: at most this part of the time has bursts, and half of all packets are within this of the base. */
const CALM_SHARE = 0.5
const CALM_PDV_MS = 20
/** Beyond this a skew is no longer taken off the delay variation (DESIGN: section 2, pdv), which then only grows. */
const MOST_SKEW_PPM = 500
/** At the end the media is behind by about the highest delay variation: it went up and never came back. */
const BEHIND_SHARE = { least: 0.6, most: 1.3 }
/** Half of the packets of a steady rise are behind by about half of it, and nearly each interval sees a new peak. */
const STEADY = { least: 0.25, most: 0.75, newPeaks: 0.7 }
/** A queue that never empties throws packets away. */
const MOST_LOST_PERCENT = 3
const LEAST_PACE_MS = 5000
/** A slope over less time than this is not sure. */
const SURE_SKEW_MS = 120_000
const LEAST_PACKETS = 50

/** Delay that varies, and clocks that do not agree. */
export function jitterFindings(call: CallEvidence, faults: CaptureFaults): Finding[] {
  return DIRECTIONS.flatMap((direction) => {
    const media = call.media[direction]
    if (media.packets < LEAST_PACKETS) return []
    const slow = slowPace(media)
    if (slow) return [slow, timestampJump(media)].filter((f) => f !== undefined)
    const timing = faults.unreliable.has(direction) ? [] : [queueing(media), burstJitter(media)]
    return [...timing, clockSkew(call, media), timestampJump(media)].filter((f) => f !== undefined)
  })
}

function spanMs(media: MediaEvidence): number {
  return Math.max(1, media.lastMs - media.firstMs)
}

function queueing(media: MediaEvidence): Finding | undefined {
  const { record, timing } = media
  if (!timing || timing.queueingIntervals === 0) return undefined
  const lost = timing.lostWhileQueueing
  const often = timing.queueingIntervals > 1
  const hurts = lost > 0 || (record?.late_percent ?? 0) >= 1
  const rise = riseOf(media)
  const stays = rise !== undefined && lost === 0
  const confidence: Confidence = stays ? 'low' : lost > 0 || often ? 'high' : 'medium'
  const what = stays
    ? `The delay of the ${media.sender}'s packets rose by ${timeText(rise.behindMs)} and stayed there: another route, or a queue that does not empty.`
    : `Packets from the ${media.sender} were held up for ${timeText(timing.queueingMs)} in all (up to ${timeText(timing.peakPdvMs)} each)${
        lost > 0 ? `, and ${countText(lost, 'packet')} lost meanwhile` : ' without loss'
      }: a queue on the way fills up.`
  return finding({
    code: 'queueing',
    severity: often || hurts ? 'warning' : 'info',
    confidence: spanMs(media) < LEAST_PACE_MS ? atMost(confidence, 'low') : confidence,
    direction: media.direction,
    evidence: {
      queueing_ms: timing.queueingMs,
      intervals_affected: timing.queueingIntervals,
      first_affected_s: (timing.queueingSinceMs - media.firstMs) / 1000,
      pdv_max_ms: timing.peakPdvMs,
      pdv_p95_ms: record?.pdv_p95_ms,
      lost_while_queueing: lost,
      lost: record?.lost,
      late: record?.late,
    },
    message: what,
  })
}

interface Rise {
  /** How far the last packets are behind the media before them. */
  behindMs: number
  ptimeMs: number
  peakMs: number
  /** It went up all the time, rather than at once. */
  steady: boolean
}

/** A delay that rose and never came back: at the end the media is behind by about the highest delay variation. */
function riseOf(media: MediaEvidence): Rise | undefined {
  const { record } = media
  const ptimeMs = record?.ptime_ms ?? 0
  const peakMs = record?.pdv_max_ms ?? 0
  const elapsedMs = spanMs(media)
  if (ptimeMs <= 0 || elapsedMs < LEAST_PACE_MS) return undefined
  const behindMs = elapsedMs - (media.packets + (record?.lost ?? 0) - 1) * ptimeMs
  if (behindMs < BEHIND_SHARE.least * peakMs || behindMs > BEHIND_SHARE.most * peakMs) return undefined
  const middle = (record?.pdv_p50_ms ?? 0) / peakMs
  const { queueingIntervals = 0, newPeaks = 0 } = media.timing ?? {}
  const steady =
    middle > STEADY.least && middle < STEADY.most && newPeaks >= STEADY.newPeaks * queueingIntervals
  return { behindMs, ptimeMs, peakMs, steady }
}

/** Packets that come more and more behind their timestamps, without loss: the sender's pace, not a queue. */
function slowPace(media: MediaEvidence): Finding | undefined {
  const { record } = media
  const rise = riseOf(media)
  if (!rise || !rise.steady || media.timing?.ptime || (media.timing?.queueingIntervals ?? 0) === 0)
    return undefined
  const { behindMs, ptimeMs, peakMs } = rise
  const elapsedMs = spanMs(media)
  const ppm = (-behindMs / elapsedMs) * 1e6
  const longerPercent = (100 * behindMs) / (elapsedMs - behindMs)
  if ((record?.loss_percent ?? 0) > MOST_LOST_PERCENT || Math.abs(ppm) <= MOST_SKEW_PPM) return undefined
  return finding({
    code: 'clock_skew',
    severity: 'warning',
    confidence: elapsedMs >= 2 * LEAST_PACE_MS ? 'high' : 'medium',
    direction: media.direction,
    evidence: {
      skew_ppm: ppm,
      behind_ms: behindMs,
      measured_s: elapsedMs / 1000,
      ptime_ms: ptimeMs,
      pdv_max_ms: peakMs,
      late_percent: record?.late_percent,
    },
    message: `The ${media.sender} takes ${percentText(longerPercent)} longer for its media than their timestamps say (${timeText(behindMs)} behind at the end), without loss: its clock or its pace is wrong, not the network.`,
  })
}

function burstJitter(media: MediaEvidence): Finding | undefined {
  const { record, timing } = media
  const seconds = (record?.burst_seconds ?? 0) - (timing?.burstsWhileQueueing ?? 0)
  const events = record?.burst_events?.length ?? 0
  if (seconds < LEAST_BURST_SECONDS || events < LEAST_BURST_EVENTS) return undefined
  const share = (seconds * 1000) / spanMs(media)
  if (share > CALM_SHARE || (record?.pdv_p50_ms ?? 0) > CALM_PDV_MS) return undefined
  const peakMs = Math.max(...(record?.burst_events ?? []).map((event) => event.peak_ms))
  const heard = (record?.late_percent ?? 0) >= 1
  return finding({
    code: 'burst_jitter',
    severity: heard || seconds >= 10 ? 'warning' : 'info',
    confidence: events > LEAST_BURST_EVENTS ? 'high' : 'medium',
    direction: media.direction,
    evidence: {
      burst_seconds: seconds,
      burst_events: events,
      burst_seconds_percent: 100 * share,
      peak_ms: peakMs,
      pdv_p50_ms: record?.pdv_p50_ms,
      pdv_p95_ms: record?.pdv_p95_ms,
      late_percent: record?.late_percent,
    },
    message: `Packets from the ${media.sender} came late in ${countText(seconds, 'separate second')} (up to ${timeText(peakMs)}) and evenly in between: something interrupts the way for moments.`,
  })
}

function clockSkew({ thresholds }: CallEvidence, media: MediaEvidence): Finding | undefined {
  const ppm = media.record?.skew_ppm
  if (ppm === undefined || Math.abs(ppm) <= thresholds.clock_skew_ppm) return undefined
  const overMs = spanMs(media)
  return finding({
    code: 'clock_skew',
    severity: Math.abs(ppm) > 2 * thresholds.clock_skew_ppm ? 'warning' : 'info',
    confidence: overMs >= SURE_SKEW_MS ? 'high' : 'medium',
    direction: media.direction,
    evidence: { skew_ppm: ppm, measured_s: overMs / 1000, drift_ms_per_min: Math.abs(ppm) * 0.06 },
    message: `The ${media.sender}'s sample clock runs ${Math.abs(ppm).toFixed(0)} ppm too ${
      ppm > 0 ? 'fast' : 'slow'
    }: ${(Math.abs(ppm) * 0.06).toFixed(0)} ms a minute that the receiver has to drop or invent.`,
  })
}

function timestampJump(media: MediaEvidence): Finding | undefined {
  const jumps = media.record?.timestamp_jumps ?? 0
  if (jumps === 0) return undefined
  return finding({
    code: 'timestamp_jump',
    severity: jumps > 1 ? 'warning' : 'info',
    confidence: 'high',
    direction: media.direction,
    evidence: { timestamp_jumps: jumps, packets: media.packets },
    message: `RTP timestamps of the ${media.sender} jumped ${jumps === 1 ? 'once' : `${jumps} times`} while the packets came on: the sender changed its source or restarted, and receivers may click or resynchronise.`,
  })
}
