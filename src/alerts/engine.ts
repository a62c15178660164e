import { traitsOfRecord } from '../aggregates/finding-calls.js'
import type { CallEntry } from '../calls/call-entry.js'
import type { CodecUse } from '../calls/media-codecs.js'
import type { CallObserver } from '../calls/observer.js'
import type { AlertRecord, CallRecord, Direction, IntervalRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import { rulesInForce } from '../config/alert-rules.js'
import type { Config } from '../config/config.js'
import type { Evidence } from './bad-sample.js'
import { Baselines, type BaselineState } from './baseline.js'
import { allHold, callMetric, intervalMetric } from './conditions.js'
import { CallTagger, liveTraits } from './call-tags.js'
import type { ProbeHealth } from './probe-group.js'
import type { OpenAlertState } from './rule-alerts.js'
import { RuleState, type RuleContext } from './rule-state.js'
import { SecondMetrics, type WatchedStream } from './stream-watch.js'

/** Rules are looked at this often even when nothing new came. */
const STEP_MS = 1000
/** A jump of time longer than this is not walked through second by second. */
const LONGEST_WALK_MS = 86_400_000
/** Baselines learn one value per group in so long. */
const LEARN_MS = 60_000

export interface AlertEngineOptions {
  /** Where alert records go: the run's outputs, and live the notifiers. */
  emit: (record: AlertRecord) => void
  /**
   * How the probe is doing now; live capture only. Without it each call of `onTime` means that packets come, as it does in
   * replay.
   */
  health?: () => ProbeHealth | undefined
}

/** What a restart takes up again. */
export interface EngineState {
  version: 1
  timeMs: number
  open: OpenAlertState[]
  baselines: BaselineState
}

/**
 * Evaluates the rules of the configuration in packet time, while the correlator works: new bad samples within a tenth of
 * a second, everything once a second. The same for replay and live capture.
 */
export class AlertEngine implements CallObserver {
  rules: readonly RuleState[] = []
  readonly baselines: Baselines
  private seconds: readonly RuleState[] = []
  private bursts: readonly RuleState[] = []
  private intervals: readonly RuleState[] = []
  private calls: readonly RuleState[] = []
  private starts: readonly RuleState[] = []
  /** Ends of alerts whose rule was gone at the start. */
  private orphans: AlertRecord[] = []
  private readonly tagger: CallTagger
  private readonly context: RuleContext
  private readonly metrics = new SecondMetrics()
  private readonly burstMetrics = new SecondMetrics()
  private last?: { stream: WatchedStream; second: MediaSecond; codec?: CodecUse; networkDelayMs: number }
  private nowMs = NaN
  private stepAtMs = NaN
  private learnAtMs = NaN
  private lastPacketMs = NaN
  private packets = 0

  constructor(
    config: Config,
    private readonly options: AlertEngineOptions,
  ) {
    this.baselines = new Baselines(config.alerts.time_zone)
    this.tagger = new CallTagger(config)
    this.context = { probe: config.probe, silences: config.alerts.silences, baselines: this.baselines }
    const { context } = this
    this.arrange(rulesInForce(config.alerts).map((rule) => new RuleState(rule, context)))
  }

  private arrange(rules: RuleState[]): void {
    // Rules about the probe first: they may hold the others back.
    this.rules = rules.sort((a, b) => Number(b.rule.over === 'probe') - Number(a.rule.over === 'probe'))
    const over = (source: string): RuleState[] => this.rules.filter(({ rule }) => rule.over === source)
    const looksAtBursts = ({ rule }: RuleState): boolean =>
      [...rule.where, ...rule.bad].some(({ metric }) => metric === 'burst')
    this.seconds = over('seconds').filter((state) => !looksAtBursts(state))
    this.bursts = over('seconds').filter(looksAtBursts)
    this.intervals = over('intervals')
    this.calls = over('calls')
    this.starts = over('call_starts')
    for (const state of this.rules)
      state.inhibitors = this.rules.filter(({ rule }) => state.rule.inhibited_by.includes(rule.name))
  }

  onTime(timeMs: number): void {
    this.walkTo(timeMs)
    const health = this.options.health?.()
    // The packet that brought this time is only now coming: the quiet before it has been walked through.
    if (!health || health.packets > this.packets) {
      this.lastPacketMs = timeMs
      for (const state of this.rules) if (state.rule.over === 'probe') state.notePackets(timeMs)
    }
    if (health) this.packets = health.packets
    this.evaluate(timeMs, false)
  }

  /** Every second up to now has its turn, also those of a silence that a packet now ends. */
  private walkTo(timeMs: number): void {
    if (Number.isNaN(this.nowMs) || timeMs < this.nowMs - STEP_MS || timeMs - this.nowMs > LONGEST_WALK_MS) {
      // The beginning, or a clock that was set.
      this.stepAtMs = Math.floor(timeMs / STEP_MS) * STEP_MS + STEP_MS
      this.lastPacketMs = timeMs
      this.learnAtMs = timeMs + LEARN_MS
    }
    while (this.stepAtMs <= timeMs) {
      this.evaluate(this.stepAtMs, true)
      this.stepAtMs += STEP_MS
    }
    this.nowMs = timeMs
  }

  private evaluate(timeMs: number, isStep: boolean): void {
    if (this.orphans.length > 0) this.endOrphans(timeMs)
    if (isStep) this.noteHealth(timeMs)
    const learns = isStep && timeMs >= this.learnAtMs
    if (learns) this.learnAtMs = timeMs + LEARN_MS
    for (const state of this.rules) state.evaluate(timeMs, isStep, learns, this.options.emit)
  }

  /** Who was told of an alert is told of its end, though its rule was taken away while the process was down. */
  private endOrphans(timeMs: number): void {
    const time = new Date(timeMs).toISOString()
    for (const record of this.orphans)
      this.options.emit({
        ...record,
        state: 'resolved',
        time,
        end: time,
        message: `Over: rule ${record.rule} is no more`,
      })
    this.orphans = []
  }

  private noteHealth(timeMs: number): void {
    const health = this.options.health?.()
    const quietS = Math.max(0, (timeMs - this.lastPacketMs) / 1000)
    for (const state of this.rules)
      if (state.rule.over === 'probe') state.noteHealth({ packets: NaN, ...health, timeMs, quietS })
  }

  onSecond(
    call: CallEntry,
    direction: Direction,
    stream: StreamEntry,
    second: MediaSecond,
    codec: CodecUse | undefined,
  ): void {
    if (!stream.audio || (this.seconds.length === 0 && this.bursts.length === 0)) return
    const watched = this.tagger.streamOf(call, direction, stream, codec?.encoding)
    watched.note(second)
    const networkDelayMs = this.tagger.networkDelayMs(call)
    this.last = { stream: watched, second, codec, networkDelayMs }
    for (const state of this.bursts) state.seen(watched)
    if (this.seconds.length === 0) return
    this.metrics.set(watched, second, codec, networkDelayMs, false)
    for (const state of this.seconds) state.second(watched, second, this.metrics)
  }

  /** Comes right behind `onSecond` of the same second. */
  onBurstSecond(call: CallEntry, direction: Direction, startMs: number): void {
    const { last } = this
    if (!last || this.bursts.length === 0 || last.second.startMs !== startMs) return
    const watched = this.tagger.knownStream(call, direction)
    if (!watched || watched.lastSecondMs !== startMs) return
    this.burstMetrics.set(watched, last.second, last.codec, last.networkDelayMs, true)
    for (const state of this.bursts) state.second(watched, last.second, this.burstMetrics)
  }

  onIntervalClosed(call: CallEntry, direction: Direction, record: IntervalRecord): void {
    if (this.intervals.length === 0) return
    const tags = this.tagger.directionTags(call, direction, record)
    const affected = this.tagger.affected(call, tags)
    const metric = intervalMetric(record)
    for (const state of this.intervals) {
      if (!allHold(state.rule.where, metric)) continue
      const isBad = state.rule.bad.length > 0 && allHold(state.rule.bad, metric)
      const evidence = isBad
        ? {
            jitterP95Ms: record.jitter_p95_ms,
            pdvP95Ms: record.pdv_p95_ms,
            pdvMaxMs: record.pdv_max_ms,
            lossPercent: record.loss_percent,
            latePercent: record.late_percent,
            mosCq: record.mos_cq,
          }
        : undefined
      const traits = state.wantsTraits ? liveTraits(call, tags, [record]) : undefined
      state.sample(tags, {
        timeMs: this.nowMs,
        value: metric(state.rule.metric ?? '') ?? NaN,
        isBad,
        call: affected,
        evidence,
        traits,
      })
    }
  }

  onCallStart(call: CallEntry): void {
    if (this.starts.length === 0) return
    const tags = this.tagger.callTags(call)
    const affected = this.tagger.affected(call, tags)
    for (const state of this.starts)
      state.sample(tags, { timeMs: this.nowMs, value: NaN, isBad: false, call: affected })
  }

  onCallClosed(call: CallEntry, record: CallRecord): void {
    if (this.calls.length === 0) return
    const tags = this.tagger.callTags(call, record)
    const affected = this.tagger.affectedBy(record, tags)
    const metric = callMetric(record)
    const traits = traitsOfRecord(record)
    for (const state of this.calls) {
      if (!allHold(state.rule.where, metric, record)) continue
      const isBad = state.rule.bad.length > 0 && allHold(state.rule.bad, metric, record)
      const value = metric(state.rule.metric ?? '') ?? NaN
      const evidence = isBad ? callEvidence(record) : undefined
      state.sample(tags, { timeMs: this.nowMs, value, isBad, call: affected, evidence, traits })
    }
  }

  /**
   * Silences, rules and names of places as they are now. A rule that stayed keeps all it has seen, also when only thresholds
   * and times changed; one that looks at other samples begins anew and ends its alerts, as one that is gone does.
   */
  reconfigure(config: Config): void {
    this.context.silences = config.alerts.silences
    this.tagger.reconfigure(config)
    const before = new Map(this.rules.map((state) => [state.rule.name, state]))
    const after = rulesInForce(config.alerts).map((rule) => {
      const known = before.get(rule.name)
      if (!known?.retune(rule)) return new RuleState(rule, this.context)
      before.delete(rule.name)
      return known
    })
    for (const gone of before.values()) gone.end(this.nowMs, this.options.emit)
    this.arrange(after)
  }

  /** Packet time of the last look, NaN before the first. */
  get timeMs(): number {
    return this.nowMs
  }

  /** The run ends: what was seen since the last look is looked at. Alerts that are open stay open. */
  finish(timeMs: number): void {
    if (Number.isNaN(this.nowMs)) return
    this.walkTo(Math.max(timeMs, this.nowMs))
    this.evaluate(this.nowMs, false)
  }

  /** Open alerts as records, newest values: for notifiers that tell a receiver again and again. */
  open(): AlertRecord[] {
    return this.rules.flatMap(({ alerts }) => alerts.records(this.nowMs))
  }

  get state(): EngineState {
    return {
      version: 1,
      timeMs: this.nowMs,
      open: this.rules.flatMap(({ alerts }) => alerts.states()),
      baselines: this.baselines.state,
    }
  }

  /** Takes up what was open when the process ended. */
  restore(state: EngineState): void {
    this.baselines.restore(state.baselines)
    for (const open of state.open) {
      const rule = this.rules.find(({ rule: { name } }) => name === open.record.rule)
      if (rule) rule.resume(open)
      else this.orphans.push(open.record)
    }
  }

  /** Bounds that were reached, by name. */
  get evictions(): Record<string, number> {
    const groups = this.rules.reduce((sum, state) => sum + state.groupsTurnedAway, 0)
    const traits = this.rules.reduce((sum, state) => sum + state.traitsTurnedAway, 0)
    return {
      ...(groups > 0 && { alert_groups: groups }),
      ...(traits > 0 && { alert_traits: traits }),
      ...(this.baselines.overflow > 0 && { alert_baselines: this.baselines.overflow }),
    }
  }
}

function callEvidence({ mos_cq_min, findings }: CallRecord): Evidence {
  const failure = findings.find(({ code }) => code === 'setup_failed')?.evidence.class
  return {
    mosCq: mos_cq_min,
    finding: findings[0]?.code,
    failure: typeof failure === 'string' ? failure : undefined,
  }
}
