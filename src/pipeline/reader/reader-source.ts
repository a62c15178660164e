import { Worker } from 'node:worker_threads'
import type { PacketSource, SourceProgress, SourceWarning } from '../../capture/batch.js'
import { CallprobeError } from '../../errors.js'
import type { RowBatch } from '../../rtp/packet-rows.js'
import type { ReaderInput, ReaderMessage, ReaderOrder, ReaderTask, SourceState } from './messages.js'
import { RowSlab } from './row-slab.js'

/** Slabs that go around: one is measured, one is filled, the others wait so that neither thread does. */
const SLABS = 4

/**
 * Captures read by a thread of their own: it opens, unpacks, merges and parses them, and describes their frames in
 * memory that both threads share, where the frames themselves lie too. Packets come in the same batches as without it,
 * so that the records are the same.
 */
export class ReaderSource implements PacketSource<RowBatch> {
  readonly warnings: SourceWarning[] = []
  files = 0
  reportedDrops = 0
  private readonly slabs: readonly RowSlab[]
  private readonly worker: Worker
  private readonly inbox: ReaderMessage[] = []
  private notify: (() => void) | undefined
  /** Memory that frames lie in, by id. */
  private readonly memories: { bytes: Uint8Array; view: DataView }[] = []
  /** The slab that is being measured, -1 for none, how many ranges it has, and the next of them. */
  private held = -1
  private ranges = 0
  private nextRange = 0
  private over = false
  private lastProgress: SourceProgress = { bytesRead: 0, bytesTotal: 0 }

  private constructor(input: ReaderInput) {
    const memories = Array.from({ length: SLABS }, () => RowSlab.memory())
    this.slabs = memories.map((memory) => new RowSlab(memory))
    const task: ReaderTask = { input, slabs: memories }
    this.worker = new Worker(new URL('./reader-thread.js', import.meta.url), { workerData: task })
    this.worker.on('message', (message: ReaderMessage) => this.receive(message))
    this.worker.on('error', (error) =>
      this.receive({
        kind: 'failed',
        failure: { code: undefined, message: error.message, hint: undefined },
      }),
    )
    this.worker.on('exit', () =>
      this.receive({
        kind: 'failed',
        failure: { code: 'READ_FAILED', message: 'the reading thread ended early', hint: undefined },
      }),
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
    try {
      const first = await source.receiveNext()
      if (first.kind === 'failed') throw source.failure(first)
      if (first.kind === 'open') source.update(first.state)
      return source
    } catch (error) {
      await source.close()
      throw error
    }
  }

  private receive(message: ReaderMessage): void {
    this.inbox.push(message)
    this.notify?.()
  }

  private async receiveNext(): Promise<ReaderMessage> {
    for (;;) {
      const message = this.inbox.shift()
      if (message) return message
      await new Promise<void>((resolve) => (this.notify = resolve))
    }
  }

  private order(order: ReaderOrder): void {
    this.worker.postMessage(order)
  }

  private update({ progress, files, reportedDrops, warnings }: SourceState): void {
    this.lastProgress = progress
    this.files = files
    this.reportedDrops = reportedDrops
    this.warnings.push(...warnings)
  }

  private failure({ failure }: Extract<ReaderMessage, { kind: 'failed' }>): Error {
    const { code, message, hint } = failure
    return code === undefined ? new Error(message) : new CallprobeError(code, message, { hint })
  }

  async next(): Promise<RowBatch | null> {
    if (this.nextRange === this.ranges && !(await this.nextSlab())) return null
    const { rows, ranges } = this.slabs[this.held]
    const n = this.nextRange++
    const { bytes, view } = this.memories[ranges[n * 2]]
    return { bytes, view, rows, first: n === 0 ? 0 : ranges[n * 2 - 1], end: ranges[n * 2 + 1] }
  }

  private async nextSlab(): Promise<boolean> {
    this.nextRange = this.ranges = 0
    if (this.held >= 0) this.order({ kind: 'free', slab: this.held })
    this.held = -1
    while (!this.over) {
      const message = await this.receiveNext()
      if (message.kind === 'memory') {
        const { bytes } = message
        this.memories.push({ bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
        continue
      }
      if (message.kind === 'failed') {
        this.over = true
        throw this.failure(message)
      }
      this.update(message.state)
      if (message.kind === 'slab') {
        this.held = message.slab
        this.ranges = message.ranges
        return true
      }
      if (message.kind === 'end') this.over = true
    }
    return false
  }

  progress(): SourceProgress {
    return this.lastProgress
  }

  async close(): Promise<void> {
    this.over = true
    this.nextRange = this.ranges
    this.held = -1
    this.worker.removeAllListeners()
    await this.worker.terminate()
  }
}
