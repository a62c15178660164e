import type { IntervalRow } from '../rtp/row.js'
import { addCodecUse, type CodecUse } from './media-codecs.js'
import {
  expectedMediaMs,
  fillCounts,
  fillDistributions,
  fillScores,
  oneWayDelayMs,
  type ScoringContext,
} from './media-fields.js'
import { giveBack, MediaTotals, takeTotals } from './media-totals.js'
import { Few } from './few.js'
import { newDraft, type MediaDraft } from './media-draft.js'
import type { StreamEntry } from './stream-entry.js'

/** An interval with at least this much expected media counts for the call's lowest and 5th percentile MOS. */
const COUNTED_INTERVAL_MS = 5000

/** Burst seconds with no more than this between them are one event. */
const BURST_PAUSE_MS = 1000
/** Burst events kept per direction; `burst_seconds` counts on. */
const MOST_BURSTS = 100

const NO_SSRCS: readonly number[] = []
const NONE: readonly never[] = []

/** Burst seconds that follow on each other. */
export interface BurstStretch {
  startMs: number
  endMs: number
  peakMs: number
}

/**
 * Of each interval that was handed out, one after another: MOS-CQ, delay in ms (NaN: none), expected media in ms. Kept as bare
 * numbers, since a call of a day has thousands of them.
 */
const MOS_CQ = 0
const DELAY = 1
const EXPECTED = 2
const SCORE_VALUES = 3

export interface ClosedInterval {
  startMs: number
  endMs: number
  fields: MediaDraft
  /** What the fields were made of; whoever takes the interval gives them back. */
  counts: MediaTotals
}

/** One that rows are still added to. */
interface OpenInterval {
  startMs: number
  endMs: number
  counts: MediaTotals
  codecs: CodecUse[]
}

/** When the last packet of a stream came, ms since the epoch. */
type LastSeen = (slot: number) => number

/** No interval waits longer than this for a stream: its meter hands out its rows sooner (INTERVAL_WAIT_MS and a sweep). */
const LONGEST_WAIT_MS = 60_000
/** Intervals of one direction that wait at once; of more, the first one goes. */
const MOST_WAITING = 256

/** What one stream of the direction covered, to see what went missing between it and the next. */
interface StreamSpan {
  ssrc: number
  firstPacket: number
  lastPacket: number
  /** Its sequence numbers; undefined when it began anew in between. */
  sequence?: { lowest: number; highest: number }
}

/** SSRCs that a direction names; `segments` counts on. */
const MOST_SSRCS = 256
/** Streams of one direction that are compared with each other; of more, the first ones are. */
const MOST_SPANS = 256

/**
 * One direction of a call: the sum of its audio streams, and its intervals. An interval is handed out when the next one
 * begins, so that a late arrival can still be taken off its losses; where the direction has several streams (a new SSRC),
 * when each of them has handed out its part of it.
 */
export class DirectionMedia {
  readonly streams = new Few<StreamEntry>()
  /** Copied when it grows: an array that was pushed to keeps room for sixteen more. */
  ssrcs: readonly number[] = NO_SSRCS
  // Made when they are first needed: most directions of a busy tap have one stream and a few intervals.
  private finished: MediaTotals | undefined = undefined
  private finishedUses: CodecUse[] | undefined = undefined
  private ownScores: number[] | undefined = undefined
  private ownSpans: StreamSpan[] | undefined = undefined
  private ownBursts: BurstStretch[] | undefined = undefined
  private open: OpenInterval | undefined = undefined
  /** Earlier ones, in order of time, that a stream may still have a part of. */
  private waiting: OpenInterval[] | undefined = undefined
  /** Last packet seen in any row. */
  lastPacketMs = NaN
  /** End of the last interval that was handed out. */
  private handedOutUntilMs = -Infinity

  /** Burst jitter: stretches of burst seconds. */
  get bursts(): readonly BurstStretch[] {
    return this.ownBursts ?? NONE
  }

  private get finishedCodecs(): CodecUse[] {
    return (this.finishedUses ??= [])
  }

  private get spans(): readonly StreamSpan[] {
    return this.ownSpans ?? NONE
  }

  private get scores(): readonly number[] {
    return this.ownScores ?? NONE
  }

  /** A second with a burst; one that follows on another, or leaves one calm second between, prolongs it. */
  noteBurstSecond(startMs: number, peakMs: number): void {
    const bursts = (this.ownBursts ??= [])
    const last = bursts.at(-1)
    if (last && startMs - last.endMs <= BURST_PAUSE_MS) {
      last.endMs = Math.max(last.endMs, startMs + 1000)
      last.peakMs = Math.max(last.peakMs, peakMs)
    } else if (bursts.length < MOST_BURSTS) {
      bursts.push({ startMs, endMs: startMs + 1000, peakMs })
    }
  }

  get seen(): boolean {
    if (this.finished !== undefined) return true
    for (const stream of this.streams) if (stream.totals !== undefined) return true
    return false
  }

  attach(stream: StreamEntry): void {
    this.streams.add(stream)
    const { ssrc } = stream
    if (this.ssrcs.length < MOST_SSRCS && !this.ssrcs.includes(ssrc)) this.ssrcs = [...this.ssrcs, ssrc]
  }

  /** It was not part of the direction after all. */
  detach(stream: StreamEntry): void {
    this.streams.delete(stream)
    this.dropSsrc(stream.ssrc)
  }

  /** Unless another stream of the direction has it. */
  private dropSsrc(ssrc: number): void {
    const isOther = (other: { ssrc: number }): boolean => other.ssrc === ssrc
    if ([...this.streams].some(isOther) || this.spans.some(isOther)) return
    this.ssrcs = this.ssrcs.filter((known) => known !== ssrc)
  }

  /**
   * A row of one of its streams, which has it in its own totals already. Ask `closeWaiting` afterwards.
   * @returns the interval before, when this row begins a new one
   */
  addRow(row: IntervalRow, uses: readonly CodecUse[], context: ScoringContext): ClosedInterval | undefined {
    let closed: ClosedInterval | undefined
    if (row.lostBefore !== 0) this.takeOff(row)
    if (this.open && row.intervalStart >= this.open.endMs && !isEmpty(row)) {
      if (this.waiting !== undefined || this.streams.size > 1) {
        this.wait(this.open)
        this.open = undefined
      } else {
        closed = this.closeOpen(context)
      }
    }
    const interval = this.intervalOf(row)
    interval.counts.add(row)
    for (const use of uses) addCodecUse(interval.codecs, use)
    if (!(this.lastPacketMs >= row.lastPacket)) this.lastPacketMs = row.lastPacket
    return closed
  }

  /** What a row takes off the losses of the time before it comes off the interval before it. */
  private takeOff(row: IntervalRow): void {
    const before = this.waiting?.findLast(({ startMs }) => startMs < row.intervalStart)
    const interval = this.open && this.open.startMs < row.intervalStart ? this.open : (before ?? this.open)
    if (interval) interval.counts.lost = Math.max(0, interval.counts.lost - row.lostBefore)
  }

  /** Where a row belongs. What is of an interval that was handed out is counted in the one after it. */
  private intervalOf(row: IntervalRow): OpenInterval {
    const { open } = this
    const { intervalStart: startMs, intervalEnd: endMs } = row
    if (open === undefined) return (this.open = openInterval(startMs, endMs))
    if (startMs >= open.startMs || (this.streams.size < 2 && this.waiting === undefined)) return open
    const waiting = this.waiting ?? []
    const next = waiting.findIndex((one) => one.endMs > startMs)
    const at = next < 0 ? waiting.length : next
    if (at < waiting.length && (waiting[at].startMs <= startMs || startMs < this.handedOutUntilMs))
      return waiting[at]
    if (startMs < this.handedOutUntilMs) return open
    const interval = openInterval(startMs, endMs)
    waiting.splice(at, 0, interval)
    this.waiting = waiting
    return interval
  }

  private wait(interval: OpenInterval): void {
    if (this.waiting) this.waiting.push(interval)
    else this.waiting = [interval]
  }

  /**
   * The first of the intervals that wait, when no stream has a part of it any more; undefined otherwise.
   * @param lastSeen undefined at the end of the call: nothing is waited for
   */
  closeWaiting(context: ScoringContext, lastSeen?: LastSeen): ClosedInterval | undefined {
    const { waiting } = this
    if (waiting === undefined) return undefined
    if (lastSeen && this.isWaitedFor(waiting, lastSeen)) return undefined
    const first = waiting.shift()
    if (waiting.length === 0) this.waiting = undefined
    return first && this.close(first, context)
  }

  private isWaitedFor(waiting: readonly OpenInterval[], lastSeen: LastSeen): boolean {
    const [{ endMs }] = waiting
    if (waiting.length > MOST_WAITING || (this.open && this.open.endMs - endMs > LONGEST_WAIT_MS))
      return false
    for (const { slot, handedOutMs } of this.streams) {
      const seenMs = lastSeen(slot)
      // One that went on beyond it has handed out its part.
      if (seenMs > handedOutMs && seenMs < endMs) return true
    }
    return false
  }

  /** Closes what is left of the intervals, at the end of the call; undefined when there is none. */
  closeInterval(context: ScoringContext): ClosedInterval | undefined {
    return this.closeWaiting(context) ?? this.closeOpen(context)
  }

  private closeOpen(context: ScoringContext): ClosedInterval | undefined {
    const { open } = this
    this.open = undefined
    return open && this.close(open, context)
  }

  private close({ startMs, endMs, counts, codecs }: OpenInterval, context: ScoringContext): ClosedInterval {
    this.handedOutUntilMs = endMs
    const expectedMs = expectedMediaMs(counts, codecs)
    const fields = newDraft()
    fillCounts(fields, counts, codecs, context)
    fillDistributions(fields, counts)
    fillScores(fields, counts, codecs, context)
    const delayMs = oneWayDelayMs(counts, codecs, context)
    if (delayMs !== undefined) {
      fields.delay_p50_ms = delayMs
      fields.delay_source = context.delaySource
    }
    const mosCq = fields.mos_cq ?? NaN
    if (this.ownScores) this.ownScores.push(mosCq, delayMs ?? NaN, expectedMs)
    else this.ownScores = [mosCq, delayMs ?? NaN, expectedMs]
    return { startMs, endMs, fields, counts }
  }

  /** One of its streams ended: its totals become part of the direction's. */
  finish(stream: StreamEntry): void {
    this.streams.delete(stream)
    // One that had been silent since an earlier call on the same ports, and stayed so.
    if (!stream.totals?.packets) this.dropSsrc(stream.ssrc)
    if (!stream.totals) return
    this.finished ??= takeTotals()
    this.finished.add(stream.totals)
    for (const use of stream.codecs) addCodecUse(this.finishedCodecs, use)
    if (stream.totals.packets === 0 || this.spans.length >= MOST_SPANS) return
    const span: StreamSpan = {
      ssrc: stream.ssrc,
      firstPacket: stream.totals.firstPacket,
      lastPacket: stream.totals.lastPacket,
      sequence:
        stream.segments === 1
          ? { lowest: stream.lowestSequence, highest: stream.highestSequence }
          : undefined,
    }
    if (this.ownSpans) this.ownSpans.push(span)
    else this.ownSpans = [span]
  }

  /** Everything so far, with running streams. undefined when no packet was ever counted. */
  totals(): { counts: MediaTotals; codecs: CodecUse[] } | undefined {
    if (!this.seen) return undefined
    if (this.finished && this.streams.size === 0 && this.spans.length <= 1) {
      return { counts: this.finished, codecs: this.finishedCodecs }
    }
    const counts = new MediaTotals()
    const codecs: CodecUse[] = []
    if (this.finished) counts.add(this.finished)
    for (const use of this.finishedCodecs) addCodecUse(codecs, use)
    for (const stream of this.streams) {
      if (!stream.totals) continue
      counts.add(stream.totals)
      for (const use of stream.codecs) addCodecUse(codecs, use)
    }
    const spans = [...this.spans].sort((a, b) => a.firstPacket - b.firstPacket)
    countLostBetween(spans, counts)
    counts.longestGap = Math.max(counts.longestGap, longestGapBetween(spans))
    return { counts, codecs }
  }

  /** The call's record was written: nothing is asked any more. */
  release(): void {
    if (this.finished) giveBack(this.finished)
    this.finished = undefined
    // Nothing young may hang on to an old object that waits for the next full collection.
    this.finishedUses = this.ownScores = this.ownSpans = undefined
  }

  /**
   * The call's fields: totals, MOS over them, and the lowest and 5th percentile over intervals with at least 5 s of
   * expected media (all intervals, when there are none).
   */
  fields(context: ScoringContext): MediaDraft | undefined {
    const totals = this.totals()
    if (!totals) return undefined
    const { counts, codecs } = totals
    const fields = newDraft()
    fillCounts(fields, counts, codecs, context)
    fillDistributions(fields, counts)
    fillScores(fields, counts, codecs, context)
    const { scores } = this
    const isCounted = scores.some((value, n) => n % SCORE_VALUES === EXPECTED && value >= COUNTED_INTERVAL_MS)
    const mos = sortedScores(scores, MOS_CQ, isCounted ? COUNTED_INTERVAL_MS : -Infinity)
    const delays = sortedScores(scores, DELAY, -Infinity)
    // A call too short for any scored interval is its own interval.
    fields.mos_cq_min = mos.length > 0 ? mos[0] : fields.mos_cq
    fields.mos_cq_p5 = mos.length > 0 ? nearestRank(mos, 5) : fields.mos_cq
    if (delays.length > 0) {
      fields.delay_p50_ms = nearestRank(delays, 50)
      fields.delay_p95_ms = nearestRank(delays, 95)
      fields.delay_p99_ms = nearestRank(delays, 99)
      fields.delay_source = context.delaySource
    }
    return fields
  }
}

function openInterval(startMs: number, endMs: number): OpenInterval {
  return { startMs, endMs, counts: takeTotals(), codecs: [] }
}

/** One value of each interval with so much expected media, lowest first; those without it left out. */
function sortedScores(scores: readonly number[], value: number, leastExpectedMs: number): number[] {
  const picked: number[] = []
  for (let at = 0; at < scores.length; at += SCORE_VALUES) {
    const one = scores[at + value]
    if (scores[at + EXPECTED] >= leastExpectedMs && !Number.isNaN(one)) picked.push(one)
  }
  return picked.sort((a, b) => a - b)
}

/** Nothing came, and nothing was due: what such a row still says, of bursts that are over, belongs to what came before. */
function isEmpty(row: IntervalRow): boolean {
  return row.packets === 0 && row.lost === 0 && row.duplicates === 0 && row.stray === 0
}

/**
 * Packets that went missing while a source moved to another address (NAT rebinding): the next stream with the same
 * SSRC carries the sequence on. `spans` in order of their first packets.
 */
function countLostBetween(spans: readonly StreamSpan[], counts: MediaTotals): void {
  const latest = new Map<number, StreamSpan>()
  for (const span of spans) {
    const before = latest.get(span.ssrc)?.sequence
    if (before && span.sequence) {
      const missing = ((span.sequence.lowest - before.highest) & 0xffff) - 1
      if (missing > 0 && missing < 3000) {
        counts.lost += missing
        counts.lossRuns[Math.min(missing, 10) - 1]++
        counts.badTotal += missing
        counts.badRuns++
        counts.finalPackets += missing
      }
    }
    latest.set(span.ssrc, span)
  }
}

/** Longest time without a packet from one stream of the direction to the next, ms. */
function longestGapBetween(spans: readonly StreamSpan[]): number {
  let longest = 0
  let covered = Infinity
  for (const { firstPacket, lastPacket } of spans) {
    longest = Math.max(longest, firstPacket - covered)
    covered = covered === Infinity ? lastPacket : Math.max(covered, lastPacket)
  }
  return longest
}

/** Nearest-rank percentile of ascending values. */
function nearestRank(values: readonly number[], percent: number): number {
  return values[Math.max(0, Math.ceil((percent / 100) * values.length - 1e-9) - 1)]
}
