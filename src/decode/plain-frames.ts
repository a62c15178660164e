import { ETHERTYPE_IPV4, ETHERTYPE_VLAN } from './ethernet.js'
import { LINKTYPE_ETHERNET } from './link.js'
import { VXLAN_GROUP_POLICY } from './udp-tunnels.js'

/** Header bytes before an RTP packet's own: IPv4 without options, UDP. */
export const PLAIN_HEADERS = 28
const RTP_HEADER = 12

/**
 * Finds the shape that nearly all frames on a mirror port have: a whole Ethernet frame (at most one VLAN tag) with an
 * unfragmented IPv4 packet without options, UDP, and at least twelve bytes that could begin an RTP packet. What it
 * passes, `PacketDecoder` would decode to the same fields; all else takes that way.
 *
 * @param view has the whole frame: `captured` bytes from `offset` on
 * @returns offset of the IPv4 header, or -1
 */
export function plainIpv4At(
  view: DataView,
  offset: number,
  captured: number,
  wire: number,
  linkType: number,
): number {
  if (linkType !== LINKTYPE_ETHERNET || captured < 14 + 4 + PLAIN_HEADERS + RTP_HEADER || captured !== wire) {
    return -1
  }
  let type = view.getUint16(offset + 12)
  let at = offset + 14
  if (type === ETHERTYPE_VLAN) {
    type = view.getUint16(offset + 16)
    at = offset + 18
  }
  const word = view.getInt32(at)
  const udpLength = view.getUint16(at + 24)
  const rtp = view.getUint8(at + PLAIN_HEADERS)
  if (
    type === ETHERTYPE_IPV4 &&
    word >>> 24 === 0x45 &&
    view.getUint8(at + 9) === 17 &&
    (view.getUint16(at + 6) & 0x3fff) === 0 &&
    udpLength >= 8 + RTP_HEADER &&
    udpLength + 20 <= (word & 0xffff) &&
    at + 20 + udpLength <= offset + captured &&
    rtp >> 6 === 2 &&
    rtp !== VXLAN_GROUP_POLICY
  ) {
    return at
  }
  return -1
}
