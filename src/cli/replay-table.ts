import { closeSync, writeFileSync } from 'node:fs'
import type { AlertRecord, CallRecord, SummaryRecord } from '../calls/records.js'
import { openForWriting, writeError } from '../sinks/ndjson.js'
import { renderAlerts } from './table-alerts.js'
import { renderSummary } from './table-summary.js'
import { renderCalls } from './table.js'
import { styleFor } from './table-style.js'

export interface TableOptions {
  output: string
  sort: 'time' | 'worst'
  limit?: number
  /** The rules were evaluated: shows the alerts, or that there was none. */
  alerts?: boolean
}

/** Prints calls and summary as a table, to a terminal, a pipe or a file. */
export async function writeTable(
  calls: readonly CallRecord[],
  dropped: number,
  summary: SummaryRecord,
  options: TableOptions,
  alerts: readonly AlertRecord[] = [],
): Promise<void> {
  const toFile = options.output !== '-'
  const style = styleFor(toFile ? {} : process.stdout, process.env)
  let text = renderCalls(calls, style, { sort: options.sort, limit: options.limit })
  if (dropped > 0) text += `… and ${dropped} calls more than a table holds: use --format ndjson\n`
  if (options.alerts === true || alerts.length > 0) text += `\n${renderAlerts(alerts, style)}`
  text += `\n${renderSummary(summary, style)}`
  if (!toFile) {
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
    return
  }
  const descriptor = openForWriting(options.output)
  try {
    writeFileSync(descriptor, text)
  } catch (error) {
    throw writeError(options.output, error)
  } finally {
    closeSync(descriptor)
  }
}
