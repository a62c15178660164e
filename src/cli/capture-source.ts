import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { InterfaceEvent, LiveSource } from '../capture/live.js'
import { loadBinding, type CaptureBinding } from '../capture/ring/native.js'
import { RingSource } from '../capture/ring/ring-source.js'
import { FANOUT_CBPF, fanoutProgram } from '../capture/ring/fanout-program.js'
import {
  openRingSocket,
  WHOLE_FRAME_BYTES,
  type FanoutMembership,
  type RingSocket,
} from '../capture/ring/ring-socket.js'
import { loadCap, UserspaceSource } from '../capture/userspace-source.js'
import { CallprobeError } from '../errors.js'
import type { Log } from '../live/log.js'
import type { CaptureOptions } from './capture-options.js'

export interface OpenedSource {
  source: LiveSource
  /** Absent where packets come through npm cap. */
  binding?: CaptureBinding
  /** Rings for media workers, each worker's by interface; none when one thread does everything. */
  workerSockets: RingSocket[][]
}

/** UDP ports of signalling and tunnels, beside those that the configuration names for SIP. */
const MEMBER_0_PORTS = [5060, 5061, 5080, 4789, 4790, 8472, 6081, 2152, 37_008, 3544, 9060, 9061]
/** With media workers: how often to look after them. */
const WORKERS_LOOK_MS = 20
/** Smallest ring of a worker, MiB. */
const LEAST_RING_MIB = 8

/** How many media workers: one thread measured 600,000 packets a second, so few machines need any. */
export function workersOf({ workers }: CaptureOptions, cpus: number): number {
  if (workers !== 'auto') return workers
  return cpus <= 2 ? 1 : Math.min(8, cpus - 1)
}

/** Opens the interfaces: rings on Linux, npm cap elsewhere and where it is asked for. `stop`: called when the capture cannot go on. */
export async function openSource(
  options: CaptureOptions,
  sipPorts: readonly number[],
  log: Log,
  stop: () => void,
): Promise<OpenedSource> {
  const timestamps = options.timestamps ?? (process.platform === 'linux' ? 'kernel' : 'userspace')
  const names = [...new Set(options.interface)]
  if (timestamps === 'userspace') {
    if (names.length > 1)
      throw new CallprobeError('USAGE', 'through npm cap one interface can be measured at a time', {
        hint: 'start one callprobe for each interface',
      })
    const nowMs = (): number => performance.timeOrigin + performance.now()
    const source = new UserspaceSource(await loadCap(), {
      interfaceName: names[0],
      filter: options.bpf,
      nowMs,
    })
    if (typeof options.workers === 'number' && options.workers > 1)
      log.warn('--workers needs rings of the Linux kernel: one thread does everything')
    return { source, workerSockets: [] }
  }
  const binding = loadBinding()
  const workers = workersOf(options, availableParallelism())
  const open = (interfaceName: string, ringMib: number, fanout?: FanoutMembership): RingSocket =>
    openRingSocket(binding, {
      interfaceName,
      ringBytes: Math.max(LEAST_RING_MIB, ringMib) * 2 ** 20,
      snapBytes: Math.min(Math.round(options.snaplen), WHOLE_FRAME_BYTES),
      promiscuous: options.promiscuous,
      filter: options.bpf,
      timestamps,
      fanout,
    })
  const sockets: RingSocket[] = []
  const workerSockets: RingSocket[][] = Array.from({ length: workers > 1 ? workers : 0 }, () => [])
  // Numbers of processes repeat, in containers that share the host's network: another capture's group would be joined.
  const firstGroup = randomInt(0x10000)
  names.forEach((name, index) => {
    if (workers === 1) {
      sockets.push(open(name, options.ring))
      return
    }
    // A group is of one interface. Member 0 comes first, and says who gets what.
    const group = (firstGroup + index) & 0xffff
    const program = fanoutProgram(workers + 1, [...new Set([...MEMBER_0_PORTS, ...sipPorts])])
    sockets.push(open(name, options.ring / 4, { group, mode: FANOUT_CBPF, program }))
    for (const worker of workerSockets)
      worker.push(open(name, options.ring / workers, { group, mode: FANOUT_CBPF }))
  })
  const source = new RingSource(binding, sockets, {
    nowMs: Date.now,
    onInterface: (event) => {
      tellInterface(event, log)
      if (event.kind === 'replaced') {
        process.exitCode = 1
        stop()
      }
    },
    ...(workers > 1 ? { quietMs: WORKERS_LOOK_MS } : {}),
  })
  return { source, binding, workerSockets }
}

function tellInterface({ interfaceName, kind, downMs }: InterfaceEvent, log: Log): void {
  if (kind === 'up')
    log.info(`${interfaceName} is back after ${((downMs ?? 0) / 1000).toFixed(1)} s`, {
      interface: interfaceName,
      down_ms: downMs,
    })
  else if (kind === 'down')
    log.warn(`${interfaceName} is down or has no carrier; waiting for it`, { interface: interfaceName })
  else if (kind === 'replaced')
    log.error(
      `${interfaceName} was removed and made anew; with --workers its rings cannot follow: start callprobe again`,
      { interface: interfaceName },
    )
  else log.warn(`${interfaceName} was removed; waiting for it to come back`, { interface: interfaceName })
}
