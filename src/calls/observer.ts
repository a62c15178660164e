import type { MediaCounts } from '../rtp/row.js'
import type { CallEntry } from './call-entry.js'
import type { RtcpCompound } from '../rtcp/packets.js'
import type { Party, SipCall, StandaloneRequest } from '../sip/call.js'
import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import type { CodecUse } from './media-codecs.js'
import type { CallRecord, Direction, IntervalRecord } from './records.js'
import type { MediaSecond } from './second-watch.js'
import type { RtcpEnds } from './rtcp-claims.js'
import type { StreamEntry } from './stream-entry.js'

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
  /** A SIP message of the call, before its effects; `sighting` tells retransmissions and copies made by the mirror. */
  onSipMessage?(call: CallEntry, packet: SipPacket, sighting: Sighting): void
  /** A stream was bound to the call, or to this call rather than the one before. */
  onStream?(call: CallEntry, direction: Direction, stream: StreamEntry): void
  /** RTCP that `sender` of the call sent. */
  onRtcp?(call: CallEntry, sender: Party, compound: RtcpCompound, timeMs: number, ends: RtcpEnds): void
  /** A clock-aligned second with media of one of the call's streams (video included: see `stream.audio`) is over. */
  onSecond?(
    call: CallEntry,
    direction: Direction,
    stream: StreamEntry,
    second: MediaSecond,
    codec: CodecUse | undefined,
  ): void
  /** A call attempt was seen for the first time. */
  onCallStart?(call: CallEntry): void
  /** The 2xx to its INVITE. */
  onCallAnswered?(call: CallEntry): void
  /** Its end in signalling: BYE, refusal, CANCEL, timeout; the record follows when late media are in. */
  onCallEnded?(call: CallEntry): void
  /** The BYE was answered, or 32 s went by without; mostly after the call's record. */
  onDisconnect?(sip: SipCall): void
  /** A REGISTER attempt or OPTIONS request begins (no status), and is decided. */
  onStandalone?(request: StandaloneRequest): void
  /** The call's record was written. */
  onCallClosed?(call: CallEntry, record: CallRecord): void
}
