import { closeSync, rmSync, statSync } from 'node:fs'
import type { CallObserver } from '../../calls/observer.js'
import type { ProbeRecord, SummaryRecord } from '../../calls/records.js'
import type { Config } from '../../config/config.js'
import { CallprobeError } from '../../errors.js'
import { readAssets } from '../../report/assets.js'
import { PLAIN_TEXT, type ReportText } from '../../report/report-text.js'
import { Report } from '../../report/report.js'
import { openForWriting } from '../../sinks/ndjson.js'
import type { Expression } from '../expression.js'
import { version } from '../version.js'
import type { RunOutput } from './output.js'

/** `--report FILE`: one HTML file with the calls of the run. */
export class ReportOutput implements RunOutput {
  readonly observer: CallObserver
  private readonly report: Report

  /**
   * @param files names of the captures, as they may be shown
   * @param shown what may be shown of texts outside records; records come as they may be shown
   * @throws CallprobeError when the file cannot be written
   */
  constructor(
    private readonly path: string,
    files: readonly string[],
    config: Config,
    private readonly filter: Expression | undefined,
    shown: ReportText = PLAIN_TEXT,
  ) {
    if (path === '-')
      throw new CallprobeError('USAGE', '--report needs the name of a file', {
        hint: 'as in --report report.html',
      })
    // An hour of replay must not end with a folder that does not exist.
    closeSync(openForWriting(path))
    const buffer = config.jitter_buffer
    this.report = new Report({
      files,
      version: version(),
      scoring: {
        fixedBufferMs: buffer.kind === 'fixed' ? buffer.depthMs : undefined,
        networkDelayMs: config.assumed_network_delay_ms,
      },
      thresholds: { good: config.quality.good, fair: config.quality.fair },
      shown,
    })
    this.observer = this.report.collector
  }

  record(record: ProbeRecord): void {
    if (record.type !== 'call') return
    this.report.addCall(this.filter?.test(record) === false ? undefined : record)
  }

  ready(): Promise<void> | undefined {
    return this.report.ready()
  }

  get warnings(): readonly string[] {
    return this.report.warnings
  }

  async finish(summary: SummaryRecord): Promise<void> {
    await this.report.write(this.path, summary, readAssets())
  }

  async abort(): Promise<void> {
    await this.report.abort()
    // Not a device: /dev/null is to stay.
    if (statSync(this.path, { throwIfNoEntry: false })?.isFile()) rmSync(this.path, { force: true })
  }
}
