import type { CallRecord, ProbeRecord, StreamRecord } from '../../calls/records.js'
import type { CaptureLosses } from '../../capture/live.js'
import type { RingCounters } from '../../capture/ring/ring-reader.js'
import type { ProbeCounts } from '../../pipeline/probe.js'
import { amber, green, red, type Check } from './check.js'

/** A mirror of two ports shows packets between them twice; a few repeats are the network's own. */
const MANY_DUPLICATES_PERCENT = 5
/** Streams without a counterpart that are still no sign of a one-direction mirror. */
const MOST_SINGLE_SHARE = 0.5
const FEW_STREAMS = 4
/** A packet's time that is further from the clock comes from another time scale. */
const CLOCK_APART_MS = 1000

/** What a few seconds of traffic showed. */
export interface TrafficFacts {
  name: string
  seconds: number
  counts: ProbeCounts
  records: readonly ProbeRecord[]
  losses: CaptureLosses
  ring: RingCounters
  zeroCopy: boolean
  cutFrames: number
  /** Clock minus the last packet's time, ms; NaN without packets. */
  clockApartMs: number
}

export function checkTraffic(facts: TrafficFacts): Check[] {
  const { name, seconds, counts } = facts
  if (counts.packets === 0)
    return [
      red(
        'packets',
        `none in ${seconds} s`,
        `check the mirror session of the switch, and its destination port; tcpdump -ni ${name} must show them too`,
      ),
    ]
  const rate = Math.round(counts.packets / seconds)
  const megabits = ((counts.bytes * 8) / seconds / 1e6).toFixed(1)
  return [
    green('packets', `${counts.packets} in ${seconds} s (${rate} a second, ${megabits} Mbit/s)`),
    checkDrops(facts),
    checkClock(facts),
    checkSip(facts),
    checkRtp(facts),
    ...checkDirections(facts),
    ...checkDuplicates(facts),
    ...checkFrames(facts),
    green('VLANs', vlans(facts)),
    green('tunnels', tunnels(facts)),
  ]
}

function streamsOf({ records }: TrafficFacts): StreamRecord[] {
  return records.filter((record) => record.type === 'stream')
}

function callsOf({ records }: TrafficFacts): CallRecord[] {
  return records.filter((record) => record.type === 'call')
}

function checkDrops({ losses, counts, zeroCopy }: TrafficFacts): Check {
  const { kernelDrops, interfaceDrops } = losses
  const lost = kernelDrops + interfaceDrops
  if (lost === 0)
    return green(
      'drops',
      `none${zeroCopy ? '' : ' (frames are copied: this engine takes no foreign memory)'}`,
    )
  const share = ((100 * lost) / (lost + counts.packets)).toFixed(2)
  return red(
    'drops',
    `${lost} packets, ${share} % (${kernelDrops} by the kernel, ${interfaceDrops} by the network card)`,
    interfaceDrops > 0
      ? 'enlarge the card’s buffer (ethtool -G), mirror less, or use a faster port'
      : 'a larger --ring, a --bpf filter, or a machine with less other work',
  )
}

function checkClock({ clockApartMs }: TrafficFacts): Check {
  if (Math.abs(clockApartMs) < CLOCK_APART_MS) return green('packet times', 'agree with the clock')
  return amber(
    'packet times',
    `${(clockApartMs / 1000).toFixed(1)} s away from the clock`,
    'synchronize the card’s clock (phc2sys), or leave --timestamps hardware out',
  )
}

function checkSip({ counts, seconds }: TrafficFacts): Check {
  const messages = counts.sip_messages ?? 0
  if (messages > 0) return green('SIP', `${messages} messages, ${counts.calls} calls`)
  return amber(
    'SIP',
    `none in ${seconds} s: calls would have no numbers, setup or outcome`,
    'mirror the signalling as well; if it is on an unusual port, name that in sip_ports; if it is TLS, only media can be seen',
  )
}

function checkRtp(facts: TrafficFacts): Check {
  const streams = streamsOf(facts).length
  if (streams > 0) return green('RTP', `${facts.counts.rtp_packets ?? 0} packets in ${streams} streams`)
  return amber(
    'RTP',
    `none in ${facts.seconds} s`,
    'make a call and try again with --seconds 30; if there is still none, the media take another path than the mirror',
  )
}

/** Both directions: streams with a counterpart, and dialogs of which both parties' messages are seen. */
function checkDirections(facts: TrafficFacts): Check[] {
  const streams = streamsOf(facts)
  if (streams.length === 0) return []
  const ends = new Set(streams.map((s) => `${s.source_address} ${s.destination_address}`))
  const single = streams.filter((s) => !ends.has(`${s.destination_address} ${s.source_address}`)).length
  const finding = `${streams.length - single} of ${streams.length} streams have a counterpart`
  const fault = callsOf(facts).some(({ findings }) =>
    findings.some(({ code }) => code === 'mirror_one_direction'),
  )
  if (fault || (streams.length >= FEW_STREAMS && single > streams.length * MOST_SINGLE_SHARE))
    return [
      red(
        'directions',
        `${finding}: the mirror shows one direction`,
        'mirror received and sent packets (“both”, not “rx”)',
      ),
    ]
  if (single > 0)
    return [
      amber('directions', finding, 'fine for announcements and calls on hold; else mirror both directions'),
    ]
  return [green('directions', finding)]
}

function checkDuplicates(facts: TrafficFacts): Check[] {
  let packets = 0
  let copies = 0
  for (const stream of streamsOf(facts)) {
    packets += stream.packets
    copies += stream.validity?.span_duplicates ?? 0
  }
  if (packets === 0) return []
  const percent = (100 * copies) / (packets + copies)
  const finding = `${percent.toFixed(1)} % of RTP packets are mirror copies`
  if (percent <= MANY_DUPLICATES_PERCENT) return [green('duplicates', finding)]
  return [
    amber(
      'duplicates',
      `${finding}: they are counted apart and not as loss or jitter, but take room`,
      'mirror one side of each path only (ports or VLANs, not both; rx on all ports instead of both)',
    ),
  ]
}

function checkFrames({ ring, cutFrames, counts }: TrafficFacts): Check[] {
  const checks: Check[] = []
  if (ring.mergedFrames > 0)
    checks.push(
      amber(
        'frame sizes',
        `${ring.mergedFrames} frames are larger than the interface allows: merged before they were seen`,
        'ethtool -K IFACE lro off gro off, here and, for a virtual machine, on its host',
      ),
    )
  if (cutFrames > 0)
    checks.push(
      amber(
        'frame sizes',
        `${cutFrames} of ${counts.packets} frames are cut`,
        'leave --snaplen out, and let the mirror session send whole frames',
      ),
    )
  if (checks.length === 0) checks.push(green('frame sizes', 'whole frames'))
  return checks
}

function vlans(facts: TrafficFacts): string {
  const ids = [...new Set(streamsOf(facts).flatMap(({ vlan }) => vlan ?? []))].sort((a, b) => a - b)
  const tagged = facts.ring.vlanFrames
  if (tagged === 0) return 'none'
  return `${tagged} tagged frames${ids.length > 0 ? `; media in ${ids.join(', ')}` : ''}`
}

function tunnels({ counts }: TrafficFacts): string {
  const seen = Object.entries(counts.tunnels ?? {}).filter(([, count]) => count > 0)
  return seen.length === 0 ? 'none' : seen.map(([kind, count]) => `${kind} (${count} packets)`).join(', ')
}
