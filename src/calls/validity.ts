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

/**
 * What limits the records of calls and streams alike; `call` is undefined for a stream of none. Every field is there from
 * the start: one hidden class for all of them, as in `newDraft`.
 * @param startMs,endMs of what the capture missed, what it missed then counts
 */
function newValidity(
  call: CallEntry | undefined,
  startMs: number,
  endMs: number,
  context: RecordContext,
): Validity {
  const u = undefined
  const validity: Validity = {
    complete_start: u, complete_end: u, directions_seen: u, directions_without_room: u,
    capture_drops: u, capture_down_ms: u, mirror_loss: u, span_duplicates: u, truncated: u, evicted: u,
    resumed: u, timestamp_source: context.timestampSource, encrypted_rtcp: call?.rtcp?.encrypted || u, clock_synchronized: u,
  } // prettier-ignore
  noteCompleteness(validity, call?.sip)
  noteCapture(validity, call?.callId, startMs, endMs, context)
  return validity
}

/** What limits a call's record: what was not seen of it, or cannot be vouched for. */
export function validity(call: CallEntry, media: CallRecord['media'], context: RecordContext): Validity {
  const { sip, withoutRoom } = call
  const startMs = startOf(sip, media, context.nowMs)
  const validity = newValidity(call, startMs, context.nowMs, context)
  validity.directions_seen = DIRECTIONS.filter((direction) => (media[direction]?.packets ?? 0) > 0)
  if (withoutRoom.length > 0)
    validity.directions_without_room = DIRECTIONS.filter((direction) => withoutRoom.includes(direction))
  validity.mirror_loss = call.rtcp && mirrorLoss(call.rtcp)
  validity.span_duplicates = 0
  for (const direction of DIRECTIONS)
    validity.span_duplicates += call.directions[direction].totals()?.counts.spanDuplicates ?? 0
  validity.truncated = wasCut(startMs, sip?.endMs ?? Infinity, context) || undefined
  validity.evicted = sip?.evicted
  return validity
}

/** What limits a stream's record. Of what the capture missed, what it missed while the stream ran. */
export function streamValidity(stream: StreamEntry, counts: MediaTotals, context: RecordContext): Validity {
  const { recordedCall, firstArrival } = stream
  const startMs = Number.isNaN(counts.firstPacket) ? firstArrival : counts.firstPacket
  const endMs = (Number.isNaN(counts.lastPacket) ? firstArrival : counts.lastPacket) + MAY_GO_ON_MS
  const validity = newValidity(recordedCall, startMs, endMs, context)
  validity.span_duplicates = counts.spanDuplicates
  validity.truncated = wasCut(startMs, endMs, context) || undefined
  return validity
}

/** Whether signalling showed the beginning and the end. */
function noteCompleteness(validity: Validity, sip: SipCall | undefined): void {
  if (!sip) return
  validity.complete_start = sip.sawInvite
  validity.complete_end = sip.state !== 'in_progress' && sip.endMs !== undefined
}

/** Whether a capture file ended early or was damaged meanwhile. */
function wasCut(startMs: number, endMs: number, { cutsMs }: RecordContext): boolean {
  return cutsMs.some((cutMs) => startMs <= cutMs && cutMs < endMs)
}

function startOf(sip: SipCall | undefined, media: CallRecord['media'], nowMs: number): number {
  const first = sip ? undefined : mediaSpan(media).first
  return sip?.inviteMs ?? (first === undefined ? nowMs : Date.parse(first))
}

/** What the live capture missed within [startMs, endMs]. */
function noteCapture(
  validity: Validity,
  callId: string | undefined,
  startMs: number,
  endMs: number,
  { captureLosses }: RecordContext,
): void {
  if (!captureLosses) return
  const { drops, downMs } = captureLosses.between(startMs, endMs)
  if (captureLosses.known) validity.capture_drops = drops
  if (downMs > 0) validity.capture_down_ms = downMs
  if (callId !== undefined && captureLosses.isResumed(callId)) validity.resumed = true
  validity.clock_synchronized = captureLosses.clockSynchronized
}

/** Packets that RTCP shows were received and the tap did not see; undefined when RTCP does not tell. */
function mirrorLoss(rtcp: NonNullable<CallEntry['rtcp']>): number | undefined {
  const beyond = DIRECTIONS.map((direction) => rtcp.lossBeyondTap(direction)).filter((b) => b !== undefined)
  return beyond.length > 0 ? beyond.reduce((sum, { mirror }) => sum + mirror, 0) : undefined
}
