import { qualityClass } from '../quality/quality-class.js'
import { heldMs } from '../sip/holds.js'
import type { MediaDirection } from '../sip/sdp-types.js'
import { callTimings } from '../sip/tracker-timings.js'
import type { SipCall } from '../sip/call.js'
import type { CallEntry } from './call-entry.js'
import { isEmergency } from './emergency.js'
import { mediaAddresses, placesOf, type PlaceContext } from './places.js'
import type { CaptureLosses } from './capture-losses.js'
import { receiverMosCq, type ScoringContext } from './media-fields.js'
import {
  DIRECTIONS,
  RECORD_SCHEMA,
  type CallRecord,
  type Direction,
  type DirectionRecord,
  type Quality,
  type SipRecord,
  type TimestampSource,
} from './records.js'
import { ssrcText } from './stream-entry.js'
import { mediaSpan, validity } from './validity.js'

/** Media that begin within the first second after the answer are not missed. */
const PRESENCE_AFTER_MS = 1000

export interface RecordContext extends PlaceContext {
  emergencyNumbers: ReadonlySet<string>
  scoring: ScoringContext
  timestampSource: TimestampSource
  /** Packet time now: the end of what a call without an end could have been seen. */
  nowMs: number
  /** False while the run has seen no RTP at all: a tap on signalling only, from which no silence follows. */
  mediaOnTap: boolean
  /** Live capture: what was missed. */
  captureLosses?: CaptureLosses
  /** When capture files ended early or were damaged. */
  cutsMs: readonly number[]
}

const DAY_MS = 86_400_000
/** Behind it years have five digits. */
const LAST_MS = Date.UTC(10_000, 0, 1)
/** The second written last, as text up to its point: records of one moment come together. */
let secondMs = NaN
let secondText = ''
const TWO = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
const THREE = Array.from({ length: 1000 }, (_, n) => `.${String(n).padStart(3, '0')}Z`)
/** The day of that second. */
let dayMs = NaN
let dayText = ''

/** As `Date.prototype.toISOString`, without a `Date` for each. */
export function rfc3339(timeMs: number): string {
  if (!(timeMs >= 0 && timeMs < LAST_MS)) return new Date(timeMs).toISOString()
  const whole = Math.floor(timeMs)
  let ms = whole - secondMs
  if (!(ms >= 0 && ms < 1000)) {
    let inDay = whole - dayMs
    if (!(inDay >= 0 && inDay < DAY_MS)) {
      inDay = whole % DAY_MS
      dayMs = whole - inDay
      dayText = new Date(dayMs).toISOString().slice(0, 11)
    }
    ms = inDay % 1000
    const second = (inDay - ms) / 1000
    const minute = Math.floor(second / 60)
    secondMs = whole - ms
    secondText = `${dayText}${TWO[Math.floor(minute / 60)]}:${TWO[minute % 60]}:${TWO[second % 60]}`
  }
  return secondText + THREE[ms]
}

function time(timeMs: number): string | undefined {
  return Number.isFinite(timeMs) ? rfc3339(timeMs) : undefined
}

/** Fields of a direction from its totals, with times and sources. */
function directionRecord(
  call: CallEntry,
  direction: Direction,
  context: RecordContext,
): DirectionRecord | undefined {
  const media = call.directions[direction]
  const fields = media.fields(context.scoring)
  const expected = call.sip ? isExpected(call.sip, direction, context.nowMs) : undefined
  if (!fields) return expected === undefined ? undefined : { expected, packets: 0, bytes: 0 }
  const { counts, codecs } = media.totals() ?? { counts: undefined, codecs: [] }
  fields.expected = expected
  const { rtcp } = call
  if (rtcp) Object.assign(fields, rtcp.fields(direction), rtcp.xrFields(direction))
  if (call.endpointFields[direction]) Object.assign(fields, call.endpointFields[direction])
  const beyond = rtcp?.lossBeyondTap(direction)
  if (beyond && counts) {
    fields.lost_before_tap = beyond.beforeTap
    fields.lost_after_tap = beyond.afterTap
    fields.mos_cq_receiver = receiverMosCq(counts, codecs, beyond.afterTap, context.scoring)
  }
  fields.ssrcs = media.ssrcs.map(ssrcText)
  fields.segments = counts?.segments
  fields.first_packet = time(counts?.firstPacket ?? NaN)
  fields.last_packet = time(counts?.lastPacket ?? NaN)
  if (call.encrypted) fields.encrypted = true
  if (media.bursts.length > 0) {
    fields.burst_events = media.bursts.map(({ startMs, endMs, peakMs }) => ({
      start: rfc3339(startMs),
      end: rfc3339(endMs),
      peak_ms: peakMs,
    }))
  }
  return fields
}

const SENDS: readonly MediaDirection[] = ['sendrecv', 'sendonly']
const RECEIVES: readonly MediaDirection[] = ['sendrecv', 'recvonly']

/**
 * Whether media had to flow this way: the call was answered for longer than a second beside its holds, and both
 * descriptions had audio that one would send and the other take. undefined when signalling does not tell.
 */
function isExpected(sip: SipCall, direction: Direction, nowMs: number): boolean | undefined {
  const sinceMs = establishedMs(sip)
  if (sinceMs === undefined) return false
  const endMs = sip.byeMs ?? sip.endMs ?? nowMs
  if (endMs - sinceMs - heldMs(sip.holds, sinceMs, endMs) <= PRESENCE_AFTER_MS) return false
  const [from, to] =
    direction === 'from_caller' ? [sip.callerMedia, sip.calleeMedia] : [sip.calleeMedia, sip.callerMedia]
  const sender = from?.media.find((m) => m.kind === 'audio')
  const receiver = to?.media.find((m) => m.kind === 'audio')
  if (!from || !to) return undefined
  if (!sender || !receiver || sender.port === 0 || receiver.port === 0) return false
  // A hold that was in force to the end says nothing about the time before it.
  if (sip.holds.length > 0) return true
  return SENDS.includes(sender.direction) && RECEIVES.includes(receiver.direction)
}

/** When the call was up: its answer, else the first sign of a call whose beginning the capture missed. */
export function establishedMs(sip: SipCall): number | undefined {
  return sip.answerMs ?? sip.ackMs ?? (sip.sawInvite || sip.state === 'failed' ? undefined : sip.inviteMs)
}

function sipRecord(sip: SipCall): SipRecord {
  const timings = callTimings(sip)
  const { caller, callee } = sip.userAgents
  return {
    transport: sip.transport,
    status: sip.finalStatus,
    reason: sip.finalReason,
    pdd_ms: timings.pddMs,
    setup_ms: timings.setupMs,
    ring_ms: timings.ringMs,
    ended_by: sip.endedBy,
    retransmissions: sip.retransmissions,
    user_agents: caller !== undefined || callee !== undefined ? { caller, callee } : undefined,
    session_id: sip.sessionId,
    release_cause: sip.reasonHeader,
  }
}

/** Lowest class of what the call shows; `broken` when media that had to flow did not, or mostly did not arrive. */
function callQuality(
  { withoutRoom }: CallEntry,
  media: CallRecord['media'],
  mosCqMin: number | undefined,
  context: RecordContext,
): Quality {
  const { quality } = context.config
  for (const direction of DIRECTIONS) {
    const fields = media[direction]
    if (!fields) continue
    const isMissing = fields.expected && fields.packets === 0 && !withoutRoom.includes(direction)
    if (isMissing && context.mediaOnTap) return 'broken'
    const bad = (fields.loss_percent ?? 0) + (fields.late_percent ?? 0)
    if (fields.packets > 0 && bad > quality.broken_percent) return 'broken'
  }
  return qualityClass(mosCqMin, quality)
}

function lowestMos(media: CallRecord['media']): number | undefined {
  let lowest: number | undefined
  for (const direction of DIRECTIONS) {
    const fields = media[direction]
    if (fields?.expected && fields.packets === 0) return undefined
    const mos = fields?.mos_cq_min
    if (mos !== undefined && (lowest === undefined || mos < lowest)) lowest = mos
  }
  return lowest
}

/** The call's health record. */
export function callRecord(call: CallEntry, context: RecordContext): CallRecord {
  const media: CallRecord['media'] = {
    from_caller: directionRecord(call, 'from_caller', context),
    from_callee: directionRecord(call, 'from_callee', context),
  }
  const mosCqMin = lowestMos(media)
  const common = {
    media,
    mos_cq_min: mosCqMin,
    quality: callQuality(call, media, mosCqMin, context),
    findings: [],
    validity: validity(call, media, context),
  }
  return call.sip ? signalledRecord(call, call.sip, common, context) : mediaOnlyRecord(call, common, context)
}

/** End-to-end and per-leg round trips by RTCP. */
function noteRoundTrips(record: CallRecord, { endToEnd, legs }: NonNullable<CallEntry['rtcp']>): void {
  record.rtt_p50_ms = endToEnd.percentile(50)
  record.rtt_p95_ms = endToEnd.percentile(95)
  if (endToEnd.count > 0) record.rtt_max_ms = endToEnd.maximum
  record.caller_leg_rtt_p50_ms = legs.caller.percentile(50)
  record.callee_leg_rtt_p50_ms = legs.callee.percentile(50)
}

type CommonFields = Pick<CallRecord, 'media' | 'mos_cq_min' | 'quality' | 'findings' | 'validity'>

function signalledRecord(
  call: CallEntry,
  sip: SipCall,
  common: CommonFields,
  context: RecordContext,
): CallRecord {
  const endMs = sip.byeMs ?? sip.endMs
  const over = sip.state !== 'in_progress'
  const answered = sip.answerMs !== undefined && sip.byeMs !== undefined
  const record = newCallRecord(sip.callId, rfc3339(sip.inviteMs), sip.state, common, context)
  if (over && endMs !== undefined) record.end = rfc3339(endMs)
  if (answered) record.duration_s = Math.max(0, ((sip.byeMs ?? 0) - (sip.answerMs ?? 0)) / 1000)
  record.caller = sip.caller || undefined
  record.callee = sip.callee || undefined
  record.caller_address = sip.callerSignalling.address
  record.callee_address = sip.calleeSignalling.address
  Object.assign(record, placesOf(call, context))
  if (isEmergency(sip, context.emergencyNumbers)) record.emergency = true
  if (call.leg) {
    record.leg = call.leg.role
    record.leg_of = call.leg.role === 'further' ? call.leg.of : undefined
    record.leg_confidence = call.leg.confidence
    record.leg_evidence = call.leg.evidence
  }
  record.sip = sipRecord(sip)
  if (call.rtcp) noteRoundTrips(record, call.rtcp)
  if (sip.holds.length > 0) record.hold_ms = heldMs(sip.holds, sip.inviteMs, endMs ?? context.nowMs)
  record.transferred_by = sip.referredBy
  record.related_calls = relatedCalls(call, sip)
  return record
}

/** A record with every field there from the start, as in `newDraft`. */
function newCallRecord(
  callId: string,
  start: string,
  state: CallRecord['state'],
  { media, mos_cq_min, quality, findings, validity }: CommonFields,
  { config }: RecordContext,
): CallRecord {
  const u = undefined
  return {
    type: 'call', schema: RECORD_SCHEMA, call_id: callId, probe: config.probe, start, end: u, duration_s: u, state, quality,
    caller: u, callee: u, caller_address: u, callee_address: u, caller_site: u, callee_site: u, trunk: u, emergency: u,
    leg: u, leg_of: u, leg_confidence: u, leg_evidence: u, sip: u, media, mos_cq_min,
    rtt_p50_ms: u, rtt_p95_ms: u, rtt_max_ms: u, caller_leg_rtt_p50_ms: u, callee_leg_rtt_p50_ms: u,
    hold_ms: u, transferred_by: u, related_calls: u, findings, validity,
  } // prettier-ignore
}

/** By Replaces and REFER, and the other legs. */
function relatedCalls(call: CallEntry, sip: SipCall): string[] | undefined {
  if (sip.relatedCallIds.length === 0 && !call.related) return undefined
  const ids = [...new Set([...sip.relatedCallIds, ...(call.related ?? [])])]
  return ids.length > 0 ? ids : undefined
}

function mediaOnlyRecord(call: CallEntry, common: CommonFields, context: RecordContext): CallRecord {
  const { first, last } = mediaSpan(common.media)
  const [caller, callee] = mediaAddresses(call)
  const record = newCallRecord(call.callId, first ?? rfc3339(context.nowMs), 'media_only', common, context)
  record.end = last
  if (first !== undefined && last !== undefined)
    record.duration_s = (Date.parse(last) - Date.parse(first)) / 1000
  record.caller_address = caller
  record.callee_address = callee
  Object.assign(record, placesOf(call, context))
  if (call.rtcp) noteRoundTrips(record, call.rtcp)
  return record
}
