import type { DecodedPacket } from '../decode/packet.js'
import type { FlowEnds } from './row.js'

/** Flows remembered, a power of two. */
const PLACES = 4096

/**
 * Flows that were told of as refused, so that each is told of once rather than with every packet. Of two that meet in a
 * place the later one takes it: the other is told of again.
 */
export class RefusedFlows {
  /** Made with the first. */
  private hashes: Int32Array | undefined

  /** Whether the flow with this hash was not told of lately; notes it. */
  isNew(hash: number): boolean {
    this.hashes ??= new Int32Array(PLACES)
    const place = hash & (PLACES - 1)
    // 0 marks a free place: such a flow is told of with every packet.
    if (this.hashes[place] === hash && hash !== 0) return false
    this.hashes[place] = hash
    return true
  }
}

/** Between which ends a packet went. */
export function flowEndsOf(p: DecodedPacket): FlowEnds {
  return {
    ipVersion: p.ipVersion,
    source: [p.source0, p.source1, p.source2, p.source3],
    destination: [p.destination0, p.destination1, p.destination2, p.destination3],
    sourcePort: p.sourcePort,
    destinationPort: p.destinationPort,
    vlan: p.vlan,
    firstArrival: p.timeMs,
  }
}
