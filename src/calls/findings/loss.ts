import { DIRECTIONS, type Confidence, type Finding, type Severity } from '../records.js'
import { repeatedPackets, type CallEvidence, type MediaEvidence } from './evidence.js'
import { atMost, countText, finding, percentText } from './finding.js'
import type { CaptureFaults } from './mirror.js'

/** From here on the mean run of loss is no longer that of packets lost one by one. */
const BURSTY_RATIO = 1.5
/** Losses of 10 packets and more in a row are heard as an interruption whatever their share. */
const LONG_RUN = 10
const LEAST_LOST = 5
/** Media of less than this is too little for a percentage. */
const LEAST_SEEN = 25
const THIN_EXPECTED = 250
const CRITICAL_PERCENT = 5
/** Share of the losses in intervals with a queue from which they belong to it. */
const QUEUE_SHARE = 0.5
/** The sender's reports have to cover this part of its packets to speak for all. */
const PROVEN_SHARE = 0.6
/** Less than this part of the gaps was ever sent. */
const NEVER_SENT_SHARE = 0.2
/** Packets beyond the other view that differences in timing do not explain. */
const LEAST_BEYOND = 5

/** Losses: how they come, and on which side of the tap. */
export function lossFindings(call: CallEvidence, faults: CaptureFaults): Finding[] {
  return DIRECTIONS.flatMap((direction) => {
    const media = call.media[direction]
    if (media.packets === 0) return beforeTapOnly(media, faults)
    const found: (Finding | undefined)[] = faults.unreliable.has(direction)
      ? []
      : [lossAtTap(call, media), beforeTap(call, media)]
    return [...found, afterTap(call, media)].filter((f) => f !== undefined)
  })
}

/** Runs of loss: how many, mean length, that over the one of independent loss, the longest (10: 10 and more), packets in runs of 3 and more. */
function runsOf(media: MediaEvidence): Record<'count' | 'mean' | 'ratio' | 'longest' | 'inRuns', number> {
  const { loss_runs: runs = [], lost = 0, loss_percent: percent = 0 } = media.record ?? {}
  const count = runs.reduce((sum, n) => sum + n, 0)
  const longest = runs.findLastIndex((n) => n > 0) + 1
  const singles = (runs[0] ?? 0) + 2 * (runs[1] ?? 0)
  const mean = count > 0 ? lost / count : 1
  return { count, mean, ratio: mean * (1 - percent / 100), longest, inRuns: Math.max(0, lost - singles) }
}

/** The sender's own count has no room for the gaps in its sequence: it skipped numbers. */
function neverSent(media: MediaEvidence, lost: number): boolean {
  const { senderProof: proof, packets } = media
  if (!proof || proof.sent < PROVEN_SHARE * packets) return false
  return proof.sent - proof.arrived - repeatedPackets(media) < NEVER_SENT_SHARE * lost
}

function lossAtTap(call: CallEvidence, media: MediaEvidence): Finding | undefined {
  const { record, timing } = media
  const lost = record?.lost ?? 0
  const percent = record?.loss_percent ?? 0
  const expected = media.packets + lost
  if (lost < LEAST_LOST || media.packets < LEAST_SEEN || neverSent(media, lost)) return undefined
  const { count, mean, ratio, longest, inRuns } = runsOf(media)
  const longRun = longest >= LONG_RUN
  if (percent < call.thresholds.loss_percent && !longRun) return undefined
  const bursty = longRun || ratio >= BURSTY_RATIO || inRuns > lost / 2
  const queued = (timing?.lostWhileQueueing ?? 0) > QUEUE_SHARE * lost
  const severity: Severity = percent >= CRITICAL_PERCENT ? 'critical' : 'warning'
  const inRunsText = `in runs of ${mean.toFixed(1)} packets on average${longRun ? ', some of 10 and more' : ''}`
  const how = count === 1 ? 'all of them in a row' : bursty ? inRunsText : 'one by one'
  const cause = queued
    ? 'the delay rises first: a queue overflows'
    : (timing?.queueingIntervals ?? 0) > 0
      ? 'mostly not while the delay is high'
      : 'without a rise of the delay: look at links and wireless rather than at congestion'
  return finding({
    code: bursty ? 'burst_loss' : 'random_loss',
    severity,
    confidence: confidenceOf(media, expected),
    direction: media.direction,
    evidence: {
      lost,
      loss_percent: percent,
      mean_loss_run: mean,
      longest_loss_run: longest,
      loss_burst_ratio: ratio,
      lost_while_queueing: timing?.lostWhileQueueing,
      rtcp_lost: record?.rtcp_lost,
      jitter_mean_ms: record?.jitter_mean_ms,
      mos_cq: record?.mos_cq,
    },
    message: `${percentText(percent)} of the ${media.sender}'s packets are missing (${lost.toLocaleString('en-US')}), ${how}, ${cause}.`,
  })
}

/** High when the receiver's reports confirm the tap's count; a tap alone may also be missing what the mirror dropped. */
function confidenceOf(media: MediaEvidence, expected: number): Confidence {
  const lost = media.record?.lost ?? 0
  const confirmed = (media.beyondTap?.beforeTap ?? 0) >= lost / 2
  const confidence: Confidence = confirmed ? 'high' : 'medium'
  return expected < THIN_EXPECTED ? atMost(confidence, 'low') : confidence
}

/** The sender counted more than passed here: what is missing was sent. */
function beforeTap(call: CallEvidence, media: MediaEvidence): Finding | undefined {
  const { senderProof: proof, record } = media
  if (!proof) return undefined
  const missing = proof.sent - proof.arrived - repeatedPackets(media)
  const percent = (100 * missing) / proof.sent
  if (missing < LEAST_BEYOND || percent < call.thresholds.loss_percent) return undefined
  const confirmed = (media.beyondTap?.beforeTap ?? 0) >= LEAST_BEYOND
  return finding({
    code: 'loss_before_tap',
    // How bad it is stands in the finding of the loss itself; this one says where.
    severity: 'warning',
    confidence: confirmed ? 'high' : 'medium',
    direction: media.direction,
    evidence: {
      packets_sent: proof.sent,
      packets_arrived: proof.arrived,
      missing,
      missing_percent: percent,
      lost_before_tap: record?.lost_before_tap,
    },
    message: `The ${media.sender} reports ${proof.sent.toLocaleString('en-US')} packets sent, of which ${missing.toLocaleString('en-US')} never passed here: they are lost between the ${media.sender} and the tap.`,
  })
}

/** Nothing of the direction passed the tap, and its sender counted on. */
function beforeTapOnly(media: MediaEvidence, faults: CaptureFaults): Finding[] {
  const sent = media.unseen?.packetsSent ?? 0
  if (faults.hidden === media.direction || sent < LEAST_SEEN) return []
  return [
    finding({
      code: 'loss_before_tap',
      severity: 'critical',
      confidence: 'medium',
      direction: media.direction,
      evidence: { packets_sent: sent, packets_arrived: 0, sender_reports: media.unseen?.senderReports },
      message: `The ${media.sender} reports ${countText(sent, 'packet')} sent, none of which passed here: they are lost between the ${media.sender} and the tap.`,
    }),
  ]
}

/** The receiver misses more than the tap. */
function afterTap(call: CallEvidence, media: MediaEvidence): Finding | undefined {
  const { record, beyondTap } = media
  const after = beyondTap?.afterTap ?? 0
  const expected = media.packets + (record?.lost ?? 0)
  const percent = expected > 0 ? (100 * after) / expected : 0
  if (after < LEAST_BEYOND || percent < call.thresholds.loss_percent || percent > 100) return undefined
  const confidence: Confidence = media.rtcpFromReceiver >= 3 ? 'high' : 'medium'
  return finding({
    code: 'loss_after_tap',
    severity: percent >= CRITICAL_PERCENT ? 'critical' : 'warning',
    confidence: expected < THIN_EXPECTED ? atMost(confidence, 'low') : confidence,
    direction: media.direction,
    evidence: {
      lost_after_tap: after,
      lost_after_tap_percent: percent,
      lost: record?.lost,
      rtcp_lost: record?.rtcp_lost,
      rtcp_loss_percent: record?.rtcp_loss_percent,
      mos_cq_receiver: record?.mos_cq_receiver,
    },
    message: `The ${media.receiver} reports ${after.toLocaleString('en-US')} more lost packets (${percentText(percent)}) than are missing here: they are lost between the tap and the ${media.receiver}.`,
  })
}
