import type { SipCall } from '../sip/call.js'

/** Longer than this, a response waited for something else than the network. */
const LONGEST_MS = 2000

/**
 * Round trip between the parties as signalling shows it, ms: tap to callee by INVITE -> 100 (which the next hop sends
 * at once), tap to caller by 2xx -> ACK. An estimate: proxies answer for the callee, and programs take their time.
 * undefined when either is missing or implausible.
 */
export function sipRoundTripMs(sip: SipCall): number | undefined {
  const { inviteMs, tryingMs, answerMs, ackMs, sawInvite } = sip
  if (!sawInvite || tryingMs === undefined || answerMs === undefined || ackMs === undefined) return undefined
  const calleeLegMs = tryingMs - inviteMs
  const callerLegMs = ackMs - answerMs
  const plausible = (ms: number): boolean => ms >= 0 && ms <= LONGEST_MS
  return plausible(calleeLegMs) && plausible(callerLegMs) ? calleeLegMs + callerLegMs : undefined
}
