import { crc32 } from 'node:zlib'

/**
 * A spool file: one line that names the format and its version, then frames, appended and never changed.
 *
 *      0       4        8        12        16       20
 *     +-------+--------+--------+---------+--------+----------------+
 *     | magic | length | points | raw     | CRC-32 | gzip, `length` |
 *     | CPF1  | bytes  |        | length  |        | bytes          |
 *     +-------+--------+--------+---------+--------+----------------+
 *
 * Numbers are 32 bits, little endian. The CRC covers length, points, raw length and payload. The payload is gzipped line
 * protocol, every line ended by a line feed; it is posted as it is.
 */
export const FILE_HEADER = Buffer.from('callprobe spool 1\n', 'latin1')
const FIRST_LINE = /^callprobe spool (\d+)\n/

export const FRAME_HEADER_BYTES = 20
const MAGIC = Buffer.from('CPF1', 'latin1')
/** Longest payload of a frame; a longer length is damage. Writers stay well below. */
export const MOST_PAYLOAD_BYTES = 8 * 1024 * 1024

export interface Frame {
  /** gzip of `rawBytes` bytes of line protocol. */
  payload: Buffer
  points: number
  rawBytes: number
}

export function frameBytes(frame: Frame): number {
  return FRAME_HEADER_BYTES + frame.payload.length
}

/** The header that goes before the payload. */
export function frameHeader({ payload, points, rawBytes }: Frame): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32LE(payload.length, 4)
  header.writeUInt32LE(points, 8)
  header.writeUInt32LE(rawBytes, 12)
  header.writeUInt32LE(crc32(payload, crc32(header.subarray(4, 16))), 16)
  return header
}

/** What lies at an offset of a spool file. */
export type Found =
  | { kind: 'frame'; frame: Frame; end: number }
  /** The bytes end before the frame does, or before it can be told that there is none. */
  | { kind: 'partial' }
  | { kind: 'damage' }

/** Reads the frame at `offset`; its payload is a view into `bytes`. */
export function readFrame(bytes: Buffer, offset: number): Found {
  const there = Math.min(MAGIC.length, bytes.length - offset)
  if (bytes.compare(MAGIC, 0, there, offset, offset + there) !== 0) return { kind: 'damage' }
  if (bytes.length - offset < FRAME_HEADER_BYTES) return { kind: 'partial' }
  const length = bytes.readUInt32LE(offset + 4)
  if (length > MOST_PAYLOAD_BYTES) return { kind: 'damage' }
  const end = offset + FRAME_HEADER_BYTES + length
  if (end > bytes.length) return { kind: 'partial' }
  const payload = bytes.subarray(offset + FRAME_HEADER_BYTES, end)
  if (crc32(payload, crc32(bytes.subarray(offset + 4, offset + 16))) !== bytes.readUInt32LE(offset + 16))
    return { kind: 'damage' }
  const frame = { payload, points: bytes.readUInt32LE(offset + 8), rawBytes: bytes.readUInt32LE(offset + 12) }
  return { kind: 'frame', frame, end }
}

/** Where the next frame may begin, searched from `from` on; the length of `bytes` when nowhere. */
export function nextMagic(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(MAGIC, from)
  return at < 0 ? bytes.length : at
}

/** `ours`, of another version of the format (leave it alone), or no spool file at all. */
export function fileKind(start: Buffer): 'ours' | 'other-version' | 'damaged' {
  const version = FIRST_LINE.exec(start.toString('latin1'))?.[1]
  if (version === undefined) return 'damaged'
  return version === '1' ? 'ours' : 'other-version'
}
