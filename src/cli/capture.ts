import { setImmediate as nextTurn } from 'node:timers/promises'
import { Command } from 'commander'
import { CaptureLosses } from '../calls/capture-losses.js'
import type { LiveSource } from '../capture/live.js'
import { RingSource } from '../capture/ring/ring-source.js'
import type { Config } from '../config/config.js'
import { CallprobeError } from '../errors.js'
import { CaptureLoop } from '../live/capture-loop.js'
import { LimitWatch } from '../live/limit-watch.js'
import { captureWarnings } from '../live/capture-warnings.js'
import { createLog, type Log } from '../live/log.js'
import { becomeUser, dropCapabilities } from '../live/privileges.js'
import { afterReload, changedKeys } from '../live/reload.js'
import { createRegistry, serveMetrics, type CaptureHealth } from '../live/self-metrics.js'
import { WorkerSource } from '../live/worker-source.js'
import { MediaWorkers } from '../pipeline/media/media-workers.js'
import { meterOptions, Probe } from '../pipeline/probe.js'
import { CaptureFiles } from './capture-files.js'
import { countersOf, healthOf, summaryOf } from './capture-health.js'
import { addCaptureOptions, type CaptureOptions } from './capture-options.js'
import { openSource } from './capture-source.js'
import { resume, save } from './capture-state.js'
import { EXIT_MATCHED } from './exit-codes.js'
import { addRunOptions, configOf, RunRecords } from './run-records.js'
import { StatusLine } from './status-line.js'

const EXAMPLES = `
Examples:
  $ sudo callprobe capture -i eth1
  $ sudo callprobe capture -i eth1 -i eth2 --format ndjson --output /var/log/callprobe/calls.ndjson --rotate-every 1h
  $ sudo callprobe capture -i eth1 --duration 600 --bpf 'udp or tcp port 5060'
  $ callprobe capture -i en0 --timestamps userspace          # macOS, Windows: through npm cap
  $ sudo callprobe capture -i eth1 --metrics 9598 --state /var/lib/callprobe/open-calls.json --user callprobe

SIGINT and SIGTERM end the capture: open calls are written as in_progress.
SIGHUP reads the configuration again and opens the --output file anew.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 --fail-on matched a call.`

const TURN_MS = 10

export function captureCommand(): Command {
  const command = new Command('capture').description(
    'Measure the calls on a network interface (a mirror port), as they happen.',
  )
  return addRunOptions(addCaptureOptions(command))
    .addHelpText('after', EXAMPLES)
    .action(async (options: CaptureOptions) => {
      if (await capture(options)) process.exitCode = EXIT_MATCHED
    })
}

/** Runs a capture. True when a call matched --fail-on. */
async function capture(options: CaptureOptions): Promise<boolean> {
  const config = configOf(options)
  const status = new StatusLine(process.stderr)
  const format = options.logFormat ?? (process.stderr.isTTY ? 'text' : 'json')
  const log = createLog(process.stderr, format, options.logLevel, () => status.clear())
  const files = new CaptureFiles(options, log)
  const records = new RunRecords(config, options, (path, ndjson) => files.openNdjson(path, ndjson))
  const stop = (): void => source.stop()
  const opened = await openSource(options, config.sip_ports, log, stop)
  const { binding, workerSockets } = opened
  let source: LiveSource = opened.source
  let release = (): void => {}
  try {
    // What is written is that user's; what needs a privilege is open.
    if (options.user !== undefined) becomeUser(options.user)
    await records.open(options.interface)
    await records.openDatabase(true, (message) => log.warn(message))
    if (config.alerts.enabled) await records.openAlerts((level, message) => log[level](message))
    let workers: MediaWorkers | undefined
    if (opened.source instanceof RingSource && workerSockets.length > 0) {
      workers = new MediaWorkers({
        sockets: workerSockets,
        meter: meterOptions(config),
        seconds: records.observers.some((observer) => observer.onSecond),
        onTrouble: (message, fields) => log.error(message, fields),
        onGivingUp: () => {
          log.error('media workers keep ending: the capture ends, with what was measured')
          process.exitCode = 1
          stop()
        },
      })
      source = new WorkerSource(opened.source, workers)
    }
    const losses = new CaptureLosses(source.losses() !== undefined)
    const probe = new Probe(
      config,
      source.timestampSource,
      (record) => records.record(record),
      records.observers,
      losses,
      workers,
    )
    records.watchProbe(() => countersOf(source, probe))
    const limitWatch = new LimitWatch(log)
    const droppedRecords = (): number => files.lostRecords + records.dropped
    let load = 0
    let packetsBefore = 0
    const loop = new CaptureLoop({
      source,
      probe,
      losses,
      log,
      nowMs: Date.now,
      monotonicMs: () => performance.now(),
      clockSynchronized: () => binding?.clockState().synchronized,
      workersBusyMs: () => workers?.busyMs ?? [],
      readerGone: () => records.readerGone,
      onSecond: (share) => {
        load = share
        records.flush()
        limitWatch.look({ ...probe.counts().evictions, output_records: droppedRecords() }, performance.now())
        const packets = probe.packetCount
        status.update({
          packetsPerSecond: packets - packetsBefore,
          ...probe.open,
          drops: loop.lossWatch.drops,
          load,
        })
        packetsBefore = packets
      },
    })
    resume(probe, losses, config, options, log)
    const { metrics } = options
    if (metrics) {
      const health = (): CaptureHealth => ({
        ...healthOf(source, probe, loop, losses, load, droppedRecords()),
        workerRestarts: workers?.restarts ?? 0,
        workerHoldUps: workers?.holdUps ?? 0,
      })
      await serveMetrics(createRegistry(health), metrics.host, metrics.port)
    }
    if (binding !== undefined && options.keepPrivileges !== true) {
      dropCapabilities(binding)
      files.checkFolders()
    }
    workers?.start()
    for (const warning of source.warnings) log.warn(`${warning.source}: ${warning.message}`)
    release = onSignals(source, options, log, () => {
      files.reopen()
      reload(probe, records, config, options, log)
    })
    log.info(`capturing on ${options.interface.join(', ')}`, {
      interfaces: options.interface.join(','),
      media_workers: workerSockets.length || undefined,
    })
    const beganMs = performance.now()
    await loop.run()
    status.clear()
    if (options.state !== undefined && save(options.state, probe, log)) records.leaveOpenCalls()
    let turnMs = performance.now()
    for (const _ of probe.finish()) {
      await records.ready()
      if (performance.now() - turnMs < TURN_MS) continue
      // Signals, and media workers that end, are heard of.
      await nextTurn()
      turnMs = performance.now()
    }
    const warnings = captureWarnings({
      noticed: source.warnings,
      clock: loop.clockWatch,
      downMs: source.losses()?.downMs ?? 0,
      droppedRecords: droppedRecords(),
      workerRestarts: workers?.restarts ?? 0,
    })
    await records.finish({
      ...summaryOf(
        probe,
        config,
        loop.lossWatch.known,
        options.interface.length,
        performance.now() - beganMs,
      ),
      warnings: warnings.length > 0 ? warnings : undefined,
    })
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

function reload(probe: Probe, records: RunRecords, before: Config, options: CaptureOptions, log: Log): void {
  if (options.config === undefined) {
    log.info('SIGHUP: there is no --config to read again')
    return
  }
  let config: Config
  try {
    config = configOf(options)
  } catch (error) {
    if (!(error instanceof CallprobeError)) throw error
    log.error(`the configuration stays as it was: ${error.message}`)
    return
  }
  const { taken, needRestart } = changedKeys(before, config)
  const inForce = afterReload(before, config)
  probe.reconfigure(inForce)
  records.reconfigure(inForce)
  Object.assign(before, inForce)
  log.info(
    `configuration read again; ${taken.length > 0 ? `changed: ${taken.join(', ')}` : 'nothing changed'}`,
    {
      changed: taken.join(','),
    },
  )
  if (needRestart.length > 0)
    log.warn(`these keys take effect at the next start: ${needRestart.join(', ')}`, {
      need_restart: needRestart.join(','),
    })
}

/** Ends the capture at a signal or after its time. Returns what takes the handlers away again. */
function onSignals(
  source: LiveSource,
  { duration }: CaptureOptions,
  log: Log,
  onHangUp: () => void,
): () => void {
  let asked = false
  const stop = (signal: NodeJS.Signals): void => {
    if (asked) {
      log.error(`${signal} again: leaving without writing what is open`)
      process.exit(1)
    }
    asked = true
    log.info(`${signal}: writing what is open`)
    source.stop()
  }
  const timer = duration === undefined ? undefined : setTimeout(() => source.stop(), duration * 1000)
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', onHangUp)
  return () => {
    clearTimeout(timer)
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    process.off('SIGHUP', onHangUp)
  }
}
