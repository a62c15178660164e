import type { DecodedPacket } from '../decode/packet.js'
import { parseAddress } from '../decode/address.js'

/** The ends of a UDP flow, addresses as in DecodedPacket. */
export interface FlowEnds {
  source: Int32Array
  sourcePort: number
  destination: Int32Array
  destinationPort: number
}

/** @returns undefined when an address is none */
export function flowEnds(
  sourceAddress: string,
  sourcePort: number,
  destinationAddress: string,
  destinationPort: number,
): FlowEnds | undefined {
  const source = parseAddress(sourceAddress)?.words
  const destination = parseAddress(destinationAddress)?.words
  return source && destination && { source, sourcePort, destination, destinationPort }
}

/** What of a packet says which flow it is of. */
export type FlowPacket = Pick<
  DecodedPacket,
  | 'source0'
  | 'source1'
  | 'source2'
  | 'source3'
  | 'destination0'
  | 'destination1'
  | 'destination2'
  | 'destination3'
  | 'sourcePort'
  | 'destinationPort'
>

/** Flows that are looked for in every packet, found by ports first. Each has a value of its own. */
export class FlowTable<T> {
  private readonly byPorts = new Map<number, { ends: FlowEnds; value: T }[]>()

  /** The value of these ends, made when they are new. */
  at(ends: FlowEnds, make: () => T): T {
    const key = portsKey(ends.sourcePort, ends.destinationPort)
    const flows = this.byPorts.get(key) ?? []
    const known = flows.find((flow) => sameEnds(flow.ends, ends))
    if (known) return known.value
    const value = make()
    flows.push({ ends, value })
    this.byPorts.set(key, flows)
    return value
  }

  of(p: FlowPacket): T | undefined {
    const flows = this.byPorts.get(portsKey(p.sourcePort, p.destinationPort))
    return flows?.find(({ ends }) => isOf(ends, p))?.value
  }

  find(ends: FlowEnds): T | undefined {
    const flows = this.byPorts.get(portsKey(ends.sourcePort, ends.destinationPort))
    return flows?.find((flow) => sameEnds(flow.ends, ends))?.value
  }

  get size(): number {
    let size = 0
    for (const flows of this.byPorts.values()) size += flows.length
    return size
  }
}

function portsKey(source: number, destination: number): number {
  return source * 65_536 + destination
}

function sameEnds(a: FlowEnds, b: FlowEnds): boolean {
  if (a.sourcePort !== b.sourcePort || a.destinationPort !== b.destinationPort) return false
  for (let n = 0; n < 4; n++)
    if (a.source[n] !== b.source[n] || a.destination[n] !== b.destination[n]) return false
  return true
}

function isOf({ source: s, destination: d }: FlowEnds, p: FlowPacket): boolean {
  return (
    s[0] === p.source0 &&
    d[0] === p.destination0 &&
    s[1] === p.source1 &&
    s[2] === p.source2 &&
    s[3] === p.source3 &&
    d[1] === p.destination1 &&
    d[2] === p.destination2 &&
    d[3] === p.destination3
  )
}
