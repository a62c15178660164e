import type { GroupValue } from '../aggregates/finding-calls.js'
import { LEAST_CALLS, MOST_GROUPS, tellingOf, type TraitCounts } from '../aggregates/finding-traits.js'
import type { FindingDimension, FindingGroup } from '../calls/records.js'
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

/** What comparing needs of a call. */
type CountedCall = Pick<TraitedCall, 'traits' | 'isBad'> & { call?: AffectedCall }

interface Trait extends GroupValue {
  calls: number
  bad: number
}

/** What is kept of a call: of good ones only that they were there, as there are many. */
interface Held {
  callId: string
  timeMs: number
  group: string
  isBad: boolean
  traits: readonly Trait[]
  /** Of bad ones. */
  call?: AffectedCall
  evidence?: Evidence
  older?: Held
  newer?: Held
}

/** A bad call of the window. */
export interface BadCall {
  timeMs: number
  call: AffectedCall
  evidence?: Evidence
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
  private readonly calls = new Map<string, Held>()
  /**
   * The calls by when they were last seen. A list of its own: the first entry of a Map that loses its first entry again and
   * again is found ever more slowly.
   */
  private oldest?: Held
  private newest?: Held
  private readonly traits = new Map<FindingDimension, Map<string, Trait>>()
  private traitCount = 0
  private bad = 0

  constructor(private readonly windowMs: number) {}

  /** A call that is seen again (its next interval) is one call; bad once is bad. */
  add(timeMs: number, seen: TraitedCall): void {
    const { callId } = seen.call
    const before = this.calls.get(callId)
    if (before) this.remove(before)
    else if (this.oldest && this.calls.size >= MOST_CALLS) {
      this.overflow++
      this.remove(this.oldest)
    }
    const isBad = seen.isBad || before?.isBad === true
    const held: Held = {
      callId,
      timeMs,
      group: seen.group,
      isBad,
      traits: this.countedTraits(seen.traits, isBad),
      call: isBad ? seen.call : undefined,
      evidence: seen.evidence ?? before?.evidence,
      older: this.newest,
      newer: undefined,
    }
    if (isBad) this.bad++
    if (this.newest) this.newest.newer = held
    else this.oldest = held
    this.newest = held
    this.calls.set(callId, held)
  }

  private countedTraits(values: readonly GroupValue[], isBad: boolean): Trait[] {
    const counted: Trait[] = []
    for (const value of values) {
      const trait = this.traitOf(value)
      if (!trait) continue
      trait.calls++
      if (isBad) trait.bad++
      counted.push(trait)
    }
    return counted
  }

  private traitOf({ dimension, value }: GroupValue): Trait | undefined {
    let ofDimension = this.traits.get(dimension)
    if (!ofDimension) this.traits.set(dimension, (ofDimension = new Map()))
    const known = ofDimension.get(value)
    if (known) return known
    if (this.traitCount >= MOST_TRAITS) {
      this.overflow++
      return undefined
    }
    const trait = { dimension, value, calls: 0, bad: 0 }
    ofDimension.set(value, trait)
    this.traitCount++
    return trait
  }

  private remove(held: Held): void {
    const { callId, traits, isBad, older, newer } = held
    if (older) older.newer = newer
    else this.oldest = newer
    if (newer) newer.older = older
    else this.newest = older
    this.calls.delete(callId)
    if (isBad) this.bad--
    for (const trait of traits) {
      if (isBad) trait.bad--
      if (--trait.calls > 0) continue
      this.traits.get(trait.dimension)?.delete(trait.value)
      this.traitCount--
    }
  }

  expire(nowMs: number): void {
    while (this.oldest && this.oldest.timeMs <= nowMs - this.windowMs) this.remove(this.oldest)
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
    const found = standingOut(this.allTraits(), this.bad, this.calls.size, test, most)
    return found.length === 0 ? found : withBeginnings(found, this.calls.values())
  }

  private *allTraits(): Generator<Trait> {
    for (const ofDimension of this.traits.values()) yield* ofDimension.values()
  }

  /** The same among the calls of one of the rule's groups. */
  standOutWithin(group: string): StandingOut[] {
    return standOutOf([...this.calls.values()].filter((call) => call.group === group))
  }

  /** The bad calls that have a trait. */
  badWith({ dimension, value }: GroupValue): BadCall[] {
    const trait = this.traits.get(dimension)?.get(value)
    const found: BadCall[] = []
    if (!trait) return found
    for (const { call, timeMs, evidence, traits } of this.calls.values())
      if (call && traits.includes(trait)) found.push({ call, timeMs, evidence })
    return found
  }
}

/** What stands out among calls that are looked at once, as those of active streams. */
export function standOutOf(calls: readonly CountedCall[]): StandingOut[] {
  const traits = new Map<string, Trait>()
  let bad = 0
  for (const { traits: values, isBad } of calls) {
    if (isBad) bad++
    for (const value of values) {
      const key = keyOf(value)
      let trait = traits.get(key)
      if (!trait)
        traits.set(key, (trait = { dimension: value.dimension, value: value.value, calls: 0, bad: 0 }))
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
function withBeginnings(found: StandingOut[], calls: Iterable<CountedCall>): StandingOut[] {
  const starts = found.map(() => Infinity)
  for (const { call, traits, isBad } of calls) {
    if (!isBad || !call) continue
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
