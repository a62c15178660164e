import { redactSip } from '../privacy/sip-text.js'

/**
 * What may be shown of texts that reach the report outside records. Records come transformed already; the same mode has
 * to act here.
 */
export interface ReportText {
  /** For the page: `none`, `mask`, `hash`. */
  readonly mode: string
  /** A whole SIP message; undefined: it may not be shown. */
  sip(text: string): string | undefined
  /** A name or sentence. */
  text(text: string): string
  /** An address, without port. */
  address(text: string): string
}

/** Everything as it was, but for keys, credentials and dialled digits. */
export const PLAIN_TEXT: ReportText = {
  mode: 'none',
  sip: (text) => redactSip(text),
  text: (text) => text,
  address: (text) => text,
}
