import type { SipCall } from '../sip/call.js'

/** How a call attempt ended; each attempt has exactly one. Field names of `voip_signalling`. */
export const OUTCOMES = [
  'answered',
  'redirected',
  'busy',
  'declined',
  'no_answer',
  'abandoned',
  'failed_codec',
  'failed_auth',
  'failed_not_found',
  'failed_unavailable',
  'failed_timeout',
  'failed_server',
  'failed_other',
] as const
export type Outcome = (typeof OUTCOMES)[number]

const BY_STATUS: ReadonlyMap<number, Outcome> = new Map<number, Outcome>([
  [486, 'busy'],
  [600, 'busy'],
  [603, 'declined'],
  [607, 'declined'],
  [608, 'declined'],
  [415, 'failed_codec'],
  [488, 'failed_codec'],
  [606, 'failed_codec'],
  [401, 'failed_auth'],
  [402, 'failed_auth'],
  [403, 'failed_auth'],
  [407, 'failed_auth'],
  [404, 'failed_not_found'],
  [410, 'failed_not_found'],
  [484, 'failed_not_found'],
  [485, 'failed_not_found'],
  [604, 'failed_not_found'],
  [480, 'failed_unavailable'],
  [408, 'failed_timeout'],
  [487, 'abandoned'],
])
/** After ringing these say that nobody picked up. */
const UNANSWERED_AFTER_RINGING: ReadonlySet<Outcome> = new Set<Outcome>([
  'abandoned',
  'failed_unavailable',
  'failed_timeout',
])
/** RFC 6076 4.7, beside 200. */
const EFFECTIVE = new Set([480, 486, 600, 603])
/** RFC 6076 4.8. */
const INEFFECTIVE = new Set([408, 500, 503, 504])
/** E.425: the far end was reached, and what follows is the user's or the phone's doing. */
const DELIVERED: ReadonlySet<Outcome> = new Set<Outcome>([
  'answered',
  'busy',
  'declined',
  'no_answer',
  'failed_unavailable',
])

export interface AttemptOutcome {
  outcome: Outcome
  /** Of the final response, undefined when there was none. */
  status: number | undefined
  effective: boolean
  ineffective: boolean
  seized: boolean
  delivered: boolean
}

/** Whether it rang: 180, or 183 with whatever the caller then heard. */
function rang(sip: SipCall): boolean {
  return sip.ringingMs !== undefined || sip.progressMs !== undefined
}

function outcomeOf(sip: SipCall, status: number | undefined): Outcome {
  if (sip.answerMs !== undefined || sip.state === 'completed') return 'answered'
  const plain = sip.state === 'cancelled' ? 'abandoned' : statusOutcome(status)
  return rang(sip) && UNANSWERED_AFTER_RINGING.has(plain) ? 'no_answer' : plain
}

function statusOutcome(status: number | undefined): Outcome {
  if (status === undefined) return 'failed_timeout'
  const known = BY_STATUS.get(status)
  if (known) return known
  if (status >= 300 && status < 400) return 'redirected'
  return status >= 500 && status < 600 ? 'failed_server' : 'failed_other'
}

/**
 * What became of an attempt that is decided. An INVITE without a final response counts as 408 (RFC 3261 8.1.3.1). A
 * bid is no seizure when nothing answered it, or 503 did, which is what a gateway makes of "no circuit available"
 * (RFC 3398 7.2.4.1).
 */
export function attemptOutcome(sip: SipCall): AttemptOutcome {
  const answered = sip.answerMs !== undefined || sip.state === 'completed'
  const status = answered ? 200 : sip.state === 'timeout' ? undefined : sip.finalStatus
  const outcome = outcomeOf(sip, status)
  const responded = status !== undefined || sip.tryingMs !== undefined || rang(sip)
  return {
    outcome,
    status,
    effective: answered || (status !== undefined && EFFECTIVE.has(status)),
    ineffective: !answered && (sip.state === 'timeout' || (status !== undefined && INEFFECTIVE.has(status))),
    seized: responded && status !== 503,
    delivered: DELIVERED.has(outcome) && status !== 503,
  }
}
