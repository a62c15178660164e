import { constants } from 'node:fs'
import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CallprobeError, errorText, systemErrorCode } from '../../errors.js'
import { Cursor } from './cursor.js'
import { frameBytes, frameHeader, type Frame } from './frame.js'
import { SpoolLock } from './lock.js'
import { Segment, idOfFile, type Damage } from './segment.js'

export interface SpoolOptions {
  /** The spool's own folder, created if it is missing. */
  folder: string
  /** Most bytes of files; beyond, the oldest file goes. */
  mostBytes: number
  /** Length from which a new file is begun. Default: a 32nd of `mostBytes`, at most 16 MB. */
  segmentBytes?: number
  /** Most bytes that wait in memory for the disk; beyond, the oldest go, which nobody was promised. Default 32 MB. */
  mostWaitingBytes?: number
  /** Pause before a failed write is tried again. Default 1 s. */
  retryMs?: number
  /** Called when the disk fails, and with undefined when it works again. */
  onTrouble?: (error: CallprobeError | undefined) => void
}

/** Counters of one run; sums of points. */
export interface SpoolCounters extends Damage {
  /** Synced to the disk, or taken by the server straight from memory while the disk failed. */
  acknowledged: number
  /** Lost because the bound was reached: acknowledged, the oldest. */
  droppedOldest: number
  /** Lost because neither disk nor server took them: never acknowledged. */
  droppedUnwritten: number
  /** Writes that failed. */
  writeFailures: number
}

/** Frames to be sent, in order. */
export interface SpoolBatch {
  frames: Frame[]
  points: number
  /** Where they come from; for `sent`. */
  readonly origin: { segment: Segment; end: number } | { waiting: Waiting[] }
}

interface Waiting {
  frame: Frame
  /** Being written just now. */
  busy: boolean
  resolve: () => void
}

const DEFAULT_WAITING_BYTES = 32 * 1024 * 1024
/** Room that a disk has to have before it is trusted again. */
const TRIED_BYTES = 64 * 1024
/** A write takes what waits, up to this. */
const MOST_WRITE_BYTES = 8 * 1024 * 1024

/**
 * A bounded, append-only queue of line protocol on the disk, for one process at a time. A frame is acknowledged when an
 * fdatasync covers it and leaves when the server has it. Writing goes on beside sending and never waits for it.
 */
export class Spool {
  readonly counters: SpoolCounters = {
    acknowledged: 0,
    droppedOldest: 0,
    droppedUnwritten: 0,
    writeFailures: 0,
    damagedBytes: 0,
    tornBytes: 0,
  }
  /** Files of another version of the format, left alone. */
  readonly foreignFiles: string[] = []

  private readonly segments: Segment[] = []
  private current: Segment | undefined
  private nextId = 1
  private waiting: Waiting[] = []
  private waitingBytes = 0
  private writing: Promise<void> | undefined
  private trouble: CallprobeError | undefined
  private endPause: (() => void) | undefined
  private closing = false
  private wakers: (() => void)[] = []
  private readonly segmentBytes: number
  private readonly mostWaitingBytes: number

  private constructor(
    private readonly options: SpoolOptions,
    private readonly lock: SpoolLock,
    private readonly cursor: Cursor,
  ) {
    this.segmentBytes =
      options.segmentBytes ?? Math.max(4096, Math.min(16 * 1024 * 1024, Math.floor(options.mostBytes / 32)))
    this.mostWaitingBytes = options.mostWaitingBytes ?? DEFAULT_WAITING_BYTES
  }

  /** @throws CallprobeError SPOOL_FAILED: in use by another process, or the folder cannot be used */
  static async open(options: SpoolOptions): Promise<Spool> {
    let lock: SpoolLock | undefined
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 })
      lock = SpoolLock.take(options.folder)
      const { cursor, position } = await Cursor.open(options.folder)
      const spool = new Spool(options, lock, cursor)
      await spool.adopt(position)
      return spool
    } catch (error) {
      lock?.release()
      throw error instanceof CallprobeError ? error : spoolError(options.folder, 'cannot be opened', error)
    }
  }

  get folder(): string {
    return this.options.folder
  }

  /** Points on the disk or waiting for it that the server does not have. */
  get unsentPoints(): number {
    const onDisk = this.segments.reduce((sum, segment) => sum + segment.points, 0)
    return onDisk + this.waiting.reduce((sum, { frame }) => sum + frame.points, 0)
  }

  /** Bytes on the disk that the server does not have. */
  get unsentBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.unreadBytes, 0)
  }

  /** Bytes that wait in memory for the disk. */
  get unwrittenBytes(): number {
    return this.waitingBytes
  }

  /** Why frames wait in memory, while the disk fails. */
  get diskTrouble(): CallprobeError | undefined {
    return this.trouble
  }

  /** Resolves once the frame is acknowledged, or dropped because nobody took it. Never rejects. */
  append(frame: Frame): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ frame, busy: false, resolve })
      this.waitingBytes += frameBytes(frame)
      while (this.waitingBytes > this.mostWaitingBytes) {
        const oldest = this.waiting.find(({ busy }) => !busy)
        if (oldest === undefined) break
        this.counters.droppedUnwritten += oldest.frame.points
        this.settle([oldest])
      }
      this.write()
      if (this.trouble !== undefined) this.wake()
    })
  }

  /**
   * The oldest frames that the server does not have: of the disk, or while the disk fails of memory. The same again until
   * `sent` is told. undefined when there are none now.
   */
  async next(mostRawBytes: number, mostPoints: number): Promise<SpoolBatch | undefined> {
    for (;;) {
      const segment = this.segments.find((one) => one.unreadBytes > 0 || one.sealed)
      if (segment === undefined) return this.unwritten(mostRawBytes, mostPoints)
      const read = await this.readFrom(segment, mostRawBytes, mostPoints)
      if (read.length > 0) {
        const frames = read.map(({ frame }) => frame)
        const end = read[read.length - 1].end
        return { frames, points: pointsOf(frames), origin: { segment, end } }
      }
      // It may have been dropped while it was read.
      if (segment.sealed && this.segments.includes(segment)) await this.dispose(segment)
      else if (!segment.sealed) return this.unwritten(mostRawBytes, mostPoints)
    }
  }

  /** The server has the batch. */
  async sent(batch: SpoolBatch): Promise<void> {
    const { origin } = batch
    if ('waiting' in origin) {
      const still = origin.waiting.filter((one) => this.waiting.includes(one))
      this.counters.acknowledged += pointsOf(still.map(({ frame }) => frame))
      this.settle(still)
      return
    }
    const { segment, end } = origin
    segment.readOffset = end
    segment.points = Math.max(0, segment.points - batch.points)
    if (!this.segments.includes(segment)) {
      // The bound dropped the file meanwhile; these points were not lost after all.
      this.counters.droppedOldest = Math.max(0, this.counters.droppedOldest - batch.points)
      return
    }
    await this.remember({ segment: segment.id, offset: end })
    if (segment.sealed && segment.unreadBytes === 0) await this.dispose(segment)
  }

  /** Resolves when something was appended or written, at the latest after `ms`. */
  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.wakers.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Writes what waits, closes, and removes what the server has. Frames that the disk refuses are counted as dropped. */
  async close(): Promise<void> {
    this.closing = true
    this.endPause?.()
    while (this.writing !== undefined) await this.writing
    this.counters.droppedUnwritten += pointsOf(this.waiting.map(({ frame }) => frame))
    this.settle([...this.waiting])
    for (const segment of [...this.segments]) {
      if (segment.unreadBytes === 0) await this.dispose(segment)
      else await segment.close()
    }
    await this.cursor.close()
    this.lock.release()
  }

  private async adopt(position: { segment: number; offset: number }): Promise<void> {
    const ids = (await readdir(this.options.folder))
      .flatMap((name) => idOfFile(name) ?? [])
      .sort((a, b) => a - b)
    this.nextId = Math.max(position.segment, ids.at(-1) ?? 0) + 1
    for (const id of ids) {
      const segment = new Segment(this.options.folder, id)
      if (!(await segment.adopt(id === position.segment ? position.offset : 0))) {
        this.foreignFiles.push(segment.path)
        continue
      }
      this.segments.push(segment)
      // Sent in full by a run that could not remove it any more.
      if (id < position.segment || segment.unreadBytes === 0) await this.dispose(segment)
    }
  }

  private async readFrom(segment: Segment, mostRawBytes: number, mostPoints: number) {
    try {
      return await segment.read(mostRawBytes, mostPoints, this.counters)
    } catch (error) {
      if (!this.segments.includes(segment)) return []
      throw spoolError(segment.path, 'cannot be read', error)
    }
  }

  /** While the disk fails, what waits for it goes straight to the server. */
  private unwritten(mostRawBytes: number, mostPoints: number): SpoolBatch | undefined {
    if (this.trouble === undefined || this.waiting.length === 0) return undefined
    const taken: Waiting[] = []
    let rawBytes = 0
    let points = 0
    for (const one of this.waiting) {
      rawBytes += one.frame.rawBytes
      points += one.frame.points
      if (taken.length > 0 && (rawBytes > mostRawBytes || points > mostPoints)) break
      taken.push(one)
    }
    const frames = taken.map(({ frame }) => frame)
    return { frames, points: pointsOf(frames), origin: { waiting: taken } }
  }

  private write(): void {
    if (this.writing !== undefined) return
    this.writing = this.writeAll().finally(() => {
      this.writing = undefined
      if (this.waiting.length > 0 && !this.closing) this.write()
    })
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0 || (this.trouble !== undefined && !this.closing)) {
      const group: Waiting[] = []
      let bytes = 0
      for (const one of this.waiting) {
        bytes += frameBytes(one.frame)
        if (group.length > 0 && bytes > MOST_WRITE_BYTES) break
        one.busy = true
        group.push(one)
      }
      try {
        await this.writeGroup(group)
      } catch (error) {
        for (const one of group) one.busy = false
        await this.failed(error)
        if (this.closing) return
        await this.pause()
        continue
      }
      // Dropped or sent meanwhile: then they are settled already. Maybe all of them, and this only tried the disk.
      const still = group.filter((one) => this.waiting.includes(one))
      this.counters.acknowledged += pointsOf(still.map(({ frame }) => frame))
      this.settle(still)
      if (this.trouble !== undefined) {
        this.trouble = undefined
        this.options.onTrouble?.(undefined)
      }
      this.wake()
    }
  }

  private async writeGroup(group: readonly Waiting[]): Promise<void> {
    const pieces = group.flatMap(({ frame }) => [frameHeader(frame), frame.payload])
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (bytes === 0) {
      this.current ??= await this.begin()
      await this.current.tryRoom(TRIED_BYTES)
      return
    }
    if (this.current !== undefined && this.current.bytes >= this.segmentBytes) await this.seal()
    await this.makeRoom(bytes)
    this.current ??= await this.begin()
    await this.current.append(pieces, pointsOf(group.map(({ frame }) => frame)))
  }

  private async begin(): Promise<Segment> {
    const segment = new Segment(this.options.folder, this.nextId++)
    try {
      await segment.create()
      await syncFolder(this.options.folder)
    } catch (error) {
      await segment.remove().catch(() => undefined)
      throw error
    }
    this.segments.push(segment)
    return segment
  }

  /** The current file gets no more frames. */
  private async seal(): Promise<void> {
    const segment = this.current
    this.current = undefined
    if (segment === undefined) return
    segment.sealed = true
    if (segment.unreadBytes === 0) await this.dispose(segment)
  }

  /** Drops the oldest files until `bytes` more are within the bound. */
  private async makeRoom(bytes: number): Promise<void> {
    const total = () => this.segments.reduce((sum, segment) => sum + segment.bytes, 0)
    while (this.segments.length > 0 && total() + bytes > this.options.mostBytes) {
      const oldest = this.segments[0]
      if (oldest === this.current) await this.seal()
      if (!this.segments.includes(oldest)) continue
      this.counters.droppedOldest += oldest.points
      await this.dispose(oldest)
    }
  }

  private async failed(error: unknown): Promise<void> {
    this.counters.writeFailures++
    // Its tail is unknown now: cut it off if that works, and go on in a new file in any case.
    const segment = this.current
    await segment?.cutTail().catch(() => undefined)
    await this.seal().catch(() => undefined)
    const first = this.trouble === undefined
    this.trouble = spoolError(this.options.folder, 'cannot be written', error)
    if (first) this.options.onTrouble?.(this.trouble)
    this.wake()
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.retryMs ?? 1000)
      this.endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Takes frames out of memory and tells who waits for them. */
  private settle(settled: readonly Waiting[]): void {
    if (settled.length === 0) return
    const gone = new Set(settled)
    this.waiting = this.waiting.filter((one) => !gone.has(one))
    for (const one of settled) {
      this.waitingBytes -= frameBytes(one.frame)
      one.resolve()
    }
  }

  private async dispose(segment: Segment): Promise<void> {
    const at = this.segments.indexOf(segment)
    if (at >= 0) this.segments.splice(at, 1)
    if (segment === this.current) this.current = undefined
    try {
      await segment.remove()
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw spoolError(segment.path, 'cannot be removed', error)
    }
    // Behind an older file that is still to be sent the position must not move on.
    if (at === 0) await this.remember({ segment: segment.id + 1, offset: 0 })
  }

  private async remember(position: { segment: number; offset: number }): Promise<void> {
    // On a full disk it stays behind, which costs sending some points again.
    await this.cursor.write(position).catch(() => undefined)
  }

  /** Ends every wait for a change. */
  wake(): void {
    const wakers = this.wakers
    this.wakers = []
    for (const waker of wakers) waker()
  }
}

function pointsOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { points }) => sum + points, 0)
}

/** A new file's name survives a power failure once its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const REASONS: Record<string, string> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of its path is not a folder',
}

function spoolError(path: string, what: string, error: unknown): CallprobeError {
  const code = systemErrorCode(error)
  return new CallprobeError(
    'SPOOL_FAILED',
    `the spool ${path} ${what}: ${REASONS[code] ?? errorText(error)}`,
    {
      hint:
        code === 'ENOSPC' || code === 'EDQUOT'
          ? 'free some space, or set spool.directory to another place'
          : 'set spool.directory to a folder that you may write to',
      cause: error,
    },
  )
}

/**
 * Where a destination's spool lies below `directory`: by a name for people, and a number so that no two destinations
 * share one.
 */
export function spoolFolder(directory: string, destination: string): string {
  const name = destination.replace(/[^\w.-]+/g, '_').slice(0, 150)
  return join(directory, `${name}-${crc32(destination).toString(16).padStart(8, '0')}`)
}
