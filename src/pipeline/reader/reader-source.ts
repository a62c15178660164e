import { Worker } from 'node:worker_threads'
import type { PacketSource, SourceProgress, SourceWarning } from '../../capture/batch.js'
import { CallprobeError } from '../../errors.js'
import type { ReaderMessage, ReaderOrder, ReaderTask, SourceState } from './messages.js'
import { Slab } from './slab.js'

/** Slabs that go around: one is measured, one is filled, the others wait so that neither thread does. */
const SLABS = 4

/**
 * Capture files read by a thread of their own: it opens, unpacks, merges and parses them and copies their frames into
 * memory that both threads share. Packets come in the same order and pieces of the same batches as without it, so that
 * the records are the same.
 */
export class ReaderSource implements PacketSource {
  readonly warnings: SourceWarning[] = []
  files = 0
  reportedDrops = 0
  private readonly slabs = Array.from({ length: SLABS }, () => new Slab())
  private readonly worker: Worker
  private readonly inbox: ReaderMessage[] = []
  private notify: (() => void) | undefined
  private held = -1
  private over = false
  private lastProgress: SourceProgress = { bytesRead: 0, bytesTotal: 0 }

  private constructor(paths: readonly string[]) {
    const task: ReaderTask = { paths, slabs: this.slabs.map((slab) => slab.memory) }
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
  static async open(paths: readonly string[]): Promise<ReaderSource> {
    const source = new ReaderSource(paths)
    try {
      const first = await source.receiveNext()
      if (first.kind === 'failed') throw source.failure(first)
      source.update(first.state)
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

  async next(): Promise<Slab | null> {
    if (this.held >= 0) {
      this.order({ kind: 'free', slab: this.held })
      this.held = -1
    }
    if (this.over) return null
    const message = await this.receiveNext()
    if (message.kind === 'failed') {
      this.over = true
      throw this.failure(message)
    }
    this.update(message.state)
    if (message.kind !== 'slab') {
      this.over = true
      return null
    }
    this.held = message.slab
    const slab = this.slabs[message.slab]
    slab.first = 0
    slab.end = message.packets
    return slab
  }

  progress(): SourceProgress {
    return this.lastProgress
  }

  async close(): Promise<void> {
    this.over = true
    this.worker.removeAllListeners()
    await this.worker.terminate()
  }
}
