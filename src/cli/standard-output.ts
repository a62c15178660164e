import { CallprobeError, systemErrorCode } from '../errors.js'
import { writeError } from '../sinks/ndjson.js'
import { EXIT_FAILED } from './exit-codes.js'

/** Messages about outputs that were printed already: the same failure may surface twice. */
const told = new Set<string>()
let watched = false
let failed = false

/** Prints an error for the person at the keyboard, once. */
export function tell(error: CallprobeError): void {
  if (error.code === 'WRITE_FAILED') {
    if (told.has(error.message)) return
    told.add(error.message)
  }
  process.stderr.write(`callprobe: ${error.message}\n`)
  if (error.hint !== undefined) process.stderr.write(`  hint: ${error.hint}\n`)
}

/**
 * Standard output may fail at any write: a reader that has gone (`| head`) is no failure and ends nothing, a full disk
 * is one. Without this, Node would end the program with a stack trace.
 */
export function watchStandardOutput(): void {
  failed = false
  told.clear()
  if (watched) return
  watched = true
  process.stdout.on('error', (error) => {
    if (systemErrorCode(error) === 'EPIPE') return
    failed = true
    process.exitCode = EXIT_FAILED
    tell(writeError('standard output', error))
  })
  // Nowhere to complain to.
  process.stderr.on('error', () => {})
}

/** Whether a write to standard output has failed. */
export function standardOutputFailed(): boolean {
  return failed
}
