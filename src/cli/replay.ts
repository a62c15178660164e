import { Command, InvalidArgumentError, Option } from 'commander'
import type { PacketSource, SourceWarning } from '../capture/batch.js'
import { openFiles } from '../capture/open.js'
import { RECORD_SCHEMA, type SummaryRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import { formatJitterBufferSpec, parseJitterBufferSpec } from '../config/jitter-buffer.js'
import { loadConfig } from '../config/load.js'
import { Probe } from '../pipeline/probe.js'
import { compileExpression, type Expression } from './expression.js'
import { EXIT_MATCHED } from './exit-codes.js'
import { ProgressLine } from './progress.js'
import { NdjsonOutput } from './outputs/ndjson.js'
import type { RunOutput } from './outputs/output.js'
import { TableOutput } from './outputs/table.js'
import { openPrivacy, privacyKeyOption, privacyOption, type PrivacyOptions } from './privacy.js'

interface ReplayOptions extends PrivacyOptions {
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
  $ callprobe replay --privacy hash --format ndjson day.pcap > for-the-carrier.ndjson

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 --fail-on matched a call.`

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
    .addOption(privacyOption())
    .addOption(privacyKeyOption())
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
  const privacy = openPrivacy(config, options)
  const source = await openFiles(files)
  const outputs = openOutputs(options, privacy.filter(filter))
  let matched = false
  let failing = 0
  const probe = new Probe(
    config,
    'file',
    (record) => {
      if (record.type === 'call' && failOn?.test(record) === true && filter?.test(record) !== false) {
        matched = true
        failing++
      }
      const shown = privacy.record(record)
      for (const output of outputs) output.record(shown)
    },
    outputs.flatMap((output) => output.observer ?? []),
  )
  const startedMs = performance.now()
  try {
    await run(source, probe, outputs)
    for (const _ of probe.finish()) await ready(outputs)
    const summary = privacy.record(summaryOf(source, probe, config, performance.now() - startedMs))
    for (const warning of source.warnings) warn(warning)
    for (const output of outputs) await output.finish(summary)
  } catch (error) {
    for (const output of outputs) await output.abort?.()
    throw error
  } finally {
    await source.close()
  }
  if (matched)
    process.stderr.write(`callprobe: --fail-on matched ${failing} ${failing === 1 ? 'call' : 'calls'}\n`)
  return matched
}

/** Everything the options ask for; the first one is what `--format` and `--output` say. */
function openOutputs(options: ReplayOptions, filter: Expression | undefined): RunOutput[] {
  return [
    options.format === 'ndjson' ? new NdjsonOutput(options.output, filter) : new TableOutput(filter, options),
  ]
}

/** Waits for the slowest output. */
async function ready(outputs: readonly RunOutput[]): Promise<void> {
  for (const output of outputs) {
    const waiting = output.ready?.()
    if (waiting) await waiting
  }
}

async function run(source: PacketSource, probe: Probe, outputs: readonly RunOutput[]): Promise<void> {
  const progress = new ProgressLine(process.stderr)
  try {
    for (;;) {
      const batch = await source.next()
      if (batch === null) return
      probe.onBatch(batch)
      await ready(outputs)
      if (outputs.every((output) => output.readerGone === true)) return
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
