import type { ProbeRecord, SummaryRecord } from '../../calls/records.js'
import { openNdjson, type NdjsonOptions, type NdjsonWriter } from '../../sinks/ndjson.js'
import type { Expression } from '../expression.js'
import type { RunOutput } from './output.js'
import { RecordFilter } from './record-filter.js'

/** Opens a file; a live capture's is written to for days. */
export type NdjsonOpener = (path: string, options: NdjsonOptions) => NdjsonWriter

/** NDJSON as records come. With a filter, streams and intervals wait for their call's verdict, or follow the last one. */
export class NdjsonOutput implements RunOutput {
  private readonly writer: NdjsonWriter
  private readonly filter: RecordFilter
  private full = false
  readerGone = false

  constructor(path: string, filter: Expression | undefined, openFile: NdjsonOpener = openNdjson) {
    this.filter = new RecordFilter(filter, (record) => this.write(record))
    const open = path === '-' ? openNdjson : openFile
    this.writer = open(path, { onReaderGone: () => (this.readerGone = true) })
  }

  record(record: ProbeRecord): void {
    this.filter.record(record)
  }

  private write(record: ProbeRecord): void {
    if (!this.writer.write(record)) this.full = true
  }

  get droppedRecords(): number {
    return this.writer.dropped
  }

  flush(): void {
    this.writer.flush()
  }

  /** Waits for a slow reader. */
  ready(): Promise<void> | undefined {
    if (!this.full) return undefined
    return this.writer.ready().then(() => {
      this.full = false
    })
  }

  async finish(summary: SummaryRecord): Promise<void> {
    this.write(summary)
    await this.writer.close()
  }
}
