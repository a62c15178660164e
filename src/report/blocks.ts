import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import type { CallRecord } from '../calls/records.js'
import { jsonLine } from '../sinks/json-line.js'
import type { CallDetail, DirectionName, SecondsPlace } from './page/data.js'
import type { SecondSeries } from './second-series.js'

/** A block is closed when it has this much: more calls share their texts, fewer bytes are read to open one. */
const BLOCK_BYTES = 384 * 1024
const MOST_CALLS = 64
/** Twice as fast as the default, and files are hardly larger. */
const LEVEL = 4

const compress = promisify(deflateRaw)

/**
 * Details of calls in compressed blocks. A block, once inflated: length of its JSON (4 bytes, little-endian), the JSON
 * (an array of details), then the bytes of all seconds. Compressing runs beside the replay, one block at a time.
 */
export class DetailBlocks {
  /** Base64, one string per block. */
  readonly blocks: string[] = []
  /** Of the blocks that are closed, before compression. */
  rawBytes = 0
  private closed = 0
  /** Each as JSON. */
  private details: string[] = []
  private binary = new Uint8Array(64 * 1024)
  private binaryBytes = 0
  private jsonBytes = 0
  private running: Promise<void> | undefined
  private failure: unknown

  /** @returns where the page finds it */
  add(
    record: CallRecord,
    detail: Omit<CallDetail, 'record'>,
    seconds: Readonly<Partial<Record<DirectionName, SecondSeries>>>,
  ): { block: number; place: number } {
    for (const direction of ['from_caller', 'from_callee'] as const) {
      const series = seconds[direction]
      if (series && series.length > 0) detail.seconds[direction] = this.pack(series)
    }
    const at = { block: this.closed, place: this.details.length }
    // The record as NDJSON has it: rounded, nothing unknown.
    const json = `{"record":${jsonLine(record)},${JSON.stringify(detail).slice(1)}`
    this.details.push(json)
    this.jsonBytes += json.length
    if (this.jsonBytes + this.binaryBytes >= BLOCK_BYTES || this.details.length >= MOST_CALLS) this.flush()
    return at
  }

  private pack(series: SecondSeries): SecondsPlace {
    const end = this.binaryBytes + series.packedBytes
    if (end > this.binary.length) {
      const larger = new Uint8Array(Math.max(end, this.binary.length * 2))
      larger.set(this.binary)
      this.binary = larger
    }
    const place = series.pack(this.binary, this.binaryBytes)
    this.binaryBytes = end
    return place
  }

  /** Resolves when the block before has been compressed; undefined: nothing is waited for. */
  ready(): Promise<void> | undefined {
    return this.running
  }

  /** All blocks are complete. Throws what compressing threw. */
  async finish(): Promise<void> {
    this.flush()
    await this.running
    if (this.failure !== undefined) throw this.failure
  }

  /** Closes the block that is being filled. */
  private flush(): void {
    if (this.details.length === 0) return
    const json = Buffer.from(`[${this.details.join()}]`)
    const block = Buffer.allocUnsafe(4 + json.length + this.binaryBytes)
    block.writeUInt32LE(json.length)
    json.copy(block, 4)
    block.set(this.binary.subarray(0, this.binaryBytes), 4 + json.length)
    this.binary.fill(0, 0, this.binaryBytes)
    this.details = []
    this.binaryBytes = this.jsonBytes = 0
    this.rawBytes += block.length
    const place = this.closed++
    const running: Promise<void> = this.compressAfter(this.running, place, block).then(() => {
      if (this.running === running) this.running = undefined
    })
    this.running = running
  }

  private async compressAfter(
    before: Promise<void> | undefined,
    place: number,
    block: Buffer,
  ): Promise<void> {
    await before
    try {
      this.blocks[place] = (await compress(block, { level: LEVEL })).toString('base64')
    } catch (error) {
      this.failure ??= error
    }
  }
}
