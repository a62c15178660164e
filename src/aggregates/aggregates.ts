import type { CallEntry } from '../calls/call-entry.js'
import type { CallObserver } from '../calls/observer.js'
import type { CallRecord, Direction, IntervalRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import type { MediaCounts } from '../rtp/row.js'
import type { SipCall, StandaloneRequest } from '../sip/call.js'
import { FindingWindows } from './finding-windows.js'
import type { MetricPoint } from './point.js'
import { ProbeHealth, type ProbeCounters } from './probe-health.js'
import { SignallingAggregator } from './signalling.js'
import { TrafficAggregator } from './traffic.js'

export interface AggregatesOptions {
  /** Asked once per interval for `voip_probe`; absent: no such points. */
  counters?: () => ProbeCounters | undefined
  /** Told once per measurement when its series budget is used up. */
  onWarning?: (message: string) => void
}

/**
 * Sums over all calls, as points: hand it to the probe as an observer, and call `finish` at the end. Packet time
 * decides when a point is written; the same packets make the same points.
 */
export class Aggregates implements CallObserver {
  private readonly traffic: TrafficAggregator
  private readonly signalling: SignallingAggregator
  private readonly health: ProbeHealth
  private readonly findings: FindingWindows
  private readonly intervalMs: number
  private healthTick = -Infinity
  private lastMs = -Infinity
  private finished = false

  /** @param emit gets points as they are due; called several times, with the points of one bucket each */
  constructor(
    config: Config,
    private readonly emit: (points: MetricPoint[]) => void,
    private readonly options: AggregatesOptions = {},
  ) {
    const overflow = (measurement: string) => (): void =>
      options.onWarning?.(
        `${measurement} has used its ${config.aggregates.series_budget} series: further combinations of sites, trunk and codec are counted as "other" (aggregates.series_budget)`,
      )
    this.traffic = new TrafficAggregator(config, emit, overflow('voip_traffic'))
    this.signalling = new SignallingAggregator(config, emit, overflow('voip_signalling'))
    this.health = new ProbeHealth(config)
    this.findings = new FindingWindows(config.probe, emit)
    this.intervalMs = config.interval_s * 1000
  }

  /** Counts for the summary and voip_probe. */
  get counts(): { series: number; seriesOther: number; latePoints: number } {
    const { traffic, signalling } = this
    return {
      series: traffic.series.size + signalling.series.size,
      seriesOther: traffic.series.overflow + signalling.series.overflow,
      latePoints: traffic.levels.latePoints + signalling.levels.latePoints,
    }
  }

  /** Names of sites and trunks may change while calls run; intervals and budget stay. */
  reconfigure(config: Config): void {
    this.signalling.reconfigure(config)
  }

  onTime(timeMs: number): void {
    this.signalling.onTime(timeMs)
    this.findings.onTime(timeMs)
    this.traffic.levels.advance(timeMs)
    this.lastMs = timeMs
    const tick = Math.floor(timeMs / this.intervalMs)
    if (tick === this.healthTick) return
    this.healthTick = tick
    this.sampleHealth(timeMs)
  }

  private sampleHealth(timeMs: number): void {
    const counters = this.options.counters?.()
    if (!counters) return
    const point = this.health.sample(timeMs, { seriesOther: this.counts.seriesOther, ...counters })
    if (point) this.emit([point])
  }

  onIntervalClosed(
    _call: CallEntry,
    direction: Direction,
    record: IntervalRecord,
    counts: MediaCounts,
  ): void {
    this.traffic.onInterval(direction, record, counts)
  }

  onCallAnswered(call: CallEntry): void {
    this.signalling.onAnswered(call)
  }

  onCallEnded(call: CallEntry): void {
    this.signalling.onEnded(call)
  }

  onCallClosed(call: CallEntry): void {
    this.signalling.onClosed(call)
  }

  /** A call's record as it may be shown: groups of findings name calls, hosts and user agents. */
  addCall(record: CallRecord): void {
    this.findings.onCallClosed(record)
  }

  onDisconnect(sip: SipCall): void {
    this.signalling.onDisconnect(sip)
  }

  onStandalone(request: StandaloneRequest): void {
    this.signalling.onStandalone(request)
  }

  /** The run is over: everything that is open is written. */
  finish(): void {
    if (this.finished) return
    this.finished = true
    this.sampleHealth(this.lastMs)
    this.traffic.levels.finish()
    this.signalling.finish()
    this.findings.finish()
  }
}
