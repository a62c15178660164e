import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Rejected } from './write-batch.js'

/** Length at which the file gets no more lines. */
const MOST_BYTES = 1024 * 1024
/** Different reasons that are told of in a run. */
const MOST_REASONS = 20

/** Lines that the server refused, with its reason: a file in the spool's folder, for whoever looks for the cause. */
export class RejectedLog {
  readonly path: string
  private bytes: number | undefined
  private readonly told = new Set<string>()

  constructor(folder: string) {
    this.path = join(folder, 'rejected.log')
  }

  /** @returns a reason that was not met before in this run */
  write(rejected: readonly Rejected[], nowMs: number): string | undefined {
    let text = ''
    for (const { line, points, reason } of rejected) {
      const what = line === undefined ? '' : `\n  ${line}`
      text += `${new Date(nowMs).toISOString()} ${points} ${points === 1 ? 'point' : 'points'}: ${reason}${what}\n`
    }
    try {
      this.bytes ??= sizeOf(this.path)
      if (this.bytes + text.length <= MOST_BYTES) {
        appendFileSync(this.path, text, { mode: 0o600 })
        this.bytes += text.length
      }
    } catch {
      // The counter has them.
    }
    const fresh = rejected.find(({ reason }) => !this.told.has(kindOf(reason)))
    if (fresh === undefined || this.told.size >= MOST_REASONS) return undefined
    this.told.add(kindOf(fresh.reason))
    return fresh.reason
  }
}

/** A reason without what is particular to a line. */
function kindOf(reason: string): string {
  return reason.replace(/[\d"'].*$/, '')
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}
