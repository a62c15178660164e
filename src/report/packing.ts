import { Worker } from 'node:worker_threads'
import type { CallRecord } from '../calls/records.js'
import { errorText } from '../errors.js'
import { threadModule } from '../places.js'
import { BatchWriter, type CallBatch } from './call-batch.js'
import type { CallLog } from './call-log.js'
import { CallPacker, nothingPacked, type PackedBatch } from './call-packer.js'
import type { PackingTask } from './packing-thread.js'
import type { ReportText } from './report-text.js'

/**
 * A batch is closed when it has about this much, or this many calls: more calls share their texts, fewer bytes are read
 * to open one.
 */
const BATCH_BYTES = 384 * 1024
const MOST_CALLS = 64
/** Batches that the thread may be behind, of a megabyte or less; with more the replay waits. */
const MOST_WAITING = 16

/**
 * What the file has of each call, batch by batch. A thread of its own makes it, from the first full batch on: smaller runs
 * do without. Where no thread can be had, or it fails, the work is done here.
 */
export class CallPacking {
  /** Compressed, in the order of their calls. */
  readonly blocks: Uint8Array[] = []
  /** The calls in the table, each as JSON. */
  readonly rows: string[] = []
  soFar = nothingPacked()
  private readonly writer = new BatchWriter()
  private worker: Worker | undefined
  private local: CallPacker | undefined
  /** What the thread was given and has not answered. */
  private readonly waiting: CallBatch[] = []
  private notify: (() => void) | undefined
  private failure: unknown
  /** Said once: why the thread that reads packs as well. */
  warning: string | undefined

  constructor(private readonly shown: ReportText) {}

  /** Adds a call. The record is kept for a while: it must not change. */
  add(record: CallRecord, log: CallLog): void {
    const { writer } = this
    writer.begin(record)
    log.write(writer, this.shown)
    if (writer.weight >= BATCH_BYTES || writer.calls >= MOST_CALLS) this.give(writer.take())
  }

  private give(batch: CallBatch): void {
    if (this.local) {
      this.packHere(batch)
      return
    }
    this.waiting.push(batch)
    try {
      this.worker ??= this.start()
      this.worker.postMessage(batch)
    } catch (error) {
      this.goOnHere(errorText(error))
    }
  }

  private start(): Worker {
    const workerData: PackingTask = { sip: this.shown.sip }
    const worker = new Worker(threadModule('report/packing-thread'), { workerData })
    // Whoever waits for it says so; a run that fails elsewhere does not.
    worker.unref()
    worker.on('message', (packed: PackedBatch) => {
      this.waiting.shift()
      this.take(packed)
      this.notify?.()
    })
    worker.on('error', (error) => this.goOnHere(errorText(error)))
    worker.on('exit', (code) => this.goOnHere(`it ended with ${code}`))
    return worker
  }

  private take({ block, rows, soFar }: PackedBatch): void {
    if (block) this.blocks.push(block)
    for (const row of rows) this.rows.push(row)
    this.soFar = soFar
  }

  /** The thread could not be started, or died: what it has not answered is done here, and everything after it. */
  private goOnHere(why: string): void {
    this.warning ??= `the report's packing thread failed (${why}): the thread that reads packs as well, which takes longer`
    void this.close()
    this.local ??= new CallPacker(this.shown.sip, this.soFar)
    try {
      for (const batch of this.waiting.splice(0)) this.packHere(batch)
    } catch (error) {
      this.failure = error
    }
    this.notify?.()
  }

  private packHere(batch: CallBatch): void {
    this.local ??= new CallPacker(this.shown.sip, this.soFar)
    this.take(this.local.pack(batch))
  }

  /** Resolves when the thread has caught up; undefined: it can take more at once. */
  ready(): Promise<void> | undefined {
    return this.waiting.length < MOST_WAITING ? undefined : this.caughtUp(MOST_WAITING - 1)
  }

  private async caughtUp(waiting: number): Promise<void> {
    this.worker?.ref()
    while (this.waiting.length > waiting) await new Promise<void>((resolve) => (this.notify = resolve))
    this.worker?.unref()
  }

  /** All batches are packed. Throws what packing threw. */
  async finish(): Promise<void> {
    if (this.writer.calls > 0) {
      const batch = this.writer.take()
      // For a few calls no thread is worth its start.
      if (this.worker) this.give(batch)
      else this.packHere(batch)
    }
    await this.caughtUp(0)
    await this.close()
    if (this.failure !== undefined) throw this.failure
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    const { worker } = this
    this.worker = undefined
    worker?.removeAllListeners()
    await worker?.terminate()
  }
}
