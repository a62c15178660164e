import { CallprobeError } from '../errors.js'
import type { PacketSource, SourceProgress, SourceWarning } from './batch.js'
import type { ByteWindow } from './byte-window.js'
import type { CaptureParser } from './capture-parser.js'
import { SIGNATURE_BYTES } from './detect-compression.js'
import { notACapture, parserFor } from './detect-format.js'
import { FrameBatch } from './frame-batch.js'

export interface ReaderOptions {
  /** Name in warnings and errors. */
  name: string
  /** Bytes on disk, 0 when unknown. */
  bytesTotal: number
  /** Most packets per batch. */
  batchCapacity?: number
  /** What to fill; its own one otherwise. */
  batch?: FrameBatch
  /** Where warnings go (several readers may share one list); each reader adds at most a handful. */
  warnings?: SourceWarning[]
}

/** Reads one capture, in the order of the file. */
export class CaptureReader implements PacketSource {
  readonly warnings: SourceWarning[]
  private readonly batch: FrameBatch
  private parser: CaptureParser | null = null
  private position = 0
  private done = false
  /** It ended early or was damaged. */
  private isCut = false
  cuts = 0
  private held: FrameBatch | null = null
  private notesReported = 0

  constructor(
    private readonly window: ByteWindow,
    private readonly options: ReaderOptions,
  ) {
    this.warnings = options.warnings ?? []
    this.batch = options.batch ?? new FrameBatch(options.batchCapacity)
    this.batch.inUse = true
  }

  readonly files = 1

  get reportedDrops(): number {
    return this.parser === null ? 0 : this.parser.reportedDrops
  }

  progress(): SourceProgress {
    return { bytesRead: this.window.bytesRead, bytesTotal: this.options.bytesTotal }
  }

  /**
   * Reads the first bytes and finds out what they are; `next` does so itself if need be. Throws a CallprobeError
   * (`NOT_A_CAPTURE`, `EMPTY_CAPTURE`) when there is nothing to read.
   */
  async start(): Promise<void> {
    if (this.parser !== null) return
    while (this.window.end - this.window.start < SIGNATURE_BYTES) {
      if (!(await this.window.advance(this.window.start, SIGNATURE_BYTES))) break
    }
    const { bytes, view, start, end, failure } = this.window
    const name = this.options.name
    if (end - start < SIGNATURE_BYTES) {
      this.done = true
      if (failure !== null) {
        throw new CallprobeError('NOT_A_CAPTURE', `${name} cannot be read: ${failure.message}`)
      }
      if (end === start) {
        throw new CallprobeError('EMPTY_CAPTURE', `${name} is empty`, {
          hint: 'was the capture stopped before its first packet was written?',
        })
      }
      throw notACapture(name, bytes.subarray(start, end))
    }
    const parser = parserFor(view, start)
    if (parser === null) {
      this.done = true
      throw notACapture(name, bytes.subarray(start, end))
    }
    this.parser = parser
    this.showWindow()
  }

  /** Time of the first packet, -Infinity if there is none: reads the first batch, which the next `next` returns. */
  async peekTime(): Promise<number> {
    this.held = await this.next()
    return this.held === null ? -Infinity : this.held.timeMs[this.held.first]
  }

  async next(): Promise<FrameBatch | null> {
    const held = this.held
    if (held !== null) {
      this.held = null
      return held
    }
    if (this.done) return this.over()
    if (this.parser === null) await this.start()
    const parser = this.parser
    if (parser === null) return null
    const batch = this.batch
    batch.first = 0
    batch.end = 0
    batch.rows = undefined
    for (;;) {
      this.position = parser.parse(batch, this.position, this.window.end)
      if (parser.damage !== null) return this.stopAtDamage(parser.damage.position, parser.damage.message)
      if (batch.end > 0) return batch
      if (!(await this.window.advance(this.position, parser.needed))) {
        await this.stopAtEnd(parser)
        return this.over()
      }
      this.showWindow()
    }
  }

  private showWindow(): void {
    this.batch.bytes = this.window.bytes
    this.batch.view = this.window.view
    this.position = this.window.start
  }

  /** All that it had was handed out. */
  private over(): null {
    if (this.isCut) this.cuts = 1
    return null
  }

  private warn(kind: SourceWarning['kind'], message: string, offset?: number): void {
    if (kind !== 'note') this.isCut = true
    this.warnings.push({ source: this.options.name, kind, message, offset })
  }

  private offsetOf(position: number): number {
    return this.window.startOffset + (position - this.window.start)
  }

  /** Nothing after the first error is trusted; what precedes it is delivered. */
  private stopAtDamage(position: number, message: string): FrameBatch | null {
    this.done = true
    this.reportNotes()
    this.warn('damaged', `${message}; everything before it was read`, this.offsetOf(position))
    return this.batch.end > 0 ? this.batch : null
  }

  private async stopAtEnd(parser: CaptureParser): Promise<void> {
    this.done = true
    this.reportNotes()
    const left = this.window.end - this.position
    const failure = this.window.failure
    const offset = this.offsetOf(this.position)
    if (failure !== null) {
      this.warn(failure.kind, `${failure.message}; everything before it was read`, offset)
    } else if (left > 0 || !parser.atRecordStart) {
      this.warn('truncated', 'the file ends in the middle of a record; everything before it was read', offset)
    }
    await this.window.close()
  }

  private reportNotes(): void {
    const notes = this.parser === null ? [] : this.parser.notes
    for (; this.notesReported < notes.length; this.notesReported++) {
      this.warn('note', notes[this.notesReported])
    }
  }

  async close(): Promise<void> {
    this.done = true
    this.batch.inUse = false
    await this.window.close()
  }
}
