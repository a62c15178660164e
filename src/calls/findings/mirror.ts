import type { Direction, Finding } from '../records.js'
import { DIRECTIONS } from '../records.js'
import { otherDirection, repeatedPackets, type CallEvidence, type MediaEvidence } from './evidence.js'
import { countText, finding, timeText } from './finding.js'

/** Fewer packets than this beyond the receiver's count are the report's age, not the mirror. */
const LEAST_MIRROR_LOSS = 3
/** The mirror's share of the tap's losses from which the tap's losses say nothing. */
const MIRROR_SHARE = 0.1
/** Pairs of addresses with media one way only (and none both ways) that make it the mirror's fault. */
const LEAST_PAIRS = 3

/** What is wrong with the capture, and which findings must not be made because of it. */
export interface CaptureFaults {
  findings: Finding[]
  /** The side that the mirror does not show. */
  hidden?: Direction
  /** Directions whose losses are (partly) the capture's own. */
  unreliable: ReadonlySet<Direction>
}

/** Faults of the capture; everything else that is found has to ask here first. */
export function captureFaults(call: CallEvidence): CaptureFaults {
  const hidden = DIRECTIONS.map((direction) => hiddenDirection(call, direction)).find((f) => f !== undefined)
  const findings: Finding[] = hidden ? [hidden] : []
  const unreliable = new Set<Direction>()
  for (const direction of DIRECTIONS) {
    const fault = unreliableDirection(call, call.media[direction])
    if (!fault) continue
    findings.push(fault)
    unreliable.add(direction)
  }
  return { findings, hidden: hidden?.direction, unreliable }
}

/** The mirror shows nothing of one side, or proof that its media arrived all the same. */
function hiddenDirection(call: CallEvidence, direction: Direction): Finding | undefined {
  const media = call.media[direction]
  const heard = call.media[otherDirection(direction)]
  if (media.packets > 0 || media.expected === false) return undefined
  // It was there: the probe did not measure it.
  if (call.record.validity.directions_without_room?.includes(direction)) return undefined
  return hiddenSide(call, media, heard) ?? provenMedia(media) ?? wholeMirror(call, media, heard)
}

/** No message, no report and no packet of one party, while the other one goes on as if it were answered. */
function hiddenSide(call: CallEvidence, media: MediaEvidence, heard: MediaEvidence): Finding | undefined {
  const { sip } = call
  if (!sip || sip.messagesFrom[media.sender] > 0 || media.rtcpFromSender > 0) return undefined
  const answered = sip.ackMs !== undefined && sip.messagesFrom[media.receiver] > 1
  const talksBack =
    heard.packets > 0 || answered || (media.sender === 'caller' && sip.messagesFrom.callee > 1)
  if (!talksBack) return undefined
  return finding({
    code: 'mirror_one_direction',
    severity: 'critical',
    confidence: 'high',
    direction: media.direction,
    evidence: {
      sip_messages_from_caller: sip.messagesFrom.caller,
      sip_messages_from_callee: sip.messagesFrom.callee,
      packets_from_caller: call.media.from_caller.packets,
      packets_from_callee: call.media.from_callee.packets,
    },
    message: `The mirror shows nothing of the ${media.sender}, neither signalling nor media, yet the ${media.receiver} goes on with the call: one direction of the mirror is missing.`,
  })
}

/** The receiver reports packets that the tap never saw. */
function provenMedia(media: MediaEvidence): Finding | undefined {
  const reports = media.unseen?.receiverReports ?? 0
  if (reports === 0 || media.packets > 0) return undefined
  return finding({
    code: 'mirror_one_direction',
    severity: 'critical',
    confidence: reports > 1 ? 'high' : 'medium',
    direction: media.direction,
    evidence: { receiver_reports: reports, packets_seen: 0, packets_sent: media.unseen?.packetsSent },
    message: `The ${media.receiver} reports that it receives the ${media.sender}'s media (${countText(reports, 'RTCP report')}), of which the mirror shows none.`,
  })
}

/** Media is one-way between all addresses on the tap, and nothing shows that the silent host can be seen at all. */
function wholeMirror(call: CallEvidence, media: MediaEvidence, heard: MediaEvidence): Finding | undefined {
  const { pairsBothWays, pairsOneWay } = call.path
  if (pairsBothWays > 0 || pairsOneWay < LEAST_PAIRS || heard.packets === 0 || media.expected !== true)
    return undefined
  if (media.rtcpFromSender > 0 || isSeenOnMediaPath(call, media)) return undefined
  return finding({
    code: 'mirror_one_direction',
    severity: 'critical',
    confidence: 'medium',
    direction: media.direction,
    evidence: { address_pairs_one_way: pairsOneWay, address_pairs_both_ways: pairsBothWays },
    message: `Media runs one way only between all ${pairsOneWay} pairs of addresses on this tap: the mirror lacks a direction, before it is one-way audio on every call.`,
  })
}

/** Whether signalling of the silent party came from the very host that its media has to come from. */
export function isSeenOnMediaPath({ sip }: CallEvidence, media: MediaEvidence): boolean {
  if (!sip) return false
  const described = media.sender === 'caller' ? sip.callerMedia : sip.calleeMedia
  const audio = described?.media.find(({ kind }) => kind === 'audio')
  return audio !== undefined && audio.address === described?.signallingAddress
}

/** The tap missed what the receiver got, or what the kernel threw away. */
function unreliableDirection(call: CallEvidence, media: MediaEvidence): Finding | undefined {
  const { record, beyondTap, direction } = media
  const lost = record?.lost ?? 0
  if (media.packets === 0 || lost === 0) return undefined
  const { capture_drops: drops = 0, capture_down_ms: downMs = 0 } = call.record.validity
  // A receiver that counts duplicates as received takes them off its losses (RFC 3550 A.3).
  const mirror = Math.max(0, (beyondTap?.mirror ?? 0) - repeatedPackets(media))
  const byReports = mirror >= LEAST_MIRROR_LOSS && mirror >= MIRROR_SHARE * lost
  if (!byReports && drops === 0 && downMs === 0) return undefined
  return finding({
    code: 'capture_unreliable',
    severity: 'warning',
    confidence: byReports ? 'high' : 'medium',
    direction,
    evidence: {
      lost,
      loss_percent: record?.loss_percent,
      mirror_loss: byReports ? mirror : undefined,
      rtcp_lost: record?.rtcp_lost,
      capture_drops: drops > 0 ? drops : undefined,
      capture_down_ms: downMs > 0 ? downMs : undefined,
    },
    message: byReports
      ? `The ${media.receiver} received ${mirror} of the ${lost} packets that the capture misses from the ${media.sender}: the mirror dropped them, not the network.`
      : `The capture itself missed packets during this call (${
          drops > 0 ? `${countText(drops, 'packet')} dropped` : `interface away for ${timeText(downMs)}`
        }): what is missing from the ${media.sender} cannot be told from losses of the network.`,
  })
}
