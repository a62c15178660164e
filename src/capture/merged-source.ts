import type { PacketSource, SourceProgress, SourceWarning } from './batch.js'
import type { CaptureReader } from './capture-reader.js'
import type { FrameBatch } from './frame-batch.js'

/** A capture that waits for its turn. */
export interface WaitingCapture {
  /** Time of its first packet, ms since the epoch; -Infinity when it has none. */
  firstTimeMs: number
  /** Bytes on disk, 0 when unknown. */
  size: number
  /** Opens it; `alongside` is the number of captures open already. Null (with a warning) when that fails now. */
  open(alongside: number): Promise<CaptureReader | null>
}

/** A reader with the part of its batch that was not handed out yet. */
interface OpenCapture {
  reader: CaptureReader
  size: number
  batch: FrameBatch
  cursor: number
  limit: number
}

/**
 * Several captures as one, in order of time. A capture is opened when its first packet is due and closed at its end,
 * so that captures which follow each other need one descriptor, however many they are; those that overlap are merged
 * by handing out parts of each one's batch. The order within one capture is kept as it is.
 */
export class MergedSource implements PacketSource {
  private readonly open: OpenCapture[] = []
  private nextWaiting = 0
  /** The capture whose packets were handed out last. */
  private current: OpenCapture | null = null
  private endedDrops = 0
  private endedBytes = 0
  cuts = 0
  private readonly bytesTotal: number

  /** `waiting` in order of first packet time. */
  constructor(
    private readonly waiting: readonly WaitingCapture[],
    readonly warnings: SourceWarning[],
  ) {
    // One capture of unknown size makes the whole unknown.
    const sizes = waiting.map((capture) => capture.size)
    this.bytesTotal = sizes.includes(0) ? 0 : sizes.reduce((sum, size) => sum + size, 0)
  }

  get files(): number {
    return this.waiting.length
  }

  get reportedDrops(): number {
    let drops = this.endedDrops
    for (const capture of this.open) drops += capture.reader.reportedDrops
    return drops
  }

  progress(): SourceProgress {
    let bytesRead = this.endedBytes
    for (const capture of this.open) bytesRead += capture.reader.progress().bytesRead
    return { bytesRead, bytesTotal: this.bytesTotal }
  }

  async next(): Promise<FrameBatch | null> {
    const last = this.current
    this.current = null
    if (last !== null && last.cursor === last.limit && !(await this.refill(last))) {
      this.open.splice(this.open.indexOf(last), 1)
    }
    await this.openDue()
    if (this.open.length === 0) return null
    const due = this.earliest()
    due.batch.first = due.cursor
    due.cursor = this.endOfTurn(due)
    due.batch.end = due.cursor
    this.current = due
    return due.batch
  }

  /** Gets the next batch of a capture; at its end counts it up and returns false. */
  private async refill(capture: OpenCapture): Promise<boolean> {
    const batch = await capture.reader.next()
    if (batch !== null) {
      capture.batch = batch
      capture.cursor = batch.first
      capture.limit = batch.end
      return true
    }
    this.endedDrops += capture.reader.reportedDrops
    this.cuts += capture.reader.cuts
    this.endedBytes += capture.size === 0 ? capture.reader.progress().bytesRead : capture.size
    await capture.reader.close()
    return false
  }

  /** Opens every waiting capture whose first packet comes before what the open ones have next. */
  private async openDue(): Promise<void> {
    while (this.nextWaiting < this.waiting.length) {
      const candidate = this.waiting[this.nextWaiting]
      if (this.open.length > 0 && candidate.firstTimeMs > headTime(this.earliest())) return
      this.nextWaiting++
      const reader = await candidate.open(this.open.length)
      if (reader === null) {
        this.endedBytes += candidate.size
        continue
      }
      const batch = await reader.next()
      if (batch === null) {
        this.endedDrops += reader.reportedDrops
        this.endedBytes += candidate.size
        await reader.close()
        continue
      }
      this.open.push({ reader, size: candidate.size, batch, cursor: batch.first, limit: batch.end })
    }
  }

  private earliest(): OpenCapture {
    let best = this.open[0]
    for (let i = 1; i < this.open.length; i++) {
      if (headTime(this.open[i]) < headTime(best)) best = this.open[i]
    }
    return best
  }

  /** Index after the last packet that `due` may hand out before another capture's packet is due. */
  private endOfTurn(due: OpenCapture): number {
    let until = this.nextWaiting < this.waiting.length ? this.waiting[this.nextWaiting].firstTimeMs : Infinity
    for (const other of this.open) {
      if (other !== due && headTime(other) < until) until = headTime(other)
    }
    if (until === Infinity) return due.limit
    const timeMs = due.batch.timeMs
    let end = due.cursor + 1
    while (end < due.limit && timeMs[end] <= until) end++
    return end
  }

  async close(): Promise<void> {
    for (const capture of this.open) await capture.reader.close()
    this.open.length = 0
    this.nextWaiting = this.waiting.length
    this.current = null
  }
}

function headTime(capture: OpenCapture): number {
  return capture.batch.timeMs[capture.cursor]
}
