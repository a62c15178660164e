/** RFC 8878 3.1.1: Zstandard_Frame magic number, little endian. */
export const ZSTD_MAGIC = 0xfd2fb528
/** RFC 8878 3.1.2: 0x184D2A50 to 0x184D2A5F start frames to be stepped over (pzstd and seekable zstd write them). */
export function isSkippableMagic(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5
}

/** RFC 8878 3.1.1.2: no block is larger, compressed or not. */
export const ZSTD_MAX_BLOCK_BYTES = 131_072
/** Magic, descriptor, window, dictionary (4), content size (8). */
export const ZSTD_MAX_HEADER_BYTES = 18
/** What the zstd tool decodes without being told to use more memory (windowLog 27). */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024

export interface ZstdFrameHeader {
  headerBytes: number
  /** 4 when a content checksum follows the last block, else 0. */
  checksumBytes: number
}

/** Bytes of a frame header with this Frame_Header_Descriptor, magic included. */
export function zstdHeaderBytes(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]
  const sizeFlag = descriptor >> 6
  return 5 + (1 - singleSegment) + dictionaryBytes + (sizeFlag === 0 ? singleSegment : 1 << sizeFlag)
}

/** Reads a whole frame header (RFC 8878 3.1.1.1); a string says why the frame cannot be decoded here. */
export function readZstdHeader(view: DataView, start: number): ZstdFrameHeader | string {
  const descriptor = view.getUint8(start + 4)
  if ((descriptor & 8) !== 0) return 'a reserved bit of a zstd frame header is set'
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  let position = start + 5
  let windowBytes = 0
  if (!singleSegment) {
    const window = view.getUint8(position)
    const base = 2 ** (10 + (window >> 3))
    windowBytes = base + (base / 8) * (window & 7)
    position++
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]
  for (let i = 0; i < dictionaryBytes; i++) {
    if (view.getUint8(position + i) !== 0) return 'the zstd data needs a dictionary'
  }
  position += dictionaryBytes
  if (singleSegment) {
    if (sizeFlag === 0) windowBytes = view.getUint8(position)
    else if (sizeFlag === 1) windowBytes = view.getUint16(position, true) + 256
    else if (sizeFlag === 2) windowBytes = view.getUint32(position, true)
    else windowBytes = view.getUint32(position + 4, true) * 2 ** 32 + view.getUint32(position, true)
  }
  if (windowBytes > MAX_WINDOW_BYTES) {
    return `the zstd data needs a window of ${Math.ceil(windowBytes / 2 ** 20)} MiB (128 is the most): unpack it with "zstd -d --long=31"`
  }
  return {
    headerBytes: zstdHeaderBytes(descriptor),
    checksumBytes: (descriptor & 4) !== 0 ? 4 : 0,
  }
}
