import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import {
  FILE_HEADER,
  FRAME_HEADER_BYTES,
  MOST_PAYLOAD_BYTES,
  fileKind,
  nextMagic,
  readFrame,
  type Frame,
} from './frame.js'

/** Bytes read at once, and where a frame does not fit: room for the longest. */
const WINDOW_BYTES = 1024 * 1024
const WIDE_WINDOW_BYTES = MOST_PAYLOAD_BYTES + FRAME_HEADER_BYTES

/** What was found damaged, in bytes. `torn`: the end of a file whose writer was killed, which nobody was promised. */
export interface Damage {
  damagedBytes: number
  tornBytes: number
}

/** One frame as it is read back. `end`: offset in the file behind it. */
export interface ReadBack {
  frame: Frame
  end: number
}

/**
 * One file of the spool. Frames are written at its end and read from `readOffset` on; both in order. `bytes` is what is
 * safely on the disk; what lies behind is not read.
 */
export class Segment {
  readonly path: string
  bytes = 0
  readOffset = FILE_HEADER.length
  /** Points in frames at or behind `readOffset`. */
  points = 0
  /** Nothing more will be appended. */
  sealed = false
  private handle: FileHandle | undefined

  constructor(
    folder: string,
    readonly id: number,
  ) {
    this.path = join(folder, fileName(id))
  }

  get unreadBytes(): number {
    return Math.max(0, this.bytes - this.readOffset)
  }

  /** Creates the file; its name is on the disk once the folder is synced too. */
  async create(): Promise<void> {
    // O_EXCL: never append to what another process wrote.
    this.handle = await open(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
    await writeFully(this.handle, [FILE_HEADER], 0)
    this.bytes = FILE_HEADER.length
  }

  /**
   * Appends and syncs. When it throws, what is behind `bytes` is unknown and the file must not be appended to again: the
   * kernel may have dropped pages that it could not write.
   */
  async append(pieces: readonly Buffer[], points: number): Promise<void> {
    if (this.handle === undefined) throw new Error(`${this.path} is not open`)
    const written = await writeFully(this.handle, pieces, this.bytes)
    await this.handle.datasync()
    this.bytes += written
    this.points += points
  }

  /** Writes so many bytes behind the last frame and takes them back, to see whether the disk has room. */
  async tryRoom(bytes: number): Promise<void> {
    if (this.handle === undefined) throw new Error(`${this.path} is not open`)
    await writeFully(this.handle, [Buffer.alloc(bytes)], this.bytes)
    await this.handle.datasync()
    await this.cutTail()
  }

  /** Cuts what a failed write left behind the last whole frame. */
  async cutTail(): Promise<void> {
    await this.handle?.truncate(this.bytes)
  }

  /**
   * Opens a file of an earlier run and counts its points from `readOffset` on, by headers alone.
   * @returns false when it is of another version of the format and has to be left alone
   */
  async adopt(readOffset: number): Promise<boolean> {
    const handle = await open(this.path, 'r')
    this.handle = handle
    this.bytes = (await handle.stat()).size
    this.sealed = true
    const start = Buffer.alloc(FILE_HEADER.length + 8)
    const { bytesRead } = await handle.read(start, 0, start.length, 0)
    const kind = fileKind(start.subarray(0, bytesRead))
    if (kind === 'other-version') {
      await this.close()
      return false
    }
    // A damaged first line: frames are searched from the start.
    const first = kind === 'ours' ? FILE_HEADER.length : 0
    this.readOffset = Math.min(Math.max(readOffset, first), Math.max(this.bytes, first))
    const header = Buffer.alloc(FRAME_HEADER_BYTES)
    for (let at = this.readOffset; at + FRAME_HEADER_BYTES <= this.bytes;) {
      await handle.read(header, 0, header.length, at)
      const found = readFrame(header, 0)
      const end = at + FRAME_HEADER_BYTES + header.readUInt32LE(4)
      // Damage is met again, and counted, when the frames are read.
      if (found.kind === 'damage' || end > this.bytes) break
      this.points += header.readUInt32LE(8)
      at = end
    }
    return true
  }

  /**
   * The next frames, at most about `mostRawBytes` of line protocol and `mostPoints`, at least one if there is one. Damage
   * is skipped to the next frame whose checksum holds. Does not advance `readOffset` over frames, only over damage.
   */
  async read(mostRawBytes: number, mostPoints: number, damage: Damage): Promise<ReadBack[]> {
    while (this.unreadBytes > 0) {
      let window = await this.window(WINDOW_BYTES)
      if (window.length === WINDOW_BYTES && readFrame(window, 0).kind === 'partial')
        window = await this.window(WIDE_WINDOW_BYTES)
      const frames = framesOf(window, this.readOffset, mostRawBytes, mostPoints)
      if (frames.length > 0) return frames
      this.skipDamage(window, damage)
    }
    return []
  }

  private async window(most: number): Promise<Buffer> {
    const handle = (this.handle ??= await open(this.path, 'r'))
    const window = Buffer.allocUnsafe(Math.min(most, this.unreadBytes))
    const { bytesRead } = await handle.read(window, 0, window.length, this.readOffset)
    return window.subarray(0, bytesRead)
  }

  /** Moves `readOffset` to where the next whole frame begins, or may begin. */
  private skipDamage(window: Buffer, damage: Damage): void {
    const atEnd = window.length === 0 || this.readOffset + window.length >= this.bytes
    let next = nextMagic(window, 1)
    for (; next < window.length; next = nextMagic(window, next + 1)) {
      const { kind } = readFrame(window, next)
      // What is cut off by the window is looked at again as the first of the next one; behind the file's end is nothing.
      if (kind === 'frame' || (kind === 'partial' && !atEnd)) break
    }
    if (next < window.length) {
      damage.damagedBytes += next
      this.readOffset += next
    } else if (atEnd) {
      damage.tornBytes += this.unreadBytes
      this.readOffset = this.bytes
    } else {
      // A frame may begin in the last three bytes.
      const skipped = Math.max(1, window.length - 3)
      damage.damagedBytes += skipped
      this.readOffset += skipped
    }
  }

  async close(): Promise<void> {
    const handle = this.handle
    this.handle = undefined
    await handle?.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await unlink(this.path)
  }
}

function framesOf(window: Buffer, offset: number, mostRawBytes: number, mostPoints: number): ReadBack[] {
  const frames: ReadBack[] = []
  let rawBytes = 0
  let points = 0
  for (let at = 0; at < window.length;) {
    const found = readFrame(window, at)
    if (found.kind !== 'frame') break
    rawBytes += found.frame.rawBytes
    points += found.frame.points
    if (frames.length > 0 && (rawBytes > mostRawBytes || points > mostPoints)) break
    frames.push({ frame: found.frame, end: offset + found.end })
    at = found.end
  }
  return frames
}

async function writeFully(handle: FileHandle, pieces: readonly Buffer[], position: number): Promise<number> {
  let left = pieces.filter((piece) => piece.length > 0)
  let at = position
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at)
    at += bytesWritten
    left = behind(left, bytesWritten)
  }
  return at - position
}

/** What is left of the pieces behind their first `count` bytes. */
function behind(pieces: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = []
  let skip = count
  for (const piece of pieces) {
    if (skip < piece.length) rest.push(piece.subarray(skip))
    skip = Math.max(0, skip - piece.length)
  }
  return rest
}

const NAME = /^(\d{10})\.spool$/

export function fileName(id: number): string {
  return `${String(id).padStart(10, '0')}.spool`
}

/** The id of a spool file's name, or undefined for any other. */
export function idOfFile(name: string): number | undefined {
  const match = NAME.exec(name)
  return match === null ? undefined : Number(match[1])
}
