import { CallprobeError } from '../errors.js'
import type { PacketBatch } from './batch.js'
import { isCompressed } from './detect-compression.js'
import { MemorySource } from './memory-source.js'

/** Small, so that an input costs little and batch limits are met often. */
const FUZZ_BATCH_CAPACITY = 16
/** RFC 3339 ends here. */
const YEAR_10000_MS = Date.UTC(10_000, 0, 1)

/**
 * Reads `data` as a capture: in one piece, and cut in two at a place that the data itself chooses. Whatever the bytes,
 * nothing but a CallprobeError may come out, every packet must lie inside its buffer, and both ways must find the same
 * packets (but for gzip and zstd data: how much precedes damage there depends on the steps it is unpacked in). Throws
 * (rejects) when that is not so.
 */
export async function fuzzCaptureOne(data: Uint8Array): Promise<void> {
  const whole = await readAll([data])
  let cut = data.length
  for (let i = 0; i < data.length && i < 64; i++) cut = (Math.imul(cut, 31) + data[i]) >>> 0
  const place = data.length === 0 ? 0 : cut % data.length
  const parts = await readAll([data.subarray(0, place), data.subarray(place)])
  if (whole !== parts && !isCompressed(data)) {
    throw new Error(`cut at ${place}: ${parts}, in one piece: ${whole}`)
  }
}

/** A short text that differs when the packets differ. */
async function readAll(chunks: readonly Uint8Array[]): Promise<string> {
  const source = new MemorySource(chunks, { batchCapacity: FUZZ_BATCH_CAPACITY })
  let packets = 0
  let checksum = 0
  try {
    for (let batch = await source.next(); batch !== null; batch = await source.next()) {
      for (let i = batch.first; i < batch.end; i++) {
        checkPacket(batch, i)
        checksum = (Math.imul(checksum, 31) + packetChecksum(batch, i)) | 0
        packets++
      }
    }
  } catch (error) {
    if (!(error instanceof CallprobeError)) throw error
    return error.code
  } finally {
    await source.close()
  }
  const [warning] = source.warnings
  const end = warning === undefined ? 'clean' : `${warning.kind} at ${warning.offset}`
  return `${packets} packets, checksum ${checksum}, drops ${source.reportedDrops}, ${end}`
}

function checkPacket(batch: PacketBatch, index: number): void {
  const offset = batch.frameOffset[index]
  const captured = batch.capturedLength[index]
  if (offset < 0 || captured < 0 || offset + captured > batch.bytes.length) {
    throw new Error(`packet at ${offset}+${captured} outside of ${batch.bytes.length} bytes`)
  }
  if (batch.wireLength[index] < captured) throw new Error('captured more than was on the wire')
  const time = batch.timeMs[index]
  if (!(time >= 0 && time < YEAR_10000_MS)) throw new Error(`a time of ${time} ms`)
}

function packetChecksum(batch: PacketBatch, index: number): number {
  const offset = batch.frameOffset[index]
  const captured = batch.capturedLength[index]
  const edges = captured === 0 ? 0 : batch.bytes[offset] * 256 + batch.bytes[offset + captured - 1]
  return (edges + captured * 7 + batch.wireLength[index] * 13 + Math.floor(batch.timeMs[index]) * 17) | 0
}
