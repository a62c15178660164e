import { InvalidArgumentError, Option, type Command } from 'commander'
import { DEFAULT_RING_BYTES, WHOLE_FRAME_BYTES } from '../capture/ring/ring-socket.js'
import { LOG_LEVELS, type LogFormat, type LogLevel } from '../live/log.js'
import type { RunOptions } from './run-records.js'

export interface CaptureOptions extends RunOptions {
  interface: string[]
  duration?: number
  bpf?: string
  /** MiB */
  ring: number
  workers: number | 'auto'
  snaplen: number
  timestamps?: 'kernel' | 'hardware' | 'userspace'
  promiscuous: boolean
  rotateSize?: number
  rotateEvery?: number
  rotateKeep?: number
  state?: string
  metrics?: { host: string; port: number }
  user?: string
  keepPrivileges?: boolean
  logLevel: LogLevel
  logFormat?: LogFormat
}

export function addCaptureOptions(command: Command): Command {
  return command
    .requiredOption('-i, --interface <name...>', 'network interfaces; several are measured as one')
    .option('--duration <seconds>', 'end after so long (default: run until told to stop)', positiveNumber)
    .option('--bpf <filter>', "only packets that match, in tcpdump's language")
    .option('--ring <MiB>', 'buffer in the kernel for each interface', ringSize, DEFAULT_RING_BYTES / 2 ** 20)
    .option(
      '--workers <n>',
      'threads that measure media beside the one that follows calls; 1: one thread does it all; auto: by processors',
      workers,
      'auto' as const,
    )
    .option('--snaplen <bytes>', 'bytes kept of each packet', positiveNumber, WHOLE_FRAME_BYTES)
    .addOption(
      new Option(
        '--timestamps <source>',
        'whose clock stamps the packets; default: kernel on Linux, elsewhere userspace (through npm cap)',
      ).choices(['kernel', 'hardware', 'userspace']),
    )
    .option('--no-promiscuous', 'only packets addressed to this machine')
    .option('--rotate-size <size>', 'begin a new --output file before it grows beyond: 500K, 100M, 2G', size)
    .option('--rotate-every <time>', 'begin a new --output file every: 15m, 1h, 1d (UTC)', duration)
    .option('--rotate-keep <files>', 'keep so many --output files that were put aside', positiveNumber)
    .option('--state <file>', 'keep calls that are open at the end here, so that the next start knows them')
    .option(
      '--metrics <[host:]port>',
      'serve the probe’s own health for Prometheus (host: 127.0.0.1)',
      address,
    )
    .option('--user <name>', 'become this user once the interfaces are open')
    .option('--keep-privileges', 'do not give up capabilities once the interfaces are open')
    .addOption(new Option('--log-level <level>', 'what to tell').choices([...LOG_LEVELS]).default('info'))
    .addOption(
      new Option('--log-format <format>', 'default: text on a terminal, else json').choices(['text', 'json']),
    )
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('It has to be a number above 0.')
  return value
}

function workers(text: string): number | 'auto' {
  if (text === 'auto') return 'auto'
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= 1 && value <= 32))
    throw new InvalidArgumentError('It has to be a number of 1 to 32, or auto.')
  return value
}

/** MiB. */
function ringSize(text: string): number {
  const value = Number(text)
  if (!(value >= 2 && value <= 1024)) throw new InvalidArgumentError('It has to be a number of 2 to 1024.')
  return value
}

/** Bytes. */
function size(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text) ?? []
  const bytes = Number(digits) * 1024 ** ' KMG'.indexOf((unit ?? '').toUpperCase() || ' ')
  if (!(bytes >= 1)) throw new InvalidArgumentError('It has to be a size, such as 500K, 100M or 2G.')
  return Math.floor(bytes)
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds. */
function duration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const unitMs = unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' ? UNIT_MS[unit] : NaN
  const ms = Number(digits) * unitMs
  if (!(ms >= 1000)) throw new InvalidArgumentError('It has to be a time, such as 30s, 15m, 1h or 1d.')
  return ms
}

function address(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d+)$/.exec(text) ?? []
  const port = Number(digits)
  if (!(port <= 65_535)) throw new InvalidArgumentError('It has to be a port, or HOST:PORT.')
  return { host: bracketed ?? plain ?? '127.0.0.1', port }
}
