import type { FindingGroup } from '../calls/records.js'
import type { AffectedCall, Evidence } from './bad-sample.js'

/** What bad calls have in common and others have not, the most telling first; at least one. */
export interface SharedTraits {
  groups: readonly FindingGroup[]
  /** Among the calls of one path (trunk, ...) only, not over all of the rule. */
  isHere: boolean
}

/** What a group's window says now. Times in ms since the epoch, NaN when nothing was bad. */
export interface Reading {
  /** undefined: nothing can be said. */
  value: number | undefined
  /** There are enough samples, calls and parties for the value to mean anything. */
  isEnough: boolean
  firstBadMs: number
  lastBadMs: number
  affected: readonly AffectedCall[]
  streamsAffected?: number
  streamsActive?: number
  evidence?: Evidence
  /** For rules on what bad calls have in common. */
  shared?: SharedTraits
}

/** One rule over the samples that share its `group_by`. */
export interface RuleGroup {
  read(nowMs: number): Reading
  /** Nothing is in its window any more. */
  isEmpty(nowMs: number): boolean
}

export const NOTHING: Reading = {
  value: undefined,
  isEnough: false,
  firstBadMs: NaN,
  lastBadMs: NaN,
  affected: [],
}

/** A threshold, and what is usual where that made it. */
export interface Threshold {
  above?: number
  below?: number
  clear?: number
  usual?: number
}

/** Whether the value is on the bad side of the threshold. */
export function isBeyond(value: number, { above, below }: Threshold): boolean {
  if (above !== undefined) return value > above
  return below !== undefined && value < below
}

/** Whether it is on the calm side of the hysteresis. */
export function isCalm(value: number, { above, below, clear }: Threshold): boolean {
  if (above !== undefined) return value <= (clear ?? above)
  return below === undefined || value >= (clear ?? below)
}
