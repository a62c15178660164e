import type { CallEntry } from '../calls/call-entry.js'
import type { Direction } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { RtcpCompound } from '../rtcp/packets.js'
import type { Party, SipCall } from '../sip/call.js'
import type { BatchWriter } from './call-batch.js'
import { DirectionLog } from './direction-log.js'
import { EventList } from './event-list.js'
import { LIMITS } from './limits.js'
import { MessageList } from './message-list.js'
import type { ReportText } from './report-text.js'
import type { SecondStore } from './second-store.js'
import { tenth, WatchedStream } from './watched-stream.js'

/** Everything about one call that the report shows beside its record. */
export class CallLog {
  readonly messages = new MessageList()
  readonly directions: Readonly<Record<Direction, DirectionLog>>
  /** Those with packets, as they came. */
  private readonly streams: WatchedStream[] = []
  /** Times and end-to-end round trips. */
  private readonly roundTrips: number[] = []
  private readonly signalling = new EventList()
  private roundTripMs = NaN
  /** Streams beyond the limit. */
  private leftOut = 0

  constructor(private readonly seconds: SecondStore) {
    this.directions = {
      from_caller: new DirectionLog('from_caller', seconds.open()),
      from_callee: new DirectionLog('from_callee', seconds.open()),
    }
  }

  /** The stream as part of this call. It is kept from its first packets on. */
  watch(call: CallEntry, direction: Direction, stream: StreamEntry, second: MediaSecond): WatchedStream {
    const log = this.directions[direction]
    let watched = this.streams.find((seen) => seen.stream === stream)
    if (watched) {
      if (watched.direction !== direction) watched.move(direction, log)
      stream.watched = watched
      return watched
    }
    watched = new WatchedStream(stream, call, direction, log)
    if (second.packets === 0) return watched
    if (this.streams.length >= LIMITS.streams) {
      this.leftOut++
      return watched
    }
    watched.begin(second)
    this.streams.push(watched)
    stream.watched = watched
    return watched
  }

  addRtcp(call: CallEntry, sender: Party, compound: RtcpCompound, timeMs: number): void {
    // A party reports on what it receives.
    const received: Direction = sender === 'caller' ? 'from_callee' : 'from_caller'
    const log = this.directions[received]
    for (const packet of compound.packets) {
      if (packet.type !== 'sr' && packet.type !== 'rr') continue
      for (const report of packet.reports) {
        const clockRateHz = clockRateOf(call, received, report.ssrc)
        if (clockRateHz === undefined) continue
        const jitterMs = clockRateHz > 0 ? Math.round((1e4 * report.jitter) / clockRateHz) / 10 : NaN
        const lossPercent = Math.round((1000 * report.fractionLost) / 256) / 10
        log.addReport(Math.round(timeMs), lossPercent, report.cumulativeLost, jitterMs)
      }
    }
    const rtt = call.rtcp?.endToEnd
    if (rtt && rtt.count > 0 && rtt.latestMs !== this.roundTripMs) {
      this.roundTripMs = rtt.latestMs
      if (this.roundTrips.length < 2 * LIMITS.reports)
        this.roundTrips.push(Math.round(rtt.latestMs), Math.round(rtt.latest * 10) / 10)
    }
  }

  /** The call is over: what only its end tells. */
  close(call: CallEntry): void {
    if (call.sip) noteSignalling(call.sip, this.signalling)
    for (const direction of ['from_caller', 'from_callee'] as const) {
      for (const { startMs, endMs, peakMs } of call.directions[direction].bursts)
        this.directions[direction].note(
          'burst',
          startMs,
          `burst jitter, up to ${Math.round(peakMs)} ms`,
          endMs,
        )
    }
  }

  /** For `readSeenCall`. */
  write(writer: BatchWriter, shown: ReportText): void {
    const { from_caller, from_callee } = this.directions
    writer.addNumber(this.leftOut + from_caller.leftOut + from_callee.leftOut)
    this.messages.write(writer, shown)
    for (const events of [this.signalling, from_caller.events, from_callee.events]) events.write(writer)
    writer.addNumber(this.streams.length)
    for (const stream of this.streams) stream.write(writer, shown)
    from_caller.write(writer, this.seconds)
    from_callee.write(writer, this.seconds)
    writer.addNumber(this.roundTrips.length / 2)
    writer.addNumbers(this.roundTrips)
  }

  /** No second of it comes any more: what streams keep of it is void. */
  detach(): void {
    for (const stream of this.streams) stream.call = undefined
  }

  /** It is not needed any more. */
  release(): void {
    const { from_caller, from_callee } = this.directions
    this.seconds.close(from_caller.track)
    this.seconds.close(from_callee.track)
  }
}

/** Clock rate of the stream that a report is about; 0: not known, undefined: no such stream. */
function clockRateOf(call: CallEntry, direction: Direction, ssrc: number): number | undefined {
  for (const stream of call.streams) {
    if (stream.ssrc !== ssrc || stream.direction !== direction) continue
    return (
      stream.totals?.clockRateHz ||
      stream.codecs[0]?.clockRateHz ||
      call.formats[direction][0]?.clockRateHz ||
      0
    )
  }
  return undefined
}

function noteSignalling(sip: SipCall, events: EventList): void {
  const note = (timeMs: number | undefined, text: string): void => {
    if (timeMs !== undefined) events.add('signalling', tenth(timeMs), text)
  }
  if (sip.sawInvite) note(sip.inviteMs, 'INVITE')
  note(sip.ringingMs, 'ringing')
  note(sip.answerMs, 'answered')
  note(sip.cancelMs, 'CANCEL')
  note(sip.byeMs, 'BYE')
  for (const { startMs, endMs, by } of sip.holds)
    events.add('hold', startMs, `on hold by the ${by}`, endMs ?? sip.lastMs)
}
