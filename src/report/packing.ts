import { Worker } from 'node:worker_threads'
import type { CallRecord } from '../calls/records.js'
import { CallPacker } from './call-packer.js'
import type { CallBatch, ClosedCall, ClosedLog, PackedBatch } from './closed-call.js'
import type { DirectionName } from './page/data.js'
import type { PackingTask } from './packing-thread.js'
import type { SipShown } from './report-text.js'
import type { SecondSeries } from './second-series.js'

/**
 * A batch is closed when it has about this much, or this many calls: more calls share their texts, fewer bytes are read
 * to open one.
 */
const BATCH_BYTES = 384 * 1024
const MOST_CALLS = 64
/** What a call has beside its messages and seconds, about. */
const CALL_BYTES = 5000
/** Batches that the thread may be behind: about 2 MB of text each way. */
const MOST_WAITING = 3

/**
 * Details of calls, batch by batch. A thread of its own makes blocks of them, from the second batch on: smaller runs do
 * without. Where no thread can be had, or it fails, the work is done here.
 */
export class CallPacking {
  /** In the order of their calls. */
  readonly packed: PackedBatch[] = []
  private calls: ClosedCall[] = []
  private seconds = new Uint8Array(64 * 1024)
  private secondsBytes = 0
  private bytes = 0
  private rawBytes = 0
  private blocks = 0
  private worker: Worker | undefined
  private local: CallPacker | undefined
  /** What the thread was given and has not answered. */
  private readonly waiting: CallBatch[] = []
  private notify: (() => void) | undefined
  private failure: unknown

  constructor(
    private readonly sip: SipShown,
    private readonly threads = true,
  ) {}

  add(
    record: CallRecord,
    log: ClosedLog,
    series: Readonly<Record<DirectionName, SecondSeries>>,
    characters: number,
  ): void {
    const seconds: ClosedCall['seconds'] = {}
    const before = this.secondsBytes
    for (const direction of ['from_caller', 'from_callee'] as const)
      if (series[direction].length > 0) seconds[direction] = this.packSeconds(series[direction])
    this.calls.push({ record, log, seconds })
    this.bytes += CALL_BYTES + characters + this.secondsBytes - before
    if (this.bytes < BATCH_BYTES && this.calls.length < MOST_CALLS) return
    this.flush(this.takeBatch())
  }

  private packSeconds(series: SecondSeries): ReturnType<SecondSeries['pack']> {
    const at = this.secondsBytes
    this.secondsBytes += series.packedBytes
    if (this.secondsBytes > this.seconds.length) {
      const larger = new Uint8Array(Math.max(this.secondsBytes, this.seconds.length * 2))
      larger.set(this.seconds)
      this.seconds = larger
    }
    return series.pack(this.seconds, at)
  }

  private takeBatch(): CallBatch {
    const batch = { calls: this.calls, seconds: this.seconds.slice(0, this.secondsBytes) }
    this.seconds.fill(0, 0, this.secondsBytes)
    this.calls = []
    this.secondsBytes = this.bytes = 0
    return batch
  }

  private flush(batch: CallBatch): void {
    if (this.local !== undefined || !this.threads) {
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
    const { rawBytes, blocks } = this
    const workerData: PackingTask = { sip: this.sip, state: { rawBytes, blocks } }
    const worker = new Worker(new URL('./packing-thread.js', import.meta.url), { workerData })
    // Whoever waits for it says so; a run that fails elsewhere does not.
    worker.unref()
    worker.on('message', (batch: PackedBatch) => {
      this.waiting.shift()
      this.keep(batch)
      this.notify?.()
    })
    worker.on('error', () => this.goOnHere())
    worker.on('exit', () => this.goOnHere())
    return worker
  }

  /** The thread could not be started, or died: what it has not answered is done here, and everything after it. */
  private goOnHere(): void {
    void this.worker?.removeAllListeners().terminate()
    this.worker = undefined
    try {
      for (const batch of this.waiting.splice(0)) this.packHere(batch)
    } catch (error) {
      this.failure = error
    }
    this.notify?.()
  }

  private packHere(batch: CallBatch): void {
    const { rawBytes, blocks } = this
    this.local ??= new CallPacker(this.sip, { rawBytes, blocks })
    this.keep(this.local.pack(batch))
  }

  private keep(batch: PackedBatch): void {
    this.packed.push(batch)
    this.rawBytes += batch.rawBytes
    if (batch.block) this.blocks++
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
    if (this.calls.length > 0) {
      const batch = this.takeBatch()
      // For a few calls no thread is worth its start.
      if (this.worker === undefined) this.packHere(batch)
      else this.flush(batch)
    }
    await this.caughtUp(0)
    await this.close()
    if (this.failure !== undefined) throw this.failure
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.worker?.removeAllListeners()
    await this.worker?.terminate()
    this.worker = undefined
  }
}
