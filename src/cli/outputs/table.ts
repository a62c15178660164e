import type { AlertRecord, CallRecord, ProbeRecord, SummaryRecord } from '../../calls/records.js'
import type { Expression } from '../expression.js'
import { writeTable, type TableOptions } from '../replay-table.js'
import type { RunOutput } from './output.js'

/** Calls that a table holds at most; the records of more are still counted in the summary. */
export const MOST_TABLE_CALLS = 50_000

/** Keeps the calls of the table. */
export class TableOutput implements RunOutput {
  readonly calls: CallRecord[] = []
  dropped = 0
  private readonly alerts: AlertRecord[] = []

  constructor(
    private readonly filter: Expression | undefined,
    private readonly options: TableOptions,
  ) {}

  record(record: ProbeRecord): void {
    if (record.type === 'alert' && this.alerts.length < MOST_TABLE_CALLS) this.alerts.push(record)
    if (record.type !== 'call' || this.filter?.test(record) === false) return
    if (this.calls.length < MOST_TABLE_CALLS) this.calls.push(record)
    else this.dropped++
  }

  async finish(summary: SummaryRecord): Promise<void> {
    await writeTable(this.calls, this.dropped, summary, this.options, this.alerts)
  }
}
