import type { AlertRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { AlertRule, AlertSilence } from '../config/alerts.js'
import { OpenAlert } from './open-alert.js'
import type { Baselines } from './baseline.js'
import { allHold } from './conditions.js'
import { Episode } from './episode.js'
import { ProbeGroup } from './probe-group.js'
import { isBeyond, isCalm, type Reading, type RuleGroup, type Threshold } from './reading.js'
import { SampleGroup, type Sample } from './sample-group.js'
import { SlidingWindow } from './sliding-window.js'
import { StreamGroup } from './stream-group.js'
import type { SecondMetrics, WatchedStream } from './stream-watch.js'
import { groupKeyOf, groupTags, inScope, type AlertTags, type CommonTags } from './tags.js'

/** Groups (paths, trunks, ...) of one rule followed at once. */
const MOST_GROUPS = 2000
/** Key of the one alert that stands for all beyond `max_open`. */
const MANY = '*'

export interface RuleContext {
  probe: string
  silences: readonly AlertSilence[]
  baselines: Baselines
}

/** An alert that is open, as a restart needs it: without its examples. */
export interface OpenAlertState {
  group: string
  record: AlertRecord
}

class Group {
  readonly episode: Episode
  /** The condition holds, whether it was raised yet or not. */
  isBad = false
  alert?: OpenAlert
  /** Raised beyond `max_open`: part of the one alert for many. */
  isOneOfMany = false

  constructor(
    readonly key: string,
    readonly samples: RuleGroup,
    /** What all its samples have in common, by what the rule groups by. */
    readonly tags: CommonTags,
    rule: AlertRule,
  ) {
    this.episode = new Episode({
      forMs: rule.for_s * 1000,
      clearAfterMs: rule.clear_after_s * 1000,
      cooldownMs: rule.cooldown_s * 1000,
    })
  }
}

/** One rule at work: its groups, their windows and alerts. */
export class RuleState {
  /** Rules that hold this one back while they fire. */
  inhibitors: readonly RuleState[] = []
  groupsTurnedAway = 0
  private readonly groups = new Map<string, Group>()
  /** Those with something new since the last look. */
  private readonly dirty = new Set<Group>()
  /** The groups of a stream, looked up once. */
  private readonly ofStream = new WeakMap<WatchedStream, Group | null>()
  /** What stands for all groups beyond `max_open`, while there are any. */
  private many?: { alert: OpenAlert; members: Set<string>; everMembers: number }
  /** Seconds with packets, up to the last packet. */
  private readonly busy: SlidingWindow
  private lastBusySecond = NaN
  private emptyCheckAtMs = NaN

  constructor(
    readonly rule: AlertRule,
    private readonly context: RuleContext,
  ) {
    this.busy = new SlidingWindow(rule.window_s * 1000, false)
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
    const group = new Group(key, this.newSamples(), tags, this.rule)
    this.groups.set(key, group)
    return group
  }

  private newSamples(): RuleGroup {
    const { rule } = this
    if (rule.over === 'probe') return new ProbeGroup(rule)
    return rule.over === 'seconds' && countsStreams(rule) ? new StreamGroup(rule) : new SampleGroup(rule)
  }

  private groupOf(tags: AlertTags): Group | undefined {
    if (!inScope(tags, this.rule.scope)) return undefined
    const key = groupKeyOf(tags, this.rule.group_by)
    return key === undefined ? undefined : this.groupAt(key, groupTags(tags, this.rule.group_by))
  }

  private groupOfStream(stream: WatchedStream): Group | undefined {
    let group = this.ofStream.get(stream)
    if (group === undefined || (group !== null && this.groups.get(group.key) !== group)) {
      group = this.groupOf(stream.tags) ?? null
      this.ofStream.set(stream, group)
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
    if (!(group?.samples instanceof SampleGroup)) return
    group.samples.add(sample)
    this.dirty.add(group)
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

  /** Whether it holds back others: for this group, or, when it is about the whole probe, for every one. */
  inhibits(key: string): boolean {
    const group = this.groups.get(key) ?? this.groups.get('probe')
    return group !== undefined && (group.isBad || group.episode.firing)
  }

  /**
   * Looks at the groups that have something new; on a step, at all where time alone may change something.
   * @param learns calm values are learnt as usual
   */
  evaluate(nowMs: number, isStep: boolean, learns: boolean, emit: (record: AlertRecord) => void): void {
    const due = isStep ? [...this.groups.values()].filter((group) => learns || this.isDue(group)) : this.dirty
    for (const group of due) this.look(group, nowMs, learns, emit)
    this.dirty.clear()
    if (isStep) this.dropEmpty(nowMs)
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
    if (group.alert && isBad) group.alert.note(reading, threshold)
    const calm =
      value === undefined || !reading.isEnough || threshold === undefined || isCalm(value, threshold)
    const transition = group.episode.update(
      nowMs,
      isBad && !inhibited,
      calm,
      reading.firstBadMs,
      reading.lastBadMs,
    )
    if (transition === 'raised') this.raise(group, reading, threshold, nowMs, emit)
    else if (transition === 'cleared') this.clear(group, nowMs, emit)
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

  private raise(
    group: Group,
    reading: Reading,
    threshold: Threshold | undefined,
    nowMs: number,
    emit: (record: AlertRecord) => void,
  ): void {
    const { rule, context } = this
    const open = [...this.groups.values()].filter(({ alert }) => alert).length
    group.isOneOfMany = open >= rule.max_open
    if (!group.isOneOfMany) {
      group.alert = new OpenAlert(rule, context, group.key, group.episode.startMs, group.tags)
      group.alert.note(reading, threshold)
      emit(group.alert.record('firing', nowMs))
      return
    }
    if (this.many) {
      this.many.members.add(group.key)
      this.many.everMembers++
      this.many.alert.noteMany(this.many.everMembers, reading)
      return
    }
    const alert = new OpenAlert(rule, context, MANY, group.episode.startMs)
    this.many = { alert, members: new Set([group.key]), everMembers: 1 }
    alert.noteMany(1, reading)
    emit(alert.record('firing', nowMs))
  }

  private clear(group: Group, nowMs: number, emit: (record: AlertRecord) => void): void {
    if (group.alert) {
      emit(group.alert.record('resolved', nowMs, group.episode.endMs))
      group.alert = undefined
      return
    }
    if (!group.isOneOfMany || !this.many) return
    group.isOneOfMany = false
    this.many.members.delete(group.key)
    if (this.many.members.size > 0) return
    emit(this.many.alert.record('resolved', nowMs, group.episode.endMs))
    this.many = undefined
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

  openRecords(nowMs: number): AlertRecord[] {
    const alerts = [...this.groups.values()].flatMap(({ alert }) => alert ?? [])
    return [...alerts, ...(this.many ? [this.many.alert] : [])].map((alert) => alert.record('firing', nowMs))
  }

  openStates(): OpenAlertState[] {
    return [...this.groups.values()].flatMap(({ key, alert }) =>
      alert
        ? [{ group: key, record: { ...alert.record('firing', alert.startMs), call_ids: undefined } }]
        : [],
    )
  }

  /** An alert that was open when the process ended goes on, until it is calm. */
  resume({ group: key, record }: OpenAlertState): void {
    const group = this.groupAt(key)
    if (!group || group.episode.firing) return
    group.episode.resume(Date.parse(record.start))
    group.alert = OpenAlert.resumed(this.rule, this.context, key, record)
  }
}

function countsStreams({ measure }: AlertRule): boolean {
  return measure === 'share_percent' || measure === 'count'
}
