import { PrefixedInput, type ByteInput } from './byte-input.js'
import { isSkippableMagic, ZSTD_MAGIC } from './zstd-framing.js'

/** Bytes that tell what an input is. */
export const SIGNATURE_BYTES = 4

/** True when `bytes` start as a gzip file (RFC 1952 2.3.1: ID1, ID2, and deflate as the only method). */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8
}

/** True when `bytes` (at least 4 to say yes) start as gzip or zstd data, whatever the file is called. */
export function isCompressed(bytes: Uint8Array): boolean {
  if (bytes.length < SIGNATURE_BYTES) return false
  return isGzip(bytes) || isZstd(bytes)
}

function isZstd(bytes: Uint8Array): boolean {
  const magic = (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0
  return magic === ZSTD_MAGIC || isSkippableMagic(magic)
}

/** The input with its compression, if any, taken off. Waits for the first 4 bytes. */
export async function decompressed(input: ByteInput): Promise<ByteInput> {
  const signature = new Uint8Array(SIGNATURE_BYTES)
  let count = 0
  while (count < SIGNATURE_BYTES) {
    const got = await input.read(signature, count, SIGNATURE_BYTES)
    if (got === 0) break
    count += got
  }
  const head = signature.subarray(0, count)
  const whole = new PrefixedInput(head, input)
  if (!isCompressed(head)) return whole
  // Loaded here, so that a plain capture does not pay for it.
  if (isGzip(head)) return new (await import('./gzip-input.js')).GzipInput(whole)
  return new (await import('./zstd-input.js')).ZstdInput(whole)
}
