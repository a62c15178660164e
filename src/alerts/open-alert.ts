import { createHash } from 'node:crypto'
import { RECORD_SCHEMA, type AlertRecord } from '../calls/records.js'
import type { AlertRule, AlertSilence } from '../config/alerts.js'
import { messageOf } from './alert-message.js'
import type { AffectedCall } from './bad-sample.js'
import { causeOf } from './cause.js'
import type { Reading, SharedTraits, Threshold } from './reading.js'
import { isSilenced } from './silences.js'
import type { AlertTags, CommonTags } from './tags.js'

/** Calls remembered of one alert, to count each once. */
const MOST_CALLS = 10_000
/** What bad calls have in common is looked for so often. */
const SHARED_EVERY_MS = 10_000
/** Calls named as examples. */
const EXAMPLES = 3

export interface AlertContext {
  probe: string
  silences: readonly AlertSilence[]
}

/** What every message needs beside the reading. */
export interface AlertFacts {
  rule: AlertRule
  /** Path, or another group; '' where the rule has one group for all. */
  place: string
  state: 'firing' | 'resolved'
  startMs: number
  endMs: number
  /** Paths beyond `max_open` that this alert stands for; 0: it is about one. */
  paths: number
  callsAffected: number
  shared?: SharedTraits
  threshold?: Threshold
}

/** An alert from its beginning to its end: what it has seen so far, and the records that say it. */
export class OpenAlert {
  readonly id: string
  private worst?: Reading
  private threshold?: Threshold
  private readonly calls = new Map<string, AffectedCall>()
  private resumed?: AlertRecord
  /** As of its first record: receivers know an alert by them. */
  private tags?: CommonTags
  private silenced?: boolean
  private shared?: SharedTraits
  private sharedAtMs = -Infinity
  private paths = 0

  /** @param group key of the rule's group, `*` for many
   *  @param place what it is about, '' for everything */
  constructor(
    private readonly rule: AlertRule,
    private readonly context: AlertContext,
    group: string,
    readonly startMs: number,
    private readonly place: string,
    private readonly groupTags: CommonTags = {},
  ) {
    // The same in each replay of the same capture.
    const hash = createHash('sha256').update(`${context.probe}\n${rule.name}\n${group}\n${startMs}`)
    this.id = `${rule.name}-${hash.digest('hex').slice(0, 16)}`
  }

  /** One that an earlier process opened. */
  static resumed(rule: AlertRule, context: AlertContext, group: string, record: AlertRecord): OpenAlert {
    const alert = new OpenAlert(rule, context, group, Date.parse(record.start), record.path ?? '')
    alert.resumed = record
    const { caller_site, callee_site, trunk, direction } = record
    alert.tags = { caller_site, callee_site, trunk, direction }
    alert.silenced = record.silenced
    return alert
  }

  /** A reading that was bad. The worst one, by streams and calls affected, then by value, speaks for the alert. */
  note(reading: Reading, threshold: Threshold | undefined): void {
    if (!this.worst || isWorse(reading, this.worst, threshold)) {
      this.worst = reading
      this.threshold = threshold
    }
    for (const call of reading.affected) if (this.calls.size < MOST_CALLS) this.calls.set(call.callId, call)
  }

  /** Whether it is time to look for what its bad calls have in common. */
  wantsShared(nowMs: number): boolean {
    if (Math.abs(nowMs - this.sharedAtMs) < SHARED_EVERY_MS) return false
    this.sharedAtMs = nowMs
    return true
  }

  /** What its bad calls have in common: as it was when there were most of them. */
  share(shared: SharedTraits | undefined): void {
    const [before] = this.shared?.groups ?? []
    if (shared && !(before?.calls > shared.groups[0].calls)) this.shared = shared
  }

  /** Another path beyond the bound. */
  noteMany(paths: number, reading: Reading): void {
    this.paths = paths
    this.note(reading, undefined)
  }

  /** The record as of now. @param endMs when it was bad for the last time */
  record(state: 'firing' | 'resolved', nowMs: number, endMs = NaN): AlertRecord {
    const { rule, context, worst, threshold } = this
    const all = [...this.calls.values()].map((call) => call.tags)
    const tags = (this.tags ??= { ...this.groupTags, ...commonTags(all) })
    const evidence = worst?.evidence
    const facts: AlertFacts = {
      rule,
      place: this.place,
      state,
      startMs: this.startMs,
      endMs,
      paths: this.paths,
      callsAffected: this.calls.size,
      shared: this.shared,
      threshold,
    }
    const message = messageOf(facts, worst)
    // Nothing was bad since the process began: what the one before knew still stands.
    if (this.resumed && !worst) {
      const resolved = { state, time: timeText(nowMs) ?? this.resumed.time, end: timeText(endMs), message }
      return state === 'firing' ? this.resumed : { ...this.resumed, ...resolved }
    }
    const cause = causeOf(facts, worst)
    return {
      type: 'alert',
      schema: RECORD_SCHEMA,
      probe: context.probe,
      alert_id: this.resumed?.alert_id ?? this.id,
      rule: rule.name,
      state,
      severity: rule.severity,
      time: timeText(nowMs) ?? timeText(this.startMs) ?? '',
      start: timeText(this.startMs) ?? '',
      end: timeText(endMs),
      caller_site: tags.caller_site,
      callee_site: tags.callee_site,
      trunk: tags.trunk,
      direction: tags.direction,
      metric: metricOf(rule),
      value: worst?.value,
      threshold: threshold?.above ?? threshold?.below,
      baseline: threshold?.usual,
      window_s: rule.window_s,
      path: this.place === '' ? undefined : this.place,
      // Rules about the probe are not about calls.
      calls_affected: all.length > 0 ? all.length : undefined,
      streams_affected: worst?.streamsAffected,
      streams_active: worst?.streamsActive,
      shared: this.shared && [...this.shared.groups],
      call_ids: all.length > 0 ? [...this.calls.keys()].slice(0, EXAMPLES) : undefined,
      jitter_p95_ms: evidence?.jitterP95Ms,
      pdv_p95_ms: evidence?.pdvP95Ms,
      pdv_max_ms: evidence?.pdvMaxMs,
      loss_percent: evidence?.lossPercent,
      late_percent: evidence?.latePercent,
      mos_cq: evidence?.mosCq,
      mos_driver: evidence?.mosDriver,
      cause: cause?.text,
      confidence: cause?.confidence,
      // As it was when it began: who was told of that is told of its end.
      silenced: (this.silenced ??= isSilenced(
        context.silences,
        rule.name,
        { path: this.place, ...tags },
        this.startMs,
      ))
        ? true
        : undefined,
      message,
    }
  }
}

function timeText(timeMs: number): string | undefined {
  return Number.isNaN(timeMs) ? undefined : new Date(timeMs).toISOString()
}

function isWorse(reading: Reading, than: Reading, threshold: Threshold | undefined): boolean {
  const more = reading.affected.length - than.affected.length
  if (more !== 0) return more > 0
  const value = reading.value ?? NaN
  const before = than.value ?? NaN
  return threshold?.below !== undefined ? value <= before : value >= before
}

/** What the rule compares with its threshold, by a name that tells how. */
function metricOf({ over, measure, metric, bad }: AlertRule): string {
  if (metric !== undefined) return measure === 'last' ? metric : `${measure} of ${metric}`
  if (measure === 'shared_percent') return 'share of bad calls with one trait in percent'
  const what =
    bad.length === 0
      ? over
      : bad
          .map(
            ({ metric, finding }) => metric ?? (Array.isArray(finding) ? 'findings' : (finding ?? 'calls')),
          )
          .join(' and ')
  return measure === 'share_percent' ? `share of ${what} in percent` : `${measure} of ${what}`
}

/** Tags that all have in common. */
function commonTags(all: readonly AlertTags[]): CommonTags {
  const [first] = all
  if (!first) return {}
  const common: CommonTags = {}
  const isShared = (key: keyof CommonTags): boolean =>
    first[key] !== undefined && all.every((tags) => tags[key] === first[key])
  if (isShared('caller_site')) common.caller_site = first.caller_site
  if (isShared('callee_site')) common.callee_site = first.callee_site
  if (isShared('trunk')) common.trunk = first.trunk
  if (isShared('direction')) common.direction = first.direction
  if (isShared('codec')) common.codec = first.codec
  return common
}
