import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { CaptureBinding, DriverState, InterfaceState } from '../../capture/ring/native.js'
import { amber, green, red, type Check } from './check.js'

const ORDINARY_MTU = 1500
/** linux/net_tstamp.h: SOF_TIMESTAMPING_RX_HARDWARE, and the bit of HWTSTAMP_FILTER_ALL */
const RECEIVES_HARDWARE_STAMPS = 1 << 2
const STAMPS_ALL = 1 << 1

export interface InterfaceFacts {
  name: string
  state: InterfaceState | undefined
  driver: DriverState
  /** Mbit/s; undefined when the driver does not tell (virtual ones never do). */
  speedMbps: number | undefined
  /** Addresses that the machine itself has there. */
  addresses: string[]
  /** ns that GRO may hold packets back. */
  groFlushNs: number
}

export function interfaceFacts(binding: CaptureBinding, name: string): InterfaceFacts {
  const speed = readNumber(`/sys/class/net/${name}/speed`)
  return {
    name,
    state: binding.interfaceState(name),
    driver: binding.driverState(name),
    speedMbps: speed !== undefined && speed > 0 ? speed : undefined,
    addresses: (networkInterfaces()[name] ?? [])
      .map(({ address }) => address)
      .filter((address) => !address.startsWith('fe80:')),
    groFlushNs: readNumber(`/sys/class/net/${name}/gro_flush_timeout`) ?? 0,
  }
}

function readNumber(path: string): number | undefined {
  try {
    const value = Number(readFileSync(path, 'latin1'))
    return Number.isFinite(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether the interface is set up as a mirror port should be. */
export function checkInterface(facts: InterfaceFacts): Check[] {
  const { name, state } = facts
  if (state === undefined)
    return [red('interface', `there is no ${name}`, '`ip link` lists the interfaces of this machine')]
  const checks = [checkLink(facts, state)]
  checks.push(checkMtu(name, state.mtu), checkAddresses(facts), ...checkOffloads(facts))
  const ring = checkRing(name, facts.driver)
  if (ring) checks.push(ring)
  checks.push(checkStamps(facts.driver))
  return checks
}

function checkLink({ name, speedMbps, driver }: InterfaceFacts, { up, running }: InterfaceState): Check {
  if (!up) return red('link', `${name} is down`, `ip link set ${name} up`)
  if (!running) return red('link', `${name} has no carrier`, 'check the cable, and the port at the other end')
  const speed = speedMbps === undefined ? '' : `, ${speedMbps} Mbit/s`
  return green('link', `up${speed}${driver.driver === undefined ? '' : ` (${driver.driver})`}`)
}

function checkMtu(name: string, mtu: number): Check {
  if (mtu >= ORDINARY_MTU) return green('mtu', String(mtu))
  return amber(
    'mtu',
    `${mtu}: longer frames of the mirror are lost`,
    `ip link set ${name} mtu 1500, or more for tunnels`,
  )
}

function checkAddresses({ name, addresses }: InterfaceFacts): Check {
  if (addresses.length === 0) return green('addresses', 'none, as a mirror port should have')
  return amber(
    'addresses',
    `this machine talks on it itself (${addresses.join(', ')})`,
    `use a port of its own for the mirror, without addresses: ip address flush dev ${name}`,
  )
}

function checkOffloads({ name, driver, groFlushNs }: InterfaceFacts): Check[] {
  const { features = {}, lro } = driver
  const merging = [
    lro === true || features['rx-lro'] === true ? 'lro' : '',
    features['rx-gro-hw'] === true ? 'rx-gro-hw' : '',
    features['rx-gro-list'] === true ? 'rx-gro-list' : '',
    features['rx-udp-gro-forwarding'] === true ? 'rx-udp-gro-forwarding' : '',
  ].filter((feature) => feature !== '')
  const checks: Check[] = []
  if (merging.length > 0)
    checks.push(
      amber(
        'offloads',
        `${merging.join(', ')}: packets are merged before they are seen, which spoils their times and sizes`,
        `ethtool -K ${name} ${merging.map((feature) => `${feature} off`).join(' ')}`,
      ),
    )
  if (groFlushNs > 0)
    checks.push(
      amber(
        'gro',
        `packets are held back for up to ${(groFlushNs / 1000).toFixed(0)} us`,
        `echo 0 > /sys/class/net/${name}/gro_flush_timeout`,
      ),
    )
  if (checks.length === 0)
    checks.push(
      green(
        'offloads',
        features['rx-gro'] === true
          ? 'GRO merges TCP only: SIP is read all the same'
          : 'none that merge packets',
      ),
    )
  return checks
}

function checkRing(name: string, { ringSize, ringMaximum }: DriverState): Check | undefined {
  if (ringSize === undefined || ringMaximum === undefined) return undefined
  if (ringSize >= ringMaximum || ringSize >= 4096) return green('card buffer', `${ringSize} packets`)
  return amber(
    'card buffer',
    `${ringSize} of ${ringMaximum} packets: bursts may be lost before the kernel sees them`,
    `ethtool -G ${name} rx ${ringMaximum}`,
  )
}

function checkStamps({ stampingFlags = 0, hardwareFilters = 0 }: DriverState): Check {
  const hardware = (stampingFlags & RECEIVES_HARDWARE_STAMPS) !== 0 && (hardwareFilters & STAMPS_ALL) !== 0
  return green(
    'timestamps',
    hardware
      ? 'by the kernel; the card can stamp every packet itself (--timestamps hardware)'
      : 'by the kernel, on arrival',
  )
}
