import { Command, InvalidArgumentError, Option } from 'commander'
import { CaptureLosses } from '../calls/capture-losses.js'
import { RECORD_SCHEMA, type SummaryRecord } from '../calls/records.js'
import type { LiveSource } from '../capture/live.js'
import { loadBinding } from '../capture/ring/native.js'
import { RingSource } from '../capture/ring/ring-source.js'
import { DEFAULT_RING_BYTES, openRingSocket, WHOLE_FRAME_BYTES } from '../capture/ring/ring-socket.js'
import type { Config } from '../config/config.js'
import { formatJitterBufferSpec } from '../config/jitter-buffer.js'
import { CaptureLoop } from '../live/capture-loop.js'
import { createLog, LOG_LEVELS, type Log, type LogFormat, type LogLevel } from '../live/log.js'
import { Probe } from '../pipeline/probe.js'
import { EXIT_MATCHED } from './exit-codes.js'
import { addRunOptions, configOf, RunRecords, type RunOptions } from './run-records.js'
import { StatusLine } from './status-line.js'

interface CaptureOptions extends RunOptions {
  interface: string[]
  duration?: number
  bpf?: string
  ring: number
  snaplen: number
  timestamps: 'kernel' | 'hardware'
  promiscuous: boolean
  logLevel: LogLevel
  logFormat?: LogFormat
}

const EXAMPLES = `
Examples:
  $ sudo callprobe capture -i eth1
  $ sudo callprobe capture -i eth1 -i eth2 --format ndjson --output /var/log/callprobe/calls.ndjson
  $ sudo callprobe capture -i eth1 --duration 600 --bpf 'udp or tcp port 5060'

SIGINT and SIGTERM end the capture: open calls are written as in_progress. SIGHUP reads the configuration again.`

export function captureCommand(): Command {
  const command = new Command('capture')
    .description('Measure the calls on a network interface (a mirror port), as they happen.')
    .requiredOption('-i, --interface <name...>', 'network interfaces; several are measured as one')
    .option('--duration <seconds>', 'end after so long (default: run until told to stop)', positiveNumber)
    .option('--bpf <filter>', "only packets that match, in tcpdump's language")
    .option(
      '--ring <MiB>',
      'buffer in the kernel for each interface',
      positiveNumber,
      DEFAULT_RING_BYTES >> 20,
    )
    .option('--snaplen <bytes>', 'bytes kept of each packet', positiveNumber, WHOLE_FRAME_BYTES)
    .addOption(
      new Option('--timestamps <source>', 'whose clock stamps the packets')
        .choices(['kernel', 'hardware'])
        .default('kernel'),
    )
    .option('--no-promiscuous', 'only packets addressed to this machine')
    .addOption(new Option('--log-level <level>', 'what to tell').choices([...LOG_LEVELS]).default('info'))
    .addOption(
      new Option('--log-format <format>', 'default: text on a terminal, else json').choices(['text', 'json']),
    )
  return addRunOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: CaptureOptions) => {
      if (await capture(options)) process.exitCode = EXIT_MATCHED
    })
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('It has to be a number above 0.')
  return value
}

/** Runs a capture. True when a call matched --fail-on. */
async function capture(options: CaptureOptions): Promise<boolean> {
  const config = configOf(options)
  const status = new StatusLine(process.stderr)
  const format = options.logFormat ?? (process.stderr.isTTY ? 'text' : 'json')
  const log = createLog(process.stderr, format, options.logLevel, () => status.clear())
  const records = new RunRecords(config, options)
  const binding = loadBinding()
  const sockets = [...new Set(options.interface)].map((interfaceName) =>
    openRingSocket(binding, {
      interfaceName,
      ringBytes: options.ring * 1024 * 1024,
      snapBytes: Math.min(Math.round(options.snaplen), WHOLE_FRAME_BYTES),
      promiscuous: options.promiscuous,
      filter: options.bpf,
      timestamps: options.timestamps,
    }),
  )
  const source = new RingSource(binding, sockets, {
    nowMs: Date.now,
    onInterface: ({ interfaceName, kind, downMs }) => {
      if (kind === 'up')
        log.info(`${interfaceName} is back after ${((downMs ?? 0) / 1000).toFixed(1)} s`, {
          interface: interfaceName,
          down_ms: downMs,
        })
      else
        log.warn(
          kind === 'gone'
            ? `${interfaceName} was removed; waiting for it to come back`
            : `${interfaceName} is down or has no carrier; waiting for it`,
          { interface: interfaceName },
        )
    },
  })
  records.open(options.interface)
  const losses = new CaptureLosses()
  const probe = new Probe(
    config,
    source.timestampSource,
    (record) => records.record(record),
    records.observers,
    losses,
  )
  let packetsBefore = 0
  const loop = new CaptureLoop({
    source,
    probe,
    losses,
    log,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    clockSynchronized: () => binding.clockState().synchronized,
    readerGone: () => records.readerGone,
    onSecond: (load) => {
      records.flush()
      const { calls, streams } = probe.open
      const packets = probe.packetCount
      status.update({
        packetsPerSecond: packets - packetsBefore,
        calls,
        streams,
        drops: loop.lossWatch.drops,
        load,
      })
      packetsBefore = packets
    },
  })
  for (const warning of source.warnings) log.warn(`${warning.source}: ${warning.message}`)
  const beganMs = performance.now()
  const release = onSignals(source, options, log)
  log.info(`capturing on ${options.interface.join(', ')}`, { interfaces: options.interface.join(',') })
  try {
    await loop.run()
    status.clear()
    for (const _ of probe.finish()) await records.ready()
    await records.finish(summaryOf(source, probe, config, loop.lossWatch.drops, performance.now() - beganMs))
  } catch (error) {
    await records.abort()
    throw error
  } finally {
    status.clear()
    release()
    await source.close()
  }
  return records.reportMatches()
}

/** Ends the capture at a signal or after its time. Returns what takes the handlers away again. */
function onSignals(source: LiveSource, options: CaptureOptions, log: Log): () => void {
  const stop = (signal: NodeJS.Signals): void => {
    log.info(`${signal}: writing what is open`)
    source.stop()
  }
  const timer =
    options.duration === undefined ? undefined : setTimeout(() => source.stop(), options.duration * 1000)
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return () => {
    clearTimeout(timer)
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

function summaryOf(
  source: LiveSource,
  probe: Probe,
  config: Config,
  drops: number,
  processingMs: number,
): SummaryRecord {
  return {
    type: 'summary',
    schema: RECORD_SCHEMA,
    probe: config.probe,
    ...probe.counts(),
    processing_ms: processingMs,
    capture_drops: drops,
    truncated_files: [],
    jitter_buffer: formatJitterBufferSpec(config.jitter_buffer),
  }
}
