import type { FindingGroup } from '../calls/records.js'
import { chanceOf } from './chance.js'

/** Calls from which a common trait says something. */
export const LEAST_CALLS = 3
/** So many of the calls with a finding have the trait, */
export const LEAST_SHARE = 0.7
/** and with it the finding is so many times as frequent as elsewhere, where there are calls to compare with. */
export const LEAST_LIFT = 3
export const LEAST_ELSEWHERE = 3
/** Chance alone may make as much of it once in so many times: of a few calls a trait says nothing. */
const MOST_CHANCE = 1 / 20
/** Traits named for one finding. */
export const MOST_GROUPS = 3

/** Calls in a fourfold table: with the trait and the finding, with the trait, with the finding, all. */
export interface TraitCounts {
  calls: number
  ofCalls: number
  affected: number
  total: number
}

/**
 * How much a trait tells: undefined when it is not what the affected calls have in common and others have not.
 * @param times so many times as frequent with it as without
 */
export function tellingOf(
  { calls, ofCalls, affected, total }: TraitCounts,
  times = LEAST_LIFT,
): number | undefined {
  const elsewhere = total - ofCalls
  if (calls < LEAST_CALLS || calls < LEAST_SHARE * affected || elsewhere < LEAST_ELSEWHERE) return undefined
  const rate = calls / ofCalls
  const rateElsewhere = (affected - calls) / elsewhere
  if (rate < times * rateElsewhere || chanceOf({ calls, ofCalls, affected, total }) > MOST_CHANCE)
    return undefined
  return (calls / affected) * (rate - rateElsewhere)
}

const VERBS: Record<FindingGroup['dimension'], (value: string) => string> = {
  trunk: (value) => `cross trunk ${value}`,
  site_pair: (value) => `are between sites ${value}`,
  codec: (value) => `use ${value}`,
  user_agent: (value) => `involve ${value}`,
  dscp: (value) => `have DSCP class ${value}`,
  host: (value) => `involve ${value}`,
  time: (value) => `began within ${value} UTC`,
}

/** "cross trunk A since 18:02 (14 of 54 calls there, 1 of 81 elsewhere)" */
export function traitText(group: FindingGroup, since = group.since): string {
  const { dimension, value, calls, of_calls, calls_elsewhere, of_calls_elsewhere } = group
  const when = dimension === 'time' ? '' : ` since ${clockText(Date.parse(since ?? ''))}`
  return `${VERBS[dimension](value)}${when} (${calls} of ${of_calls} calls there, ${calls_elsewhere} of ${of_calls_elsewhere} elsewhere)`
}

/** Hours and minutes, UTC. */
export function clockText(timeMs: number): string {
  return Number.isFinite(timeMs) ? new Date(timeMs).toISOString().slice(11, 16) : '?'
}
