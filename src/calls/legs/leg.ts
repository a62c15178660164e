import type { CallEntry } from '../call-entry.js'
import type { Confidence } from '../records.js'

/** What shows that two calls are legs of one, from the surest to the least sure. */
export type LegEvidence = 'session_id' | 'header' | 'media' | 'numbers'

/** A call's place among the legs of one call through a B2BUA or SBC. */
export interface Leg {
  role: 'first' | 'further'
  /** Call-ID of the first leg; of a first leg its own. */
  of: string
  confidence: Confidence
  evidence: LegEvidence
  /** The leg that it was joined with (of several, the first). */
  peer: CallEntry
}

/** Numbers shorter than this are compared whole (extensions). */
const SHORTEST_NUMBER = 7

/**
 * What is left of a number when prefixes are taken off: its last seven digits, as B2BUAs add and remove country codes
 * and trunk prefixes. A name, or a short number, is itself.
 */
export function numberKey(number: string): string {
  const digits = number.replace(/[\s().-]/g, '').replace(/^\+/, '')
  if (/^\d+$/.test(digits)) return digits.slice(-SHORTEST_NUMBER)
  return number.toLowerCase()
}
