import { AlertEngine, type EngineState } from '../../alerts/engine.js'
import type { ProbeHealth } from '../../alerts/probe-group.js'
import type { AlertRecord, ProbeRecord } from '../../calls/records.js'
import type { Config } from '../../config/config.js'
import type { RunOutput } from './output.js'

/** What live capture adds to the rules: its own health, and who is told. */
export interface LiveAlerts {
  health: () => ProbeHealth
  /** Sends an alert record, in the form in which it may be shown. Never throws, never waits. */
  notify: (record: AlertRecord) => void
  /** Once a second: open alerts, for receivers that want to be told again and again; and what a restart needs. */
  keep?: (open: readonly AlertRecord[], state: () => EngineState) => void
  /** Waits a little for what is on its way. */
  close?: () => Promise<void>
}

/**
 * The alert rules over a run. Its records go to all outputs of the run, itself included; live, those that come back are
 * sent to the notifiers. Replay sends nothing.
 */
export class AlertsOutput implements RunOutput {
  readonly observer: AlertEngine
  /** Replay: no reason to read on when everybody else has gone. */
  readonly readerGone: boolean
  private readonly openAlerts = new Map<string, AlertRecord>()

  constructor(
    config: Config,
    emit: (record: AlertRecord) => void,
    private readonly live?: LiveAlerts,
  ) {
    this.observer = new AlertEngine(config, { emit, health: live?.health })
    this.readerGone = live === undefined
  }

  record(record: ProbeRecord): void {
    if (record.type !== 'alert' || !this.live) return
    if (record.state === 'firing') this.openAlerts.set(record.alert_id, record)
    else this.openAlerts.delete(record.alert_id)
    this.live.notify(record)
  }

  flush(): void {
    this.live?.keep?.([...this.openAlerts.values()], () => this.observer.state)
  }

  /** Before the other outputs: the last look may raise an alert. */
  async finish(): Promise<void> {
    this.observer.finish(this.observer.timeMs)
    this.flush()
    await this.live?.close?.()
  }

  async abort(): Promise<void> {
    await this.live?.close?.()
  }
}
