import type { ByteInput, InputFailure } from './byte-input.js'
import { MAX_RECORD_BYTES } from './capture-parser.js'
import { decompressed } from './detect-compression.js'
import { OwnMemory, type WindowBuffer, type WindowMemory } from './window-memory.js'

/** A run of consecutive bytes of a capture file that moves along it. */
export interface ByteWindow {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Valid bytes are `start <= i < end`. */
  readonly start: number
  readonly end: number
  /** Offset in the (uncompressed) file of `bytes[start]`. */
  readonly startOffset: number
  /** Why the bytes ended early, once they did. */
  readonly failure: InputFailure | null
  /** Bytes taken from disk. */
  readonly bytesRead: number
  /**
   * Moves on: the window then starts with what was not used (from `position` on) and holds at least one byte more,
   * `needed` in all if the file has them. False at the end of the file: the window stays as it is.
   */
  advance(position: number, needed: number): Promise<boolean>
  close(): Promise<void>
}

/**
 * Where in a buffer reading starts: behind room for a record that the end of the buffer before cut. Not at the start
 * of a page: processors with fast short string moves (AMD's family 19h at least) copy page after page six times more
 * slowly to the first 16 bytes of pages than to any other place, and what is read mostly begins with a page.
 */
export const READ_AT = MAX_RECORD_BYTES + 256

/** Read before a window is handed out, unless the input is live. */
const GATHER_BYTES = 262_144

/**
 * A window over an input, unpacked if it is compressed. Two buffers take turns: while the packets of one are worked on, the other is filled. Each
 * has room before the place where reading starts, so that a record cut by the end of the one is completed by copying
 * its few bytes in front of the other.
 */
export class InputWindow implements ByteWindow {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(this.bytes.buffer)
  start = 0
  end = 0
  startOffset = 0

  private current: WindowBuffer | null = null
  /** Where a read under way puts its bytes, from `READ_AT` on. */
  private ahead: WindowBuffer | null = null
  /** Number of bytes of that read. */
  private pending: Promise<number> | null = null
  private looked = false

  /** `chunkBytes`: most bytes per read. `prefetch`: fill the next buffer ahead of time. */
  constructor(
    private input: ByteInput,
    private readonly chunkBytes: number,
    private readonly prefetch: boolean,
    private readonly memory: WindowMemory = new OwnMemory(),
  ) {}

  get failure(): InputFailure | null {
    return this.input.failure
  }

  get bytesRead(): number {
    return this.input.bytesRead
  }

  async advance(position: number, needed: number): Promise<boolean> {
    if (!this.looked) {
      this.input = await decompressed(this.input)
      this.looked = true
    }
    if (this.pending === null && this.input.exhausted) return false
    const left = this.end - position
    let buffer = this.ahead ?? this.take()
    let fresh = await (this.pending ?? this.fill(buffer, READ_AT))
    this.pending = this.ahead = null
    const gathered = this.input.live ? 1 : Math.min(GATHER_BYTES, this.chunkBytes)
    const wanted = Math.max(needed - left, gathered)
    while (fresh < wanted && !this.input.exhausted) {
      if (READ_AT + fresh === buffer.bytes.length) buffer = this.enlarge(buffer, fresh, wanted)
      const count = await this.fill(buffer, READ_AT + fresh)
      if (count === 0) break
      fresh += count
    }
    if (fresh === 0) {
      this.memory.giveBack(buffer)
      return false
    }
    const start = READ_AT - left
    if (left > 0) buffer.bytes.set(this.bytes.subarray(position, this.end), start)
    this.startOffset += position - this.start
    if (this.current !== null) this.memory.giveBack(this.current)
    this.current = buffer
    this.bytes = buffer.bytes
    this.view = buffer.view
    this.start = start
    this.end = READ_AT + fresh
    if (this.prefetch && !this.input.exhausted) {
      this.ahead = this.take()
      this.pending = this.fill(this.ahead, READ_AT)
    }
    return true
  }

  private take(): WindowBuffer {
    return this.memory.take(READ_AT + this.chunkBytes)
  }

  private fill({ bytes }: WindowBuffer, at: number): Promise<number> {
    return this.input.read(bytes, at, bytes.length)
  }

  private enlarge(buffer: WindowBuffer, fresh: number, wanted: number): WindowBuffer {
    const larger = this.memory.take(READ_AT + wanted)
    larger.bytes.set(buffer.bytes.subarray(READ_AT, READ_AT + fresh), READ_AT)
    this.memory.giveBack(buffer)
    return larger
  }

  /** The bytes that are shown stay so. */
  async close(): Promise<void> {
    const { pending, ahead } = this
    this.pending = this.ahead = null
    // A read on a pipe may wait for ever; its buffer stays alive through the promise.
    if (pending !== null && !this.input.live) await pending
    if (ahead !== null && !this.input.live) this.memory.giveBack(ahead)
    if (this.current !== null) this.memory.giveBack(this.current)
    this.current = null
    await this.input.close()
  }
}

/** Offsets into a window are int32. */
const MAX_CHUNK_BYTES = 2 ** 30

/** A window over chunks in memory: shows each chunk in place, and copies only the records that cross from one to the next. */
export class MemoryWindow implements ByteWindow {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(this.bytes.buffer)
  start = 0
  end = 0
  startOffset = 0
  bytesRead = 0
  readonly failure = null

  private readonly chunks: Uint8Array[] = []
  /** Next chunk to show, and how much of it has been shown already. */
  private index = 0
  private offset = 0

  constructor(chunks: readonly Uint8Array[]) {
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length; from += MAX_CHUNK_BYTES) {
        this.chunks.push(chunk.subarray(from, from + MAX_CHUNK_BYTES))
      }
    }
  }

  advance(position: number, needed: number): Promise<boolean> {
    if (this.index === this.chunks.length) return Promise.resolve(false)
    this.startOffset += position - this.start
    const left = this.end - position
    if (left > 0) this.showCrossing(position, left, needed)
    else this.showChunk()
    return Promise.resolve(true)
  }

  private showChunk(): void {
    const chunk = this.chunks[this.index]
    this.show(chunk, this.offset, chunk.length)
    this.bytesRead += chunk.length - this.offset
    this.index++
    this.offset = 0
  }

  /** Puts the rest of the window and the bytes that complete its record into a buffer of their own. */
  private showCrossing(position: number, left: number, needed: number): void {
    const crossing = new Uint8Array(Math.max(needed, left + 1))
    crossing.set(this.bytes.subarray(position, this.end))
    let filled = left
    while (filled < crossing.length && this.index < this.chunks.length) {
      const chunk = this.chunks[this.index]
      const count = Math.min(crossing.length - filled, chunk.length - this.offset)
      crossing.set(chunk.subarray(this.offset, this.offset + count), filled)
      filled += count
      this.offset += count
      this.bytesRead += count
      if (this.offset === chunk.length) {
        this.index++
        this.offset = 0
      }
    }
    this.show(crossing, 0, filled)
  }

  private show(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.start = start
    this.end = end
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
