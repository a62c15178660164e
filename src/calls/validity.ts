import type { SipCall } from '../sip/call.js'
import type { CallEntry } from './call-entry.js'
import type { RecordContext } from './call-record.js'
import { DIRECTIONS, type CallRecord, type Validity } from './records.js'

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
    complete_start: call.sip ? call.sip.sawInvite : undefined,
    complete_end: call.sip ? call.sip.state !== 'in_progress' && call.sip.endMs !== undefined : undefined,
    directions_seen: DIRECTIONS.filter((direction) => (media[direction]?.packets ?? 0) > 0),
    ...captureValidity(call, media, context),
    mirror_loss: mirrorLoss(call),
    span_duplicates: spanDuplicates,
    truncated: isTruncated(call, media, context) || undefined,
    evicted: call.sip?.evicted,
    encrypted_rtcp: call.rtcp?.encrypted || undefined,
    timestamp_source: context.timestampSource,
  }
}

/** Whether a capture file ended early or was damaged while the call ran. */
function isTruncated({ sip }: CallEntry, media: CallRecord['media'], context: RecordContext): boolean {
  const { cutsMs, nowMs } = context
  if (cutsMs.length === 0) return false
  const startMs = startOf(sip, media, nowMs)
  const endMs = sip?.endMs ?? Infinity
  return cutsMs.some((cutMs) => startMs <= cutMs && cutMs < endMs)
}

function startOf(sip: SipCall | undefined, media: CallRecord['media'], nowMs: number): number {
  const first = sip ? undefined : mediaSpan(media).first
  return sip?.inviteMs ?? (first === undefined ? nowMs : Date.parse(first))
}

/** What the live capture missed while the call ran. */
function captureValidity(
  call: CallEntry,
  media: CallRecord['media'],
  { captureLosses, nowMs }: RecordContext,
): Pick<Validity, 'capture_drops' | 'capture_down_ms' | 'resumed' | 'clock_synchronized'> {
  if (!captureLosses) return {}
  const startMs = startOf(call.sip, media, nowMs)
  const { drops, downMs } = captureLosses.between(startMs, nowMs)
  return {
    capture_drops: captureLosses.known ? drops : undefined,
    capture_down_ms: downMs > 0 ? downMs : undefined,
    resumed: captureLosses.isResumed(call.callId) || undefined,
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
