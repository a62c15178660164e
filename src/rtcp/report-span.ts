import type { ReportBlock } from './packets.js'

/** More packets per second than this between two reports is no stream, but another count. */
const MAX_PACKETS_PER_SECOND = 20_000
/** RFC 3550 A.1 MAX_DROPOUT: a jump that even one report may hold. */
const MAX_DROPOUT = 3000
/** Loss reported beyond what was expected: rounding of when the two were read. */
const LOSS_SLACK = 16

/** What one receiver said of one stream, from its reports' differences. */
export class ReportSpan {
  readonly reporterSsrc: number
  firstMs = 0
  lastMs = 0
  reports = 0
  /** Packets expected and lost between the reports used (and since the stream's start when that is known). */
  expected = 0
  lost = 0
  /** As last reported. */
  cumulativeLost = 0
  /** Reports whose counts contradicted the ones before: the next one is measured from them. */
  implausible = 0
  private highest = 0
  private last: ReportBlock | undefined

  constructor(reporterSsrc: number) {
    this.reporterSsrc = reporterSsrc
  }

  /** Returns false when this is a copy of the previous report, or an older one that comes late. */
  add(block: ReportBlock, timeMs: number, firstSequence: number | undefined): boolean {
    const last = this.last
    if (last === undefined) {
      this.firstMs = timeMs
      if (firstSequence !== undefined) this.addFirst(block, firstSequence)
    } else {
      if (isSame(last, block)) return false
      const advance = sequenceAdvance(this.highest, block.extendedHighest)
      if (advance < 0 && advance > -MAX_DROPOUT && block.lsr === last.lsr && block.dlsr < last.dlsr)
        return false
      this.addDifference(advance, block.cumulativeLost - last.cumulativeLost, timeMs - this.lastMs)
    }
    this.last = block
    this.highest = block.extendedHighest
    this.cumulativeLost = block.cumulativeLost
    this.lastMs = Math.max(this.lastMs, timeMs)
    this.reports++
    return true
  }

  private addFirst(block: ReportBlock, firstSequence: number): void {
    let expected = block.extendedHighest - (firstSequence & 0xffff) + 1
    // Receivers that never count cycles report less than they began with.
    if (expected <= 0) expected = ((block.extendedHighest - firstSequence) & 0xffff) + 1
    if (block.cumulativeLost > expected + LOSS_SLACK || block.cumulativeLost < -expected) {
      this.implausible++
      return
    }
    this.expected += expected
    this.lost += block.cumulativeLost
  }

  private addDifference(advance: number, lost: number, elapsedMs: number): void {
    const most = MAX_DROPOUT + (Math.max(0, elapsedMs) / 1000) * MAX_PACKETS_PER_SECOND
    if (advance < 0 || advance > most || lost > advance + LOSS_SLACK || lost < -(advance + LOSS_SLACK)) {
      this.implausible++
      return
    }
    this.expected += advance
    this.lost += lost
  }
}

/** Signed, modulo 2^32; a receiver that does not count cycles seems to fall back by 65,536. */
function sequenceAdvance(from: number, to: number): number {
  const advance = (to - from) | 0
  return advance < -0x8000 && advance > -0x10000 ? advance + 0x10000 : advance
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
