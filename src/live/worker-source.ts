import { setTimeout as sleep } from 'node:timers/promises'
import { FrameBatch } from '../capture/frame-batch.js'
import type { CaptureLosses, LiveSource } from '../capture/live.js'
import type { RingSource } from '../capture/ring/ring-source.js'
import type { SourceProgress, SourceWarning } from '../capture/batch.js'
import type { MediaWorkers } from '../pipeline/media/media-workers.js'

const WAIT_MS = 5
const NO_FRAMES = new FrameBatch(1)

/**
 * What is left to the calls' thread when media workers read rings of their own: signalling, fragments, tunnels. It ends
 * when the workers' rings are empty too, and tells of what all of them missed.
 */
export class WorkerSource implements LiveSource {
  private over = false

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
    return this.own.quietUntilMs
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
    if (!this.over) {
      const batch = await this.own.next()
      if (batch !== null) return batch
      this.over = true
    }
    if (this.workers.isDrained) return null
    await sleep(WAIT_MS)
    return NO_FRAMES
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
