import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** How far the server has the spool: everything before `offset` in file `segment`, and all files before it. */
export interface Position {
  segment: number
  offset: number
}

const BYTES = 24
const MAGIC = 0x31435043

/**
 * The position in a small file beside the spool's. It is not synced: after a power failure it may be older than it was,
 * and then some points are sent a second time, the same as they were.
 */
export class Cursor {
  private constructor(private readonly handle: FileHandle) {}

  static async open(folder: string): Promise<{ cursor: Cursor; position: Position }> {
    const handle = await open(join(folder, 'cursor'), constants.O_RDWR | constants.O_CREAT, 0o600)
    const bytes = Buffer.alloc(BYTES)
    const { bytesRead } = await handle.read(bytes, 0, BYTES, 0)
    const sound =
      bytesRead === BYTES &&
      bytes.readUInt32LE(0) === MAGIC &&
      crc32(bytes.subarray(0, 20)) === bytes.readUInt32LE(20)
    const position = sound
      ? { segment: bytes.readDoubleLE(4), offset: bytes.readDoubleLE(12) }
      : { segment: 0, offset: 0 }
    return { cursor: new Cursor(handle), position }
  }

  async write({ segment, offset }: Position): Promise<void> {
    const bytes = Buffer.alloc(BYTES)
    bytes.writeUInt32LE(MAGIC, 0)
    bytes.writeDoubleLE(segment, 4)
    bytes.writeDoubleLE(offset, 12)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20)
    await this.handle.write(bytes, 0, BYTES, 0)
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}
