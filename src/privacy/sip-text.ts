import type { Pseudonyms } from './pseudonyms.js'
import { redactIdentities } from './sip-identities.js'
import { secretSpans } from './sip-secrets.js'

export const REDACTED = '[redacted]'

export interface SipRedaction {
  /** Leave keys, credentials and digits as they are. */
  keepSecrets?: boolean
  /** Replaces numbers, names and addresses; absent: they stay. */
  names?: Pseudonyms
}

/** A SIP message as it may be shown: without secrets (`secretSpans`), and without identities when `names` is given. */
export function redactSip(text: string, { keepSecrets = false, names }: SipRedaction = {}): string {
  const open = keepSecrets ? text : withoutSecrets(text)
  return names === undefined ? open : redactIdentities(open, names)
}

function withoutSecrets(text: string): string {
  let shown = ''
  let at = 0
  for (const { start, end } of secretSpans(text)) {
    shown += text.slice(at, start) + REDACTED
    at = end
  }
  return shown + text.slice(at)
}
