import { CallprobeError, errorText } from '../../errors.js'
import type { Spool, SpoolBatch } from '../spool/spool.js'
import { describeDestination } from './destination.js'
import { HttpFailure } from './http-client.js'
import type { Server } from './server.js'
import { unreachable } from './server-errors.js'
import { writeBatch, type NamingBudget, type Rejected, type WriteResult } from './write-batch.js'

export interface SenderCounters {
  /** Points that the server took. */
  sent: number
  /** Points that the server refused for good. */
  rejected: number
  /** Requests that wrote. */
  posts: number
  /** Batches that had to be posted again. */
  retries: number
  /** Bytes of bodies, compressed. */
  bytesSent: number
}

export interface SenderOptions {
  /** Most points and most bytes of line protocol in one request. */
  batchPoints: number
  batchBytes: number
  /** Most points in one request while several requests wait: fewer of them, though frames are packed anew. */
  backlogPoints: number
  /** First pause after a failure; it doubles up to `mostPauseMs`. */
  firstPauseMs: number
  mostPauseMs: number
  nowMs: () => number
  /** The server stopped or began to take points: why, or undefined. */
  onState: (failure: CallprobeError | undefined) => void
  /** Lines that the server refused for good. */
  onRejected: (rejected: readonly Rejected[]) => void
}

/** Refused lines that are searched out one by one, in a run, where the server names none. */
const MOST_NAMED = 50
/** Cut connections in a row after which a batch is made smaller: something in between may not take so much. */
const CUTS_BEFORE_HALVING = 3
const LEAST_BATCH_BYTES = 16 * 1024
/** Batches that were taken before a smaller size is given up again. */
const BATCHES_BEFORE_DOUBLING = 50
/** Requests that wait before the server counts as behind. */
const BATCHES_OF_BACKLOG = 4

/** Takes batches out of the spool and posts them, one at a time, again and again until the server has them. */
export class Sender {
  readonly counters: SenderCounters = { sent: 0, rejected: 0, posts: 0, retries: 0, bytesSent: 0 }
  /** Why the server does not take points just now. */
  failure: CallprobeError | undefined
  /** Since when; also before the first success. */
  failingSinceMs: number | undefined
  /** The server has taken something in this run, or was found ready. */
  reached = false

  private readonly naming: NamingBudget = { left: MOST_NAMED }
  private batchBytes: number
  private pauseMs: number
  private cuts = 0
  private taken = 0
  private stopping = false
  private endPause: (() => void) | undefined
  private running: Promise<void> | undefined
  private busy = false

  constructor(
    private readonly spool: Spool,
    private readonly server: Server,
    private readonly options: SenderOptions,
  ) {
    this.batchBytes = options.batchBytes
    this.pauseMs = options.firstPauseMs
  }

  start(): void {
    this.running ??= this.run()
  }

  /** Nothing is being posted and nothing waits to be. */
  get idle(): boolean {
    return !this.busy && this.spool.unsentPoints === 0
  }

  /** Ends after the request under way. */
  async stop(): Promise<void> {
    this.stopping = true
    this.hurry()
    this.spool.wake()
    await this.running
  }

  /** Ends a pause before the next attempt. */
  hurry(): void {
    this.endPause?.()
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      let batch: SpoolBatch | undefined
      try {
        batch = await this.spool.next(this.batchBytes, this.mostPoints)
      } catch (error) {
        // A spool file cannot be read: the disk may recover.
        await this.failed(asError(error), undefined)
        continue
      }
      if (batch === undefined) {
        await this.spool.changed(1000)
        continue
      }
      this.busy = true
      await this.deliver(batch)
      this.busy = false
    }
  }

  private get mostPoints(): number {
    const { batchPoints, backlogPoints } = this.options
    return this.spool.unsentPoints > BATCHES_OF_BACKLOG * batchPoints ? backlogPoints : batchPoints
  }

  private async deliver(batch: SpoolBatch): Promise<void> {
    let result: WriteResult
    try {
      if (!this.server.isReady) await this.server.prepare()
      result = await writeBatch(batch.frames, (body) => this.post(body), this.options.nowMs, this.naming)
    } catch (error) {
      if (wasCut(error)) this.afterCut()
      await this.failed(asError(unreachable(this.server.destination, error)), undefined)
      return
    }
    this.cuts = 0
    if (result.kind === 'done') {
      if (result.tooLong) this.batchBytes = Math.max(LEAST_BATCH_BYTES, this.batchBytes >>> 1)
      else if (++this.taken % BATCHES_BEFORE_DOUBLING === 0)
        this.batchBytes = Math.min(this.options.batchBytes, this.batchBytes * 2)
      await this.done(batch, result.rejected)
      return
    }
    const where = describeDestination(this.server.destination)
    if (result.kind === 'later') {
      const error = new CallprobeError('INFLUX_UNREACHABLE', `${where}: the server answers ${result.reason}`)
      await this.failed(error, result.afterMs)
      return
    }
    // Somebody changed it under way; `prepare` says what is wrong, or makes the database again.
    this.server.forget()
    await this.failed(new CallprobeError('INFLUX_REJECTED', `${where}: ${result.reason}`), undefined)
  }

  private async done(batch: SpoolBatch, rejected: readonly Rejected[]): Promise<void> {
    const refused = rejected.reduce((sum, { points }) => sum + points, 0)
    this.counters.rejected += refused
    this.counters.sent += Math.max(0, batch.points - refused)
    if (rejected.length > 0) this.options.onRejected(rejected)
    this.reached = true
    this.pauseMs = this.options.firstPauseMs
    this.failingSinceMs = undefined
    if (this.failure !== undefined) {
      this.failure = undefined
      this.options.onState(undefined)
    }
    await this.spool.sent(batch)
  }

  private async post(body: Buffer) {
    this.counters.posts++
    this.counters.bytesSent += body.length
    return this.server.write(body)
  }

  private async failed(error: CallprobeError, afterMs: number | undefined): Promise<void> {
    const first = this.failure?.message !== error.message
    this.failure = error
    this.failingSinceMs ??= this.options.nowMs()
    this.counters.retries++
    if (first) this.options.onState(error)
    if (this.stopping) return
    // Half of it by chance, so that many probes do not come back at once.
    const pause = afterMs ?? this.pauseMs * (0.5 + Math.random() / 2)
    this.pauseMs = Math.min(this.options.mostPauseMs, this.pauseMs * 2)
    await this.sleep(pause)
  }

  private afterCut(): void {
    this.cuts++
    if (this.cuts % CUTS_BEFORE_HALVING !== 0) return
    this.batchBytes = Math.max(LEAST_BATCH_BYTES, this.batchBytes >>> 1)
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** The connection was there, and ended before the answer. */
function wasCut(error: unknown): boolean {
  return error instanceof HttpFailure && ['ECONNRESET', 'EPIPE'].includes(error.code)
}

function asError(error: unknown): CallprobeError {
  return error instanceof CallprobeError
    ? error
    : new CallprobeError('SPOOL_FAILED', errorText(error), { cause: error })
}
