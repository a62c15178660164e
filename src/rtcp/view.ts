import type { ReportBlock, SenderInfo } from './packets.js'
import { EndpointView, type EndpointMetrics } from './endpoint-view.js'
import { ReportSpan, type StreamStart } from './report-span.js'
import { SenderCounts, type SenderCount } from './sender-counts.js'
import type { XrBlock } from './xr-blocks.js'

/** Receivers followed per stream; more means a conference, or junk. */
const MAX_REPORTERS = 4
/** Jitter above this (at 8 kHz or more) is a broken report. */
const MAX_JITTER_SECONDS = 10

export interface FarEndOptions {
  /** RTP clock of the stream, Hz; jitter in ms needs it. May be set later. */
  clockRate?: number
  /**
   * The stream's first packet, when its start was seen: then the first report's loss counts, as loss since the start.
   * Without it loss is that between the first and the last report. May be set until the first report comes.
   */
  start?: StreamStart
}

/** What the far end said of one stream. Absent = not said, or not derivable. */
export interface FarEndSummary {
  /** Report blocks used (copies left out). */
  reports: number
  reporters: number
  firstReportMs?: number
  lastReportMs?: number
  /** Since the stream's start or between the first and the last report; 0 or more. */
  expected?: number
  lost?: number
  lossPercent?: number
  /** As last reported, signed. */
  cumulativeLost?: number
  /** Greatest fraction lost of one report. */
  fractionLostMaxPercent?: number
  jitterMeanTicks?: number
  jitterMaxTicks?: number
  jitterMeanMs?: number
  jitterMaxMs?: number
  /** Reports whose counts contradicted the ones before. */
  implausible: number
  /** Report blocks of receivers beyond the fourth. */
  ignored: number
  /** From the sender's own SRs. `first` and `last` are the same when there was one; both restart with its counts. */
  sender?: { reports: number; resets: number; first: SenderCount; last: SenderCount }
  /** Latest XR. */
  endpoint?: EndpointMetrics
}

/** Gathers what RTCP says about one media SSRC (one direction): its receivers' reports and its sender's counts. */
export class FarEndView {
  clockRate: number | undefined
  start: StreamStart | undefined
  private readonly spans: ReportSpan[] = []
  private readonly senderCounts = new SenderCounts()
  private readonly endpoint = new EndpointView()
  private jitterSum = 0
  private jitterReports = 0
  private jitterMax = 0
  private fractionMax = 0
  private ignored = 0
  private brokenJitter = 0

  constructor(options: FarEndOptions = {}) {
    this.clockRate = options.clockRate
    this.start = options.start
  }

  /** A report block about this stream. */
  onReportBlock(reporterSsrc: number, block: ReportBlock, timeMs: number): void {
    const span = this.spanOf(reporterSsrc)
    if (span === undefined) {
      this.ignored++
      return
    }
    const implausible = span.implausible
    // A later receiver did not hear the start.
    const start = span === this.spans[0] ? this.start : undefined
    if (!span.add(block, timeMs, start) || span.implausible > implausible) return
    if (block.fractionLost > this.fractionMax) this.fractionMax = block.fractionLost
    if (block.jitter > MAX_JITTER_SECONDS * (this.clockRate ?? 90_000)) {
      this.brokenJitter++
      return
    }
    this.jitterSum += block.jitter
    this.jitterReports++
    if (block.jitter > this.jitterMax) this.jitterMax = block.jitter
  }

  /** An SR of this stream's own sender. */
  onSenderInfo(sender: SenderInfo, timeMs: number): void {
    this.senderCounts.onSenderInfo(sender, timeMs)
  }

  /** An XR block whose `ssrc` is this stream. */
  onXrBlock(block: XrBlock, timeMs: number): void {
    this.endpoint.onBlock(block, timeMs)
  }

  summary(): FarEndSummary {
    const spans = separateSpans(this.spans)
    const summary: FarEndSummary = {
      reports: this.spans.reduce((sum, span) => sum + span.reports, 0),
      reporters: this.spans.length,
      implausible: this.spans.reduce((sum, span) => sum + span.implausible, this.brokenJitter),
      ignored: this.ignored,
    }
    if (spans.length > 0) this.addReports(summary, spans)
    if (this.jitterReports > 0) this.addJitter(summary)
    const { reports, resets, first, last } = this.senderCounts
    if (first !== undefined && last !== undefined) summary.sender = { reports, resets, first, last }
    const endpoint = this.endpoint.metrics()
    if (endpoint !== undefined) summary.endpoint = endpoint
    return summary
  }

  private addReports(summary: FarEndSummary, spans: ReportSpan[]): void {
    const expected = spans.reduce((sum, span) => sum + span.expected, 0)
    const lost = spans.reduce((sum, span) => sum + span.lost, 0)
    const latest = spans.reduce((a, b) => (b.lastMs > a.lastMs ? b : a))
    summary.firstReportMs = Math.min(...spans.map((span) => span.firstMs))
    summary.lastReportMs = latest.lastMs
    summary.cumulativeLost = latest.cumulativeLost
    summary.fractionLostMaxPercent = (this.fractionMax * 100) / 256
    if (expected > 0) {
      summary.expected = expected
      // More received than expected (duplicates) is not loss.
      summary.lost = Math.min(expected, Math.max(0, lost))
      summary.lossPercent = (summary.lost * 100) / expected
    }
  }

  private addJitter(summary: FarEndSummary): void {
    const mean = this.jitterSum / this.jitterReports
    summary.jitterMeanTicks = mean
    summary.jitterMaxTicks = this.jitterMax
    if (this.clockRate === undefined || this.clockRate <= 0) return
    summary.jitterMeanMs = (mean * 1000) / this.clockRate
    summary.jitterMaxMs = (this.jitterMax * 1000) / this.clockRate
  }

  private spanOf(reporterSsrc: number): ReportSpan | undefined {
    const known = this.spans.find((span) => span.reporterSsrc === reporterSsrc)
    if (known !== undefined || this.spans.length >= MAX_REPORTERS) return known
    const span = new ReportSpan(reporterSsrc)
    this.spans.push(span)
    return span
  }
}

/**
 * The receiver with most expected packets, and those that reported before or after it: a receiver that changed its
 * SSRC. Receivers at the same time are copies of the stream, and their loss does not add up.
 */
function separateSpans(spans: readonly ReportSpan[]): ReportSpan[] {
  const chosen: ReportSpan[] = []
  for (const span of [...spans].sort((a, b) => b.expected - a.expected || b.reports - a.reports)) {
    if (chosen.every((other) => span.firstMs > other.lastMs || span.lastMs < other.firstMs)) chosen.push(span)
  }
  return chosen
}
