import { Command, InvalidArgumentError, Option } from 'commander'
import type { PacketSource, SourceWarning } from '../capture/batch.js'
import { openFiles } from '../capture/open.js'
import { RECORD_SCHEMA, type CallRecord, type ProbeRecord, type SummaryRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import { formatJitterBufferSpec, parseJitterBufferSpec } from '../config/jitter-buffer.js'
import { loadConfig } from '../config/load.js'
import { Probe } from '../pipeline/probe.js'
import { openNdjson, type NdjsonWriter } from '../sinks/ndjson.js'
import { compileExpression, type Expression } from './expression.js'
import { EXIT_MATCHED } from './exit-codes.js'
import { ProgressLine } from './progress.js'
import { writeTable } from './replay-table.js'

interface ReplayOptions {
  format: 'table' | 'ndjson'
  output: string
  config?: string
  failOn?: string
  filter?: string
  jitterBuffer?: string
  sort: 'time' | 'worst'
  limit?: number
}

const EXAMPLES = `
Examples:
  $ callprobe replay call.pcapng
  $ callprobe replay --sort worst rotated-*.pcap.gz
  $ callprobe replay --format ndjson call.pcap | jq 'select(.type == "call")'
  $ tcpdump -i eth1 -w - udp | callprobe replay -
  $ callprobe replay --fail-on 'mos_cq_min < 3.6' nightly.pcap || echo "bad calls"
  $ callprobe replay --filter 'caller == "4711" and loss_percent > 1' day.pcap

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 --fail-on matched a call.`

/** Calls that a table holds at most; the records of more are still counted in the summary. */
export const MOST_TABLE_CALLS = 50_000

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Measure the calls in capture files (pcap, pcapng; plain, gzip or zstd), or - for standard input.',
    )
    .argument('<file...>', 'capture files or patterns; several are read as one run, in time order')
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
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], options: ReplayOptions) => {
      const matched = await replay(files, options)
      if (matched) process.exitCode = EXIT_MATCHED
    })
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It has to be a number of 1 or more.')
  return value
}

function configOf(options: ReplayOptions): Config {
  const config = loadConfig(options.config)
  if (options.jitterBuffer === undefined) return config
  return { ...config, jitter_buffer: parseJitterBufferSpec(options.jitterBuffer) }
}

/** Runs a replay. True when a call matched --fail-on. */
async function replay(files: readonly string[], options: ReplayOptions): Promise<boolean> {
  const config = configOf(options)
  const filter = options.filter === undefined ? undefined : compileExpression(options.filter)
  const failOn = options.failOn === undefined ? undefined : compileExpression(options.failOn)
  const source = await openFiles(files)
  const output = options.format === 'ndjson' ? new NdjsonOutput(options.output, filter) : undefined
  const table = new TableOutput(filter)
  let matched = false
  let failing = 0
  const probe = new Probe(config, 'file', (record) => {
    if (record.type === 'call' && failOn?.test(record) === true && filter?.test(record) !== false) {
      matched = true
      failing++
    }
    if (output) output.record(record)
    else table.record(record)
  })
  const startedMs = performance.now()
  try {
    await run(source, probe, output)
    for (const _ of probe.finish()) if (output) await output.ready()
    const summary = summaryOf(source, probe, config, performance.now() - startedMs)
    for (const warning of source.warnings) warn(warning)
    if (output) await output.finish(summary)
    else await writeTable(table.calls, table.dropped, summary, options)
  } finally {
    await source.close()
  }
  if (matched)
    process.stderr.write(`callprobe: --fail-on matched ${failing} ${failing === 1 ? 'call' : 'calls'}\n`)
  return matched
}

async function run(source: PacketSource, probe: Probe, output: NdjsonOutput | undefined): Promise<void> {
  const progress = new ProgressLine(process.stderr)
  try {
    for (;;) {
      const batch = await source.next()
      if (batch === null) return
      probe.onBatch(batch)
      if (output) await output.ready()
      if (output?.readerGone === true) return
      progress.update(source.progress(), probe.packetCount)
    }
  } finally {
    progress.clear()
  }
}

function warn(warning: SourceWarning): void {
  const where = warning.offset === undefined ? '' : ` at byte ${warning.offset}`
  process.stderr.write(`callprobe: ${warning.source}${where}: ${warning.message}\n`)
}

function summaryOf(source: PacketSource, probe: Probe, config: Config, processingMs: number): SummaryRecord {
  const counts = probe.counts()
  return {
    type: 'summary',
    schema: RECORD_SCHEMA,
    probe: config.probe,
    ...counts,
    processing_ms: processingMs,
    packets_per_s: processingMs > 0 ? (counts.packets / processingMs) * 1000 : undefined,
    files: source.files,
    reported_drops: source.reportedDrops > 0 ? source.reportedDrops : undefined,
    truncated_files: source.warnings
      .filter((warning) => warning.kind !== 'note')
      .map(({ source: file, offset, message }) => ({ file, offset, message })),
    jitter_buffer: formatJitterBufferSpec(config.jitter_buffer),
  }
}

/** Calls whose verdict is remembered for streams that outlive them; the oldest are forgotten. */
const MOST_VERDICTS = 200_000

/** NDJSON as records come. With a filter, streams and intervals wait for their call's verdict, or follow the last one. */
class NdjsonOutput {
  private readonly writer: NdjsonWriter
  private readonly waiting = new Map<string, ProbeRecord[]>()
  private readonly verdicts = new Map<string, boolean>()
  private full = false
  readerGone = false

  constructor(
    path: string,
    private readonly filter: Expression | undefined,
  ) {
    this.writer = openNdjson(path, { onReaderGone: () => (this.readerGone = true) })
  }

  record(record: ProbeRecord): void {
    if (!this.filter || record.type === 'summary' || record.type === 'alert') {
      this.write(record)
      return
    }
    if (record.call_id === undefined) return
    if (record.type === 'call') {
      const held = this.waiting.get(record.call_id) ?? []
      this.waiting.delete(record.call_id)
      const passes = this.filter.test(record)
      this.remember(record.call_id, passes)
      if (!passes) return
      for (const earlier of held) this.write(earlier)
      this.write(record)
      return
    }
    // Intervals come before their call, a stream that goes on after the call comes behind it.
    const verdict = record.type === 'stream' ? this.verdicts.get(record.call_id) : undefined
    if (verdict !== undefined) {
      if (verdict) this.write(record)
      return
    }
    const held = this.waiting.get(record.call_id)
    if (held) held.push(record)
    else this.waiting.set(record.call_id, [record])
  }

  private remember(callId: string, passes: boolean): void {
    this.verdicts.set(callId, passes)
    if (this.verdicts.size <= MOST_VERDICTS) return
    for (const oldest of this.verdicts.keys()) {
      this.verdicts.delete(oldest)
      break
    }
  }

  private write(record: ProbeRecord): void {
    if (!this.writer.write(record)) this.full = true
  }

  /** Waits for a slow reader. */
  async ready(): Promise<void> {
    if (!this.full) return
    await this.writer.ready()
    this.full = false
  }

  async finish(summary: SummaryRecord): Promise<void> {
    this.write(summary)
    await this.writer.close()
  }
}

/** Keeps the calls of the table. */
class TableOutput {
  readonly calls: CallRecord[] = []
  dropped = 0

  constructor(private readonly filter: Expression | undefined) {}

  record(record: ProbeRecord): void {
    if (record.type !== 'call' || this.filter?.test(record) === false) return
    if (this.calls.length < MOST_TABLE_CALLS) this.calls.push(record)
    else this.dropped++
  }
}
