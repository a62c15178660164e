import type { GroupValue } from '../aggregates/finding-calls.js'
import type { TraitCounts } from '../aggregates/finding-traits.js'
import type { AlertRule } from '../config/alerts.js'
import { partiesOf, worstOf } from './bad-sample.js'
import { chanceOf } from '../aggregates/chance.js'
import type { Reading, RuleGroup } from './reading.js'
import { TraitWindow, type StandingOut, type TraitedCall } from './trait-window.js'

/** How likely chance alone may be. Many traits are looked at, all day long. */
const MOST_CHANCE = 1e-5

/** A rule on what bad calls have in common: the share of them that have the trait which stands out the most. */
export class SharedGroup implements RuleGroup {
  /** An alert is about the trait that it was raised for, until it is over. */
  held?: GroupValue
  private readonly window: TraitWindow
  private lastBadMs = NaN

  constructor(private readonly rule: AlertRule) {
    this.window = new TraitWindow(rule.window_s * 1000)
  }

  add(timeMs: number, call: TraitedCall): void {
    this.window.add(timeMs, call)
    if (call.isBad && !(this.lastBadMs >= timeMs)) this.lastBadMs = timeMs
  }

  get overflow(): number {
    return this.window.overflow
  }

  isEmpty(nowMs: number): boolean {
    this.window.expire(nowMs)
    return this.window.size === 0
  }

  read(nowMs: number): Reading {
    this.window.expire(nowMs)
    const { rule, window } = this
    const found = window.standOut({
      accepts: (value, counts) => this.accepts(value, counts),
      times: rule.shared.times,
    })
    const [top] = found
    const bad = top === undefined ? [] : window.badWith(top.group)
    const affected = bad.map(({ call }) => call)
    return {
      value: window.size === 0 ? undefined : shareOf(top),
      isEnough:
        window.size >= rule.min_samples &&
        affected.length >= rule.min_calls &&
        partiesOf(affected) >= rule.min_parties,
      firstBadMs: bad.length > 0 ? Math.min(...bad.map(({ timeMs }) => timeMs)) : NaN,
      lastBadMs: this.lastBadMs,
      affected,
      evidence: worstOf(bad),
      shared: top && { groups: found.map(({ group }) => group), isHere: false },
    }
  }

  private accepts({ dimension, value }: GroupValue, counts: TraitCounts): boolean {
    const { held } = this
    const { by, rate_percent } = this.rule.shared
    const ratePercent = (100 * counts.calls) / counts.ofCalls
    // Hysteresis: what is known to be no chance need not prove it again with each call.
    if (held) return held.dimension === dimension && held.value === value && 2 * ratePercent >= rate_percent
    return (
      by.some((one) => one === dimension) && ratePercent >= rate_percent && chanceOf(counts) <= MOST_CHANCE
    )
  }
}

function shareOf(top: StandingOut | undefined): number {
  return top === undefined ? 0 : (100 * top.counts.calls) / top.counts.affected
}
