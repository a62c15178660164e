import type { Party } from './call.js'
import type { SipMessage } from './message.js'
import type { CallTrack } from './tracker-call.js'

/** Characters kept of a text that the network chose. */
export const MAX_TEXT = 256

/** Software of a party: User-Agent, or Server in responses (RFC 3261 20.35, 20.41). The latest one counts. */
export function noteUserAgent(track: CallTrack, party: Party, message: SipMessage): void {
  const name =
    message.header('user-agent') ?? (message.kind === 'response' ? message.header('server') : undefined)
  if (name) track.call.userAgents[party] = name.slice(0, MAX_TEXT)
}

/** Reason headers (RFC 3326) of BYE, CANCEL or a failure. */
export function noteReason(track: CallTrack, message: SipMessage): void {
  const reasons = message.headers('reason')
  if (reasons.length > 0) track.call.reasonHeader = reasons.join(', ').slice(0, MAX_TEXT)
}

/** The sender's own half of Session-ID (RFC 7989 5). */
export function sessionIdOf(message: SipMessage): string | undefined {
  const local = message.header('session-id')?.split(';', 1)[0].trim()
  return local ? local.slice(0, MAX_TEXT) : undefined
}
