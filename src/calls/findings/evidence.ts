import type { Party, SipCall } from '../../sip/call.js'
import type { CallRecord, Confidence, Direction, DirectionRecord } from '../records.js'
import type { LossBeyondTap, SenderProof, UnseenMedia } from '../rtcp-watch.js'
import type { FindingThresholds } from '../../config/finding-thresholds.js'

/** One RTP stream of the call as it was when it left the call. */
export interface StreamNote {
  direction: Direction
  /** Part of the direction's numbers; false for video, losing forks, and copies on another leg. */
  audio: boolean
  leg: number
  ssrc: number
  sourceAddress: string
  sourcePort: number
  destinationAddress: string
  destinationPort: number
  packets: number
  firstMs: number
  lastMs: number
  dscp: number
  /** Encoding that most packets had. */
  codec?: string
}

/** What intervals told of one direction, summed up. Times in ms. */
export interface TimingNote {
  /** Intervals in which the delay stayed over QUEUE_PDV_MS for QUEUEING_MS or more, and how long in all. */
  queueingIntervals: number
  queueingMs: number
  queueingSinceMs: number
  /** Losses in those intervals. */
  lostWhileQueueing: number
  /** Burst seconds in those intervals. */
  burstsWhileQueueing: number
  peakPdvMs: number
  /** Those of the intervals that saw a higher delay than all before. */
  newPeaks: number
  /** The packet time changed. */
  ptime?: { fromMs: number; toMs: number; changedMs: number }
}

/** ICMP errors about media of one direction, while the call was up. */
export interface UnreachableNote {
  count: number
  firstMs: number
  lastMs: number
  type: number
  code: number
  portUnreachable: boolean
  reporterAddress: string
  address: string
  port: number
}

/** A payload type in use in one direction. */
export interface CodecShare {
  encoding?: string
  payloadType: number
  packets: number
}

/** One direction of a call. */
export interface MediaEvidence {
  direction: Direction
  sender: Party
  receiver: Party
  /** undefined: no media and none known to be expected. */
  record?: DirectionRecord
  packets: number
  /** As DirectionRecord: undefined when signalling does not tell. */
  expected?: boolean
  /** First and last packet, ms since the epoch; NaN without any. */
  firstMs: number
  lastMs: number
  /** Copies within 50 ms. */
  spanDuplicates: number
  /** Packets of digits. */
  eventPackets: number
  /** Comfort noise packets: the sender suppresses silence. */
  noisePackets: number
  codecs: readonly CodecShare[]
  streams: readonly StreamNote[]
  timing?: TimingNote
  unreachable?: UnreachableNote
  /** RTCP compounds of its sender. */
  rtcpFromSender: number
  rtcpFromReceiver: number
  beyondTap?: LossBeyondTap
  senderProof?: SenderProof
  unseen?: UnseenMedia
}

/** What other calls say about this one's path and about the tap. */
export interface PathView {
  /** Other recent calls on the path: with media both ways, and one way only. */
  callsBothWays: number
  callsOneWay: number
  /** On the whole tap: pairs of addresses with media both ways, and one way only. */
  pairsBothWays: number
  pairsOneWay: number
  /** Other calls on the path whose media stopped as long after the answer as this one's, within 2 s or 2 %. */
  stoppedAlike: number
  /** Another leg of the same call (behind a B2BUA or SBC), closed before this one. */
  otherLegs: readonly LegNote[]
}

/** One direction of one leg, for comparing legs. */
export interface LegMedia {
  codec?: string
  dscp?: number
  packets: number
}

/** What is compared between the legs of one call. */
export interface LegNote {
  callId: string
  media: Partial<Record<Direction, LegMedia>>
  /** Where the legs were seen: hops of one dialog, two dialogs, or two sides of a router. */
  kind: 'dialog' | 'hop' | 'copy'
  confidence: Confidence
}

/** Everything that a finding may rest on. Times are packet times, ms since the epoch. */
export interface CallEvidence {
  record: CallRecord
  sip?: SipCall
  media: Readonly<Record<Direction, MediaEvidence>>
  /** When the call was up; undefined for one that never was, or without signalling. */
  establishedMs?: number
  /** BYE, else the end of what was seen. */
  endMs: number
  /** From established to end without holds, ms; 0 when it never was up. */
  talkMs: number
  /** False while the run has seen no RTP at all: a tap on signalling only. */
  mediaOnTap: boolean
  path: PathView
  thresholds: FindingThresholds
}

export function otherDirection(direction: Direction): Direction {
  return direction === 'from_caller' ? 'from_callee' : 'from_caller'
}

/**
 * Packets that the receiver got more than once, at most: it takes them off the losses that it reports, and the sender
 * may count them (RFC 3550 A.3). Copies within moments may be the mirror's own; those of digits (RFC 4733 2.5.1.4) are the
 * sender's, and so may be all of them where the receiver reports some loss, but less than is missing here.
 */
export function repeatedPackets({ record, spanDuplicates, eventPackets }: MediaEvidence): number {
  const duplicates = record?.duplicates ?? 0
  if ((record?.rtcp_lost ?? 0) > 0) return duplicates
  return Math.max(duplicates - spanDuplicates, Math.min(duplicates, eventPackets))
}
