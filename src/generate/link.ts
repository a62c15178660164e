import type { Address } from './addresses.js'
import { encapsulate, type Tunnel } from './encapsulate.js'
import type { GeneratedPacket } from './frame-source.js'
import { ethernetFrame, type IpFields, ipPackets } from './frames.js'

/** Expedited forwarding (RFC 3246): media, unless a scenario says otherwise. */
export const DEFAULT_DSCP = 46
export const DEFAULT_TTL = 64

/** Where frames are seen: tags, tunnel and limits. */
export interface Link {
  /** 802.1Q ids, outermost first. */
  vlans: number[]
  tunnel: Tunnel | null
  mtu: number
  /** 0 = whole frames. */
  snaplen: number
}

/** Frames (one, or one per fragment) that carry a transport segment over `link`. */
export function buildFrames(
  link: Link,
  from: Address,
  to: Address,
  protocol: number,
  segment: Uint8Array,
  fields: IpFields,
): Uint8Array[] {
  return ipPackets(from, to, protocol, segment, fields, link.mtu).map((packet) => {
    const frame = ethernetFrame(from, to, link.vlans, packet)
    return link.tunnel ? encapsulate(link.tunnel, frame, fields.identification) : frame
  })
}

/** Cuts a frame to the link's snap length. */
export function capture(link: Link, timeMs: number, frame: Uint8Array): GeneratedPacket {
  if (link.snaplen === 0 || frame.length <= link.snaplen) return { timeMs, frame }
  return { timeMs, frame: frame.slice(0, link.snaplen), wireLength: frame.length }
}
