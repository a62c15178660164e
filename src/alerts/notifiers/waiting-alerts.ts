import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { AlertRecord } from '../../calls/records.js'
import { validateRecord } from '../../calls/validate.js'
import { CallprobeError, errorText } from '../../errors.js'

interface Waiting {
  sequence: number
  record: AlertRecord
}

const FILE = /^(\d{12})\.json$/

/**
 * Alerts that wait for one receiver, oldest first: in memory, and with a folder also on disk, one file each, until they
 * are delivered. Bounded: beyond, the oldest are lost and counted.
 */
export class WaitingAlerts {
  private readonly waiting: Waiting[] = []
  private sequence = 1
  /** Given up because too many waited. */
  lost = 0
  /** Files that could not be read at the start. */
  damaged = 0
  /** Times that the disk did not take one: it waits in memory only. */
  diskFailures = 0

  /**
   * @param folder '' for memory only; made when it is missing
   * @throws CallprobeError WRITE_FAILED when the folder cannot be used
   */
  constructor(
    private readonly folder: string,
    private readonly limit: number,
  ) {
    if (folder === '') return
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      this.load()
    } catch (error) {
      throw new CallprobeError(
        'WRITE_FAILED',
        `cannot use ${folder} for alerts that wait: ${errorText(error)}`,
        {
          hint: 'alerts.state_dir must be a folder that this user may write to',
          cause: error,
        },
      )
    }
  }

  private load(): void {
    for (const name of readdirSync(this.folder).sort()) {
      const match = FILE.exec(name)
      if (!match) continue
      const sequence = Number(match[1])
      this.sequence = Math.max(this.sequence, sequence + 1)
      const record = readAlert(join(this.folder, name))
      if (record) this.waiting.push({ sequence, record })
      else this.damaged++
    }
    this.bound()
  }

  get size(): number {
    return this.waiting.length
  }

  push(record: AlertRecord): void {
    const sequence = this.sequence++
    this.waiting.push({ sequence, record })
    if (this.folder !== '') this.save(sequence, record)
    this.bound()
  }

  private bound(): void {
    while (this.waiting.length > this.limit) {
      this.lost++
      this.removeFile(this.waiting.splice(0, 1)[0].sequence)
    }
  }

  /** The oldest. */
  get next(): AlertRecord | undefined {
    return this.waiting[0]?.record
  }

  /** This one was delivered, or never will be. It may have been given up meanwhile. */
  remove(record: AlertRecord): void {
    const at = this.waiting.findIndex((one) => one.record === record)
    if (at >= 0) this.removeFile(this.waiting.splice(at, 1)[0].sequence)
  }

  private pathOf(sequence: number): string {
    return join(this.folder, `${String(sequence).padStart(12, '0')}.json`)
  }

  /** On disk before anybody is told that it is safe: written aside, flushed, renamed. */
  private save(sequence: number, record: AlertRecord): void {
    const path = this.pathOf(sequence)
    try {
      const descriptor = openSync(`${path}.new`, 'w', 0o600)
      try {
        writeSync(descriptor, JSON.stringify(record))
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      renameSync(`${path}.new`, path)
    } catch {
      // A full disk must not keep an alert from being sent.
      this.diskFailures++
    }
  }

  private removeFile(sequence: number): void {
    if (this.folder === '') return
    try {
      rmSync(this.pathOf(sequence), { force: true })
    } catch {
      this.diskFailures++
    }
  }
}

/** An alert record from a file, held to its schema; undefined when it is none. */
function readAlert(path: string): AlertRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isAlert(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isAlert(value: unknown): value is AlertRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'alert' &&
    validateRecord(value).length === 0
  )
}
