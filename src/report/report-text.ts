import { KeyedHash } from '../privacy/keyed-hash.js'
import { Pseudonyms, type HidingMode } from '../privacy/pseudonyms.js'
import { redactSip } from '../privacy/sip-text.js'

/** What is shown of raw SIP. Plain data: messages are made ready for the page on another thread. */
export interface SipShown {
  /** Left out, without secrets, or as it was. */
  what: 'none' | 'redacted' | 'full'
  /** Numbers, names and addresses in it are replaced. */
  pseudonyms?: { mode: HidingMode; key: Uint8Array }
}

/**
 * What may be shown of texts that reach the report outside records. Records come transformed already; the same mode has
 * to act here.
 */
export interface ReportText {
  /** For the page: `none`, `mask`, `hash`. */
  readonly mode: string
  readonly sip: SipShown
  /** A name or sentence. */
  text(text: string): string
  /** A phrase that a party sent, as in a status line. */
  phrase(text: string): string
  /** An address, without port. */
  address(text: string): string
}

/** Everything as it was, but for keys, credentials and dialled digits. */
export const PLAIN_TEXT: ReportText = {
  mode: 'none',
  sip: { what: 'redacted' },
  text: (text) => text,
  phrase: (text) => text,
  address: (text) => text,
}

/** Makes a SIP message what may be shown of it; undefined: nothing. */
export function sipShower({ what, pseudonyms }: SipShown): ((text: string) => string) | undefined {
  if (what === 'none') return undefined
  const names = pseudonyms && new Pseudonyms(pseudonyms.mode, new KeyedHash(pseudonyms.key))
  return (text) => redactSip(text, { keepSecrets: what === 'full', names })
}
