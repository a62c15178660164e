import type { GroupValue } from '../aggregates/finding-calls.js'
import { LEAST_CALLS, MOST_GROUPS, tellingOf, type TraitCounts } from '../aggregates/finding-traits.js'
import type { FindingGroup } from '../calls/records.js'
import type { AffectedCall, Evidence } from './bad-sample.js'

/** Calls held per window; of more, the newest. */
const MOST_CALLS = 20_000
/** Different traits told apart at once. */
const MOST_TRAITS = 4096

/** A call as a rule saw it: bad or not. Times in ms since the epoch. */
export interface TraitedCall {
  call: AffectedCall
  traits: readonly GroupValue[]
  isBad: boolean
  evidence?: Evidence
  /** The rule's group it belongs to. */
  group: string
}

interface Trait extends GroupValue {
  key: string
  calls: number
  bad: number
}

interface Held extends TraitedCall {
  timeMs: number
  held: Trait[]
}

/** A trait that stands out, with its counts. */
export interface StandingOut {
  group: FindingGroup
  counts: TraitCounts
  score: number
}

/** Which traits may stand out, and how much they must. */
export interface TraitTest {
  accepts: (value: GroupValue, counts: TraitCounts) => boolean
  /** So many times as frequent with it as without. */
  times?: number
}

const ANY: TraitTest = { accepts: () => true }

/** The calls of a sliding window and what they have in common: bad ones against all, counted as they come and go. */
export class TraitWindow {
  /** Calls that left early, and traits that found no room. */
  overflow = 0
  /** By Call-ID, least recently seen first. */
  private readonly calls = new Map<string, Held>()
  private readonly traits = new Map<string, Trait>()
  private bad = 0

  constructor(private readonly windowMs: number) {}

  /** A call that is seen again (its next interval) is one call; bad once is bad. */
  add(timeMs: number, seen: TraitedCall): void {
    const { callId } = seen.call
    const before = this.calls.get(callId)
    if (before) this.remove(callId, before)
    else if (this.calls.size >= MOST_CALLS) this.removeOldest()
    const isBad = seen.isBad || before?.isBad === true
    const evidence = seen.evidence ?? before?.evidence
    const held = seen.traits.map((value) => this.traitOf(value)).filter((trait) => trait !== undefined)
    for (const trait of held) {
      trait.calls++
      if (isBad) trait.bad++
    }
    if (isBad) this.bad++
    this.calls.set(callId, { ...seen, isBad, evidence, timeMs, held })
  }

  private traitOf(value: GroupValue): Trait | undefined {
    const key = keyOf(value)
    const known = this.traits.get(key)
    if (known) return known
    if (this.traits.size >= MOST_TRAITS) {
      this.overflow++
      return undefined
    }
    const trait = { ...value, key, calls: 0, bad: 0 }
    this.traits.set(key, trait)
    return trait
  }

  private remove(callId: string, { held, isBad }: Held): void {
    this.calls.delete(callId)
    if (isBad) this.bad--
    for (const trait of held) {
      if (isBad) trait.bad--
      if (--trait.calls === 0) this.traits.delete(trait.key)
    }
  }

  private removeOldest(): void {
    for (const [callId, call] of this.calls) {
      this.overflow++
      this.remove(callId, call)
      return
    }
  }

  expire(nowMs: number): void {
    for (const [callId, call] of this.calls) {
      if (call.timeMs > nowMs - this.windowMs) return
      this.remove(callId, call)
    }
  }

  get size(): number {
    return this.calls.size
  }

  get badCalls(): number {
    return this.bad
  }

  /** What stands out over all calls, the most telling first. */
  standOut(test = ANY, most = MOST_GROUPS): StandingOut[] {
    if (this.bad < LEAST_CALLS) return []
    const found = standingOut(this.traits.values(), this.bad, this.calls.size, test, most)
    return found.length === 0 ? found : withBeginnings(found, this.calls.values())
  }

  /** The same among the calls of one of the rule's groups. */
  standOutWithin(group: string): StandingOut[] {
    return standOutOf([...this.calls.values()].filter((call) => call.group === group))
  }

  /** The bad calls that have a trait. */
  badWith(value: GroupValue): Held[] {
    const key = keyOf(value)
    return [...this.calls.values()].filter(
      ({ isBad, held }) => isBad && held.some((trait) => trait.key === key),
    )
  }
}

/** What stands out among calls that are looked at once, as those of active streams. */
export function standOutOf(calls: readonly TraitedCall[]): StandingOut[] {
  const traits = new Map<string, Trait>()
  let bad = 0
  for (const { traits: values, isBad } of calls) {
    if (isBad) bad++
    for (const value of values) {
      const key = keyOf(value)
      let trait = traits.get(key)
      if (!trait) traits.set(key, (trait = { ...value, key, calls: 0, bad: 0 }))
      trait.calls++
      if (isBad) trait.bad++
    }
  }
  if (bad < LEAST_CALLS) return []
  return withBeginnings(standingOut(traits.values(), bad, calls.length, ANY, MOST_GROUPS), calls)
}

function standingOut(
  traits: Iterable<Trait>,
  affected: number,
  total: number,
  { accepts, times }: TraitTest,
  most: number,
): StandingOut[] {
  const found: StandingOut[] = []
  for (const trait of traits) {
    const counts = { calls: trait.bad, ofCalls: trait.calls, affected, total }
    const score = tellingOf(counts, times)
    if (score === undefined || !accepts(trait, counts)) continue
    const group: FindingGroup = {
      dimension: trait.dimension,
      value: trait.value,
      calls: trait.bad,
      of_calls: trait.calls,
      calls_elsewhere: affected - trait.bad,
      of_calls_elsewhere: total - trait.calls,
    }
    found.push({ group, counts, score })
  }
  return found.sort((a, b) => b.score - a.score || placeOf(a) - placeOf(b)).slice(0, most)
}

/** Of traits that tell as much, the configured places come first. */
function placeOf({ group }: StandingOut): number {
  return ORDER.indexOf(group.dimension)
}

const ORDER: readonly FindingGroup['dimension'][] = [
  'trunk',
  'site_pair',
  'user_agent',
  'codec',
  'dscp',
  'host',
]

/** With the start of the first bad call of each. */
function withBeginnings(found: StandingOut[], calls: Iterable<TraitedCall>): StandingOut[] {
  const starts = found.map(() => Infinity)
  for (const { call, traits, isBad } of calls) {
    if (!isBad) continue
    found.forEach(({ group }, k) => {
      if (traits.some(({ dimension, value }) => dimension === group.dimension && value === group.value))
        starts[k] = Math.min(starts[k], call.startMs)
    })
  }
  found.forEach(({ group }, k) => {
    if (Number.isFinite(starts[k])) group.since = new Date(starts[k]).toISOString()
  })
  return found
}

function keyOf({ dimension, value }: GroupValue): string {
  return `${dimension} ${value}`
}
