import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import type { PacketSource, SourceWarning } from '../capture/batch.js'
import { expandPaths, type CapturePath } from '../capture/expand-paths.js'
import { openCaptures, openFiles } from '../capture/open.js'
import { RECORD_SCHEMA, type SummaryRecord } from '../calls/records.js'
import { rulesInForce } from '../config/alert-rules.js'
import type { Config } from '../config/config.js'
import { formatJitterBufferSpec } from '../config/jitter-buffer.js'
import { CallprobeError } from '../errors.js'
import { Probe } from '../pipeline/probe.js'
import { describedBatch } from '../rtp/described-batch.js'
import { EXIT_MATCHED } from './exit-codes.js'
import { ProgressLine } from './progress.js'
import { timeStepWarning } from './time-steps.js'
import { warningText } from './warning-text.js'
import { addRunOptions, configOf, RunRecords, type RunOptions } from './run-records.js'

const EXAMPLES = `
Examples:
  $ callprobe replay call.pcapng
  $ callprobe replay --sort worst rotated-*.pcap.gz
  $ callprobe replay --format ndjson call.pcap | jq 'select(.type == "call")'
  $ tcpdump -i eth1 -w - udp | callprobe replay -
  $ callprobe replay --report report.html call.pcap
  $ callprobe replay --influx http://127.0.0.1:8086/voip call.pcap
  $ callprobe replay --fail-on 'mos_cq_min < 3.6' nightly.pcap || echo "bad calls"
  $ callprobe replay --filter 'caller == "4711" and loss_percent > 1' day.pcap
  $ callprobe replay --filter 'findings contains one_way_audio' day.pcap
  $ callprobe replay --alerts --config probe.yaml yesterday.pcap.zst
  $ callprobe replay --alerts --baselines state/ --config probe.yaml day.pcap
  $ callprobe replay --privacy hash --format ndjson day.pcap > for-the-carrier.ndjson

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 --fail-on matched a call.`

export function replayCommand(): Command {
  const command = new Command('replay')
    .description(
      'Measure the calls in capture files (pcap, pcapng; plain, gzip or zstd), or - for standard input.',
    )
    .argument('<file...>', 'capture files or patterns; several are read as one run, in time order')
  return addRunOptions(command)
    .option('--alerts', 'evaluate the alert rules: what would have fired, when, for how long; nobody is told')
    .option('--baselines <path>', 'with --alerts: what a capture learnt (its alerts.state_dir; read only)')
    .option(
      '--workers <n>',
      'threads: 1; 2 (one reads and unpacks, one measures; same records); auto: 2 for big packed files',
      workersOf,
      'auto',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], options: ReplayOptions) => {
      const matched = await replay(files, options)
      if (matched) process.exitCode = EXIT_MATCHED
    })
}

interface ReplayOptions extends RunOptions {
  workers: number | 'auto'
}

function workersOf(text: string): number | 'auto' {
  if (text === 'auto') return 'auto'
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It has to be auto, or a number of 1 or more.')
  return value
}

/**
 * A second thread takes a tenth of a second to start. It pays where there is so much to unpack: zstd by this process, gzip
 * by a thread of Node's own. Plain captures are read as fast as they are measured (docs/benchmarks.md).
 */
const WORTH_A_THREAD_BYTES = 4 << 20
const GZIP_SHARE = 1 / 16

function toUnpack({ path, size }: CapturePath): number {
  if (/\.(zst|zstd)$/i.test(path)) return size
  return /\.gz$/i.test(path) ? size * GZIP_SHARE : 0
}

/** A pipe is read by the measuring thread: what comes through one is to be seen at once. */
async function openSource(files: readonly string[], workers: number | 'auto'): Promise<PacketSource> {
  const batch = describedBatch()
  if (workers === 1) return openFiles(files, { batch })
  const captures = await expandPaths(files)
  if (captures.some((capture) => capture.live)) return openCaptures(captures, { batch })
  const bytes = captures.reduce((sum, capture) => sum + toUnpack(capture), 0)
  if (workers === 'auto' && (bytes < WORTH_A_THREAD_BYTES || availableParallelism() < 2))
    return openCaptures(captures, { batch })
  const { ReaderSource } = await import('../pipeline/reader/reader-source.js')
  return ReaderSource.open(files)
}

/** Runs a replay. True when a call matched --fail-on. */
async function replay(files: readonly string[], options: ReplayOptions): Promise<boolean> {
  const config = configOf(options)
  checkBaselines(config, options)
  const records = new RunRecords(config, options)
  const source = await openSource(files, options.workers)
  await records.open(files)
  await records.openDatabase(false, (message) => process.stderr.write(`callprobe: ${message}\n`))
  if (options.alerts === true) await records.openAlerts()
  const probe = new Probe(config, 'file', (record) => records.record(record), records.observers)
  records.watchProbe(() => probe.health())
  const startedMs = performance.now()
  try {
    await run(source, probe, records)
    for (const _ of probe.finish()) await records.ready()
    for (const warning of source.warnings) warn(warning)
    const summary = summaryOf(source, probe, config, performance.now() - startedMs)
    const timeSteps = timeStepWarning(summary)
    if (timeSteps !== undefined) {
      process.stderr.write(`callprobe: ${timeSteps}\n`)
      summary.warnings = [...(summary.warnings ?? []), timeSteps]
    }
    await records.finish(summary)
  } catch (error) {
    await records.abort()
    throw error
  } finally {
    await source.close()
  }
  return records.reportMatches()
}

/** Says when a rule has nothing to go by. @throws CallprobeError USAGE */
function checkBaselines({ alerts }: Config, options: ReplayOptions): void {
  if (options.baselines !== undefined) {
    if (options.alerts === true) return
    throw new CallprobeError('USAGE', '--baselines is for --alerts', { hint: 'give both' })
  }
  const rule = options.alerts === true && rulesInForce(alerts).find(({ baseline }) => baseline !== undefined)
  if (rule)
    process.stderr.write(
      `callprobe: rule ${rule.name} goes by a baseline, and a replay knows none: --baselines reads what a capture learnt\n`,
    )
}

async function run(source: PacketSource, probe: Probe, records: RunRecords): Promise<void> {
  const progress = new ProgressLine(process.stderr)
  try {
    for (;;) {
      const batch = await source.next()
      probe.noteCuts(source.cuts ?? 0)
      if (batch === null) return
      probe.onBatch(batch)
      await records.ready()
      if (records.readerGone) return
      progress.update(source.progress(), probe.packetCount)
    }
  } finally {
    progress.clear()
  }
}

function warn(warning: SourceWarning): void {
  process.stderr.write(`callprobe: ${warningText(warning)}\n`)
}

function summaryOf(source: PacketSource, probe: Probe, config: Config, processingMs: number): SummaryRecord {
  const counts = probe.counts()
  const notes = source.warnings.filter((warning) => warning.kind === 'note')
  return {
    type: 'summary',
    schema: RECORD_SCHEMA,
    probe: config.probe,
    ...counts,
    ...probe.groupedFindings(),
    processing_ms: processingMs,
    packets_per_s: processingMs > 0 ? (counts.packets / processingMs) * 1000 : undefined,
    files: source.files,
    reported_drops: source.reportedDrops > 0 ? source.reportedDrops : undefined,
    truncated_files: source.warnings
      .filter((warning) => warning.kind !== 'note')
      .map(({ source: file, offset, message }) => ({ file, offset, message })),
    warnings: notes.length > 0 ? notes.map(warningText) : undefined,
    jitter_buffer: formatJitterBufferSpec(config.jitter_buffer),
  }
}
