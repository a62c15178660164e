import type { SipCall } from './call.js'

/** Set-up times of a call in ms, absent when an event they need was not seen. */
export interface CallTimings {
  /** Post-dial delay: INVITE to the first provisional response other than 100, or to the final one. */
  pddMs?: number
  /** INVITE to 2xx. */
  setupMs?: number
  /** First 180 to 2xx. */
  ringMs?: number
}

/**
 * Set-up times, counted from the attempt's first INVITE (challenges and redirections included, as the caller waits
 * for those too). A response captured before its request counts as 0 ms.
 */
export function callTimings(call: SipCall): CallTimings {
  const timings: CallTimings = {}
  const { inviteMs, answerMs, ringingMs } = call
  if (call.sawInvite) {
    const failedMs = call.state === 'failed' && call.finalStatus !== undefined ? call.endMs : undefined
    const firstSignMs = call.progressMs ?? answerMs ?? failedMs
    if (firstSignMs !== undefined) timings.pddMs = Math.max(0, firstSignMs - inviteMs)
    if (answerMs !== undefined) timings.setupMs = Math.max(0, answerMs - inviteMs)
  }
  if (ringingMs !== undefined && answerMs !== undefined) timings.ringMs = Math.max(0, answerMs - ringingMs)
  return timings
}
