import type { CodecUse } from '../calls/media-codecs.js'
import type { Direction, IntervalRecord } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { CodecRow } from '../quality/codec-row.js'
import { LIMITS, type ReportCuts } from './limits.js'
import type { EventView, IntervalView, ReportPoint } from './page/data.js'
import { SecondSeries } from './second-series.js'

/** Silence of at least this long is shown as a gap; comfort noise and DTX make short ones all the time. */
const GAP_MS = 2000

/** The score of the last second, and what it is the score of. */
export interface LatestScore {
  row: CodecRow | undefined
  key: number
  mosCq: number
}

/** What one direction of one call did over time. */
export class DirectionLog {
  readonly seconds = new SecondSeries(LIMITS.points)
  readonly intervals: IntervalView[] = []
  readonly reports: ReportPoint[] = []
  readonly events: EventView[] = []
  readonly latestScore: LatestScore = { row: undefined, key: -1, mosCq: 0 }
  /** Left out because a list was full. */
  leftOut = 0
  private codec?: string
  private dscp?: number
  private ssrc?: number
  private lastMs = NaN

  constructor(private readonly direction: Direction) {}

  addSecond(
    stream: StreamEntry,
    second: MediaSecond,
    codec: CodecUse | undefined,
    delayMs: number | undefined,
    mos: number | undefined,
  ): void {
    this.seconds.add(second, delayMs, mos)
    const timeMs = second.startMs
    if (second.packets === 0) return
    if (timeMs - this.lastMs > GAP_MS) this.note('gap', this.lastMs + 1000, 'no packets', timeMs)
    this.lastMs = Math.max(timeMs, Number.isNaN(this.lastMs) ? timeMs : this.lastMs)
    const name =
      codec?.encoding ?? (second.payloadType >= 0 ? `payload type ${second.payloadType}` : undefined)
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
    if (this.events.length >= LIMITS.events) {
      this.leftOut++
      return
    }
    this.events.push({ timeMs, endMs, direction: this.direction, kind, text })
  }

  addInterval(record: IntervalRecord, cuts: ReportCuts): void {
    if (this.intervals.length >= LIMITS.intervals) {
      cuts.pointsLeftOut++
      this.leftOut++
      return
    }
    this.intervals.push([
      timeOf(record.start),
      timeOf(record.end),
      record.mos_cq ?? null,
      record.mos_lq ?? null,
      record.loss_percent ?? null,
      record.late_percent ?? null,
      record.jitter_mean_ms ?? null,
      record.jitter_p95_ms ?? null,
      record.jitter_p99_ms ?? null,
      record.pdv_p50_ms ?? null,
      record.pdv_p95_ms ?? null,
      record.pdv_p99_ms ?? null,
      record.delay_p50_ms ?? null,
      record.packets,
      record.lost ?? null,
    ])
  }

  addReport(point: ReportPoint): void {
    if (this.reports.length < LIMITS.reports) this.reports.push(point)
    else this.leftOut++
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
