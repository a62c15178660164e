import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { PacketBatch, PacketSource, SourceProgress, SourceWarning } from '../../capture/batch.js'
import { CallprobeError } from '../../errors.js'
import { threadModule } from '../../places.js'
import type { FailureText, ReaderInput, ReaderMessage, ReaderTask, SourceState } from './messages.js'
import { SlabRing } from './slab-ring.js'

/** The event loop gets its turn after so many slabs, so that outputs are written meanwhile. */
const TURN_EVERY = 4
/** How long the thread waits for a slab before the event loop gets its turn. */
const WAIT_MS = 1

/**
 * Captures read by a thread of their own: it opens, unpacks, merges and parses them, and describes their frames in
 * memory that both threads share, where the frames themselves lie too. Packets come in the same batches as without it,
 * so that the records are the same.
 */
export class ReaderSource implements PacketSource {
  warnings: readonly SourceWarning[] = []
  files = 0
  reportedDrops = 0
  cuts = 0
  /** When all was handed out. */
  private cutsAtEnd = 0
  private readonly ring: SlabRing
  private readonly worker: Worker
  /** Memory that frames lie in, by id. */
  private readonly memories: { bytes: Uint8Array; view: DataView }[] = []
  /** What the thread said last of its state; `over` when no slab comes after those in the ring. */
  private phase: 'opening' | 'open' | 'over' = 'opening'
  private failed: FailureText | undefined
  private lastProgress: SourceProgress = { bytesRead: 0, bytesTotal: 0 }
  /** Called with every message. */
  private notify: (() => void) | undefined
  /** Slabs measured; the one at hand is the next of them. */
  private measured = 0
  /** Batches of the slab at hand, and the next of them. */
  private batches = 0
  private nextBatch = 0

  private constructor(input: ReaderInput) {
    const memory = SlabRing.memory()
    this.ring = new SlabRing(memory)
    const task: ReaderTask = { input, ring: memory }
    this.worker = new Worker(threadModule('pipeline/reader/reader-thread'), { workerData: task })
    this.worker.on('message', (message: ReaderMessage) => this.receive(message))
    this.worker.on('error', ({ message }) => this.fail({ code: undefined, message, hint: undefined }))
    this.worker.on('exit', () =>
      this.fail({ code: 'READ_FAILED', message: 'the reading thread ended early', hint: undefined }),
    )
  }

  /** As `openFiles`, which the thread calls. Throws what that throws. */
  static open(paths: readonly string[]): Promise<ReaderSource> {
    return ReaderSource.start({ paths })
  }

  /** As `MemorySource`, best of chunks in shared memory (others are copied). */
  static ofMemory(chunks: readonly Uint8Array[]): Promise<ReaderSource> {
    return ReaderSource.start({ chunks })
  }

  private static async start(input: ReaderInput): Promise<ReaderSource> {
    const source = new ReaderSource(input)
    while (source.phase === 'opening') await source.nextMessage()
    if (source.failed === undefined) return source
    await source.close()
    throw source.failure(source.failed)
  }

  private receive(message: ReaderMessage): void {
    if (message.kind === 'memory') {
      const { bytes } = message
      this.memories.push({ bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    } else if (message.kind === 'failed') this.fail(message.failure)
    else {
      this.update(message.state)
      this.phase = message.kind === 'open' ? 'open' : 'over'
    }
    this.notify?.()
  }

  private fail(failure: FailureText): void {
    if (this.phase === 'over') return
    this.phase = 'over'
    this.failed = failure
    this.notify?.()
  }

  private nextMessage(): Promise<void> {
    return new Promise((resolve) => (this.notify = resolve))
  }

  private update({ progress, files, reportedDrops, warnings, cuts }: SourceState): void {
    this.lastProgress = progress
    this.files = files
    this.reportedDrops = reportedDrops
    this.warnings = warnings
    this.cutsAtEnd = cuts
  }

  private failure({ code, message, hint }: FailureText): Error {
    return code === undefined ? new Error(message) : new CallprobeError(code, message, { hint })
  }

  async next(): Promise<PacketBatch | null> {
    if (this.nextBatch === this.batches && !(await this.nextSlab())) return null
    const slab = this.ring.slab(this.measured)
    const n = this.nextBatch++
    const memory = slab.memoryOf(n)
    this.cuts = slab.cutsBefore(n)
    // The message that tells of it was sent before the slab was filled.
    while (this.memories.length <= memory) {
      if (this.failed !== undefined) this.end()
      await this.nextMessage()
    }
    return slab.batch(n, this.memories[memory])
  }

  /** Gives the slab at hand back and waits for the one after it. False at the end. */
  private async nextSlab(): Promise<boolean> {
    if (this.batches > 0) {
      this.measured++
      this.ring.giveBack()
      this.batches = this.nextBatch = 0
      if (this.measured % TURN_EVERY === 0) await setImmediate()
    }
    while (!this.ring.awaitSlab(this.measured, this.phase === 'over' ? 0 : WAIT_MS)) {
      if (this.phase === 'over') return this.end()
      await setImmediate()
    }
    const slab = this.ring.slab(this.measured)
    this.batches = slab.count
    if (this.phase !== 'over') this.lastProgress = { ...this.lastProgress, bytesRead: slab.bytesRead }
    return true
  }

  private end(): boolean {
    const { failed } = this
    this.failed = undefined
    this.cuts = this.cutsAtEnd
    if (failed !== undefined) throw this.failure(failed)
    return false
  }

  progress(): SourceProgress {
    return this.lastProgress
  }

  async close(): Promise<void> {
    this.phase = 'over'
    this.batches = this.nextBatch = 0
    this.measured = this.ring.filled
    this.worker.removeAllListeners()
    await this.worker.terminate()
  }
}
