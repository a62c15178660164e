import type { CallEntry } from '../calls/call-entry.js'
import type { CodecUse } from '../calls/media-codecs.js'
import type { Direction } from '../calls/records.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { StreamEntry } from '../calls/stream-entry.js'
import type { CodecRow } from '../quality/codec-row.js'
import type { BatchWriter } from './call-batch.js'
import type { DirectionLog } from './direction-log.js'
import type { ReportText } from './report-text.js'

/** Scores of a codec's seconds, by tenths of a percent and milliseconds: most seconds are like others. */
export interface RowScores {
  row: CodecRow
  scores: Map<number, number>
}

/** A stream as part of a call, and what is needed of it every second. It hangs on the stream (`StreamEntry.watched`). */
export class WatchedStream {
  audio = true
  packets = 0
  dscp = 0
  /** The codec of the last second with packets. */
  codec: CodecUse | undefined = undefined
  /** The direction's last second was this stream's, scored as this codec. */
  isLatest = false
  scoredCodec: CodecUse | undefined = undefined
  scores: RowScores | undefined = undefined
  /** What the direction last noted of codec, DSCP and SSRC was this stream's. */
  isNoted = false
  /** Of its direction (track-numbers.ts). */
  track: number
  lastMs = 0
  private firstMs = 0
  /** Its codecs by name. */
  private codecs = ''
  /** The direction it began in is what the list of streams has. */
  private readonly firstDirection: Direction

  constructor(
    readonly stream: StreamEntry,
    /** undefined: the call is over. */
    public call: CallEntry | undefined,
    public direction: Direction,
    /** Where its seconds count. */
    public log: DirectionLog,
  ) {
    this.firstDirection = direction
    this.track = log.track
  }

  /** Its seconds count in the other direction from now on. */
  move(direction: Direction, log: DirectionLog): void {
    this.direction = direction
    this.log = log
    this.track = log.track
    this.isLatest = this.isNoted = false
  }

  /** The direction goes on with this stream, scored as this codec. */
  takeOver(codec: CodecUse | undefined, scores: RowScores | undefined): void {
    const { latest } = this.log
    if (latest && latest !== this) latest.isLatest = latest.isNoted = false
    if (!this.isLatest) this.isNoted = false
    this.log.latest = this
    this.isLatest = true
    this.scoredCodec = codec
    this.scores = scores
  }

  /** The first second with packets. */
  begin(second: MediaSecond): void {
    this.firstMs = Math.max(this.stream.firstArrival, second.startMs)
    this.lastMs = this.stream.firstArrival
    this.dscp = second.dscp
  }

  /** A second with packets has this codec; the one before had another one, or there was none. */
  noteCodec(codec: CodecUse | undefined, payloadType: number): void {
    this.codec = codec
    const name = codecName(codec, payloadType)
    if (name === undefined || this.codecs.includes(name)) return
    this.codecs = this.codecs === '' ? name : `${this.codecs}, ${name}`
  }

  write(writer: BatchWriter, shown: ReportText): void {
    const { stream } = this
    writer.addNumber(this.firstDirection === 'from_caller' ? 0 : 1)
    writer.addNumber(this.audio ? 1 : 0)
    writer.addText(shown.address(stream.sourceAddress))
    writer.addNumber(stream.sourcePort)
    writer.addText(shown.address(stream.destinationAddress))
    writer.addNumber(stream.destinationPort)
    writer.addText(stream.ssrcText)
    writer.addText(this.codecs)
    writer.addNumber(this.dscp)
    writer.addNumber(tenth(this.firstMs))
    writer.addNumber(tenth(this.lastMs))
    writer.addNumber(this.packets)
  }
}

/** undefined: nothing is known of it. */
export function codecName(codec: CodecUse | undefined, payloadType: number): string | undefined {
  return codec?.encoding ?? (payloadType >= 0 ? `payload type ${payloadType}` : undefined)
}

/** Times in ms to a tenth: what is shown. */
export function tenth(timeMs: number): number {
  return Math.round(timeMs * 10) / 10
}
