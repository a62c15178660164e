import { createGunzip, type Gunzip } from 'node:zlib'
import { systemErrorCode, errorText } from '../errors.js'
import type { ByteInput, InputFailure } from './byte-input.js'
import { OutputQueue } from './output-queue.js'

/** Compressed bytes per step. Deflate expands at most 1032 times, so a step yields at most 33 MiB. */
const STEP_BYTES = 32_768
/** Steps at the beginning, so that little is lost of a small file that is damaged; slower, so not for long. */
const FIRST_STEP_BYTES = 1024
const FIRST_STEPS_UNTIL = 65_536
/** zlib drops what it has put into its output buffer when it finds damage, so the buffer is small. */
const OUTPUT_BYTES = 16_384

/**
 * Inflates an input (RFC 1952; concatenated members are one file, as `cat a.gz b.gz` makes them). All bytes before a
 * truncation are delivered; before damage inside the deflate data, all but the last step or 16 KiB, whichever is less.
 */
export class GzipInput implements ByteInput {
  failure: InputFailure | null = null
  private readonly gunzip: Gunzip
  private readonly compressed = new Uint8Array(STEP_BYTES)
  private readonly output = new OutputQueue()
  private ended = false
  private taken = 0
  /** Resolves the step under way: called on its completion or on an error. */
  private stepDone: (() => void) | null = null

  constructor(private readonly input: ByteInput) {
    this.gunzip = createGunzip({ chunkSize: OUTPUT_BYTES })
    // Taking each piece as it comes (no pause) is what keeps every byte before an error.
    this.gunzip.on('data', (piece: Uint8Array) => this.output.push(piece))
    this.gunzip.on('error', (error: unknown) => this.fail(error))
    this.gunzip.on('end', () => this.finishStep())
    this.gunzip.on('close', () => this.finishStep())
  }

  get exhausted(): boolean {
    return this.ended && this.output.size === 0
  }

  get live(): boolean {
    return this.input.live
  }

  get bytesRead(): number {
    return this.input.bytesRead
  }

  async read(target: Uint8Array, start: number, end: number): Promise<number> {
    while (this.output.size === 0 && !this.ended) await this.step()
    return this.output.take(target, start, end)
  }

  private async step(): Promise<void> {
    const stepBytes = this.taken < FIRST_STEPS_UNTIL ? FIRST_STEP_BYTES : STEP_BYTES
    const count = await this.input.read(this.compressed, 0, stepBytes)
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
