import type { GroupValue } from '../aggregates/finding-calls.js'
import type { AlertRule } from '../config/alerts.js'
import { partiesOf, worstOf, type AffectedCall, type Evidence } from './bad-sample.js'
import type { Reading, RuleGroup } from './reading.js'
import { SlidingWindow } from './sliding-window.js'

/** Bad samples kept one by one; of more, the newest. */
const MOST_BAD = 2048
/** How much of the time before shows what is usual, in windows. */
const USUAL_WINDOWS = 4

export interface Sample {
  timeMs: number
  /** Value of the rule's metric, NaN when it has none or it is not known. */
  value: number
  isBad: boolean
  call: AffectedCall
  evidence?: Evidence
  /** Where the rule wants them. */
  traits?: readonly GroupValue[]
}

/** A rule over intervals, calls, call attempts, or over seconds by a statistic: its samples in a sliding window. */
export class SampleGroup implements RuleGroup {
  private readonly window: SlidingWindow
  private readonly before?: SlidingWindow
  private readonly windowMs: number
  private bad: Sample[] = []
  private firstMs = NaN
  private lastBadMs = NaN

  constructor(private readonly rule: AlertRule) {
    this.windowMs = rule.window_s * 1000
    this.window = new SlidingWindow(this.windowMs, rule.measure.startsWith('p'))
    if (rule.min_usual > 0) this.before = new SlidingWindow(this.windowMs * (USUAL_WINDOWS + 1), false)
  }

  add(sample: Sample): void {
    if (Number.isNaN(this.firstMs)) this.firstMs = sample.timeMs
    const counts = this.rule.measure === 'share_percent' || this.rule.measure === 'count'
    if (!counts && Number.isNaN(sample.value)) return
    this.window.add(sample.timeMs, sample.value, sample.isBad)
    this.before?.add(sample.timeMs, NaN, false)
    if (!sample.isBad) return
    this.bad.push(sample)
    if (!(this.lastBadMs >= sample.timeMs)) this.lastBadMs = sample.timeMs
    if (this.bad.length > MOST_BAD) this.bad = this.bad.slice(-MOST_BAD)
  }

  /** Samples in a window of the time before, NaN while that is not known. */
  usual(nowMs: number): number {
    if (!this.before || !(nowMs - this.firstMs >= this.windowMs * USUAL_WINDOWS)) return NaN
    this.before.expire(nowMs)
    return (this.before.count - this.window.count) / USUAL_WINDOWS
  }

  isEmpty(nowMs: number): boolean {
    this.expire(nowMs)
    return this.window.count === 0 && this.before === undefined
  }

  private expire(nowMs: number): void {
    this.window.expire(nowMs)
    const { bad } = this
    if (bad.length > 0 && bad[0].timeMs <= nowMs - this.windowMs)
      this.bad = bad.filter(({ timeMs }) => timeMs > nowMs - this.windowMs)
  }

  read(nowMs: number): Reading {
    this.expire(nowMs)
    const { rule, window, bad } = this
    const calls = new Map(bad.map(({ call }) => [call.callId, call]))
    const affected = [...calls.values()]
    const looksAtCalls = rule.bad.length > 0
    return {
      value: this.value(),
      isEnough:
        window.count >= rule.min_samples &&
        (!looksAtCalls || (affected.length >= rule.min_calls && partiesOf(affected) >= rule.min_parties)),
      firstBadMs: bad.length > 0 ? Math.min(...bad.map(({ timeMs }) => timeMs)) : NaN,
      lastBadMs: this.lastBadMs,
      affected,
      evidence: worstOf(bad),
    }
  }

  private value(): number | undefined {
    const { window } = this
    const { measure } = this.rule
    if (measure === 'count') return this.rule.bad.length > 0 ? window.bad : window.count
    if (window.count === 0) return undefined
    switch (measure) {
      case 'share_percent':
        return (100 * window.bad) / window.count
      case 'mean':
        return window.sum / window.count
      case 'sum':
        return window.sum
      case 'min':
        return window.min
      case 'max':
        return window.max
      case 'p50':
      case 'p95':
      case 'p99':
        return window.percentile(Number(measure.slice(1)))
      default:
        return undefined
    }
  }
}
