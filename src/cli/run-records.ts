import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ProbeCounters } from '../aggregates/probe-health.js'
import type { CallObserver } from '../calls/observer.js'
import type { AlertRecord, ProbeRecord, SummaryRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import { parseJitterBufferSpec } from '../config/jitter-buffer.js'
import { loadConfig } from '../config/load.js'
import { compileExpression, type Expression } from './expression.js'
import type { LiveAlerts } from './outputs/alerts.js'
import { InfluxOutput, influxOption, type InfluxOptions } from './outputs/influx.js'
import { NdjsonOutput, type NdjsonOpener } from './outputs/ndjson.js'
import type { RunOutput } from './outputs/output.js'
import { reportSipOption, reportText, type ReportSip } from './report-sip.js'
import { TableOutput } from './outputs/table.js'
import {
  openPrivacy,
  privacyKeyOption,
  privacyOption,
  type PrivacyOptions,
  type RunPrivacy,
} from './privacy.js'

/** What `replay` and `capture` have in common: how a run measures, and where its records go. */
export interface RunOptions extends PrivacyOptions, InfluxOptions {
  format: 'table' | 'ndjson'
  output: string
  config?: string
  failOn?: string
  filter?: string
  jitterBuffer?: string
  sort: 'time' | 'worst'
  limit?: number
  report?: string
  reportSip?: ReportSip
  /** replay: evaluate the alert rules. */
  alerts?: boolean
  /** replay: what live capture learnt as usual. */
  baselines?: string
}

export function addRunOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'what to print').choices(['table', 'ndjson']).default('table'))
    .option('--output <path>', 'where to: a file (created for its owner only) or -', '-')
    .option('--config <file>', 'configuration (YAML or JSON)')
    .option('--filter <expr>', 'only calls for which this is true, with their streams and intervals')
    .option('--fail-on <expr>', 'exit with 3 when this is true for any call')
    .option(
      '--jitter-buffer <spec>',
      'buffer behind late, delay and MOS: adaptive, adaptive:MIN-MAX, fixed:MS',
    )
    .addOption(new Option('--sort <order>', 'order of the table').choices(['time', 'worst']).default('time'))
    .option('--limit <calls>', 'most calls in the table', positiveInteger)
    .option('--report <file>', 'also write the calls as one HTML page, to open and to mail')
    .addOption(reportSipOption())
    .addOption(influxOption())
    .addOption(privacyOption())
    .addOption(privacyKeyOption())
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It has to be a number of 1 or more.')
  return value
}

/** The configuration in force: the file's, and what options say beside it. */
export function configOf(options: Pick<RunOptions, 'config' | 'jitterBuffer'>): Config {
  const config = loadConfig(options.config)
  if (options.jitterBuffer === undefined) return config
  return { ...config, jitter_buffer: parseJitterBufferSpec(options.jitterBuffer) }
}

/**
 * Where a run's records go: through filters and privacy to every output that the options ask for. What only some of them
 * need is loaded with them: it would be a tenth of the time that a small replay takes.
 */
export class RunRecords {
  private readonly filter: Expression | undefined
  private readonly failOn: Expression | undefined
  private readonly privacy: RunPrivacy
  private outputs: readonly RunOutput[] = []
  private readonly warned = new Set<string>()
  private failing = 0
  private openCallsKept = false

  /** @throws CallprobeError when an expression cannot be read */
  constructor(
    private readonly config: Config,
    private readonly options: RunOptions,
    private readonly openFile?: NdjsonOpener,
  ) {
    this.filter = options.filter === undefined ? undefined : compileExpression(options.filter)
    this.failOn = options.failOn === undefined ? undefined : compileExpression(options.failOn)
    this.privacy = openPrivacy(config, options)
  }

  /**
   * Opens the outputs: files are written anew from here on.
   * @param sources files or interfaces, for outputs that name them
   */
  async open(sources: readonly string[] = []): Promise<void> {
    const filter = this.privacy.filter(this.filter)
    this.outputs = openOutputs(this.options, filter, this.openFile)
    const { report, reportSip } = this.options
    if (report === undefined) return
    const { ReportOutput } = await import('./outputs/report.js')
    const text = reportText(this.privacy, reportSip)
    this.outputs = [...this.outputs, new ReportOutput(report, sources, this.config, filter, text)]
  }

  /** Calls that are open now were kept for the next start. */
  leaveOpenCalls(): void {
    this.openCallsKept = true
  }

  /**
   * Opens the database that --influx or, live, the configuration names; checks that it can be written to.
   * @throws CallprobeError, with what was opened before closed again
   */
  async openDatabase(live: boolean, notice: (message: string) => void): Promise<void> {
    try {
      const filter = this.privacy.filter(this.filter)
      const influx = await InfluxOutput.open(this.options, this.config, { live, filter, notice })
      if (influx !== undefined) this.outputs = [...this.outputs, influx]
    } catch (error) {
      await this.abort()
      throw error
    }
  }

  /**
   * Evaluates the alert rules; what they raise goes to all outputs.
   * @param log live only: then notifiers are told as well
   * @throws CallprobeError CONFIG_INVALID, WRITE_FAILED, FILE_NOT_READABLE; only live
   */
  async openAlerts(log?: LiveAlerts['log']): Promise<void> {
    const { AlertsOutput } = await import('./outputs/alerts.js')
    const live = log && {
      log,
      spoolBytes: () => this.outputs.find((output) => output.waitingBytes !== undefined)?.waitingBytes,
      shown: (record: AlertRecord) => this.privacy.record(record),
    }
    const alerts = new AlertsOutput(
      this.config,
      (record) => this.record(record),
      live,
      this.options.baselines,
    )
    // First, so that it ends first: its last look may raise an alert.
    this.outputs = [alerts, ...this.outputs]
  }

  /** What the outputs want to see beside records. */
  get observers(): CallObserver[] {
    return this.outputs.flatMap((output) => output.observer ?? [])
  }

  record(record: ProbeRecord): void {
    if (record.type === 'call' && this.failOn?.test(record) === true && this.filter?.test(record) !== false)
      this.failing++
    const shown = this.privacy.record(record)
    const isKept = this.openCallsKept && record.type === 'call' && record.state === 'in_progress'
    for (const output of this.outputs) if (!isKept || output.leavesOpenCalls !== true) output.record(shown)
  }

  /** Waits for the slowest output. */
  async ready(): Promise<void> {
    for (const output of this.outputs) {
      const waiting = output.ready?.()
      if (waiting) await waiting
    }
  }

  /** What is buffered goes to its readers. */
  flush(): void {
    for (const output of this.outputs) output.flush?.()
  }

  /** What the probe counts of itself, for outputs that show it. */
  watchProbe(counters: () => ProbeCounters): void {
    for (const output of this.outputs) output.watchProbe?.(counters)
  }

  /** The configuration was read again. */
  reconfigure(config: Config): void {
    for (const output of this.outputs) output.reconfigure?.(config)
  }

  /** Records that an output could not take, so far. */
  get dropped(): number {
    return this.outputs.reduce((sum, output) => sum + (output.droppedRecords ?? 0), 0)
  }

  /** Whoever read the outputs has gone. */
  get readerGone(): boolean {
    return this.outputs.every((output) => output.readerGone === true)
  }

  /** The run is complete. Throws CallprobeError when an output cannot be. */
  async finish(summary: SummaryRecord): Promise<void> {
    const evictions = { ...summary.evictions }
    for (const output of this.outputs) Object.assign(evictions, output.evictions)
    const warnings = [...(summary.warnings ?? []), ...this.newWarnings()]
    const shown = this.privacy.record({
      ...summary,
      evictions,
      warnings: warnings.length > 0 ? warnings : undefined,
    })
    for (const output of this.outputs) await output.finish(shown)
    this.newWarnings()
  }

  /** What outputs warn of and was not yet said; says it. */
  private newWarnings(): string[] {
    const fresh = this.outputs.flatMap(({ warnings }) => warnings ?? []).filter((w) => !this.warned.has(w))
    for (const text of fresh) {
      this.warned.add(text)
      process.stderr.write(`callprobe: ${text}\n`)
    }
    return fresh
  }

  /** The run failed. Never throws. */
  async abort(): Promise<void> {
    for (const output of this.outputs) await output.abort?.()
  }

  /** Says how many calls matched --fail-on. True when there was one. */
  reportMatches(): boolean {
    const { failing } = this
    if (failing === 0) return false
    process.stderr.write(`callprobe: --fail-on matched ${failing} ${failing === 1 ? 'call' : 'calls'}\n`)
    return true
  }
}

/** Everything the options ask for; the first one is what `--format` and `--output` say. */
function openOutputs(
  options: RunOptions,
  filter: Expression | undefined,
  openFile: NdjsonOpener | undefined,
): RunOutput[] {
  return [
    options.format === 'ndjson'
      ? new NdjsonOutput(options.output, filter, openFile)
      : new TableOutput(filter, options),
  ]
}
