import { setTimeout as sleep } from 'node:timers/promises'
import { FrameBatch } from '../capture/frame-batch.js'
import type { CaptureLosses, LiveSource } from '../capture/live.js'
import type { RingSource } from '../capture/ring/ring-source.js'
import type { SourceProgress, SourceWarning } from '../capture/batch.js'
import type { MediaWorkers } from '../pipeline/media/media-workers.js'

const WAIT_MS = 5
/**
 * What a worker has not measured yet may be so much older than what calls are told of: less than the time that a call's
 * media is waited for after its BYE, more than a worker with little to do is behind.
 */
const BEHIND_MS = 500
const NO_FRAMES = new FrameBatch(1)

/**
 * What is left to the calls' thread when media workers read rings of their own: signalling, fragments, tunnels. It ends
 * when the workers' rings are empty too, and tells of what all of them missed. After a standstill it has read its part
 * long before the workers have read theirs: time goes on for calls as media is measured.
 */
export class WorkerSource implements LiveSource {
  private over = false
  /** Its time has not come yet. */
  private held: FrameBatch | undefined
  private quietMs = -Infinity
  private toldMs = -Infinity

  constructor(
    private readonly own: RingSource,
    private readonly workers: MediaWorkers,
  ) {}

  get warnings(): readonly SourceWarning[] {
    return this.own.warnings
  }

  get timestampSource(): 'hardware' | 'kernel' {
    return this.own.timestampSource
  }

  get files(): number {
    return this.own.files
  }

  get reportedDrops(): number {
    return 0
  }

  get quietUntilMs(): number {
    const { quietUntilMs } = this.own
    if (this.isMeasured(quietUntilMs)) this.quietMs = quietUntilMs
    return this.quietMs
  }

  get received(): number {
    return this.own.received + this.workers.received
  }

  progress(): SourceProgress {
    return this.own.progress()
  }

  losses(): CaptureLosses {
    return this.workers.addLosses(this.own.losses())
  }

  async next(): Promise<FrameBatch | null> {
    if (this.held === undefined && !this.over) {
      const batch = await this.own.next()
      if (batch === null) {
        this.over = true
        this.workers.unwrappedUntil(Infinity)
      } else {
        this.tellWorkers(batch)
        if (batch.end === batch.first) return batch
        this.held = batch
      }
    }
    const { held } = this
    if (held !== undefined && this.isMeasured(held.timeMs[held.end - 1])) {
      this.held = undefined
      this.toldMs = held.timeMs[held.end - 1]
      return held
    }
    if (held === undefined && this.workers.isDrained) return null
    await sleep(WAIT_MS)
    return NO_FRAMES
  }

  /** They need not wait for anything of before. */
  private tellWorkers({ timeMs, first, end }: FrameBatch): void {
    const untilMs = end > first ? timeMs[first] : this.own.quietUntilMs
    if (untilMs > this.toldMs) this.workers.unwrappedUntil(untilMs)
    this.toldMs = untilMs
  }

  /** Whether the workers have measured what came (nearly) until then. */
  private isMeasured(timeMs: number): boolean {
    const untilMs = timeMs - BEHIND_MS
    return this.workers.hasMeasured(untilMs, untilMs - this.own.clockOffsetMs)
  }

  stop(): void {
    this.own.stop()
    this.workers.stop()
  }

  async close(): Promise<void> {
    await this.workers.close()
    await this.own.close()
  }
}
