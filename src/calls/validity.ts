import type { SipCall } from '../sip/call.js'
import type { CallEntry } from './call-entry.js'
import type { RecordContext } from './call-record.js'
import type { MediaTotals } from './media-totals.js'
import { DIRECTIONS, type CallRecord, type Validity } from './records.js'
import type { StreamEntry } from './stream-entry.js'

/** What the capture missed so soon behind a stream's last packet may have been more of it. */
const MAY_GO_ON_MS = 2000

/** First and last packet of a call's media, as in its record. */
export function mediaSpan(media: CallRecord['media']): { first?: string; last?: string } {
  let first: string | undefined
  let last: string | undefined
  for (const direction of DIRECTIONS) {
    const fields = media[direction]
    if (fields?.first_packet !== undefined && (first === undefined || fields.first_packet < first)) {
      first = fields.first_packet
    }
    if (fields?.last_packet !== undefined && (last === undefined || fields.last_packet > last)) {
      last = fields.last_packet
    }
  }
  return { first, last }
}

/** What limits a call's record: what was not seen of it, or cannot be vouched for. */
export function validity(call: CallEntry, media: CallRecord['media'], context: RecordContext): Validity {
  let spanDuplicates = 0
  for (const direction of DIRECTIONS) {
    spanDuplicates += call.directions[direction].totals()?.counts.spanDuplicates ?? 0
  }
  return {
    ...completeness(call.sip),
    directions_seen: DIRECTIONS.filter((direction) => (media[direction]?.packets ?? 0) > 0),
    directions_without_room:
      call.withoutRoom.length > 0 ? DIRECTIONS.filter((d) => call.withoutRoom.includes(d)) : undefined,
    ...captureValidity(call.callId, startOf(call.sip, media, context.nowMs), context.nowMs, context),
    mirror_loss: mirrorLoss(call),
    span_duplicates: spanDuplicates,
    truncated: isTruncated(call, media, context) || undefined,
    evicted: call.sip?.evicted,
    encrypted_rtcp: call.rtcp?.encrypted || undefined,
    timestamp_source: context.timestampSource,
  }
}

/** What limits a stream's record. Of what the capture missed, what it missed while the stream ran. */
export function streamValidity(stream: StreamEntry, counts: MediaTotals, context: RecordContext): Validity {
  const { recordedCall: call, firstArrival } = stream
  const startMs = Number.isNaN(counts.firstPacket) ? firstArrival : counts.firstPacket
  const endMs = (Number.isNaN(counts.lastPacket) ? firstArrival : counts.lastPacket) + MAY_GO_ON_MS
  return {
    ...completeness(call?.sip),
    ...captureValidity(call?.callId, startMs, endMs, context),
    span_duplicates: counts.spanDuplicates,
    truncated: wasCut(startMs, endMs, context) || undefined,
    encrypted_rtcp: call?.rtcp?.encrypted || undefined,
    timestamp_source: context.timestampSource,
  }
}

/** Whether signalling showed the beginning and the end. */
function completeness(sip: SipCall | undefined): Pick<Validity, 'complete_start' | 'complete_end'> {
  if (!sip) return {}
  return {
    complete_start: sip.sawInvite,
    complete_end: sip.state !== 'in_progress' && sip.endMs !== undefined,
  }
}

/** Whether a capture file ended early or was damaged while the call ran. */
function isTruncated({ sip }: CallEntry, media: CallRecord['media'], context: RecordContext): boolean {
  return wasCut(startOf(sip, media, context.nowMs), sip?.endMs ?? Infinity, context)
}

function wasCut(startMs: number, endMs: number, { cutsMs }: RecordContext): boolean {
  return cutsMs.some((cutMs) => startMs <= cutMs && cutMs < endMs)
}

function startOf(sip: SipCall | undefined, media: CallRecord['media'], nowMs: number): number {
  const first = sip ? undefined : mediaSpan(media).first
  return sip?.inviteMs ?? (first === undefined ? nowMs : Date.parse(first))
}

/** What the live capture missed within [startMs, endMs]. */
function captureValidity(
  callId: string | undefined,
  startMs: number,
  endMs: number,
  { captureLosses }: RecordContext,
): Pick<Validity, 'capture_drops' | 'capture_down_ms' | 'resumed' | 'clock_synchronized'> {
  if (!captureLosses) return {}
  const { drops, downMs } = captureLosses.between(startMs, endMs)
  return {
    capture_drops: captureLosses.known ? drops : undefined,
    capture_down_ms: downMs > 0 ? downMs : undefined,
    resumed: (callId !== undefined && captureLosses.isResumed(callId)) || undefined,
    clock_synchronized: captureLosses.clockSynchronized,
  }
}

/** Packets that RTCP shows were received and the tap did not see; undefined when RTCP does not tell. */
function mirrorLoss(call: CallEntry): number | undefined {
  const beyond = DIRECTIONS.map((direction) => call.rtcp?.lossBeyondTap(direction)).filter(
    (b) => b !== undefined,
  )
  return beyond.length > 0 ? beyond.reduce((sum, { mirror }) => sum + mirror, 0) : undefined
}
