import type { PacketSource } from './batch.js'
import { MemoryInput } from './byte-input.js'
import { InputWindow, MemoryWindow } from './byte-window.js'
import { CaptureReader } from './capture-reader.js'
import { isCompressed } from './detect-compression.js'
import type { FrameBatch } from './frame-batch.js'

const UNPACKED_CHUNK_BYTES = 1_048_576
/** A batch whose frames still lie in the cache when they are decoded. */
const MEMORY_BATCH_CAPACITY = 1024

export interface MemorySourceOptions {
  /** Name in warnings (default `memory`). */
  name?: string
  /** Most packets per batch (default 1024). */
  batchCapacity?: number
  /** What to fill; its own one otherwise. */
  batch?: FrameBatch
}

/**
 * A capture file that lies in memory, in one piece or several, parsed as a file on disk is. Packets are shown where
 * they lie: only records that cross from one chunk to the next are copied (gzip and zstd data is unpacked as it is
 * read). For benchmarks and tests. `next` throws a CallprobeError when the bytes are no capture.
 */
export class MemorySource extends CaptureReader implements PacketSource {
  constructor(chunks: Uint8Array | readonly Uint8Array[], options: MemorySourceOptions = {}) {
    const list = chunks instanceof Uint8Array ? [chunks] : chunks
    const bytesTotal = list.reduce((sum, chunk) => sum + chunk.length, 0)
    const window = isCompressed(firstBytes(list))
      ? new InputWindow(new MemoryInput(list), UNPACKED_CHUNK_BYTES, false)
      : new MemoryWindow(list)
    super(window, {
      name: options.name ?? 'memory',
      bytesTotal,
      batchCapacity: options.batchCapacity ?? MEMORY_BATCH_CAPACITY,
      batch: options.batch,
    })
  }
}

function firstBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(4)
  let count = 0
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.length - count)
    bytes.set(part, count)
    count += part.length
    if (count === bytes.length) break
  }
  return bytes.subarray(0, count)
}
