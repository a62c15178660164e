import type { SipCall } from '../sip/call.js'

/** Longer than this, a response waited for something else than the network. */
const LONGEST_MS = 2000

/** What of a call's signalling shows how long messages are on the way. */
export type SipTimes = Pick<
  SipCall,
  | 'sawInvite'
  | 'inviteMs'
  | 'tryingMs'
  | 'answerMs'
  | 'ackMs'
  | 'byeMs'
  | 'byeAnswerMs'
  | 'endedBy'
  | 'calleeSignalling'
  | 'calleeMedia'
>

/**
 * Round trip between the parties as signalling shows it, ms. Tap to callee and back: INVITE -> 100, and BYE -> 200 when
 * the caller hung up; tap to caller and back: 2xx -> ACK, and BYE -> 200 when the callee did. Of two the smaller counts,
 * as programs take their time. A proxy answers INVITE itself, and its 100 says nothing of the callee: where the callee's
 * media come from another address than its signalling, BYE -> 200 counts when it was seen. An estimate all the same.
 * undefined when a leg is not known, or implausible.
 */
export function sipRoundTripMs(sip: SipTimes): number | undefined {
  const byeMs = plausible(sip.byeMs, sip.byeAnswerMs)
  const calleeByeMs = sip.endedBy === 'caller' ? byeMs : undefined
  const callerByeMs = sip.endedBy === 'callee' ? byeMs : undefined
  const tryingMs = sip.sawInvite ? plausible(sip.inviteMs, sip.tryingMs) : undefined
  const calleeLegMs =
    calleeByeMs !== undefined && isBehindProxy(sip) ? calleeByeMs : smaller(tryingMs, calleeByeMs)
  const callerLegMs = smaller(plausible(sip.answerMs, sip.ackMs), callerByeMs)
  return calleeLegMs === undefined || callerLegMs === undefined ? undefined : calleeLegMs + callerLegMs
}

function isBehindProxy({ calleeSignalling, calleeMedia }: SipTimes): boolean {
  const audio = calleeMedia?.media.find((media) => media.kind === 'audio')
  return audio !== undefined && audio.address !== calleeSignalling.address
}

function plausible(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  if (fromMs === undefined || toMs === undefined) return undefined
  const ms = toMs - fromMs
  return ms >= 0 && ms <= LONGEST_MS ? ms : undefined
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}
