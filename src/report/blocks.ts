import { deflateRawSync } from 'node:zlib'
import type { CallRecord } from '../calls/records.js'
import { jsonLine } from '../sinks/json-line.js'
import type { CallDetail } from './page/data.js'
import type { PackedSeconds } from './call-log.js'

/** A block is closed when it has this much: more calls share their texts, fewer bytes are read to open one. */
const BLOCK_BYTES = 384 * 1024
const MOST_CALLS = 64
/** Twice as fast as the default, and files are hardly larger. */
const LEVEL = 4

/**
 * Details of calls in compressed blocks. A block, once inflated: length of its JSON (4 bytes, little-endian), the JSON
 * (an array of details), then the bytes of all seconds.
 */
export class DetailBlocks {
  /** Base64, one string per block. */
  readonly blocks: string[] = []
  /** Compressed so far. */
  bytes = 0
  /** Each as JSON. */
  private details: string[] = []
  private binary: Uint8Array[] = []
  private binaryBytes = 0
  private pendingBytes = 0

  /** @returns where the page finds it */
  add(
    record: CallRecord,
    detail: Omit<CallDetail, 'record'>,
    packed: readonly PackedSeconds[],
  ): { block: number; place: number } {
    for (const { direction, startMs, step, count, bytes } of packed) {
      detail.seconds[direction] = { startMs, step, count, at: this.binaryBytes }
      this.binary.push(bytes)
      this.binaryBytes += bytes.length
      this.pendingBytes += bytes.length
    }
    const at = { block: this.blocks.length, place: this.details.length }
    // The record as NDJSON has it: rounded, nothing unknown.
    const json = `{"record":${jsonLine(record)},${JSON.stringify(detail).slice(1)}`
    this.details.push(json)
    this.pendingBytes += json.length
    if (this.pendingBytes >= BLOCK_BYTES || this.details.length >= MOST_CALLS) this.flush()
    return at
  }

  /** Closes the block that is being filled. */
  flush(): void {
    if (this.details.length === 0) return
    const json = Buffer.from(`[${this.details.join()}]`)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(json.length)
    const block = deflateRawSync(Buffer.concat([length, json, ...this.binary]), { level: LEVEL })
    this.blocks.push(block.toString('base64'))
    this.bytes += block.length
    this.details = []
    this.binary = []
    this.binaryBytes = this.pendingBytes = 0
  }
}
