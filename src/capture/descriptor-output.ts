import { closeSync, openSync, writeSync } from 'node:fs'
import { CallprobeError, errorText, systemErrorCode } from '../errors.js'

const STDOUT = 1
const PAUSE = new Int32Array(new SharedArrayBuffer(4))

/**
 * A file that a capture is written to, or standard output for `-`. It is created for its owner only (0600): captures hold
 * what people said to each other. Throws a CallprobeError (`WRITE_FAILED`) when the disk says no.
 */
export class DescriptorOutput {
  private descriptor: number

  constructor(private readonly path: string) {
    try {
      this.descriptor = path === '-' ? STDOUT : openSync(path, 'w', 0o600)
    } catch (error) {
      throw new CallprobeError('WRITE_FAILED', `cannot write ${path}: ${errorText(error)}`, { cause: error })
    }
  }

  get isClosed(): boolean {
    return this.descriptor < 0
  }

  /** Writes the first `length` bytes, all of them. */
  write(bytes: Uint8Array, length: number = bytes.length): void {
    let position = 0
    while (position < length) {
      try {
        position += writeSync(this.descriptor, bytes, position, length - position)
      } catch (error) {
        // A pipe whose reader is slow: libuv made standard output non-blocking.
        if (systemErrorCode(error) === 'EAGAIN') Atomics.wait(PAUSE, 0, 0, 1)
        else {
          throw new CallprobeError('WRITE_FAILED', `writing ${this.path} failed: ${errorText(error)}`, {
            cause: error,
          })
        }
      }
    }
  }

  close(): void {
    if (this.descriptor !== STDOUT) closeSync(this.descriptor)
    this.descriptor = -1
  }
}
