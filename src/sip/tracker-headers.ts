import type { Party, Referral } from './call.js'
import { parseSipAddress } from './uri.js'
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

/** Headers in which programs hand an identifier of one leg, or of the whole call, to the next. */
const LINK_HEADERS = [
  'x-cid',
  'x-call-id',
  'x-callid',
  'x-original-call-id',
  'x-sip-call-id',
  'cisco-guid',
  'av-global-session-id',
  'x-genesys-calluuid',
  'x-broadworks-correlation-info',
]
/** Shorter ones are flags and counters, which different calls share. */
const SHORTEST_LINK_ID = 8

/** Identifiers that the legs of a call share: icid-value of P-Charging-Vector (RFC 7315 4.6), and LINK_HEADERS. */
export function linkIdsOf(message: SipMessage): string[] | undefined {
  const ids: string[] = []
  const icid = /icid-value="?([^";\s]+)/i.exec(message.header('p-charging-vector') ?? '')
  if (icid) ids.push(icid[1])
  for (const name of LINK_HEADERS) {
    const value = message.header(name)
    if (value !== undefined) ids.push(value.trim())
  }
  const usable = ids.filter((id) => id.length >= SHORTEST_LINK_ID).map((id) => id.slice(0, MAX_TEXT))
  return usable.length > 0 ? usable : undefined
}

/** Whom a REFER asks to call; undefined when it names a dialog to replace, which links the calls already. */
export function referralOf(message: SipMessage, by: Party, timeMs: number): Referral | undefined {
  const referTo = message.header('refer-to')
  if (referTo === undefined || /[?&]Replaces=/i.test(referTo)) return undefined
  const { user, host } = parseSipAddress(referTo).uri
  const target = (user ?? host).slice(0, MAX_TEXT)
  return target === '' ? undefined : { target, timeMs, by }
}
