import type { CaptureLosses } from '../calls/capture-losses.js'
import type { LiveSource } from '../capture/live.js'
import type { Probe } from '../pipeline/probe.js'
import { ClockWatch } from './clock-watch.js'
import type { Log } from './log.js'
import { LossWatch } from './loss-watch.js'

/** Counters of the kernel are looked at this often, so that drops are told to the calls that ran then. */
const LOOK_MS = 100
const SECOND_MS = 1000

export interface CaptureLoopOptions {
  source: LiveSource
  probe: Probe
  losses: CaptureLosses
  log: Log
  /** The clock of the packets, and one that never steps; ms. */
  nowMs: () => number
  monotonicMs: () => number
  /** undefined when the system does not tell. */
  clockSynchronized: () => boolean | undefined
  /** Once a second: status, metrics, outputs that hold back. */
  onSecond: (load: number) => void
  /** Time that other threads have spent on packets since the start, ms. */
  workersBusyMs?: () => readonly number[]
  /** Nobody reads the outputs any more. */
  readerGone: () => boolean
}

/** Runs a live capture on this thread until its source ends. */
export class CaptureLoop {
  readonly lossWatch: LossWatch
  readonly clockWatch: ClockWatch
  private lookedMs = -Infinity
  private secondMs = -Infinity
  /** Time spent on packets since the last second. */
  private busyMs = 0
  private workersBusyMs: readonly number[] = []

  constructor(private readonly options: CaptureLoopOptions) {
    const { source, losses, log, nowMs, monotonicMs } = options
    this.lossWatch = new LossWatch(source, losses, log)
    this.clockWatch = new ClockWatch(nowMs, monotonicMs)
  }

  async run(): Promise<void> {
    const { source, probe, monotonicMs, readerGone } = this.options
    for (;;) {
      const batch = await source.next()
      if (batch === null) break
      const beganMs = monotonicMs()
      this.look(beganMs)
      if (batch.end > batch.first) probe.onBatch(batch)
      else if (Number.isFinite(source.quietUntilMs)) probe.onQuiet(source.quietUntilMs)
      probe.onMessages()
      this.busyMs += monotonicMs() - beganMs
      if (readerGone()) source.stop()
    }
    this.lossWatch.look(this.options.nowMs())
  }

  private look(monotonicMs: number): void {
    if (monotonicMs - this.lookedMs < LOOK_MS) return
    this.lookedMs = monotonicMs
    const { nowMs, log, losses, clockSynchronized, onSecond } = this.options
    this.lossWatch.look(nowMs())
    if (monotonicMs - this.secondMs < SECOND_MS) return
    const elapsedMs = monotonicMs - this.secondMs
    this.secondMs = monotonicMs
    const stepMs = this.clockWatch.look()
    if (stepMs !== 0)
      log.warn(
        `the clock was set by ${stepMs.toFixed(0)} ms: jitter and delay variation of the calls that run now are spoilt`,
        { clock_step_ms: stepMs },
      )
    losses.clockSynchronized = clockSynchronized()
    onSecond(Number.isFinite(elapsedMs) ? Math.min(1, this.busiestMs() / elapsedMs) : 0)
    this.busyMs = 0
  }

  /** Of all threads: that of the one which is nearest to its limit. */
  private busiestMs(): number {
    const before = this.workersBusyMs
    this.workersBusyMs = this.options.workersBusyMs?.() ?? before
    return Math.max(this.busyMs, ...this.workersBusyMs.map((ms, k) => ms - (before[k] ?? 0)))
  }
}
