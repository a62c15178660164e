import type { SipMessage } from './message.js'
import { MAX_RELATED_CALLS, pushUnique, type CallTrack } from './tracker-call.js'

/** Relations kept for calls that were not seen yet. */
const MAX_WAITING = 1_000

/** Call-ID of a Replaces value: what precedes its parameters (RFC 3891 6.1). */
function replacedCallId(value: string): string {
  return value.split(';', 1)[0].trim()
}

/** Call-ID of the dialog that a Refer-To URI asks to replace (RFC 3891, embedded header, percent-encoded). */
function referredCallId(referTo: string): string | undefined {
  const embedded = /[?&]Replaces=([^&>\s]+)/i.exec(referTo)
  if (!embedded) return undefined
  try {
    return replacedCallId(decodeURIComponent(embedded[1]))
  } catch {
    return replacedCallId(embedded[1])
  }
}

/** Call-IDs that an INVITE or REFER names as belonging together with its own. */
export function namedCallIds(message: SipMessage): string[] {
  const named: string[] = []
  const replaces = message.header('replaces')
  if (replaces) named.push(replacedCallId(replaces))
  const referTo = message.header('refer-to')
  const referred = referTo === undefined ? undefined : referredCallId(referTo)
  if (referred) named.push(referred)
  return named.filter((callId) => callId !== '' && callId !== message.callId)
}

/** Links calls both ways, also when the call that is named comes later. */
export class CallRelations {
  private readonly waiting = new Map<string, string[]>()

  /** @param newest the latest call with a Call-ID */
  constructor(private readonly newest: (callId: string) => CallTrack | undefined) {}

  link(track: CallTrack, callId: string): void {
    pushUnique(track.call.relatedCallIds, callId, MAX_RELATED_CALLS)
    const other = this.newest(callId)
    if (other) {
      pushUnique(other.call.relatedCallIds, track.call.callId, MAX_RELATED_CALLS)
      return
    }
    const known = this.waiting.get(callId)
    if (known) {
      pushUnique(known, track.call.callId, MAX_RELATED_CALLS)
      return
    }
    if (this.waiting.size >= MAX_WAITING) {
      for (const oldest of this.waiting.keys()) {
        this.waiting.delete(oldest)
        break
      }
    }
    this.waiting.set(callId, [track.call.callId])
  }

  /** Tells a new call who named it before it came. */
  welcome(track: CallTrack): void {
    const naming = this.waiting.get(track.call.callId)
    if (!naming) return
    this.waiting.delete(track.call.callId)
    for (const callId of naming) pushUnique(track.call.relatedCallIds, callId, MAX_RELATED_CALLS)
  }
}
