import type { ProbeCounters } from '../../aggregates/probe-health.js'
import type { CallObserver } from '../../calls/observer.js'
import type { Config } from '../../config/config.js'
import type { ProbeRecord, SummaryRecord } from '../../calls/records.js'

/**
 * One place where a run's records go: NDJSON, the table, a database, a report. A command has several at once and gives
 * each record to all of them.
 */
export interface RunOutput {
  record(record: ProbeRecord): void
  /** What it wants to see beside records. */
  readonly observer?: CallObserver
  /** undefined: it can take more at once. Else resolves when it can. */
  ready?(): Promise<void> | undefined
  /** Live capture, once a second: what is buffered goes to its readers. */
  flush?(): void
  /** Live capture: the configuration was read again. */
  reconfigure?(config: Config): void
  /** Bytes that wait on disk to be sent; absent where nothing does. */
  readonly waitingBytes?: number
  /** It cannot replace what it was given: a call that the next start goes on with is left to that. */
  readonly leavesOpenCalls?: boolean
  /** Whoever read it has gone (`| head`): with no other output the run can stop. */
  readonly readerGone?: boolean
  /** What the probe counts of itself, for outputs that show it; asked at most once per interval. */
  watchProbe?(counters: () => ProbeCounters): void
  /** Records that it could not take: its reader is too slow, or its disk failed. */
  readonly droppedRecords?: number
  /** Bounds of its own that cost something, by name; the summary has them beside the probe's. */
  readonly evictions?: Readonly<Record<string, number>>
  /** For the summary and the log: what went wrong and cost no record. */
  readonly warnings?: readonly string[]
  /** The run is complete: writes what is left and closes. Throws CallprobeError with what to do. */
  finish(summary: SummaryRecord): Promise<void>
  /** The run failed: closes without a result. Never throws. */
  abort?(): Promise<void>
}
