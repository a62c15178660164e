import {
  close,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  write,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { Writable } from 'node:stream'
import type { CallprobeError } from '../errors.js'
import { writeError } from './ndjson.js'

const LINE_FEED = 0x0a

export interface RotationOptions {
  /** A file that would grow beyond is put aside first; undefined: no bound. */
  mostBytes?: number
  /** A file is put aside at every multiple of this (of UTC); undefined: never. */
  everyMs?: number
  /** Files put aside that are kept, the newest; undefined: all. */
  keep?: number
  nowMs: () => number
  /** A chunk that could not be written was given up. Told once per failure, not per chunk. */
  onError: (error: CallprobeError) => void
}

/**
 * A file that is written to for days: appended to, put aside by size and time as NAME-20261122T140000Z.EXT, opened
 * anew when something else moved it away. Each chunk is whole lines and goes to one file whole. A failing disk costs
 * chunks, of which the lines are counted, and ends nothing: the next chunk tries again.
 */
export class RotatingFile extends Writable {
  /** Lines of chunks that were given up because they could not be written. */
  lostLines = 0
  private fd = -1
  private bytes = 0
  private periodEndMs = Infinity
  private failing = false

  /** @throws CallprobeError WRITE_FAILED when the file cannot be opened at the start */
  constructor(
    private readonly path: string,
    private readonly options: RotationOptions,
  ) {
    super({ decodeStrings: true, highWaterMark: 1 << 20 })
    try {
      this.open()
    } catch (error) {
      throw writeError(path, error)
    }
  }

  /** SIGHUP: something else (logrotate) may have moved the file away. */
  reopen(): void {
    this.closeFile()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    try {
      if (this.fd < 0) this.open()
      if (this.isDue(chunk.length)) {
        this.putAside()
        this.open()
      }
    } catch (error) {
      this.giveUp(chunk, 0, error)
      done()
      return
    }
    this.writeAll(chunk, 0, done)
  }

  private writeAll(chunk: Buffer, from: number, done: () => void): void {
    write(this.fd, chunk, from, chunk.length - from, null, (error, written) => {
      if (error) {
        this.giveUp(chunk, from, error)
        done()
        return
      }
      this.bytes += written
      if (from + written < chunk.length) {
        this.writeAll(chunk, from + written, done)
        return
      }
      this.failing = false
      done()
    })
  }

  override _final(done: () => void): void {
    this.closeFile()
    done()
  }

  /** @param from what is before it was written */
  private giveUp(chunk: Buffer, from: number, error: unknown): void {
    for (let at = chunk.indexOf(LINE_FEED, from); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1))
      this.lostLines++
    this.closeFile()
    if (this.failing) return
    this.failing = true
    this.options.onError(writeError(this.path, error))
  }

  private open(): void {
    const folder = dirname(this.path)
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.fd = openSync(this.path, 'a', 0o600)
    this.bytes = fstatSync(this.fd).size
    const { everyMs, nowMs } = this.options
    this.periodEndMs = everyMs === undefined ? Infinity : (Math.floor(nowMs() / everyMs) + 1) * everyMs
  }

  private isDue(more: number): boolean {
    if (this.bytes === 0) return false
    const { mostBytes, nowMs } = this.options
    return this.bytes + more > (mostBytes ?? Infinity) || nowMs() >= this.periodEndMs
  }

  private putAside(): void {
    this.closeFile()
    const extension = extname(this.path)
    const stem = this.path.slice(0, this.path.length - extension.length)
    const time = new Date(this.options.nowMs()).toISOString().replace(/[-:]|\.\d+/g, '')
    let aside = `${stem}-${time}${extension}`
    for (let n = 2; existsSync(aside); n++) aside = `${stem}-${time}-${n}${extension}`
    renameSync(this.path, aside)
    this.dropOldest(basename(stem), extension)
  }

  private dropOldest(stem: string, extension: string): void {
    const { keep } = this.options
    if (keep === undefined) return
    const folder = dirname(this.path)
    const aside = readdirSync(folder)
      .filter((name) => name.startsWith(`${stem}-`) && name.endsWith(extension))
      .filter((name) =>
        /^\d{8}T\d{6}Z(-\d+)?$/.test(name.slice(stem.length + 1, name.length - extension.length)),
      )
      .sort(byTimeAndNumber)
    for (const name of aside.slice(0, Math.max(0, aside.length - keep))) rmSync(join(folder, name))
  }

  private closeFile(): void {
    if (this.fd < 0) return
    const { fd } = this
    this.fd = -1
    close(fd, () => {})
  }
}

/** Several of one second are numbered: -2, -3, ..., -10. */
function byTimeAndNumber(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true })
}
