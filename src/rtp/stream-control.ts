import type { PayloadFormat } from '../sip/sdp-types.js'
import type { AnnouncedEndpoints } from './announced.js'
import type { IntervalRow, StreamIdentity } from './row.js'
import type { StreamKeys } from './stream-keys.js'
import type { SequenceState } from './stream-states.js'

/** What the calls ask of the measuring of streams, whichever threads do that. Streams are named by their slot. */
export interface StreamControl {
  readonly announced: AnnouncedEndpoints
  readonly keys: StreamKeys
  identity(slot: number): StreamIdentity
  /** Arrival of the stream's last packet of any kind, ms since the epoch. */
  lastSeen(slot: number): number
  sequenceState(slot: number, atMs?: number): SequenceState
  /** What the open interval has so far, for a listener's `onSecond`. */
  peek(slot: number): IntervalRow
  /** The payload types in force (SDP came, or changed). */
  setPayloadFormats(slot: number, formats: readonly PayloadFormat[]): void
  /** Whether the listener is shown the first packet of each second. */
  setSampled(slot: number, sampled: boolean): void
  /** A call holds the stream (or lets it go): idle time alone does not end it. */
  setBound(slot: number, bound: boolean): void
  /** Hands out what there is of the open interval, before it returns. */
  cut(slot: number): void
  /** As `cut`, at the end of a call: losses and bursts up to here are counted, whatever the stream does next. */
  conclude(slot: number): void
  /** What comes next is counted from its own first packet on. */
  beginSegment(slot: number): void
  /** Ends every stream, pausing now and then (for slow outputs). */
  finish(): Generator<void>
}
