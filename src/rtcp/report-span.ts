import type { ReportBlock } from './packets.js'

/** More packets per second than this between two reports is no stream, but another count. */
const MAX_PACKETS_PER_SECOND = 20_000
/** Faster than this a fall back is a new beginning, not a wrap that was not counted: voice sends 10 to 400. */
const MAX_UNCOUNTED_PER_SECOND = 500
/** RFC 3550 A.1 MAX_DROPOUT: a jump that even one report may hold. */
const MAX_DROPOUT = 3000
/** Loss reported beyond what was expected: rounding of when the two were read. */
const LOSS_SLACK = 16

/** In this time no voice stream sends 65,536 packets. */
const ONE_CYCLE_MS = 60_000

/** The stream's first packet, where it was seen. */
export interface StreamStart {
  sequence: number
  timeMs?: number
}

/** What one receiver said of one stream, from its reports' differences. */
export class ReportSpan {
  readonly reporterSsrc: number
  firstMs = 0
  lastMs = 0
  reports = 0
  /** Packets expected and lost between the reports used (and since the stream's start when that is known). */
  expected = 0
  lost = 0
  /** As last reported plausibly. */
  cumulativeLost = 0
  /** Reports whose counts contradicted the ones before: the next one is measured from them. */
  implausible = 0
  private last: ReportBlock | undefined
  /** Reports in a row that are behind the last one. */
  private late = 0

  constructor(reporterSsrc: number) {
    this.reporterSsrc = reporterSsrc
  }

  /** Returns false when this is a copy of the previous report, or an older one that came late. */
  add(block: ReportBlock, timeMs: number, start: StreamStart | undefined): boolean {
    const last = this.last
    if (last === undefined) {
      this.firstMs = timeMs
      this.cumulativeLost = block.cumulativeLost
      if (start !== undefined) this.addFirst(block, timeMs, start)
    } else {
      if (isSame(last, block)) return false
      const advance = sequenceAdvance(last.extendedHighest, block.extendedHighest, timeMs - this.lastMs)
      // One step back is a report overtaken by the next; two are a receiver that began anew.
      const back = advance < 0 && advance > -MAX_DROPOUT
      this.late = back ? this.late + 1 : 0
      if (this.late === 1) return false
      this.addDifference(block, last, advance, timeMs - this.lastMs)
    }
    this.last = block
    this.lastMs = Math.max(this.lastMs, timeMs)
    this.reports++
    return true
  }

  private addFirst(block: ReportBlock, timeMs: number, start: StreamStart): void {
    let expected = block.extendedHighest - (start.sequence & 0xffff) + 1
    // Some receivers never count cycles, some begin with any number of them.
    const fewerThanOneCycle = start.timeMs !== undefined && timeMs - start.timeMs < ONE_CYCLE_MS
    if (expected <= 0 || fewerThanOneCycle) {
      expected = ((block.extendedHighest - start.sequence) & 0xffff) + 1
      // Just before the start: it tells of what was sent earlier.
      if (expected > 0x10000 - MAX_DROPOUT) {
        this.implausible++
        return
      }
    }
    if (block.cumulativeLost > expected + LOSS_SLACK || block.cumulativeLost < -expected) {
      this.implausible++
      return
    }
    this.expected += expected
    this.lost += block.cumulativeLost
  }

  private addDifference(block: ReportBlock, last: ReportBlock, advance: number, elapsedMs: number): void {
    const lost = block.cumulativeLost - last.cumulativeLost
    const most = MAX_DROPOUT + (Math.max(0, elapsedMs) / 1000) * MAX_PACKETS_PER_SECOND
    if (advance < 0 || advance > most || lost > advance + LOSS_SLACK || lost < -(advance + LOSS_SLACK)) {
      this.implausible++
      return
    }
    this.expected += advance
    this.lost += lost
    this.cumulativeLost = block.cumulativeLost
  }
}

/** Signed, modulo 2^32; a receiver that does not count cycles seems to fall back by 65,536. */
function sequenceAdvance(from: number, to: number, elapsedMs: number): number {
  const advance = (to - from) | 0
  if (advance >= 0 || advance <= -0x10000) return advance
  const wrapped = advance + 0x10000
  return wrapped <= (elapsedMs / 1000) * MAX_UNCOUNTED_PER_SECOND ? wrapped : advance
}

function isSame(a: ReportBlock, b: ReportBlock): boolean {
  return (
    a.extendedHighest === b.extendedHighest &&
    a.cumulativeLost === b.cumulativeLost &&
    a.fractionLost === b.fractionLost &&
    a.jitter === b.jitter &&
    a.lsr === b.lsr &&
    a.dlsr === b.dlsr
  )
}
