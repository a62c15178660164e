import { closeSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import type { CallRecord, SummaryRecord } from '../calls/records.js'
import { openForWriting, writeError } from '../sinks/ndjson.js'
import type { ReportAssets } from './assets.js'
import type { CallLog } from './call-log.js'
import { ReportCollector } from './collector.js'
import { CallCoverage, limitationsOf, remarksOf } from './limitations.js'
import { readDefinitions } from './definitions.js'
import { LIMITS } from './limits.js'
import { REPORT_FORMAT, type FindingGroup, type Overview } from './page/data.js'
import { CallPacking } from './packing.js'
import { pageHtml } from './page-html.js'
import type { ReportText } from './report-text.js'
import type { SecondScoring } from './second-scorer.js'

export interface ReportOptions {
  /** Names of the captures. */
  files: readonly string[]
  version: string
  scoring: SecondScoring
  thresholds: { good: number; fair: number }
  shown: ReportText
}

/** Collects a run and writes it as one HTML file. */
export class Report {
  readonly collector: ReportCollector
  private readonly packing: CallPacking
  private readonly coverage = new CallCoverage()
  /** A record and its log come one after the other, in either order. */
  private readonly waitingLogs: CallLog[] = []
  private readonly waitingRecords: (CallRecord | undefined)[] = []
  private calls = 0
  private listed = 0
  private readonly byState: Record<string, number> = {}
  private readonly byQuality: Record<string, number> = {}

  constructor(private readonly options: ReportOptions) {
    this.packing = new CallPacking(options.shown)
    this.collector = new ReportCollector(options.scoring, options.shown, (log) => {
      this.waitingLogs.push(log)
      this.join()
    })
  }

  /** A call's record as it may be shown; undefined: it was filtered out. */
  addCall(record: CallRecord | undefined): void {
    this.waitingRecords.push(record)
    this.join()
  }

  /** Waits for what is being packed; undefined: it can take more at once. */
  ready(): Promise<void> | undefined {
    return this.packing.ready()
  }

  /** What went wrong so far that cost time, not content. */
  get warnings(): readonly string[] {
    return this.packing.warning === undefined ? [] : [this.packing.warning]
  }

  private join(): void {
    while (this.waitingLogs.length > 0 && this.waitingRecords.length > 0) {
      const log = this.waitingLogs.shift()
      const record = this.waitingRecords.shift()
      if (log && record) this.take(record, log)
      log?.release()
    }
  }

  private take(record: CallRecord, log: CallLog): void {
    this.calls++
    this.byState[record.state] = (this.byState[record.state] ?? 0) + 1
    this.byQuality[record.quality] = (this.byQuality[record.quality] ?? 0) + 1
    this.coverage.add(record)
    if (this.listed >= LIMITS.calls) {
      this.collector.cuts.callsNotListed++
      return
    }
    this.listed++
    this.packing.add(record, log)
  }

  /** Writes the file, readable for its owner only. Throws CallprobeError WRITE_FAILED. */
  async write(path: string, summary: SummaryRecord, assets: ReportAssets): Promise<void> {
    const { packing, collector } = this
    await packing.finish()
    collector.cuts.callsWithoutDetails = packing.soFar.callsWithoutDetails
    collector.cuts.goodCallsShortened = packing.soFar.goodCallsShortened
    const warnings = [...new Set([...(summary.warnings ?? []), ...this.warnings])]
    const told = warnings.length > 0 ? { ...summary, warnings } : summary
    const descriptor = openForWriting(path)
    try {
      for (const piece of pageHtml(assets, this.overview(told), packing.rows, packing.blocks))
        writeAll(descriptor, piece)
    } catch (error) {
      throw writeError(path, error)
    } finally {
      closeSync(descriptor)
    }
  }

  /** The run failed: nothing is written. */
  async abort(): Promise<void> {
    await this.packing.close()
  }

  private overview(summary: SummaryRecord): Omit<Overview, 'rows'> {
    const { files, version, thresholds, shown } = this.options
    return {
      format: REPORT_FORMAT,
      version,
      probe: summary.probe,
      files: files.map((file) => shown.text(basename(file))),
      startMs: summary.start === undefined ? undefined : Date.parse(summary.start),
      endMs: summary.end === undefined ? undefined : Date.parse(summary.end),
      packets: summary.packets,
      bytes: summary.bytes,
      streams: summary.streams,
      rtpPackets: summary.rtp_packets ?? 0,
      rtcpPackets: summary.rtcp_packets ?? 0,
      sipMessages: summary.sip_messages ?? 0,
      jitterBuffer: summary.jitter_buffer ?? '',
      calls: this.calls,
      byState: this.byState,
      byQuality: this.byQuality,
      limitations: limitationsOf(summary, this.coverage, this.collector.cuts),
      remarks: remarksOf(summary),
      findingGroups: groupsOf(summary),
      badCalls: summary.bad_calls?.groups.length ? summary.bad_calls.message : undefined,
      thresholds,
      privacy: shown.mode,
      definitions: readDefinitions(),
    }
  }
}

/** Findings over all calls of the run, as it grouped them. */
function groupsOf({ findings = [] }: SummaryRecord): FindingGroup[] {
  return findings.map(({ code = '', severity = 'info', calls, groups, message }) => ({
    code,
    severity,
    calls,
    // Without groups the sentence only repeats the numbers.
    message: groups.length > 0 ? message : '',
  }))
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
}
