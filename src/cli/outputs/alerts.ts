import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ProbeCounters } from '../../aggregates/probe-health.js'
import { AlertEngine } from '../../alerts/engine.js'
import { Notifiers } from '../../alerts/notifiers/notifiers.js'
import type { Outside } from '../../alerts/notifiers/receiver.js'
import type { ProbeHealth } from '../../alerts/probe-group.js'
import { readBaselines, readState, STATE_FILE, writeState } from '../../alerts/state-file.js'
import type { AlertRecord, ProbeRecord } from '../../calls/records.js'
import type { Config } from '../../config/config.js'
import { errorText } from '../../errors.js'
import type { RunOutput } from './output.js'

/** How long the end of a capture waits for notifications that are on their way. */
const CLOSE_MS = 5000
/** The probe's own counters are looked at no more often than this. */
const HEALTH_MS = 200
/** Baselines and open alerts are kept on disk this often, and when an alert begins or ends. */
const KEEP_MS = 60_000

/** What open alerts say is brought up to date this often, for receivers that are told of them again and again. */
const REFRESH_MS = 10_000

/** What live capture adds to the rules. */
export interface LiveAlerts {
  log: (level: 'info' | 'warn', message: string) => void
  /** Bytes that wait on disk for a database; undefined without one. */
  spoolBytes: () => number | undefined
  /** A record in the form in which it may be shown. */
  shown: (record: AlertRecord) => AlertRecord
}

/** The world as it is. */
export function realOutside(log: LiveAlerts['log']): Outside {
  return {
    nowMs: Date.now,
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    random: Math.random,
    environment: process.env,
    hostname: hostname(),
    log,
  }
}

/**
 * The alert rules over a run. Their records go to all outputs of the run, this one included; live, those that come back
 * are sent to the notifiers. Replay sends nothing.
 */
export class AlertsOutput implements RunOutput {
  readonly observer: AlertEngine
  /** Replay: no reason to read on when everybody else has gone. */
  readonly readerGone: boolean
  private readonly notifiers?: Notifiers
  private readonly statePath: string
  private readonly open = new Map<string, AlertRecord>()
  private counters?: () => ProbeCounters
  private lastHealth?: ProbeHealth
  private healthAtMs = -Infinity
  private changed = false
  private keptMs = -Infinity
  private refreshedMs = -Infinity
  private toldOfState = false

  /** @throws CallprobeError CONFIG_INVALID, WRITE_FAILED (only live), FILE_NOT_READABLE */
  constructor(
    config: Config,
    emit: (record: AlertRecord) => void,
    private readonly live?: LiveAlerts,
    /** Replay: what live capture learnt, to go by without learning more; a state folder or its file. */
    baselines?: string,
  ) {
    this.readerGone = live === undefined
    this.observer = new AlertEngine(config, {
      emit,
      health: live && ((): ProbeHealth | undefined => this.health(live)),
    })
    const { state_dir } = config.alerts
    this.statePath = state_dir === '' ? '' : join(state_dir, STATE_FILE)
    if (baselines !== undefined) this.observer.baselines.goBy(readBaselines(baselines))
    if (!live) return
    this.notifiers = new Notifiers(config.alerts, realOutside(live.log))
    const state = this.statePath === '' ? undefined : readState(this.statePath)
    if (!state) return
    this.observer.restore(state)
    for (const record of this.observer.open()) this.open.set(record.alert_id, live.shown(record))
  }

  private health(live: LiveAlerts): ProbeHealth | undefined {
    const nowMs = Date.now()
    if (!this.counters || Math.abs(nowMs - this.healthAtMs) < HEALTH_MS) return this.lastHealth
    const { packets, captureDrops, interfaceDrops } = this.counters()
    this.healthAtMs = nowMs
    this.lastHealth = {
      packets,
      captureDrops: sum(captureDrops, interfaceDrops),
      spoolBytes: live.spoolBytes(),
    }
    return this.lastHealth
  }

  watchProbe(counters: () => ProbeCounters): void {
    this.counters = counters
  }

  record(record: ProbeRecord): void {
    if (record.type !== 'alert' || !this.live) return
    if (record.state === 'firing') this.open.set(record.alert_id, record)
    else this.open.delete(record.alert_id)
    this.changed = true
    this.notifiers?.setOpen([...this.open.values()])
    this.notifiers?.notify(record)
  }

  /** Once a second, live. */
  flush(): void {
    const { live } = this
    if (!live) return
    const nowMs = Date.now()
    if (Math.abs(nowMs - this.refreshedMs) >= REFRESH_MS) {
      this.refreshedMs = nowMs
      for (const record of this.observer.open())
        if (this.open.has(record.alert_id)) this.open.set(record.alert_id, live.shown(record))
    }
    this.notifiers?.setOpen([...this.open.values()])
    if (this.changed || Math.abs(nowMs - this.keptMs) >= KEEP_MS) this.keep(nowMs)
  }

  private keep(nowMs: number): void {
    this.changed = false
    this.keptMs = nowMs
    if (this.statePath === '') return
    try {
      writeState(this.statePath, this.observer.state)
      this.toldOfState = false
    } catch (error) {
      if (!this.toldOfState) this.live?.log('warn', errorText(error))
      this.toldOfState = true
    }
  }

  /** Rules, silences and notifiers as they are now. When a notifier cannot be opened, all of those stay as they were. */
  reconfigure(config: Config): void {
    this.observer.reconfigure(config)
    try {
      this.notifiers?.reconfigure(config.alerts.notifiers)
    } catch (error) {
      this.live?.log('warn', `alerts.notifiers stay as they were until the next SIGHUP: ${errorText(error)}`)
    }
  }

  get evictions(): Record<string, number> {
    const lost = Object.values(this.notifiers?.counters ?? {}).reduce(
      (sum, counters) => sum + counters.lost,
      0,
    )
    return { ...this.observer.evictions, ...(lost > 0 && { notifications: lost }) }
  }

  /** Before the other outputs: the last look may raise an alert. */
  async finish(): Promise<void> {
    this.observer.finish(this.observer.timeMs)
    await this.close()
  }

  abort(): Promise<void> {
    return this.close()
  }

  private async close(): Promise<void> {
    if (!this.live) return
    this.keep(Date.now())
    await this.notifiers?.close(CLOSE_MS)
  }
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)
}
