import { createGunzip, type Gunzip } from 'node:zlib'
import { errorText, systemErrorCode } from '../errors.js'
import type { ByteInput, InputFailure } from './byte-input.js'
import { OutputQueue } from './output-queue.js'

interface Steps {
  /** Compressed bytes per step. Deflate expands at most 1032 times: of 128 KiB come at most 132 MiB. */
  stepBytes: number
  /** Of the steps at the beginning. */
  firstStepBytes: number
  /** zlib's output buffer. What it has put there when it finds damage is lost. */
  outputBytes: number
}

const FAST: Steps = { stepBytes: 131_072, firstStepBytes: 131_072, outputBytes: 524_288 }
/** Some three times slower, and little is lost; at the beginning less still, for the sake of small files. */
const CAREFUL: Steps = { stepBytes: 32_768, firstStepBytes: 1024, outputBytes: 16_384 }
const FIRST_STEPS_UNTIL = 65_536

/**
 * Inflates an input (RFC 1952; concatenated members are one file, as `cat a.gz b.gz` makes them). All bytes before a
 * truncation are delivered; before damage inside the deflate data, all but the last step or 16 KiB, whichever is less:
 * zlib keeps that back. A file is inflated fast, and in smaller steps a second time where damage is found in it; what can
 * be read only once, in smaller steps from the start.
 */
export class GzipInput implements ByteInput {
  private inflation: Inflation
  private delivered = 0
  private canRepeat: boolean

  constructor(private readonly input: ByteInput) {
    this.canRepeat = input.reopen !== undefined
    this.inflation = new Inflation(input, this.canRepeat ? FAST : CAREFUL)
  }

  get exhausted(): boolean {
    return this.inflation.exhausted && !this.isToRepeat
  }

  get live(): boolean {
    return this.input.live
  }

  get bytesRead(): number {
    return this.input.bytesRead
  }

  get failure(): InputFailure | null {
    return this.isToRepeat ? null : this.inflation.failure
  }

  private get isToRepeat(): boolean {
    return this.canRepeat && this.inflation.failure?.kind === 'damaged'
  }

  async read(target: Uint8Array, start: number, end: number): Promise<number> {
    let count = await this.inflation.read(target, start, end)
    if (count === 0 && this.isToRepeat && (await this.repeat(target, start, end)))
      count = await this.inflation.read(target, start, end)
    this.delivered += count
    return count
  }

  /** Begins again and goes on to where the first attempt ended, with `target` to put aside what is known. */
  private async repeat(target: Uint8Array, start: number, end: number): Promise<boolean> {
    this.canRepeat = false
    const again = await this.input.reopen?.()
    if (!again) return false
    const careful = new Inflation(again, CAREFUL)
    for (let left = this.delivered; left > 0;) {
      const count = await careful.read(target, start, Math.min(end, start + left))
      if (count === 0) break
      left -= count
    }
    this.inflation = careful
    return true
  }

  close(): Promise<void> {
    this.canRepeat = false
    return this.inflation.close()
  }
}

/** One pass over the compressed bytes. */
class Inflation {
  failure: InputFailure | null = null
  private readonly gunzip: Gunzip
  private readonly compressed: Uint8Array
  private readonly output = new OutputQueue()
  private ended = false
  private taken = 0
  /** Resolves the step under way: called on its completion or on an error. */
  private stepDone: (() => void) | null = null

  constructor(
    private readonly input: ByteInput,
    private readonly steps: Steps,
  ) {
    this.compressed = new Uint8Array(steps.stepBytes)
    this.gunzip = createGunzip({ chunkSize: steps.outputBytes })
    // Taking each piece as it comes (no pause) is what keeps every byte before an error.
    this.gunzip.on('data', (piece: Uint8Array) => this.output.push(piece))
    this.gunzip.on('error', (error: unknown) => this.fail(error))
    this.gunzip.on('end', () => this.finishStep())
    this.gunzip.on('close', () => this.finishStep())
  }

  get exhausted(): boolean {
    return this.ended && this.output.size === 0
  }

  async read(target: Uint8Array, start: number, end: number): Promise<number> {
    while (this.output.size === 0 && !this.ended) await this.step()
    return this.output.take(target, start, end)
  }

  private async step(): Promise<void> {
    const { stepBytes, firstStepBytes } = this.steps
    const most = this.taken < FIRST_STEPS_UNTIL ? firstStepBytes : stepBytes
    const count = await this.input.read(this.compressed, 0, most)
    this.taken += count
    if (count === 0) this.ended = true
    if (this.input.failure !== null) this.failure = this.input.failure
    await new Promise<void>((resolve) => {
      this.stepDone = resolve
      if (count === 0) this.gunzip.end()
      else this.gunzip.write(this.compressed.subarray(0, count), () => this.finishStep())
    })
    if (this.ended) await this.close()
  }

  private finishStep(): void {
    const done = this.stepDone
    this.stepDone = null
    if (done !== null) done()
  }

  private fail(error: unknown): void {
    this.ended = true
    this.failure ??=
      systemErrorCode(error) === 'Z_BUF_ERROR'
        ? { kind: 'truncated', message: 'the gzip data ends in the middle' }
        : { kind: 'damaged', message: `the gzip data is damaged: ${errorText(error)}` }
    this.finishStep()
  }

  async close(): Promise<void> {
    this.ended = true
    this.gunzip.destroy()
    await this.input.close()
  }
}
