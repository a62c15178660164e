import type { CallEntry } from '../calls/call-entry.js'
import type { CodecUse } from '../calls/media-codecs.js'
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

interface SeenStream {
  direction: Direction
  audio: boolean
  source: [string, number]
  destination: [string, number]
  ssrc: string
  codec: string
  dscp: number
  firstMs: number
  lastMs: number
  packets: number
}

/** Everything about one call that the report shows beside its record. */
export class CallLog {
  readonly messages = new MessageList()
  readonly directions: Readonly<Record<Direction, DirectionLog>> = {
    from_caller: new DirectionLog('from_caller'),
    from_callee: new DirectionLog('from_callee'),
  }
  private readonly streams = new Map<StreamEntry, SeenStream>()
  /** Each direction mostly goes on with the stream that it had. */
  private readonly latest: Partial<
    Record<Direction, { stream: StreamEntry; seen: SeenStream; codec: string }>
  > = {}
  /** Times and end-to-end round trips. */
  private readonly roundTrips: number[] = []
  private readonly signalling = new EventList()
  private roundTripMs = NaN
  /** Streams beyond the limit. */
  private leftOut = 0

  noteStream(
    stream: StreamEntry,
    direction: Direction,
    second: MediaSecond,
    codec: CodecUse | undefined,
  ): void {
    if (second.packets === 0) return
    const latest = this.latest[direction]
    let seen = latest?.stream === stream ? latest.seen : this.streams.get(stream)
    if (!seen) {
      if (this.streams.size >= LIMITS.streams) {
        this.leftOut++
        return
      }
      const { sourcePort, destinationPort, firstArrival } = stream
      seen = {
        direction,
        audio: stream.audio,
        source: [stream.sourceAddress, sourcePort],
        destination: [stream.destinationAddress, destinationPort],
        ssrc: stream.ssrcText,
        codec: '',
        dscp: second.dscp,
        firstMs: Math.max(firstArrival, second.startMs),
        lastMs: firstArrival,
        packets: 0,
      }
      this.streams.set(stream, seen)
    }
    if (latest?.stream !== stream) this.latest[direction] = { stream, seen, codec: '' }
    seen.packets += second.packets
    seen.lastMs = second.lastPacketMs
    seen.audio = stream.audio
    seen.dscp = second.dscp
    const name = codec?.encoding ?? (second.payloadType >= 0 ? `payload type ${second.payloadType}` : '')
    if (name === '' || name === latest?.codec) return
    const { [direction]: now } = this.latest
    if (now) now.codec = name
    if (!seen.codec.includes(name)) seen.codec = seen.codec === '' ? name : `${seen.codec}, ${name}`
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
    this.streamsAtEnd = [...this.streams.values()]
    this.streams.clear()
  }

  private streamsAtEnd: SeenStream[] = []

  /** For `readSeenCall`. */
  write(writer: BatchWriter, shown: ReportText): void {
    const { from_caller, from_callee } = this.directions
    writer.addNumber(this.leftOut + from_caller.leftOut + from_callee.leftOut)
    this.messages.write(writer, shown)
    for (const events of [this.signalling, from_caller.events, from_callee.events]) events.write(writer)
    writer.addNumber(this.streamsAtEnd.length)
    for (const stream of this.streamsAtEnd) writeStream(stream, writer, shown)
    from_caller.write(writer)
    from_callee.write(writer)
    writer.addNumber(this.roundTrips.length / 2)
    writer.addNumbers(this.roundTrips)
  }

  /** It is not needed any more. */
  release(): void {
    for (const { seconds } of Object.values(this.directions)) seconds.release()
  }
}

function writeStream(stream: SeenStream, writer: BatchWriter, shown: ReportText): void {
  writer.addNumber(stream.direction === 'from_caller' ? 0 : 1)
  writer.addNumber(stream.audio ? 1 : 0)
  writer.addText(shown.address(stream.source[0]))
  writer.addNumber(stream.source[1])
  writer.addText(shown.address(stream.destination[0]))
  writer.addNumber(stream.destination[1])
  writer.addText(stream.ssrc)
  writer.addText(stream.codec)
  writer.addNumber(stream.dscp)
  writer.addNumber(tenth(stream.firstMs))
  writer.addNumber(tenth(stream.lastMs))
  writer.addNumber(stream.packets)
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

/** Times in ms to a tenth: what is shown. */
function tenth(timeMs: number): number {
  return Math.round(timeMs * 10) / 10
}
