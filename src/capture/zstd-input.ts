import { Decompress } from 'fzstd'
import { errorText } from '../errors.js'
import type { ByteInput, InputFailure } from './byte-input.js'
import { OutputQueue } from './output-queue.js'
import {
  isSkippableMagic,
  readZstdHeader,
  ZSTD_MAGIC,
  ZSTD_MAX_BLOCK_BYTES,
  zstdHeaderBytes,
} from './zstd-framing.js'
import { zstdBlockFault } from './zstd-guard.js'

const BLOCK_HEADER_BYTES = 3
const RLE_BLOCK = 1
const COMPRESSED_BLOCK = 2
const RESERVED_BLOCK = 3
/** Room for a block with its header and checksum, and for reading ahead. */
const BUFFER_BYTES = 2 * ZSTD_MAX_BLOCK_BYTES

const TRUNCATED: InputFailure = { kind: 'truncated', message: 'the zstd data ends in the middle' }

/**
 * Unpacks an input of zstd frames (RFC 8878), one block at a time: the framing is walked here, so that memory is
 * bounded by a block and a window whatever the input claims, and fzstd decodes the blocks. Content checksums are not
 * verified (fzstd does not).
 */
export class ZstdInput implements ByteInput {
  failure: InputFailure | null = null
  private readonly buffer = new Uint8Array(BUFFER_BYTES)
  private readonly view = new DataView(this.buffer.buffer)
  private start = 0
  private end = 0
  private ended = false
  private readonly output = new OutputQueue()
  /** The frame under way; null between frames. */
  private decoder: Decompress | null = null
  private checksumBytes = 0

  constructor(private readonly input: ByteInput) {}

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
    while (this.output.size === 0 && !this.ended) {
      try {
        await (this.decoder === null ? this.beginFrame() : this.decodeBlock(this.decoder))
      } catch (error) {
        this.fail({ kind: 'damaged', message: `the zstd data is damaged: ${errorText(error)}` })
      }
    }
    if (this.ended) await this.input.close()
    return this.output.take(target, start, end)
  }

  private fail(failure: InputFailure): void {
    this.ended = true
    this.failure = this.input.failure ?? failure
  }

  /** Makes `count` bytes available from `start` on (at most BUFFER_BYTES); false when the input ends before. */
  private async ensure(count: number): Promise<boolean> {
    if (this.start + count > BUFFER_BYTES) {
      this.buffer.copyWithin(0, this.start, this.end)
      this.end -= this.start
      this.start = 0
    }
    while (this.end - this.start < count) {
      const got = await this.input.read(this.buffer, this.end, BUFFER_BYTES)
      if (got === 0) return false
      this.end += got
    }
    return true
  }

  private async beginFrame(): Promise<void> {
    if (!(await this.ensure(4))) {
      this.ended = true
      if (this.end > this.start || this.input.failure !== null) this.fail(TRUNCATED)
      return
    }
    const magic = this.view.getUint32(this.start, true)
    if (isSkippableMagic(magic)) return this.skipFrame()
    if (magic !== ZSTD_MAGIC) {
      return this.fail({ kind: 'damaged', message: 'something that is not zstd follows the zstd data' })
    }
    if (!(await this.ensure(5))) return this.fail(TRUNCATED)
    const headerBytes = zstdHeaderBytes(this.buffer[this.start + 4])
    if (!(await this.ensure(headerBytes))) return this.fail(TRUNCATED)
    const header = readZstdHeader(this.view, this.start)
    if (typeof header === 'string') return this.fail({ kind: 'damaged', message: header })
    this.checksumBytes = header.checksumBytes
    this.decoder = new Decompress((piece) => this.output.push(piece))
    this.push(this.decoder, headerBytes, false)
  }

  private async skipFrame(): Promise<void> {
    if (!(await this.ensure(8))) return this.fail(TRUNCATED)
    let left = 8 + this.view.getUint32(this.start + 4, true)
    while (left > 0) {
      const step = Math.min(left, this.end - this.start)
      this.start += step
      left -= step
      if (left > 0 && !(await this.ensure(1))) return this.fail(TRUNCATED)
    }
  }

  private async decodeBlock(decoder: Decompress): Promise<void> {
    if (!(await this.ensure(BLOCK_HEADER_BYTES))) return this.fail(TRUNCATED)
    const header = this.buffer[this.start] | (this.view.getUint16(this.start + 1, true) << 8)
    const last = (header & 1) !== 0
    const type = (header >> 1) & 3
    const size = header >>> 3
    if (type === RESERVED_BLOCK || size > ZSTD_MAX_BLOCK_BYTES || (type === COMPRESSED_BLOCK && size < 2)) {
      return this.fail({ kind: 'damaged', message: 'a zstd block makes no sense' })
    }
    const blockBytes = BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : size)
    const wanted = blockBytes + (last ? this.checksumBytes : 0)
    if (!(await this.ensure(blockBytes))) return this.fail(TRUNCATED)
    if (type === COMPRESSED_BLOCK) {
      const content = this.buffer.subarray(this.start + BLOCK_HEADER_BYTES, this.start + blockBytes)
      const fault = zstdBlockFault(content)
      if (fault !== null) {
        return this.fail({ kind: 'damaged', message: `the zstd data is damaged: ${fault}` })
      }
    }
    if (last && !(await this.ensure(wanted))) {
      // The block is whole; only its checksum is cut off.
      this.push(decoder, blockBytes, false)
      return this.fail(TRUNCATED)
    }
    this.push(decoder, wanted, last)
    if (last) this.decoder = null
  }

  /** fzstd may keep what it is given until the next push, so it gets a copy. */
  private push(decoder: Decompress, count: number, final: boolean): void {
    decoder.push(this.buffer.slice(this.start, this.start + count), final)
    this.start += count
  }

  async close(): Promise<void> {
    this.ended = true
    await this.input.close()
  }
}
