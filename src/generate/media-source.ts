import type { Endpoint } from './addresses.js'
import type { FrameSource, GeneratedPacket } from './frame-source.js'
import { PROTOCOL_UDP, udpDatagram } from './frames.js'
import { arrivalOrder, type ArrivalOrder, sightingMs } from './impairments.js'
import { buildFrames, capture, DEFAULT_DSCP, DEFAULT_TTL, type Link } from './link.js'
import { LOST_BEFORE_TAP, MIRROR_DROPPED } from './packet-list.js'
import { rtpPacket } from './rtp-packet.js'
import type { DirectionSpec } from './scenario.js'
import type { Sender } from './sender.js'

/** Where a direction's packets go: the endpoint in force is the last one whose time has come. */
export type Destinations = { timeMs: number; endpoint: Endpoint }[]

/** Builds the frames of one sender's RTP as they are asked for, in the order in which the tap sees them. */
export class MediaSource implements FrameSource {
  private readonly order: ArrivalOrder
  private readonly waiting: GeneratedPacket[] = []
  private position = 0

  constructor(
    private readonly sender: Sender,
    private readonly spec: DirectionSpec,
    private readonly link: Link,
    private readonly destinations: Destinations,
    private readonly srtp: boolean,
  ) {
    this.order = arrivalOrder(
      sender.packets,
      LOST_BEFORE_TAP | MIRROR_DROPPED,
      true,
      spec.duplicates?.after_ms ?? 0,
    )
  }

  get nextMs(): number {
    if (this.waiting.length > 0) return this.waiting[0].timeMs
    if (this.position >= this.order.codes.length) return Infinity
    return sightingMs(this.sender.packets, this.order, this.order.codes[this.position])
  }

  take(): GeneratedPacket | null {
    if (this.waiting.length === 0 && this.position < this.order.codes.length) this.build()
    return this.waiting.shift() ?? null
  }

  private build(): void {
    const code = this.order.codes[this.position++]
    const { spec, sender } = this
    const timeMs = sightingMs(sender.packets, this.order, code)
    const index = code >>> 1
    const mirrored = (code & 1) === 1 && spec.duplicates?.kind !== 'network' ? spec.duplicates : undefined
    const vlan = mirrored?.vlan ?? spec.vlan
    const link =
      vlan === undefined ? this.link : { ...this.link, vlans: [...this.link.vlans.slice(0, -1), vlan] }
    const source = sender.sources[sender.packets.source[index]]
    const sentMs = sender.packets.sentMs[index]
    let destination = this.destinations[0].endpoint
    for (const later of this.destinations) if (later.timeMs <= sentMs) destination = later.endpoint
    const datagram = udpDatagram(source, destination, rtpPacket(sender, index, spec, this.srtp))
    const fields = {
      dscp: spec.dscp ?? DEFAULT_DSCP,
      ttl: (spec.ttl ?? DEFAULT_TTL) + (mirrored?.ttl_change ?? 0),
      identification: index & 0xffff,
    }
    const frames = buildFrames(link, source.address, destination.address, PROTOCOL_UDP, datagram, fields)
    for (const frame of frames) this.waiting.push(capture(link, timeMs, frame))
  }
}
