import type { CodecUse } from '../calls/media-codecs.js'
import type { Direction, IntervalRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { BatchWriter } from './call-batch.js'
import { EventList } from './event-list.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { EventView } from './page/data.js'
import type { SecondStore } from './second-store.js'
import { codecName, type WatchedStream } from './watched-stream.js'

/** Numbers of an interval, and of an RTCP report. */
export const INTERVAL_NUMBERS = 15
export const REPORT_NUMBERS = 4
/** Silence of at least this long is shown as a gap; comfort noise and DTX make short ones all the time. */
export const GAP_MS = 2000

/** What one direction of one call did over time. */
export class DirectionLog {
  readonly events: EventList
  /** The stream that had the last second. */
  latest: WatchedStream | undefined = undefined
  /** As `IntervalView`, one behind the other; NaN: not known. */
  private readonly intervals: number[] = []
  /** As `ReportPoint`. */
  private readonly reports: number[] = []
  /** Left out because a list was full. */
  leftOut = 0
  private codec?: string
  private dscp?: number
  private ssrc?: number

  /** @param track where its seconds are, and its numbers (track-numbers.ts) */
  constructor(
    direction: Direction,
    readonly track: number,
  ) {
    this.events = new EventList(direction)
  }

  /** Notes what is new in a second with packets. @param lastMs start of the one before; NaN: there was none */
  noteChanges(stream: StreamEntry, second: MediaSecond, codec: CodecUse | undefined, lastMs: number): void {
    const timeMs = second.startMs
    if (timeMs - lastMs > GAP_MS) this.note('gap', lastMs + 1000, 'no packets', timeMs)
    const name = codecName(codec, second.payloadType)
    if (name !== undefined && name !== this.codec) {
      this.note('codec', timeMs, this.codec === undefined ? name : `${this.codec} → ${name}`)
      this.codec = name
    }
    if (second.dscp !== this.dscp) {
      if (this.dscp !== undefined) this.note('dscp', timeMs, `DSCP ${this.dscp} → ${second.dscp}`)
      this.dscp = second.dscp
    }
    if (stream.ssrc !== this.ssrc) {
      if (this.ssrc !== undefined) this.note('ssrc', timeMs, `SSRC → ${stream.ssrcText}`)
      this.ssrc = stream.ssrc
    }
    if (second.dtmfEvents > 0)
      this.note(
        'dtmf',
        timeMs,
        second.dtmfEvents === 1 ? 'a key was pressed' : `${second.dtmfEvents} keys were pressed`,
      )
    if (second.timestampJumps > 0) this.note('jump', timeMs, 'timestamp jump')
  }

  note(kind: EventView['kind'], timeMs: number, text: string, endMs?: number): void {
    if (this.events.length >= LIMITS.events) this.leftOut++
    else this.events.add(kind, timeMs, text, endMs)
  }

  addInterval(record: IntervalRecord, cuts: ReportCuts): void {
    if (this.intervals.length >= LIMITS.intervals * INTERVAL_NUMBERS) {
      cuts.pointsLeftOut++
      this.leftOut++
      return
    }
    this.intervals.push(
      timeOf(record.start),
      timeOf(record.end),
      record.mos_cq ?? NaN,
      record.mos_lq ?? NaN,
      record.loss_percent ?? NaN,
      record.late_percent ?? NaN,
      record.jitter_mean_ms ?? NaN,
      record.jitter_p95_ms ?? NaN,
      record.jitter_p99_ms ?? NaN,
      record.pdv_p50_ms ?? NaN,
      record.pdv_p95_ms ?? NaN,
      record.pdv_p99_ms ?? NaN,
      record.delay_p50_ms ?? NaN,
      record.packets,
      record.lost ?? NaN,
    )
  }

  /** @param jitterMs NaN: not known */
  addReport(timeMs: number, lossPercent: number, lostInAll: number, jitterMs: number): void {
    if (this.reports.length < LIMITS.reports * REPORT_NUMBERS)
      this.reports.push(timeMs, lossPercent, lostInAll, jitterMs)
    else this.leftOut++
  }

  /** For `readSeenCall`. */
  write(writer: BatchWriter, seconds: SecondStore): void {
    const { intervals, reports } = this
    writer.addNumber(intervals.length / INTERVAL_NUMBERS)
    writer.addNumbers(intervals)
    writer.addNumber(reports.length / REPORT_NUMBERS)
    writer.addNumbers(reports)
    seconds.write(this.track, writer)
  }
}

/** The last few times: intervals of many streams begin and end together. */
const times = new Map<string, number>()

function timeOf(text: string): number {
  let timeMs = times.get(text)
  if (timeMs === undefined) {
    if (times.size >= 64) times.clear()
    times.set(text, (timeMs = Date.parse(text)))
  }
  return timeMs
}
