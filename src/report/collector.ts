import type { CallEntry } from '../calls/call-entry.js'
import type { CodecUse } from '../calls/media-codecs.js'
import type { CallObserver } from '../calls/observer.js'
import type { Direction, IntervalRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { CodecRow } from '../quality/codec-row.js'
import { scoreMedia } from '../quality/mos.js'
import type { RtcpCompound } from '../rtcp/packets.js'
import type { Party } from '../sip/call.js'
import type { SipPacket } from '../sip/message.js'
import type { Sighting } from '../sip/transactions.js'
import { CallLog } from './call-log.js'
import type { LatestScore } from './direction-log.js'
import { LIMITS, noCuts, type ReportCuts } from './limits.js'
import type { ReportText } from './report-text.js'

/** How scores of single seconds are made; what the configuration says of the whole run. */
export interface SecondScoring {
  /** Depth of a fixed jitter buffer; undefined: the adaptive one. */
  fixedBufferMs: number | undefined
  networkDelayMs: number
}

const DEFAULT_PTIME_MS = 20
const SWEEP_MS = 30_000
/** Scores remembered per codec. */
const MOST_SCORES = 10_000

/**
 * Keeps what the report shows of each call beyond its record: SIP messages, seconds, RTCP, intervals. Used only when a
 * report is asked for; all of it is bounded (limits.ts).
 */
export class ReportCollector implements CallObserver {
  readonly cuts: ReportCuts = noCuts()
  private readonly open = new Map<CallEntry, CallLog>()
  private sweepAt = 0
  private readonly scores = new Map<CodecRow, Map<number, number>>()
  private characters = 0
  private points = 0

  /** @param closed takes each call's log at its end, in the order of their records */
  constructor(
    private readonly scoring: SecondScoring,
    private readonly shown: ReportText,
    private readonly closed: (log: CallLog) => void,
  ) {}

  onSipMessage(call: CallEntry, packet: SipPacket, sighting: Sighting): void {
    const log = this.logOf(call)
    const before = log.messages.characters
    log.messages.add(packet, sighting, LIMITS.openCharacters - this.characters, this.shown, this.cuts)
    this.characters += log.messages.characters - before
  }

  onRtcp(call: CallEntry, sender: Party, compound: RtcpCompound, timeMs: number): void {
    this.logOf(call).addRtcp(call, sender, compound, timeMs)
  }

  onSecond(
    call: CallEntry,
    direction: Direction,
    stream: StreamEntry,
    second: MediaSecond,
    codec: CodecUse | undefined,
  ): void {
    const log = this.logOf(call)
    log.noteStream(stream, direction, second, codec)
    if (!stream.audio) return
    if (this.points >= LIMITS.openPoints) {
      this.cuts.pointsLeftOut++
      return
    }
    const delayMs = this.delayMs(second, codec, call)
    const held = log.directions[direction]
    const { seconds } = held
    const before = seconds.length
    const mos = this.mosOf(second, codec?.row, delayMs, held.latestScore)
    held.addSecond(stream, second, codec, delayMs, mos)
    this.points += seconds.length - before
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
    for (const [call, log] of this.open) {
      if (call.sip || call.streams.size > 0) continue
      this.forget(call, log)
      log.release()
    }
  }

  private forget(call: CallEntry, log: CallLog): void {
    this.open.delete(call)
    this.characters -= log.messages.characters
    this.points -= log.directions.from_caller.seconds.length + log.directions.from_callee.seconds.length
  }

  private logOf(call: CallEntry): CallLog {
    let log = this.open.get(call)
    if (!log) this.open.set(call, (log = new CallLog()))
    return log
  }

  /** Mouth to ear in this second: packet time + look-ahead + buffer + half the latest round trip. */
  private delayMs(second: MediaSecond, codec: CodecUse | undefined, { rtcp }: CallEntry): number | undefined {
    if (second.measured === 0) return undefined
    const rtt = rtcp && rtcp.endToEnd.count > 0 ? rtcp.endToEnd.latest / 2 : this.scoring.networkDelayMs
    const ptime = second.ptimeMs > 0 ? second.ptimeMs : (codec?.row?.ptimeMs ?? DEFAULT_PTIME_MS)
    return ptime + (codec?.row?.lookaheadMs ?? 0) + (this.scoring.fixedBufferMs ?? second.depthMs) + rtt
  }

  /** MOS-CQ of this second alone: its loss and late packets as if they were spread evenly (burst ratio 1). */
  private mosOf(
    second: MediaSecond,
    row: CodecRow | undefined,
    delayMs: number | undefined,
    latest: LatestScore,
  ): number | undefined {
    const expected = second.packets + Math.max(0, second.lost)
    if (!row || delayMs === undefined || expected < 5) return undefined
    const lossPercent = (100 * Math.min(expected, Math.max(0, second.lost) + second.late)) / expected
    const delay = Math.round(delayMs)
    // Most seconds are like the one before, or like others: a score per codec, tenth of a percent and millisecond.
    const key = Math.round(lossPercent * 10) * 65_536 + Math.min(65_535, delay)
    if (latest.key === key && latest.row === row) return latest.mosCq
    let scores = this.scores.get(row)
    if (!scores || scores.size >= MOST_SCORES) this.scores.set(row, (scores = new Map()))
    let mosCq = scores.get(key)
    if (mosCq === undefined) {
      mosCq = scoreMedia({ codec: row, lossPercent, burstRatio: 1, delayMs: delay }).mosCq
      scores.set(key, mosCq)
    }
    latest.row = row
    latest.key = key
    latest.mosCq = mosCq
    return mosCq
  }
}
