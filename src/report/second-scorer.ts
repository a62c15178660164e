import type { CodecUse } from '../calls/media-codecs.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { CodecRow } from '../quality/codec-row.js'
import { scoreMedia } from '../quality/mos.js'
import { HALF_RTT_MS, LOOKAHEAD_MS, PTIME_MS, SCORE, SCORE_KEY, type TrackNumbers } from './track-numbers.js'
import type { RowScores, WatchedStream } from './watched-stream.js'

/** How scores of single seconds are made; what the configuration says of the whole run. */
export interface SecondScoring {
  /** Depth of a fixed jitter buffer; undefined: the adaptive one. */
  fixedBufferMs: number | undefined
  networkDelayMs: number
}

const DEFAULT_PTIME_MS = 20
/** Scores remembered per codec. */
const MOST_SCORES = 10_000

/** Delay and MOS-CQ of single seconds. */
export class SecondScorer {
  private readonly byRow = new Map<CodecRow, RowScores>()

  constructor(
    private readonly scoring: SecondScoring,
    private readonly tracks: TrackNumbers,
  ) {}

  /** A direction without seconds. @param halfRttMs undefined: no round trip was seen */
  open(n: number, halfRttMs: number | undefined): void {
    this.tracks.values[n + HALF_RTT_MS] = halfRttMs ?? this.scoring.networkDelayMs
  }

  setHalfRtt(n: number, halfRttMs: number): void {
    this.tracks.values[n + HALF_RTT_MS] = halfRttMs
  }

  /** The direction goes on with this stream and codec. */
  goOnWith(watched: WatchedStream, codec: CodecUse | undefined): void {
    const { track } = watched
    const { values } = this.tracks
    const row = codec?.row
    values[track + PTIME_MS] = row?.ptimeMs ?? DEFAULT_PTIME_MS
    values[track + LOOKAHEAD_MS] = row?.lookaheadMs ?? 0
    values[track + SCORE_KEY] = -1
    watched.takeOver(codec, row && this.scoresOf(row))
  }

  private scoresOf(row: CodecRow): RowScores {
    let scores = this.byRow.get(row)
    if (!scores) this.byRow.set(row, (scores = { row, scores: new Map() }))
    return scores
  }

  /** Mouth to ear in this second: packet time + look-ahead + buffer + half the latest round trip. NaN: not known. */
  delayMs(n: number, second: MediaSecond): number {
    if (second.measured === 0) return NaN
    const { values } = this.tracks
    const ptime = second.ptimeMs > 0 ? second.ptimeMs : values[n + PTIME_MS]
    const buffer = this.scoring.fixedBufferMs ?? second.depthMs
    return ptime + values[n + LOOKAHEAD_MS] + buffer + values[n + HALF_RTT_MS]
  }

  /**
   * MOS-CQ of this second alone: its loss and late packets as if they were spread evenly (burst ratio 1). NaN: not known.
   */
  mosCq(n: number, second: MediaSecond, scores: RowScores | undefined, delayMs: number): number {
    const lost = Math.max(0, second.lost)
    const expected = second.packets + lost
    if (scores === undefined || Number.isNaN(delayMs) || expected < 5) return NaN
    const { values } = this.tracks
    const lossPercent = (100 * Math.min(expected, lost + second.late)) / expected
    const delay = Math.round(delayMs)
    // Most seconds are like the one before, or like others: a score per codec, tenth of a percent and millisecond.
    const key = Math.round(lossPercent * 10) * 65_536 + Math.min(65_535, delay)
    if (values[n + SCORE_KEY] === key) return values[n + SCORE]
    if (scores.scores.size >= MOST_SCORES) scores.scores.clear()
    let mosCq = scores.scores.get(key)
    if (mosCq === undefined) {
      mosCq = scoreMedia({ codec: scores.row, lossPercent, burstRatio: 1, delayMs: delay }).mosCq
      scores.scores.set(key, mosCq)
    }
    values[n + SCORE_KEY] = key
    values[n + SCORE] = mosCq
    return mosCq
  }
}
