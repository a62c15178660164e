import type { MediaCounts } from '../rtp/row.js'
import type { CallEntry } from './call-entry.js'
import type { CallRecord, Direction, IntervalRecord } from './records.js'

/**
 * Looks on while the correlator works: for what needs more than records (aggregates, alerts, the report). Called per
 * message, per interval or per second, never per packet. Arguments are valid during the call only: copy what is kept.
 * Times are packet times, ms since the epoch.
 */
export interface CallObserver {
  /** Packet time went on: about every 100 ms while packets come, and before each delayed event. */
  onTime?(timeMs: number): void
  /** An interval of one direction is complete; `counts` has its additive counters and histograms. */
  onIntervalClosed?(call: CallEntry, direction: Direction, record: IntervalRecord, counts: MediaCounts): void
  /** A clock-aligned second with a burst of high delay variation. */
  onBurstSecond?(call: CallEntry, direction: Direction, startMs: number, peakMs: number): void
  /** The call's record was written. */
  onCallClosed?(call: CallEntry, record: CallRecord): void
}
