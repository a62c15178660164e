import type { CallEntry } from '../calls/call-entry.js'
import type { CodecUse } from '../calls/media-codecs.js'
import type { CallObserver } from '../calls/observer.js'
import type { Direction, IntervalRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { RtcpCompound } from '../rtcp/packets.js'
import type { Party } from '../sip/call.js'
import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import { CallLog } from './call-log.js'
import { GAP_MS } from './direction-log.js'
import { LIMITS, noCuts, type ReportCuts } from './limits.js'
import type { ReportText } from './report-text.js'
import { SecondScorer, type SecondScoring } from './second-scorer.js'
import { SecondStore } from './second-store.js'
import { LAST_MS } from './track-numbers.js'
import { WatchedStream } from './watched-stream.js'

const SWEEP_MS = 30_000

/**
 * Keeps what the report shows of each call beyond its record: SIP messages, seconds, RTCP, intervals. Used only when a
 * report is asked for; all of it is bounded (limits.ts).
 */
export class ReportCollector implements CallObserver {
  readonly cuts: ReportCuts = noCuts()
  private readonly open = new Set<CallEntry>()
  private sweepAt = 0
  private characters = 0
  private readonly seconds = new SecondStore(LIMITS.points)
  private readonly scorer: SecondScorer

  /** @param closed takes each call's log at its end, in the order of their records */
  constructor(
    scoring: SecondScoring,
    private readonly shown: ReportText,
    private readonly closed: (log: CallLog) => void,
  ) {
    this.scorer = new SecondScorer(scoring, this.seconds.tracks)
  }

  onSipMessage(call: CallEntry, packet: SipPacket, sighting: Sighting): void {
    const log = this.logOf(call)
    const before = log.messages.characters
    log.messages.add(packet, sighting, LIMITS.openCharacters - this.characters, this.shown, this.cuts)
    this.characters += log.messages.characters - before
  }

  onRtcp(call: CallEntry, sender: Party, compound: RtcpCompound, timeMs: number): void {
    const log = this.logOf(call)
    log.addRtcp(call, sender, compound, timeMs)
    const halfRttMs = halfRttOf(call)
    if (halfRttMs === undefined) return
    this.scorer.setHalfRtt(log.directions.from_caller.track, halfRttMs)
    this.scorer.setHalfRtt(log.directions.from_callee.track, halfRttMs)
  }

  onSecond(
    call: CallEntry,
    direction: Direction,
    stream: StreamEntry,
    second: MediaSecond,
    codec: CodecUse | undefined,
  ): void {
    let { watched } = stream
    if (!(watched instanceof WatchedStream) || watched.call !== call || watched.direction !== direction)
      watched = this.logOf(call).watch(call, direction, stream, second)
    if (watched instanceof WatchedStream) this.addSecond(watched, stream, second, codec)
  }

  private addSecond(
    watched: WatchedStream,
    stream: StreamEntry,
    second: MediaSecond,
    codec: CodecUse | undefined,
  ): void {
    const isSame = watched.codec === codec && watched.dscp === second.dscp
    if (second.packets > 0) {
      if (watched.codec !== codec) watched.noteCodec(codec, second.payloadType)
      watched.packets += second.packets
      watched.lastMs = second.lastPacketMs
      watched.audio = stream.audio
      watched.dscp = second.dscp
    }
    const { seconds, scorer } = this
    if (!stream.audio || seconds.points >= LIMITS.openPoints) {
      if (stream.audio) this.cuts.pointsLeftOut++
      watched.isNoted = false
      return
    }
    if (!watched.isLatest || watched.scoredCodec !== codec) scorer.goOnWith(watched, codec)
    const { track } = watched
    const delayMs = scorer.delayMs(track, second)
    seconds.add(track, second, delayMs, scorer.mosCq(track, second, watched.scores, delayMs))
    if (second.packets === 0) return
    const { values } = seconds.tracks
    const lastMs = values[track + LAST_MS]
    const { startMs, dtmfEvents, timestampJumps } = second
    if (!watched.isNoted || !isSame || startMs - lastMs > GAP_MS || dtmfEvents > 0 || timestampJumps > 0) {
      watched.log.noteChanges(stream, second, codec, lastMs)
      watched.isNoted = true
    }
    if (!(lastMs >= startMs)) values[track + LAST_MS] = startMs
  }

  onIntervalClosed(call: CallEntry, direction: Direction, record: IntervalRecord): void {
    const log = this.logOf(call)
    log.directions[direction].addInterval(record, this.cuts)
  }

  onCallClosed(call: CallEntry): void {
    const log = this.logOf(call)
    this.forget(call, log)
    log.close(call)
    this.closed(log)
  }

  /** Media that SDP assigned to another call leave an entry behind that never closes. */
  onTime(timeMs: number): void {
    if (Math.abs(timeMs - this.sweepAt) < SWEEP_MS) return
    this.sweepAt = timeMs
    for (const call of this.open) {
      if (call.sip || call.streams.size > 0) continue
      const log = this.logOf(call)
      this.forget(call, log)
      log.release()
    }
  }

  private forget(call: CallEntry, log: CallLog): void {
    this.open.delete(call)
    call.watched = undefined
    this.characters -= log.messages.characters
    log.detach()
  }

  private logOf(call: CallEntry): CallLog {
    const { watched } = call
    return watched instanceof CallLog ? watched : this.begin(call)
  }

  private begin(call: CallEntry): CallLog {
    const log = new CallLog(this.seconds)
    this.open.add(call)
    call.watched = log
    this.scorer.open(log.directions.from_caller.track, halfRttOf(call))
    this.scorer.open(log.directions.from_callee.track, halfRttOf(call))
    return log
  }
}

/** undefined: no round trip was seen. It changes with RTCP only. */
function halfRttOf({ rtcp }: CallEntry): number | undefined {
  return rtcp && rtcp.endToEnd.count > 0 ? rtcp.endToEnd.latest / 2 : undefined
}
