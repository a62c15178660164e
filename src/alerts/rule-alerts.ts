import type { AlertRecord } from '../calls/records.js'
import type { AlertRule } from '../config/alerts.js'
import { OpenAlert, type AlertContext } from './open-alert.js'
import type { Reading, Threshold } from './reading.js'
import type { Group } from './rule-group.js'
import { SharedGroup } from './shared-group.js'
import { traitName } from './shared-text.js'
import type { SharedTraitsFinder } from './shared-traits.js'

/** Key of the one alert that stands for all beyond `max_open`. */
const MANY = '*'

/** An alert that is open, as a restart needs it: without its examples. */
export interface OpenAlertState {
  group: string
  record: AlertRecord
}

type Emit = (record: AlertRecord) => void

/** Alerts beyond `max_open` as one. */
interface Many {
  alert: OpenAlert
  members: Set<string>
  everMembers: number
  /** Taken up from an earlier process, whose groups are not known: it ends then unless others join. */
  endsAtMs?: number
}

/** The alerts of one rule, from raising to clearing. */
export class RuleAlerts {
  /** What stands for all groups beyond `max_open`, while there are any. */
  private many?: Many

  constructor(
    private readonly rule: AlertRule,
    private readonly context: AlertContext,
    private readonly traits: SharedTraitsFinder,
    private readonly groups: ReadonlyMap<string, Group>,
  ) {}

  raise(group: Group, reading: Reading, threshold: Threshold | undefined, nowMs: number, emit: Emit): void {
    const { rule, context } = this
    const open = [...this.groups.values()].filter(({ alert }) => alert).length
    group.isOneOfMany = open >= rule.max_open
    if (group.isOneOfMany) {
      this.raiseMany(group, reading, nowMs, emit)
      return
    }
    const { key, samples, episode, tags } = group
    const trait = reading.shared?.groups[0]
    if (samples instanceof SharedGroup) samples.held = trait
    const place = [key === 'probe' ? '' : key, trait ? traitName(trait) : ''].filter((part) => part !== '')
    group.alert = new OpenAlert(rule, context, key, episode.startMs, place.join(', '), tags)
    this.note(group, reading, threshold, nowMs)
    emit(group.alert.record('firing', nowMs))
  }

  private raiseMany(group: Group, reading: Reading, nowMs: number, emit: Emit): void {
    const { many } = this
    if (many) {
      many.members.add(group.key)
      many.endsAtMs = undefined
      many.alert.noteMany(++many.everMembers, reading)
      this.share(many.alert, undefined, reading, nowMs)
      return
    }
    const alert = new OpenAlert(this.rule, this.context, MANY, group.episode.startMs, '')
    this.many = { alert, members: new Set([group.key]), everMembers: 1 }
    alert.noteMany(1, reading)
    this.share(alert, undefined, reading, nowMs)
    emit(alert.record('firing', nowMs))
  }

  /** A reading that was bad, for the group's alert if there is one. */
  note(
    { alert, key, isOneOfMany }: Group,
    reading: Reading,
    threshold: Threshold | undefined,
    nowMs: number,
  ): void {
    const { many } = this
    if (isOneOfMany && many) {
      many.alert.noteMany(many.everMembers, reading)
      this.share(many.alert, undefined, reading, nowMs)
    }
    if (!alert) return
    alert.note(reading, threshold)
    this.share(alert, key, reading, nowMs)
  }

  /** Looks now and then for what bad calls have in common, of all groups first, and tells the alert. */
  private share(alert: OpenAlert, key: string | undefined, reading: Reading, nowMs: number): void {
    if (this.rule.measure === 'shared_percent') alert.share(reading.shared)
    else if (alert.wantsShared(nowMs)) alert.share(this.traits.find(this.groups.values(), key, nowMs))
  }

  clear(group: Group, nowMs: number, emit: Emit): void {
    const { many } = this
    if (group.samples instanceof SharedGroup) group.samples.held = undefined
    if (group.alert) {
      emit(group.alert.record('resolved', nowMs, group.episode.endMs))
      group.alert = undefined
      return
    }
    if (!group.isOneOfMany || !many) return
    group.isOneOfMany = false
    many.members.delete(group.key)
    if (many.members.size > 0) return
    emit(many.alert.record('resolved', nowMs, group.episode.endMs))
    this.many = undefined
  }

  /** Once a second. */
  onStep(nowMs: number, emit: Emit): void {
    const { many } = this
    if (!many || many.members.size > 0) return
    many.endsAtMs ??= nowMs + this.rule.clear_after_s * 1000
    if (nowMs < many.endsAtMs) return
    emit(many.alert.record('resolved', nowMs, nowMs))
    this.many = undefined
  }

  private get open(): [string, OpenAlert][] {
    const alerts = [...this.groups.values()].flatMap(({ key, alert }): [string, OpenAlert][] =>
      alert ? [[key, alert]] : [],
    )
    return this.many ? [...alerts, [MANY, this.many.alert]] : alerts
  }

  records(nowMs: number): AlertRecord[] {
    return this.open.map(([, alert]) => alert.record('firing', nowMs))
  }

  states(): OpenAlertState[] {
    return this.open.map(([group, alert]) => ({
      group,
      record: { ...alert.record('firing', alert.startMs), call_ids: undefined },
    }))
  }

  /** The one for many goes on after a restart. False: it is about a group. */
  resumeMany({ group, record }: OpenAlertState): boolean {
    if (group !== MANY) return false
    const alert = OpenAlert.resumed(this.rule, this.context, group, record)
    this.many = { alert, members: new Set(), everMembers: 0 }
    return true
  }

  resume(group: Group, record: AlertRecord): void {
    group.episode.resume(Date.parse(record.start))
    group.alert = OpenAlert.resumed(this.rule, this.context, group.key, record)
    if (group.samples instanceof SharedGroup) group.samples.held = record.shared?.[0]
  }

  /** The rule is no more: all of them end. */
  end(nowMs: number, emit: Emit): void {
    for (const [, alert] of this.open) emit(alert.record('resolved', nowMs, nowMs))
    this.many = undefined
  }
}
