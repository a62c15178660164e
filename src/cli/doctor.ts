import { spawnSync } from 'node:child_process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CaptureLosses } from '../calls/capture-losses.js'
import type { ProbeRecord } from '../calls/records.js'
import { findBinding, type CaptureBinding } from '../capture/ring/native.js'
import { openRingSocket } from '../capture/ring/ring-socket.js'
import { RingSource } from '../capture/ring/ring-source.js'
import { loadConfig } from '../config/load.js'
import { CallprobeError } from '../errors.js'
import { CaptureLoop } from '../live/capture-loop.js'
import { red, type Check, type Level } from '../live/doctor/check.js'
import { checkInstallation, installationFacts } from '../live/doctor/installation.js'
import { checkInterface, interfaceFacts } from '../live/doctor/interface.js'
import { checkTraffic } from '../live/doctor/traffic.js'
import { createLog } from '../live/log.js'
import { Probe } from '../pipeline/probe.js'
import { packagePath } from '../places.js'
import { EXIT_FAILED } from './exit-codes.js'

interface DoctorOptions {
  interface?: string
  seconds: number
  build?: boolean
  config?: string
  format: 'text' | 'json'
}

const EXAMPLES = `
Examples:
  $ callprobe doctor                    is the installation fit for live capture?
  $ sudo callprobe doctor -i eth1       is this mirror port fit to measure on?
  $ callprobe doctor --build            compile the capture binding

Exit codes: 0 nothing red, 1 something red.`

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Say whether a mirror port, and the installation, are fit to measure on, and what to do about it.',
    )
    .option('-i, --interface <name>', 'look at this interface and its traffic')
    .option('--seconds <s>', 'how long to look at the traffic', seconds, 10)
    .option('--build', 'compile the capture binding first')
    .option('--config <file>', 'configuration (YAML or JSON)')
    .addOption(new Option('--format <format>', 'what to print').choices(['text', 'json']).default('text'))
    .addHelpText('after', EXAMPLES)
    .action(async (options: DoctorOptions) => {
      if (options.build === true) build()
      const checks = await examine(options)
      process.stdout.write(
        options.format === 'json' ? `${JSON.stringify({ checks }, null, 2)}\n` : text(checks),
      )
      if (checks.some(({ level }) => level === 'red')) process.exitCode = EXIT_FAILED
    })
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError('It has to be a number of 1 to 3600.')
  return value
}

/** Compiles the binding where it is looked for. */
function build(): void {
  const script = packagePath('scripts/build-bindings.mjs')
  const done = spawnSync(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0)
    throw new CallprobeError('TOOL_FAILED', 'the capture binding could not be compiled', {
      hint: 'the compiler’s own words are above; on Debian and Ubuntu: apt-get install g++',
    })
}

async function examine(options: DoctorOptions): Promise<Check[]> {
  const checks = checkInstallation(installationFacts())
  const found = findBinding()
  const name = options.interface
  if (name === undefined || !('binding' in found)) return checks
  const facts = interfaceFacts(found.binding, name)
  checks.push(...checkInterface(facts))
  if (facts.state === undefined) return checks
  try {
    checks.push(...(await watchTraffic(found.binding, name, options)))
  } catch (error) {
    if (!(error instanceof CallprobeError)) throw error
    checks.push(red('packets', error.message, error.hint ?? ''))
  }
  return checks
}

/** Measures what comes in for a while. */
async function watchTraffic(binding: CaptureBinding, name: string, options: DoctorOptions): Promise<Check[]> {
  const socket = openRingSocket(binding, { interfaceName: name })
  const source = new RingSource(binding, [socket], { nowMs: Date.now })
  const records: ProbeRecord[] = []
  const probe = new Probe(loadConfig(options.config), source.timestampSource, (record) =>
    records.push(record),
  )
  const timer = setTimeout(() => source.stop(), options.seconds * 1000)
  if (process.stderr.isTTY) process.stderr.write(`Looking at ${name} for ${options.seconds} s\n`)
  try {
    const loop = new CaptureLoop({
      source,
      probe,
      losses: new CaptureLosses(),
      log: createLog(process.stderr, 'text', 'error'),
      nowMs: Date.now,
      monotonicMs: () => performance.now(),
      clockSynchronized: () => undefined,
      onSecond: () => {},
      readerGone: () => false,
    })
    await loop.run()
    for (const _ of probe.finish());
    const counts = probe.counts()
    return checkTraffic({
      name,
      seconds: options.seconds,
      counts,
      records,
      losses: source.losses(),
      ring: source.counters,
      zeroCopy: source.zeroCopy,
      cutFrames: probe.decoder.cutFrames,
      clockApartMs: source.clockApartMs,
    })
  } finally {
    clearTimeout(timer)
    await source.close()
  }
}

const MARKS: Record<Level, string> = { green: 'ok   ', amber: 'check', red: 'FAIL ' }
const COLOURS: Record<Level, string> = { green: '\u001b[32m', amber: '\u001b[33m', red: '\u001b[31m' }

function text(checks: readonly Check[]): string {
  const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.flatMap(({ name, level, finding, advice }) => {
    const mark = colour ? `${COLOURS[level]}${MARKS[level]}\u001b[0m` : MARKS[level]
    const line = `${mark}  ${name.padEnd(width)}  ${finding}`
    return advice === undefined || advice === '' ? [line] : [line, `${' '.repeat(width + 9)}-> ${advice}`]
  })
  const count = (level: Level): number => checks.filter((check) => check.level === level).length
  return `${lines.join('\n')}\n\n${count('green')} green, ${count('amber')} amber, ${count('red')} red\n`
}
