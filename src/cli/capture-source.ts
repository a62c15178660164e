import type { InterfaceEvent, LiveSource } from '../capture/live.js'
import { loadBinding, type CaptureBinding } from '../capture/ring/native.js'
import { RingSource } from '../capture/ring/ring-source.js'
import { openRingSocket, WHOLE_FRAME_BYTES } from '../capture/ring/ring-socket.js'
import { loadCap, UserspaceSource } from '../capture/userspace-source.js'
import { CallprobeError } from '../errors.js'
import type { Log } from '../live/log.js'
import type { CaptureOptions } from './capture-options.js'

export interface OpenedSource {
  source: LiveSource
  /** Absent where packets come through npm cap. */
  binding?: CaptureBinding
}

/** Opens the interfaces: rings on Linux, npm cap elsewhere and where it is asked for. */
export async function openSource(options: CaptureOptions, log: Log): Promise<OpenedSource> {
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
    return { source }
  }
  const binding = loadBinding()
  const sockets = names.map((interfaceName) =>
    openRingSocket(binding, {
      interfaceName,
      ringBytes: options.ring * 2 ** 20,
      snapBytes: Math.min(Math.round(options.snaplen), WHOLE_FRAME_BYTES),
      promiscuous: options.promiscuous,
      filter: options.bpf,
      timestamps,
    }),
  )
  const source = new RingSource(binding, sockets, {
    nowMs: Date.now,
    onInterface: (event) => tellInterface(event, log),
  })
  return { source, binding }
}

function tellInterface({ interfaceName, kind, downMs }: InterfaceEvent, log: Log): void {
  if (kind === 'up')
    log.info(`${interfaceName} is back after ${((downMs ?? 0) / 1000).toFixed(1)} s`, {
      interface: interfaceName,
      down_ms: downMs,
    })
  else if (kind === 'down')
    log.warn(`${interfaceName} is down or has no carrier; waiting for it`, { interface: interfaceName })
  else log.warn(`${interfaceName} was removed; waiting for it to come back`, { interface: interfaceName })
}
