import type { AlertRule } from '../config/alerts.js'
import type { SharedTraits } from './reading.js'
import type { Group } from './rule-group.js'
import { StreamGroup } from './stream-group.js'
import { affectedCall, type StreamOwner, type WatchedStream } from './stream-watch.js'
import { standOutOf, TraitWindow, type StandingOut, type TraitedCall } from './trait-window.js'

/** Calls looked at for one alert of a rule over seconds. */
const MOST_CALLS = 20_000

/**
 * What the bad calls of a rule have in common and its other calls have not: over all its groups, or, when nothing stands
 * out there (two faults at a time), among the calls of one group.
 */
export class SharedTraitsFinder {
  private readonly window?: TraitWindow

  constructor(private readonly rule: AlertRule) {
    const isOfCalls = rule.over === 'calls' || rule.over === 'intervals'
    // Rules on the traits themselves have theirs in their groups.
    if (isOfCalls && rule.bad.length > 0 && rule.measure !== 'shared_percent')
      this.window = new TraitWindow(rule.window_s * 1000)
  }

  get wantsTraits(): boolean {
    return this.window !== undefined || this.rule.measure === 'shared_percent'
  }

  get overflow(): number {
    return this.window?.overflow ?? 0
  }

  add(timeMs: number, call: TraitedCall): void {
    this.window?.expire(timeMs)
    this.window?.add(timeMs, call)
  }

  /** @param group key of the group; undefined: whatever group */
  find(groups: Iterable<Group>, group: string | undefined, nowMs: number): SharedTraits | undefined {
    const { rule, window } = this
    if (window) {
      window.expire(nowMs)
      return (
        sharedOf(window.standOut(), false) ??
        (group === undefined ? undefined : sharedOf(window.standOutWithin(group), true))
      )
    }
    if (rule.over !== 'seconds') return undefined
    const calls = callsOf(groups)
    return (
      sharedOf(standOutOf(calls), false) ??
      (group === undefined
        ? undefined
        : sharedOf(standOutOf(calls.filter((call) => call.group === group)), true))
    )
  }
}

function sharedOf(found: readonly StandingOut[], isHere: boolean): SharedTraits | undefined {
  return found.length === 0 ? undefined : { groups: found.map(({ group }) => group), isHere }
}

/** The calls of active streams; a call of which one stream is affected is bad. */
function callsOf(groups: Iterable<Group>): TraitedCall[] {
  const calls = new Map<StreamOwner, { streams: WatchedStream[]; isBad: boolean; group: string }>()
  for (const { key, samples } of groups) {
    if (!(samples instanceof StreamGroup)) continue
    for (const { stream, isBad } of samples.streams) {
      const call = calls.get(stream.owner)
      if (!call) {
        if (calls.size < MOST_CALLS) calls.set(stream.owner, { streams: [stream], isBad, group: key })
        continue
      }
      call.streams.push(stream)
      // Its place is where it is bad: each direction is a path of its own.
      if (isBad && !call.isBad) {
        call.isBad = true
        call.group = key
      }
    }
  }
  return [...calls].map(([owner, { streams, isBad, group }]) => ({
    call: affectedCall(streams[0]),
    traits: owner.traits(streams.map(({ tags, dscp }) => ({ codec: tags.codec, dscp }))),
    isBad,
    group,
  }))
}
