import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { getSystemErrorName } from 'node:util'
import { CallprobeError, errorText } from '../../errors.js'
import { packagePath } from '../../places.js'

/** What `module.cc` exports as its version; a binary with another one is left alone. */
const BINDING_VERSION = 1

/** A mapping of a ring, held by the binding. */
export interface RingHandle {
  readonly ringHandle: unique symbol
}

export interface InterfaceState {
  index: number
  up: boolean
  /** Up, and the link has a carrier. */
  running: boolean
  loopback: boolean
  /** ARPHRD_* */
  hardwareType: number
  /** Bytes behind the link header. */
  mtu: number
}

/** What the driver tells; the rest is absent. */
export interface DriverState {
  driver?: string
  features?: Record<string, boolean>
  lro?: boolean
  ringSize?: number
  ringMaximum?: number
  /** SOF_TIMESTAMPING_* */
  stampingFlags?: number
  /** Number of its PTP clock, -1 without one. */
  hardwareClock?: number
  /** Bits by HWTSTAMP_FILTER_*. */
  hardwareFilters?: number
}

/** The functions of bindings/*.cc; each says there what it does. They throw errors with `errno` and `syscall`. */
export interface CaptureBinding {
  version: number
  openSocket(): number
  closeSocket(fd: number): void
  setUpRing(
    fd: number,
    blockBytes: number,
    blocks: number,
    frameBytes: number,
    retireMs: number,
    reservedBytes: number,
  ): void
  bindSocket(fd: number, interfaceIndex: number): void
  setPromiscuous(fd: number, interfaceIndex: number): void
  ignoreOutgoing(fd: number): void
  attachFilter(fd: number, program: ArrayBuffer | Uint8Array): void
  joinFanout(fd: number, group: number, mode: number): void
  setFanoutProgram(fd: number, program: ArrayBuffer | Uint8Array): void
  stampOnArrival(fd: number): void
  useHardwareStamps(fd: number): void
  readStatistics(fd: number, out: Uint32Array): void
  pollSocket(fd: number, timeoutMs: number): number
  takeSocketError(fd: number): number
  mapRing(fd: number, bytes: number): RingHandle
  ringMemory(handle: RingHandle): ArrayBuffer | undefined
  copyBlock(handle: RingHandle, offset: number, target: ArrayBuffer): boolean
  blockHead(handle: RingHandle, offset: number, target: ArrayBuffer): void
  unmapRing(handle: RingHandle, memory?: ArrayBuffer): void
  compileFilter(expression: string, interfaceName: string, linkType: number, snapBytes: number): ArrayBuffer
  filterLibrary(): string | undefined
  interfaceState(name: string): InterfaceState | undefined
  driverState(name: string): DriverState
  startHardwareStamps(name: string): void
  dropCapabilities(): boolean
  clockState(): { synchronized: boolean; estimatedErrorMs: number }
}

const FUNCTIONS: readonly Exclude<keyof CaptureBinding, 'version'>[] = [
  'openSocket',
  'closeSocket',
  'setUpRing',
  'bindSocket',
  'setPromiscuous',
  'ignoreOutgoing',
  'attachFilter',
  'joinFanout',
  'setFanoutProgram',
  'stampOnArrival',
  'useHardwareStamps',
  'readStatistics',
  'pollSocket',
  'takeSocketError',
  'mapRing',
  'ringMemory',
  'copyBlock',
  'blockHead',
  'unmapRing',
  'compileFilter',
  'filterLibrary',
  'interfaceState',
  'driverState',
  'startHardwareStamps',
  'dropCapabilities',
  'clockState',
]

function isBinding(loaded: unknown): loaded is CaptureBinding {
  if (typeof loaded !== 'object' || loaded === null) return false
  const exports = new Map(Object.entries(loaded))
  return (
    exports.get('version') === BINDING_VERSION &&
    FUNCTIONS.every((name) => typeof exports.get(name) === 'function')
  )
}

/** Folder names follow Node's platform and architecture; musl is a platform of its own. */
export function platformName(): string {
  const { platform, arch } = process
  if (platform !== 'linux') return `${platform}-${arch}`
  return `${platform}-${arch}${isGlibc() ? '' : '-musl'}`
}

function isGlibc(): boolean {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('header' in report)) return false
  const { header } = report
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header
}

/** Where binaries are looked for: one built here comes before one that was shipped. */
export function bindingPaths(): string[] {
  return ['build/callprobe.node', `prebuilds/${platformName()}/callprobe.node`].map(packagePath)
}

export type BindingResult = { binding: CaptureBinding; path: string } | { problems: string[] }

/** Looks for a binary that fits; says of each why it does not. */
export function findBinding(paths: readonly string[] = bindingPaths()): BindingResult {
  const require = createRequire(import.meta.url)
  const problems: string[] = []
  for (const path of paths) {
    if (!existsSync(path)) {
      problems.push(`${path}: there is none`)
      continue
    }
    try {
      const loaded: unknown = require(path)
      if (isBinding(loaded)) return { binding: loaded, path }
      problems.push(`${path}: of another version of callprobe`)
    } catch (error) {
      problems.push(`${path}: ${errorText(error)}`)
    }
  }
  return { problems }
}

/**
 * The binding.
 * @throws CallprobeError CAPTURE_UNAVAILABLE
 */
export function loadBinding(): CaptureBinding {
  const found = findBinding()
  if ('binding' in found) return found.binding
  throw new CallprobeError(
    'CAPTURE_UNAVAILABLE',
    `live capture needs its native part, which is not built: ${found.problems.join('; ')}`,
    {
      hint: 'build it with `callprobe doctor --build` (needs a C++ compiler), or `npm run build` in a checkout',
    },
  )
}

/** errno as its name ("EPERM"), '' for an error without one. */
export function errnoName(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return ''
  return typeof error.errno === 'number' && error.errno > 0 ? getSystemErrorName(-error.errno) : ''
}
