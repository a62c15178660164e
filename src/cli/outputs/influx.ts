import { homedir } from 'node:os'
import { join } from 'node:path'
import { Option } from 'commander'
import type { Aggregates } from '../../aggregates/aggregates.js'
import type { ProbeCounters } from '../../aggregates/probe-health.js'
import type { ProbeRecord, SummaryRecord } from '../../calls/records.js'
import type { Config } from '../../config/config.js'
import { parseInfluxUrl } from '../../config/influx-url.js'
import { CallprobeError } from '../../errors.js'
import { resolveDestination } from '../../sinks/influx/destination.js'
import type { InfluxSink } from '../../sinks/influx/sink.js'
import type { Expression } from '../expression.js'
import type { RunOutput } from './output.js'
import { RecordFilter } from './record-filter.js'

export interface InfluxOptions {
  influx?: string
}

/** `--influx URL`, for `replay` and `capture`. */
export function influxOption(): Option {
  return new Option(
    '--influx <url>',
    'also write to InfluxDB or VictoriaMetrics: http(s)://HOST:PORT/DATABASE (created if missing)',
  ).argParser((text) => {
    // Wrong usage is told before any file is opened.
    parseInfluxUrl(text)
    return text
  })
}

export interface InfluxRun {
  /** Live capture goes on whatever happens; a replay can wait, and asks for the option each time. */
  live: boolean
  filter: Expression | undefined
  /** One line when something changes: the server is away, is back, refuses something. */
  notice: (message: string) => void
}

/** A server that was never there is not waited for as long as one that went away. */
const SHORT_PATIENCE_MS = 3000

/** Records into a database, by way of a spool on the disk. */
export class InfluxOutput implements RunOutput {
  /** Sums over all calls, whatever the filter. */
  readonly observer: Aggregates
  /** The state is a tag: the finished call would stand beside the open one and be counted twice. */
  readonly leavesOpenCalls = true
  private readonly filter: RecordFilter
  private probe: (() => ProbeCounters) | undefined

  private constructor(
    /** For points that are no records: `sink.add(points)`. */
    readonly sink: InfluxSink,
    private readonly config: Config,
    private readonly run: InfluxRun,
    Sums: typeof Aggregates,
  ) {
    this.filter = new RecordFilter(run.filter, (record) => sink.addRecord(record))
    this.observer = new Sums(config, (points) => sink.add(points), {
      counters: () => this.health(),
      onWarning: run.notice,
    })
  }

  /**
   * Opens the database that option or configuration name.
   * @returns undefined when neither does; a replay writes to a database only where the option says so
   * @throws CallprobeError USAGE, INFLUX_REJECTED, SPOOL_FAILED, CONFIG_*
   */
  static async open(
    { influx }: InfluxOptions,
    config: Config,
    run: InfluxRun,
  ): Promise<InfluxOutput | undefined> {
    const url = influx ?? (run.live ? config.influx.url : undefined)
    if (url === undefined) return undefined
    // Loaded here, so that a run without a database does not pay for its clients.
    const { InfluxSink: Sink } = await import('../../sinks/influx/sink.js')
    const { Aggregates: Sums } = await import('../../aggregates/aggregates.js')
    const sink = await Sink.open({
      destination: resolveDestination({ ...config.influx, url }),
      // Beside a capture somebody may replay into the same database.
      spoolDirectory: join(
        config.spool.directory ?? defaultSpoolDirectory(),
        run.live ? 'capture' : 'replay',
      ),
      mostSpoolBytes: config.spool.max_mb * 1024 * 1024,
      seriesLimit: config.influx.series_limit,
      measurements: config.influx.measurements,
      onNotice: run.notice,
    })
    return new InfluxOutput(sink, config, run, Sums)
  }

  record(record: ProbeRecord): void {
    if (record.type === 'call') this.observer.addCall(record)
    this.filter.record(record)
  }

  get waitingBytes(): number {
    return this.sink.counters().spooledBytes
  }

  watchProbe(counters: () => ProbeCounters): void {
    this.probe = counters
  }

  reconfigure(config: Config): void {
    this.observer.reconfigure(config)
  }

  /** A replay only tells what the next one would tell as well. */
  private health(): ProbeCounters | undefined {
    const probe = this.probe?.()
    if (probe === undefined || !this.run.live) return probe
    const { sent, rejected, spooledBytes, droppedOldest, droppedUnwritten } = this.sink.counters()
    const spoolLost = droppedOldest + droppedUnwritten
    return { ...probe, pointsSent: sent, pointsRejected: rejected, spoolBytes: spooledBytes, spoolLost }
  }

  ready(): Promise<void> | undefined {
    return this.run.live ? undefined : this.sink.ready(true)
  }

  flush(): void {
    this.sink.flush()
  }

  async finish(_summary: SummaryRecord): Promise<void> {
    this.observer.finish()
    const patienceMs = this.config.influx.drain_timeout_s * 1000
    // What a capture leaves in the spool is sent when it starts again: it need not hold up whoever stops it.
    const short = this.run.live || !this.sink.wasReached
    const failure = await this.sink.drain(short ? Math.min(patienceMs, SHORT_PATIENCE_MS) : patienceMs)
    await this.sink.close()
    this.report(failure)
  }

  async abort(): Promise<void> {
    // What was measured so far is sent by the next run.
    await this.sink.close().catch(() => undefined)
  }

  /** Says what did not get to the database; an error when something is left or lost. */
  private report(failure: CallprobeError | undefined): void {
    const { spooledPoints, droppedOldest, droppedUnwritten, rejected } = this.sink.counters()
    if (rejected > 0) this.run.notice(`the server refused ${count(rejected, 'point')} for good`)
    const lost = droppedOldest + droppedUnwritten
    if (failure === undefined && lost === 0) return
    const parts = [
      ...(failure === undefined ? [] : [failure.message]),
      ...(lost > 0 ? [`${count(lost, 'point')} lost because the spool was full`] : []),
      ...(spooledPoints > 0 ? [`${count(spooledPoints, 'point')} kept in ${this.sink.folder}`] : []),
    ]
    if (this.run.live && lost === 0) {
      this.run.notice(`${parts.join('; ')}, for the next start`)
      return
    }
    throw new CallprobeError(failure?.code ?? 'SPOOL_FAILED', parts.join('; '), {
      hint:
        spooledPoints > 0
          ? `the next ${this.run.live ? 'capture' : 'replay'} into the same database sends them; running this one again writes the same points, not more`
          : failure?.hint,
      cause: failure,
    })
  }
}

/** Where spools lie unless the configuration says otherwise. */
export function defaultSpoolDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (process.getuid?.() === 0) return '/var/lib/callprobe/spool'
  const state = environment.XDG_STATE_HOME
  const base = state !== undefined && state.startsWith('/') ? state : join(homedir(), '.local', 'state')
  return join(base, 'callprobe', 'spool')
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
