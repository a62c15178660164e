import { constants, createWriteStream, fstatSync, openSync, closeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import type { ProbeRecord } from '../calls/records.js'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'
import { appendJson } from './json-line.js'
import { LineBytes } from './line-bytes.js'

/** Lines are handed to the operating system in pieces of about this many bytes: what fits in `LineBytes` as it begins. */
const CHUNK_BYTES = 56 * 1024
/**
 * Bytes that may wait while a caller that can wait goes on: as much as the intervals of thousands of streams that end
 * at once, so that nothing waits for the thread that writes.
 */
const MOST_AHEAD_BYTES = 4 * 1024 * 1024
/** Most bytes that wait for a slow reader before records are dropped (and counted). */
const MOST_WAITING_BYTES = 64 * 1024 * 1024
/** Pieces that were written and whose memory is kept for the next. */
const MOST_SPARE = 64
const LINE_FEED = 0x0a

export interface NdjsonOptions {
  /** Called once when the reader of a pipe has gone (`| head`): nothing more needs to be written. */
  onReaderGone?: () => void
  /** Standard output, for `-`; a test may put another stream here. */
  stdout?: Writable
  /** For tests. */
  mostWaitingBytes?: number
}

/**
 * Writes records as NDJSON: one JSON object per line, fields in the documented order.
 *
 * Write until `write` returns false, then wait for `ready()`. A caller that cannot wait (live capture) may go on: what
 * exceeds the bound is dropped whole and counted in `dropped`, never half a line.
 */
export class NdjsonWriter {
  /** Records written or waiting to be. */
  written = 0
  /** Records dropped because the reader was too slow. */
  dropped = 0
  private pending = new LineBytes()
  private readonly spare: LineBytes[] = []
  private waitingBytes = 0
  private failure: CallprobeError | undefined
  private readerGone = false
  private wakers: (() => void)[] = []

  /** @param name how messages call the destination */
  constructor(
    private readonly stream: Writable,
    private readonly name: string,
    private readonly options: NdjsonOptions & { closeStream: boolean },
  ) {
    stream.on('error', this.onError)
  }

  /**
   * @returns false when the caller should wait for `ready()` before it writes more
   * @throws CallprobeError WRITE_FAILED when an earlier write has failed
   */
  write(record: ProbeRecord): boolean {
    if (this.failure !== undefined) throw this.failure
    if (this.readerGone) return true
    if (this.waitingBytes >= (this.options.mostWaitingBytes ?? MOST_WAITING_BYTES)) {
      this.dropped++
      return false
    }
    appendJson(this.pending, record)
    this.pending.byte(LINE_FEED)
    this.written++
    if (this.pending.length >= CHUNK_BYTES) this.flush()
    return this.waitingBytes < MOST_AHEAD_BYTES
  }

  /** Hands what is buffered to the operating system, so that a reader sees it now. */
  flush(): void {
    const lines = this.pending
    if (lines.length === 0 || this.readerGone || this.failure !== undefined) return
    this.pending = this.spare.pop() ?? new LineBytes()
    const { length } = lines
    this.waitingBytes += length
    this.stream.write(lines.bytes.subarray(0, length), (error) => {
      this.waitingBytes -= length
      lines.clear()
      if (this.spare.length < MOST_SPARE) this.spare.push(lines)
      // The callback comes before the stream's 'error' event: close() must not take the chunk for written.
      if (error) this.onError(error)
      this.wake()
    })
  }

  /**
   * Resolves when there is room again.
   * @throws CallprobeError WRITE_FAILED
   */
  async ready(): Promise<void> {
    while (this.failure === undefined && !this.readerGone && this.waitingBytes >= MOST_AHEAD_BYTES / 2)
      await new Promise<void>((resolve) => this.wakers.push(resolve))
    if (this.failure !== undefined) throw this.failure
  }

  /**
   * Writes what is left and closes the file (standard output stays open).
   * @throws CallprobeError WRITE_FAILED
   */
  async close(): Promise<void> {
    this.flush()
    while (this.failure === undefined && !this.readerGone && this.waitingBytes > 0)
      await new Promise<void>((resolve) => this.wakers.push(resolve))
    if (this.failure === undefined && !this.readerGone && this.options.closeStream)
      await new Promise<void>((resolve) => {
        this.wakers.push(resolve)
        this.stream.end(() => resolve())
      })
    if (this.options.closeStream) this.stream.destroy()
    else this.stream.off('error', this.onError)
    if (this.failure !== undefined) throw this.failure
  }

  private readonly onError = (error: unknown): void => {
    if (systemErrorCode(error) === 'EPIPE') {
      if (!this.readerGone) {
        this.readerGone = true
        this.options.onReaderGone?.()
      }
    } else {
      this.failure ??= writeError(this.name, error)
    }
    this.pending.clear()
    this.wake()
  }

  private wake(): void {
    const wakers = this.wakers
    this.wakers = []
    for (const waker of wakers) waker()
  }
}

/**
 * Opens a file (created 0600; an existing one is replaced in place and keeps its mode) or, for `-`, standard output.
 * @throws CallprobeError WRITE_FAILED when it cannot be opened
 */
export function openNdjson(path: string, options: NdjsonOptions = {}): NdjsonWriter {
  if (path === '-')
    return new NdjsonWriter(options.stdout ?? process.stdout, 'standard output', {
      ...options,
      closeStream: false,
    })
  const fd = openForWriting(path)
  // The name is only for messages: the stream writes to the descriptor that is already open.
  return new NdjsonWriter(createWriteStream(path, { fd }), path, { ...options, closeStream: true })
}

/**
 * Opens a file to be written anew, mode 0600 when it is created. Never a directory.
 * @throws CallprobeError WRITE_FAILED
 */
export function openForWriting(path: string): number {
  let fd: number
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600)
  } catch (error) {
    throw writeError(path, error)
  }
  if (!fstatSync(fd).isDirectory()) return fd
  closeSync(fd)
  throw writeError(path, { code: 'EISDIR' })
}

/** A failure to open or write an output, for the person who named it. */
export function writeError(name: string, error: unknown): CallprobeError {
  const code = systemErrorCode(error)
  const [why, hint] = REASONS[code] ?? [errorText(error), undefined]
  return new CallprobeError('WRITE_FAILED', `cannot write ${name}: ${why}`, {
    hint: code === 'ENOENT' ? `create ${dirname(name)} first, or name another place` : hint,
    cause: error,
  })
}

const REASONS: Record<string, [string, string?]> = {
  ENOENT: ['its folder does not exist'],
  ENOTDIR: ['a part of its path is not a folder', 'name another place'],
  EACCES: ['permission denied', 'name a place you may write to'],
  EPERM: ['permission denied', 'name a place you may write to'],
  EROFS: ['the file system is read-only', 'name another place'],
  EISDIR: ['it is a directory', 'name a file inside it'],
  ENOSPC: [
    'no space left on the device',
    'free some space or name another place; what was written so far is whole lines but the last',
  ],
  EDQUOT: ['the disk quota is used up', 'free some space or name another place'],
  EFBIG: ['the file would exceed the largest size allowed', 'write to standard output and split it'],
  EMFILE: ['too many files are open', 'raise the limit with `ulimit -n`'],
  ENXIO: ['it is a device or pipe that nobody reads'],
}
