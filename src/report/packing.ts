import { Worker } from 'node:worker_threads'
import type { CallBatch } from './call-batch.js'
import { CallPacker } from './call-packer.js'
import type { SecondsPlace } from './page/data.js'
import type { PackingTask } from './packing-thread.js'
import type { SipShown } from './report-text.js'
import type { SecondSeries } from './second-series.js'

/**
 * A batch is closed when it has this much, or this many calls: more calls share their texts, fewer bytes are read to
 * open one.
 */
const BATCH_BYTES = 384 * 1024
const MOST_CALLS = 64
/** Batches that the thread may be behind. */
const MOST_WAITING = 3

/**
 * Details of calls, batch by batch. A thread of its own makes blocks of them, from the first full batch on: smaller runs
 * do without. Where no thread can be had, or it fails, the work is done here.
 */
export class CallPacking {
  /** Compressed, in the order of their calls. */
  readonly blocks: Uint8Array[] = []
  /** Details so far: characters, and bytes of seconds. */
  size = 0
  private batches = 0
  private details: string[] = []
  private texts: (string | null)[][] = []
  private seconds = new Uint8Array(64 * 1024)
  private secondsBytes = 0
  /** `size` when the batch began. */
  private sizeBefore = 0
  private worker: Worker | undefined
  private local: CallPacker | undefined
  /** What the thread was given and has not answered. */
  private readonly waiting: CallBatch[] = []
  private notify: (() => void) | undefined
  private failure: unknown

  constructor(private readonly sip: SipShown) {}

  /** Packs a direction's seconds of the call whose details are added next. */
  addSeconds(series: SecondSeries): SecondsPlace {
    const at = this.secondsBytes
    this.secondsBytes += series.packedBytes
    this.size += series.packedBytes
    if (this.secondsBytes > this.seconds.length) {
      const larger = new Uint8Array(Math.max(this.secondsBytes, this.seconds.length * 2))
      larger.set(this.seconds)
      this.seconds = larger
    }
    return series.pack(this.seconds, at)
  }

  /**
   * Adds a call.
   * @param detail its details as JSON
   * @param texts its SIP messages as they were seen
   * @returns where the page finds it
   */
  add(detail: string, texts: (string | null)[]): { block: number; place: number } {
    const at = { block: this.batches, place: this.details.length }
    this.details.push(detail)
    this.texts.push(texts)
    this.size += detail.length
    for (const text of texts) this.size += text?.length ?? 0
    if (this.size - this.sizeBefore >= BATCH_BYTES || this.details.length >= MOST_CALLS)
      this.give(this.takeBatch())
    return at
  }

  private takeBatch(): CallBatch {
    const { details, texts } = this
    const seconds = this.seconds.slice(0, this.secondsBytes)
    this.seconds.fill(0, 0, this.secondsBytes)
    this.details = []
    this.texts = []
    this.secondsBytes = 0
    this.sizeBefore = this.size
    this.batches++
    return { details, texts, seconds }
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
    } catch {
      this.goOnHere()
    }
  }

  private start(): Worker {
    const workerData: PackingTask = { sip: this.sip }
    const worker = new Worker(new URL('./packing-thread.js', import.meta.url), { workerData })
    // Whoever waits for it says so; a run that fails elsewhere does not.
    worker.unref()
    worker.on('message', (block: Uint8Array) => {
      this.waiting.shift()
      this.blocks.push(block)
      this.notify?.()
    })
    worker.on('error', () => this.goOnHere())
    worker.on('exit', () => this.goOnHere())
    return worker
  }

  /** The thread could not be started, or died: what it has not answered is done here, and everything after it. */
  private goOnHere(): void {
    void this.close()
    this.local ??= new CallPacker(this.sip)
    try {
      for (const batch of this.waiting.splice(0)) this.packHere(batch)
    } catch (error) {
      this.failure = error
    }
    this.notify?.()
  }

  private packHere(batch: CallBatch): void {
    this.local ??= new CallPacker(this.sip)
    this.blocks.push(this.local.pack(batch))
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
    if (this.details.length > 0) {
      const batch = this.takeBatch()
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
