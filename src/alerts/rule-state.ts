import type { AlertRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { AlertRule } from '../config/alerts.js'
import type { Baselines } from './baseline.js'
import { allHold } from './conditions.js'
import type { AlertContext } from './open-alert.js'
import { ProbeGroup } from './probe-group.js'
import { isBeyond, isCalm, type Reading, type Threshold } from './reading.js'
import { RuleAlerts, type OpenAlertState } from './rule-alerts.js'
import { Group, timesOf } from './rule-group.js'
import { SampleGroup, type Sample } from './sample-group.js'
import { SharedGroup } from './shared-group.js'
import { SharedTraitsFinder } from './shared-traits.js'
import { SlidingWindow } from './sliding-window.js'
import { StreamGroup } from './stream-group.js'
import type { SecondMetrics, WatchedStream } from './stream-watch.js'
import { groupKeyOf, groupTags, inScope, type AlertTags, type CommonTags } from './tags.js'

/** Groups (paths, trunks, ...) of one rule followed at once. */
const MOST_GROUPS = 2000

export interface RuleContext extends AlertContext {
  baselines: Baselines
}

/** What makes the samples in a rule's windows. A change of anything else leaves them as they are. */
const SAMPLE_KEYS = [
  'over',
  'scope',
  'group_by',
  'where',
  'bad',
  'metric',
  'measure',
  'repeats',
  'bad_seconds',
  'together',
  'min_usual',
  'window_s',
] as const satisfies readonly (keyof AlertRule)[]

/** One rule at work: its groups, their windows and alerts. */
export class RuleState {
  /** Rules that hold this one back while they fire. */
  inhibitors: readonly RuleState[] = []
  groupsTurnedAway = 0
  private readonly groups = new Map<string, Group>()
  /** Those with something new since the last look. */
  private readonly dirty = new Set<Group>()
  private readonly traits: SharedTraitsFinder
  readonly alerts: RuleAlerts
  /** Seconds with packets, up to the last packet. */
  private readonly busy: SlidingWindow
  private lastBusySecond = NaN
  private emptyCheckAtMs = NaN

  constructor(
    readonly rule: AlertRule,
    private readonly context: RuleContext,
  ) {
    this.busy = new SlidingWindow(rule.window_s * 1000, false)
    this.traits = new SharedTraitsFinder(rule)
    this.alerts = new RuleAlerts(rule, context, this.traits, this.groups)
    // Rules that fire on nothing need their group before there is anything.
    if (rule.group_by.length === 0 || rule.group_by.every((key) => key === 'probe')) this.groupAt('probe')
  }

  private groupAt(key: string, tags: CommonTags = {}): Group | undefined {
    const known = this.groups.get(key)
    if (known) return known
    if (this.groups.size >= MOST_GROUPS) {
      this.groupsTurnedAway++
      return undefined
    }
    const group = new Group(key, tags, this.rule)
    this.groups.set(key, group)
    return group
  }

  private groupOf(tags: AlertTags): Group | undefined {
    if (!inScope(tags, this.rule.scope)) return undefined
    const key = groupKeyOf(tags, this.rule.group_by)
    return key === undefined ? undefined : this.groupAt(key, groupTags(tags, this.rule.group_by))
  }

  private groupOfStream(stream: WatchedStream): Group | undefined {
    let group = stream.placeIn(this)?.group
    if (group === undefined || (group !== null && this.groups.get(group.key) !== group)) {
      group = this.groupOf(stream.tags) ?? null
      stream.put(this, group)
    }
    return group ?? undefined
  }

  /** A stream is active: it counts among those that could be affected. */
  seen(stream: WatchedStream): void {
    const samples = this.groupOfStream(stream)?.samples
    if (samples instanceof StreamGroup) samples.seen(stream)
  }

  /** A second of a stream. */
  second(stream: WatchedStream, second: MediaSecond, metrics: SecondMetrics): void {
    const group = this.groupOfStream(stream)
    if (!group || !allHold(this.rule.where, metrics.read)) return
    const { samples } = group
    const isBad = this.rule.bad.length > 0 && allHold(this.rule.bad, metrics.read)
    if (samples instanceof StreamGroup) {
      samples.seen(stream)
      if (!isBad) return
      samples.bad(stream, second, metrics)
    } else if (samples instanceof SampleGroup) {
      const value = metrics.read(this.rule.metric ?? '') ?? NaN
      const { callId, caller, callee, startMs } = stream.owner
      const call = { callId, caller, callee, startMs, endMs: Infinity, tags: stream.tags }
      samples.add({ timeMs: second.startMs, value, isBad, call })
      if (!isBad && this.rule.measure === 'share_percent') return
    }
    this.dirty.add(group)
  }

  /** An interval, a call, or the beginning of one. */
  sample(tags: AlertTags, sample: Sample): void {
    const group = this.groupOf(tags)
    if (!group) return
    const { samples } = group
    const { timeMs, call, isBad, evidence, traits = [] } = sample
    const traited = { call, traits, isBad, evidence, group: group.key }
    if (samples instanceof SampleGroup) samples.add(sample)
    else if (samples instanceof SharedGroup) samples.add(timeMs, traited)
    else return
    this.traits.add(timeMs, traited)
    this.dirty.add(group)
  }

  /** Its samples are to tell what they have in common with others. */
  get wantsTraits(): boolean {
    return this.traits.wantsTraits
  }

  /** Calls and traits that found no room in a window. */
  get traitsTurnedAway(): number {
    let overflow = this.traits.overflow
    for (const { samples } of this.groups.values())
      if (samples instanceof SharedGroup) overflow += samples.overflow
    return overflow
  }

  /** Packets came at this time. */
  notePackets(timeMs: number): void {
    const second = Math.floor(timeMs / 1000)
    if (second === this.lastBusySecond) return
    this.lastBusySecond = second
    this.busy.add(timeMs, NaN, false)
    this.busy.expire(timeMs)
  }

  noteHealth(moment: Parameters<ProbeGroup['note']>[0]): void {
    for (const { samples } of this.groups.values()) if (samples instanceof ProbeGroup) samples.note(moment)
  }

  /** Whether it holds back others: for this group, or, when one of both is about the whole probe, for any. */
  inhibits(key: string): boolean {
    const holds = (group: Group | undefined): boolean =>
      group !== undefined && (group.isBad || group.episode.firing)
    // What is about everything is held back by trouble anywhere.
    if (key === 'probe') return [...this.groups.values()].some(holds)
    return holds(this.groups.get(key) ?? this.groups.get('probe'))
  }

  /**
   * Looks at the groups that have something new; on a step, at all where time alone may change something.
   * @param learns calm values are learnt as usual
   */
  evaluate(nowMs: number, isStep: boolean, learns: boolean, emit: (record: AlertRecord) => void): void {
    const due = isStep ? [...this.groups.values()].filter((group) => learns || this.isDue(group)) : this.dirty
    for (const group of due) this.look(group, nowMs, learns, emit)
    this.dirty.clear()
    if (!isStep) return
    this.alerts.onStep(nowMs, emit)
    this.dropEmpty(nowMs)
  }

  /** Something new, or something that time alone may change. */
  private isDue(group: Group): boolean {
    return this.dirty.has(group) || !group.episode.isIdle || group.isBad || this.firesOnNothing
  }

  private get firesOnNothing(): boolean {
    return this.rule.over === 'probe' || this.rule.below !== undefined
  }

  private look(group: Group, nowMs: number, learns: boolean, emit: (record: AlertRecord) => void): void {
    const { rule } = this
    const reading = group.samples.read(nowMs)
    const { value } = reading
    const threshold = this.thresholdFor(group, nowMs)
    const isKnown = value !== undefined && this.isUsable(group, reading, nowMs)
    const isBad = isKnown && threshold !== undefined && isBeyond(value, threshold)
    group.isBad = isBad
    const inhibited = isBad && this.inhibitors.some((other) => other !== this && other.inhibits(group.key))
    if (isBad) this.alerts.note(group, reading, threshold, nowMs)
    const calm =
      value === undefined || !reading.isEnough || threshold === undefined || isCalm(value, threshold)
    const transition = group.episode.update(
      nowMs,
      isBad && !inhibited,
      calm,
      reading.firstBadMs,
      reading.lastBadMs,
    )
    if (transition === 'raised') this.alerts.raise(group, reading, threshold, nowMs, emit)
    else if (transition === 'cleared') this.alerts.clear(group, nowMs, emit)
    if (learns && !group.episode.firing && !isBad && value !== undefined && this.learnsUsual)
      this.context.baselines.learn(rule.name, group.key, nowMs, value)
  }

  private get learnsUsual(): boolean {
    return this.rule.baseline !== undefined || this.rule.min_usual > 0
  }

  /** The threshold in force: with a baseline, so many deviations from what is usual, but never nearer than the floor. */
  private thresholdFor(group: Group, nowMs: number): Threshold | undefined {
    const { above, below, clear, baseline, name } = this.rule
    const fixed = above === undefined && below === undefined ? undefined : { above, below, clear }
    if (!baseline) return fixed
    const usual = this.context.baselines.usual(name, group.key, nowMs)
    if (!usual) return fixed
    const distance = baseline.deviations * usual.deviation
    return below !== undefined
      ? { below: Math.min(baseline.floor, usual.mean - distance), usual: usual.mean }
      : { above: Math.max(baseline.floor, usual.mean + distance), usual: usual.mean }
  }

  /** Enough samples; and where nothing is the alarm, enough that were usual. */
  private isUsable(group: Group, reading: Reading, nowMs: number): boolean {
    const { rule } = this
    if (!reading.isEnough) return false
    if (rule.min_usual === 0) return true
    if (rule.over === 'probe') return this.busy.count >= rule.min_usual
    const learnt = this.context.baselines.usual(rule.name, group.key, nowMs)?.mean
    const usual = learnt ?? (group.samples instanceof SampleGroup ? group.samples.usual(nowMs) : NaN)
    return usual >= rule.min_usual
  }

  /** Groups of which nothing is left are forgotten, one look a minute. */
  private dropEmpty(nowMs: number): void {
    if (nowMs < this.emptyCheckAtMs) return
    this.emptyCheckAtMs = nowMs + 60_000
    for (const [key, group] of this.groups) {
      if (key === 'probe' || !group.episode.isIdle || group.isBad || group.isOneOfMany) continue
      if (nowMs - group.episode.endMs < this.rule.cooldown_s * 1000) continue
      if (group.samples.isEmpty(nowMs)) this.groups.delete(key)
    }
  }

  /** An alert that was open when the process ended goes on, until it is calm. */
  resume(open: OpenAlertState): void {
    if (this.alerts.resumeMany(open)) return
    const group = this.groupAt(open.group)
    if (group && !group.episode.firing) this.alerts.resume(group, open.record)
  }

  /**
   * Takes over a changed rule with what its windows have. False: the change is of what its samples are, so that it has to
   * begin anew.
   */
  retune(rule: AlertRule): boolean {
    const current = this.rule
    if (SAMPLE_KEYS.some((key) => JSON.stringify(current[key]) !== JSON.stringify(rule[key]))) return false
    // Groups and alerts hold the same object.
    for (const key of Object.keys(current)) if (!(key in rule)) Reflect.deleteProperty(current, key)
    Object.assign(current, rule)
    for (const { episode } of this.groups.values()) episode.times = timesOf(rule)
    return true
  }

  /** The rule is no more: its alerts end. */
  end(nowMs: number, emit: (record: AlertRecord) => void): void {
    this.alerts.end(nowMs, emit)
    this.groups.clear()
  }
}
