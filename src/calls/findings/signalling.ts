import type { SipCall } from '../../sip/call.js'
import type { Confidence, Finding } from '../records.js'
import type { CallEvidence } from './evidence.js'
import { countText, finding, timeText } from './finding.js'
import type { CaptureFaults } from './mirror.js'

/** How an attempt failed, for those that count as failures of the network or of equipment. */
type FailureClass = 'server' | 'global' | 'codec_negotiation' | 'unavailable' | 'timeout' | 'no_response'

/** Q.850 causes by which a gateway says that the user, not the network, refused or did not answer. */
const USER_CAUSES = new Set([16, 17, 18, 19, 20, 21, 31])
const CODEC_STATUS = new Set([415, 488, 606])
/** Busy, declined and unwanted (RFC 8197) are answers of people. */
const PERSONAL_STATUS = new Set([600, 603, 607])
/** One-way delay over this is "unsatisfactory" for planning (G.114). */
const CRITICAL_DELAY_MS = 400

/** How the call was set up and ended, and how long its signals and media travel. */
export function signallingFindings(call: CallEvidence, faults: CaptureFaults): Finding[] {
  const { sip } = call
  const found: (Finding | undefined)[] = [highDelay(call)]
  if (sip && faults.hidden === undefined) {
    found.push(setupFailed(call, sip), slowSetup(call, sip), shortCall(call), retransmissions(call, sip))
  }
  return found.filter((f) => f !== undefined)
}

/** undefined for what a person decided, and for wrong numbers. */
export function failureClass(sip: SipCall): FailureClass | undefined {
  const status = sip.finalStatus
  if (sip.state === 'timeout') {
    return sip.answerMs === undefined && sip.tryingMs === undefined && sip.progressMs === undefined
      ? 'no_response'
      : undefined
  }
  if (sip.state !== 'failed' || status === undefined) return undefined
  if (USER_CAUSES.has(q850Cause(sip) ?? -1)) return undefined
  if (CODEC_STATUS.has(status)) return 'codec_negotiation'
  if (status >= 500 && status < 600) return 'server'
  if (status >= 600) return PERSONAL_STATUS.has(status) ? undefined : 'global'
  // After ringing these say that nobody answered.
  if (sip.ringingMs !== undefined) return undefined
  if (status === 408) return 'timeout'
  return status === 480 ? 'unavailable' : undefined
}

/** `Q.850;cause=34` (RFC 3326). */
function q850Cause(sip: SipCall): number | undefined {
  const match = /Q\.850\s*;[^,]*?\bcause\s*=\s*(\d{1,3})/i.exec(sip.reasonHeader ?? '')
  return match ? Number(match[1]) : undefined
}

const CLASS_TEXT: Record<FailureClass, string> = {
  server: 'a server on the way failed',
  global: 'no destination takes the call',
  codec_negotiation: 'the two sides have no codec or media in common',
  unavailable: 'the network does not reach the callee',
  timeout: 'the callee or a server on the way did not answer in time',
  no_response: 'nothing on the way answered at all',
}

function setupFailed(call: CallEvidence, sip: SipCall): Finding | undefined {
  const failure = failureClass(sip)
  if (failure === undefined) return undefined
  const cause = q850Cause(sip)
  const afterMs = sip.sawInvite ? Math.max(0, (sip.endMs ?? call.endMs) - sip.inviteMs) : undefined
  const after = afterMs === undefined ? '' : ` after ${timeText(afterMs)}`
  let confidence: Confidence = 'high'
  if (failure === 'unavailable') confidence = cause === undefined ? 'low' : 'medium'
  if (failure === 'timeout') confidence = 'medium'
  // Over UDP a client repeats what nobody answers: one INVITE alone is a piece of a call.
  if (failure === 'no_response') confidence = sip.retransmissions > 0 ? 'medium' : 'low'
  if (!sip.sawInvite) confidence = 'low'
  const answer =
    sip.finalStatus === undefined
      ? 'got no response'
      : `was refused with ${sip.finalStatus} ${sip.finalReason ?? ''}`
  return finding({
    code: 'setup_failed',
    severity: failure === 'codec_negotiation' || confidence === 'low' ? 'warning' : 'critical',
    confidence,
    evidence: {
      class: failure,
      status: sip.finalStatus,
      reason: sip.finalReason,
      q850_cause: cause,
      after_ms: afterMs,
      retransmissions: sip.retransmissions,
    },
    message: `The call ${answer.trimEnd()}${after}: ${CLASS_TEXT[failure]}.`,
  })
}

function slowSetup({ record, thresholds }: CallEvidence, sip: SipCall): Finding | undefined {
  if (record.sip?.pdd_ms === undefined) return undefined
  // The time that the caller's own side took to come back with credentials is not the network's.
  const pddMs = record.sip.pdd_ms - (sip.challengeWaitMs ?? 0)
  if (pddMs <= thresholds.slow_setup_ms) return undefined
  const failure = failureClass(sip)
  if (failure === 'timeout' || failure === 'no_response') return undefined
  return finding({
    code: 'slow_setup',
    severity: 'warning',
    confidence: 'high',
    evidence: {
      pdd_ms: record.sip.pdd_ms,
      challenge_wait_ms: sip.challengeWaitMs,
      setup_ms: record.sip?.setup_ms,
      trying_after_ms: sip.tryingMs === undefined ? undefined : sip.tryingMs - sip.inviteMs,
      challenges: sip.authChallenges,
      retransmissions: sip.retransmissions,
    },
    message: `The caller heard nothing for ${timeText(pddMs)} after dialling${
      sip.retransmissions > 0 ? ', and messages had to be repeated' : ''
    }.`,
  })
}

function shortCall({ record, thresholds }: CallEvidence): Finding | undefined {
  const { duration_s: duration, state } = record
  if (state !== 'completed' || duration === undefined || duration >= thresholds.short_call_s) return undefined
  const trouble = record.quality === 'poor' || record.quality === 'broken'
  return finding({
    code: 'short_call',
    severity: trouble ? 'warning' : 'info',
    confidence: trouble ? 'medium' : 'low',
    evidence: { duration_s: duration, ended_by: record.sip?.ended_by, quality: record.quality },
    message: `The ${record.sip?.ended_by ?? 'caller'} hung up ${timeText(duration * 1000)} after the answer${
      trouble ? ', and the call was bad' : ''
    }.`,
  })
}

function retransmissions({ thresholds }: CallEvidence, sip: SipCall): Finding | undefined {
  const count = sip.retransmissions
  // An INVITE that nobody answers is repeated by rule: then it is the failure that counts.
  if (count < thresholds.retransmissions || failureClass(sip) === 'no_response') return undefined
  const noAck = sip.answerMs !== undefined && sip.ackMs === undefined
  return finding({
    code: 'retransmissions',
    severity: 'warning',
    confidence: count >= 2 * thresholds.retransmissions || noAck ? 'high' : 'medium',
    evidence: { retransmissions: count, transport: sip.transport, ack_seen: sip.ackMs !== undefined },
    message: noAck
      ? `SIP messages were repeated ${countText(count, 'time')} and no ACK to the answer was seen: it does not find its way to the callee, who will drop the call.`
      : `SIP messages were repeated ${countText(count, 'time')}: signalling is lost, or a server is slow to answer.`,
  })
}

function highDelay({ record, thresholds }: CallEvidence): Finding | undefined {
  const { from_caller, from_callee } = record.media
  const slower =
    (from_caller?.delay_p50_ms ?? 0) >= (from_callee?.delay_p50_ms ?? 0) ? from_caller : from_callee
  const rttMs = record.rtt_p50_ms
  const oneWayMs = slower?.delay_source === 'assumed' ? undefined : slower?.delay_p50_ms
  const byRtt = rttMs !== undefined && rttMs > thresholds.rtt_ms
  const byOneWay = oneWayMs !== undefined && oneWayMs > thresholds.one_way_delay_ms
  if (!byRtt && !byOneWay) return undefined
  const bufferMs = slower?.buffer_delay_ms
  const estimated = slower?.delay_source === 'sip'
  // Most of it in the jitter buffer: that is the delay variation's doing, and has its own finding.
  if (!byRtt && (bufferMs ?? 0) > (oneWayMs ?? 0) / 2) return undefined
  return finding({
    code: 'high_delay',
    severity: (oneWayMs ?? 0) > CRITICAL_DELAY_MS ? 'critical' : 'warning',
    // Programs that are slow to answer make SIP's round trips longer than the network's.
    confidence: estimated ? 'low' : 'high',
    evidence: {
      one_way_delay_ms: oneWayMs,
      rtt_p50_ms: rttMs,
      rtt_p95_ms: record.rtt_p95_ms,
      caller_leg_rtt_p50_ms: record.caller_leg_rtt_p50_ms,
      callee_leg_rtt_p50_ms: record.callee_leg_rtt_p50_ms,
      buffer_delay_ms: bufferMs,
      delay_source: slower?.delay_source,
    },
    message: `Speech takes ${timeText(oneWayMs ?? (rttMs ?? 0) / 2)} from mouth to ear${legText(record)}: people talk over each other.`,
  })
}

/** Which leg has most of it. */
function legText({
  caller_leg_rtt_p50_ms: caller,
  callee_leg_rtt_p50_ms: callee,
}: CallEvidence['record']): string {
  if (caller === undefined || callee === undefined) return ''
  const side = caller >= callee ? 'caller' : 'callee'
  return `, most of it on the ${side}'s side of the tap (${timeText(Math.max(caller, callee))} there and back)`
}
