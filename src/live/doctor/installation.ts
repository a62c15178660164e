import { findBinding, type BindingResult, type CaptureBinding } from '../../capture/ring/native.js'
import { capabilitySets } from '../privileges.js'
import { amber, green, red, type Check } from './check.js'

/** linux/capability.h */
const CAP_NET_ADMIN = 12n
const CAP_NET_RAW = 13n
const LEAST_NODE: readonly [number, number] = [20, 19]

export interface InstallationFacts {
  nodeVersion: string
  platform: string
  binding: BindingResult
  capabilities: Record<string, bigint>
}

export function installationFacts(): InstallationFacts {
  return {
    nodeVersion: process.versions.node,
    platform: process.platform,
    binding: findBinding(),
    capabilities: capabilitySets(),
  }
}

/** Whether callprobe itself is fit to capture here. */
export function checkInstallation({
  nodeVersion,
  platform,
  binding,
  capabilities,
}: InstallationFacts): Check[] {
  const checks = [checkNode(nodeVersion)]
  if (platform !== 'linux') {
    checks.push(
      amber(
        'platform',
        `${platform}: packets are captured through libpcap and the npm package cap, without drop counts`,
        'measure jitter on Linux; loss, calls and codecs are right everywhere',
      ),
    )
    return checks
  }
  if (!('binding' in binding)) {
    checks.push(
      red(
        'capture binding',
        `not there: ${binding.problems.join('; ')}`,
        'callprobe doctor --build (needs a C++ compiler: apt-get install g++); replay works without',
      ),
    )
    return checks
  }
  checks.push(green('capture binding', binding.path))
  checks.push(checkFilterLibrary(binding.binding), checkPrivileges(capabilities), checkClock(binding.binding))
  return checks
}

function checkNode(version: string): Check {
  const [major, minor] = version.split('.').map(Number)
  const fits = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  return fits
    ? green('node', version)
    : red('node', `${version} is too old`, `install Node.js ${LEAST_NODE.join('.')} or later`)
}

function checkFilterLibrary(binding: CaptureBinding): Check {
  const version = binding.filterLibrary()
  return version === undefined
    ? amber('libpcap', 'not found: --bpf cannot be used', 'apt-get install libpcap0.8')
    : green('libpcap', version)
}

function checkPrivileges({ CapEff: effective = 0n }: Record<string, bigint>): Check {
  const has = (capability: bigint): boolean => ((effective >> capability) & 1n) === 1n
  if (!has(CAP_NET_RAW))
    return red(
      'privileges',
      'this process may not capture (no CAP_NET_RAW)',
      'run with sudo, or as the service in packaging/callprobe.service',
    )
  return green(
    'privileges',
    has(CAP_NET_ADMIN) ? 'CAP_NET_RAW, and CAP_NET_ADMIN for hardware timestamps' : 'CAP_NET_RAW',
  )
}

function checkClock(binding: CaptureBinding): Check {
  return binding.clockState().synchronized
    ? green('clock', 'synchronized')
    : amber(
        'clock',
        'the system does not say that its clock is synchronized',
        'run chrony or systemd-timesyncd: without, times of several probes do not compare (jitter is not affected)',
      )
}
