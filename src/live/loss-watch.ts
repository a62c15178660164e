import type { CaptureLosses } from '../calls/capture-losses.js'
import type { LiveSource } from '../capture/live.js'
import type { Log } from './log.js'

/** Drops are told of at most this often. */
const TELL_MS = 10_000

/** Carries what the capture misses from its counters to the calls that ran then, and to the log. */
export class LossWatch {
  drops = 0
  private downMs = 0
  private lookedMs = Infinity
  private toldMs = -Infinity
  private told = 0

  constructor(
    private readonly source: LiveSource,
    private readonly losses: CaptureLosses,
    private readonly log: Log,
  ) {}

  /** Drops so far; undefined where the system does not tell. */
  get known(): number | undefined {
    return this.losses.known ? this.drops : undefined
  }

  /** @param nowMs the packets' clock, ms since the epoch */
  look(nowMs: number): void {
    const seen = this.source.losses()
    if (seen === undefined) return
    const drops = seen.kernelDrops + seen.interfaceDrops
    this.losses.add(this.lookedMs, nowMs, drops - this.drops, 0)
    this.losses.add(seen.downUntilMs, seen.downUntilMs, 0, seen.downMs - this.downMs)
    this.lookedMs = nowMs
    this.drops = drops
    this.downMs = seen.downMs
    if (drops === this.told || Math.abs(nowMs - this.toldMs) < TELL_MS) return
    this.log.warn(
      `${drops - this.told} packets were dropped before they could be measured (${seen.kernelDrops} by the kernel, ` +
        `${seen.interfaceDrops} by the network card, all told); calls that ran then say so in validity.capture_drops`,
      { drops: drops - this.told, kernel_drops: seen.kernelDrops, interface_drops: seen.interfaceDrops },
    )
    this.told = drops
    this.toldMs = nowMs
  }
}
