import { readSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { errorText } from '../errors.js'

/** Why an input ended before its end. */
export interface InputFailure {
  kind: 'truncated' | 'damaged'
  message: string
}

/** Bytes in order, pulled into buffers of the caller. Nothing here rejects: what goes wrong ends the input. */
export interface ByteInput {
  /** Writes 1..(end-start) bytes at `target[start]` and returns their number; 0 is the end (see `failure`). */
  read(target: Uint8Array, start: number, end: number): Promise<number>
  /** True when it is known that nothing is left, so that no buffer need be prepared for a read that returns 0. */
  readonly exhausted: boolean
  /** True for pipes: what is there now must be passed on now. */
  readonly live: boolean
  /** Bytes taken from disk (compressed size). */
  readonly bytesRead: number
  readonly failure: InputFailure | null
  /** The same bytes from the start, where they can be had twice; undefined when that fails. */
  reopen?(): Promise<ByteInput | undefined>
  close(): Promise<void>
}

/** A file or named pipe by path. The descriptor is closed as soon as the last byte has been read. */
export class FileInput implements ByteInput {
  bytesRead = 0
  exhausted = false
  failure: InputFailure | null = null

  readonly reopen?: () => Promise<ByteInput | undefined>

  private constructor(
    path: string,
    private handle: FileHandle | null,
    private readonly size: number,
    readonly live: boolean,
    private readonly blocking: boolean,
  ) {
    if (!live) this.reopen = () => FileInput.open(path, size, live, blocking).catch(() => undefined)
  }

  /**
   * `size`: bytes to read at most, as found when the file was looked at; 0 for a pipe. `blocking`: reads hold the thread
   * up, which costs less than to have another thread read. Rejects as `open` does.
   */
  static async open(path: string, size: number, live: boolean, blocking = false): Promise<FileInput> {
    return new FileInput(path, await open(path, 'r'), size, live, blocking)
  }

  async read(target: Uint8Array, start: number, end: number): Promise<number> {
    if (this.handle === null || this.exhausted) return 0
    const wanted = this.live ? end - start : Math.min(end - start, this.size - this.bytesRead)
    let count = 0
    try {
      if (wanted > 0) {
        if (this.blocking) count = readSync(this.handle.fd, target, start, wanted, null)
        else count = (await this.handle.read(target, start, wanted, null)).bytesRead
      }
    } catch (error) {
      this.failure = { kind: 'damaged', message: `reading failed: ${errorText(error)}` }
    }
    this.bytesRead += count
    if (count === 0 || (!this.live && this.bytesRead >= this.size)) {
      this.exhausted = true
      await this.close()
    }
    return count
  }

  async close(): Promise<void> {
    const handle = this.handle
    this.handle = null
    if (handle !== null) await handle.close().catch(() => undefined)
  }
}

/** Standard input, or any other stream of bytes. */
export class StreamInput implements ByteInput {
  bytesRead = 0
  exhausted = false
  failure: InputFailure | null = null
  readonly live = true

  private readonly chunks: AsyncIterator<unknown>
  private chunk: Uint8Array = new Uint8Array(0)
  private offset = 0

  constructor(private readonly stream: Readable) {
    this.chunks = stream[Symbol.asyncIterator]()
  }

  async read(target: Uint8Array, start: number, end: number): Promise<number> {
    while (this.offset === this.chunk.length) {
      if (this.exhausted) return 0
      try {
        const next = await this.chunks.next()
        if (next.done === true) this.exhausted = true
        else if (next.value instanceof Uint8Array) {
          this.chunk = next.value
          this.offset = 0
          this.bytesRead += this.chunk.length
        }
      } catch (error) {
        this.exhausted = true
        this.failure = { kind: 'damaged', message: `reading failed: ${errorText(error)}` }
      }
    }
    const count = Math.min(end - start, this.chunk.length - this.offset)
    target.set(this.chunk.subarray(this.offset, this.offset + count), start)
    this.offset += count
    return count
  }

  async close(): Promise<void> {
    this.stream.destroy()
  }
}

/** Chunks that lie in memory. */
export class MemoryInput implements ByteInput {
  bytesRead = 0
  readonly live = false
  readonly failure = null
  private index = 0
  private offset = 0

  constructor(private readonly chunks: readonly Uint8Array[]) {}

  get exhausted(): boolean {
    while (this.index < this.chunks.length && this.offset === this.chunks[this.index].length) {
      this.index++
      this.offset = 0
    }
    return this.index === this.chunks.length
  }

  read(target: Uint8Array, start: number, end: number): Promise<number> {
    if (this.exhausted) return Promise.resolve(0)
    const chunk = this.chunks[this.index]
    const count = Math.min(end - start, chunk.length - this.offset)
    target.set(chunk.subarray(this.offset, this.offset + count), start)
    this.offset += count
    this.bytesRead += count
    return Promise.resolve(count)
  }

  reopen(): Promise<ByteInput> {
    return Promise.resolve(new MemoryInput(this.chunks))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Gives back bytes that were read to look at them, then goes on with the input they came from. */
export class PrefixedInput implements ByteInput {
  readonly reopen?: () => Promise<ByteInput | undefined>
  private offset = 0

  constructor(
    private readonly prefix: Uint8Array,
    private readonly rest: ByteInput,
  ) {
    if (rest.reopen) this.reopen = () => rest.reopen?.() ?? Promise.resolve(undefined)
  }

  get exhausted(): boolean {
    return this.offset === this.prefix.length && this.rest.exhausted
  }

  get live(): boolean {
    return this.rest.live
  }

  get bytesRead(): number {
    return this.rest.bytesRead
  }

  get failure(): InputFailure | null {
    return this.rest.failure
  }

  read(target: Uint8Array, start: number, end: number): Promise<number> {
    const count = Math.min(end - start, this.prefix.length - this.offset)
    if (count === 0) return this.rest.read(target, start, end)
    target.set(this.prefix.subarray(this.offset, this.offset + count), start)
    this.offset += count
    return Promise.resolve(count)
  }

  close(): Promise<void> {
    return this.rest.close()
  }
}
