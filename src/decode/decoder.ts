import { etherType, ethernet, ETHERTYPE_IPV4, ETHERTYPE_VLAN, llc } from './ethernet.js'
import { gre } from './gre.js'
import { hep } from './hep.js'
import { ip, ipProtocol, ipv4, ipv6 } from './ip.js'
import * as layer from './layers.js'
import { linkHeader, LINKTYPE_ETHERNET, LINKTYPE_IPV4, LINKTYPE_RAW } from './link.js'
import { mpls } from './mpls.js'
import { KIND_UDP, type SkipReason } from './packet.js'
import { hdlc, ppp, pppoe } from './ppp.js'
import { SKIP_TUNNEL_TOO_DEEP, SKIP_UNSUPPORTED_LINK_TYPE, skippedByReason } from './skip-reason.js'
import { DecodeState } from './state.js'
import { icmp, tcp, udp } from './transport.js'
import { mayBeTunnel } from './udp-tunnels.js'
import { radiotap, wlan } from './wlan.js'

/**
 * Finds the innermost UDP, TCP or ICMP packet of a frame. The fields of the last decoded packet are the object's
 * own (see DecodedPacket); they hold until the next call. Never throws; what cannot be used is counted.
 */
export class PacketDecoder extends DecodeState {
  /** Frames of which the capture holds less than was on the wire. */
  cutFrames = 0

  /**
   * Decodes the frame of `captured` bytes at `bytes[offset]` (`view`: the same memory), `wire` bytes long on the
   * wire, of LINKTYPE_* `linkType`, seen at `timeMs`. Returns KIND_*.
   *
   * Small, so that it is inlined and the time never becomes a heap number.
   */
  decode(
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    captured: number,
    wire: number,
    linkType: number,
    timeMs: number,
  ): number {
    this.timeMs = timeMs
    return this.decodeFrame(bytes, view, offset, captured, wire, linkType)
  }

  /**
   * Straight line for the mass of packets on a mirror port: UDP in unfragmented IPv4 without options, in Ethernet
   * with at most one VLAN tag or raw. All else takes the walk over layers.
   */
  private decodeFrame(
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    captured: number,
    wire: number,
    linkType: number,
  ): number {
    if (captured < wire) this.cutFrames++
    const end = offset + captured
    if (end > bytes.length) return this.walk(bytes, view, offset, captured, wire, linkType)
    let ipAt = offset
    let vlan = -1
    if (linkType === LINKTYPE_ETHERNET) {
      ipAt = offset + 14
      if (end < ipAt + 28) return this.walk(bytes, view, offset, captured, wire, linkType)
      let type = view.getUint16(offset + 12)
      if (type === ETHERTYPE_VLAN) {
        const tag = view.getUint16(offset + 14) & 0xfff
        if (tag !== 0) vlan = tag
        type = view.getUint16(offset + 16)
        ipAt = offset + 18
      }
      if (type !== ETHERTYPE_IPV4) return this.walk(bytes, view, offset, captured, wire, linkType)
    } else if (linkType !== LINKTYPE_RAW && linkType !== LINKTYPE_IPV4) {
      return this.walk(bytes, view, offset, captured, wire, linkType)
    }
    const payload = ipAt + 28
    if (end < payload) return this.walk(bytes, view, offset, captured, wire, linkType)
    const first = view.getInt32(ipAt)
    const ipLength = first & 0xffff
    const udpLength = view.getUint16(ipAt + 24)
    if (
      first >>> 24 !== 0x45 ||
      bytes[ipAt + 9] !== 17 ||
      (view.getUint16(ipAt + 6) & 0x3fff) !== 0 ||
      udpLength < 8 ||
      udpLength + 20 > ipLength
    ) {
      return this.walk(bytes, view, offset, captured, wire, linkType)
    }
    const sourcePort = view.getUint16(ipAt + 20)
    const destinationPort = view.getUint16(ipAt + 22)
    const length = udpLength - 8
    const present = end - payload
    if (length > 0 && present > 0 && mayBeTunnel(bytes[payload], sourcePort, destinationPort)) {
      return this.walk(bytes, view, offset, captured, wire, linkType)
    }
    this.bytes = bytes
    this.view = view
    this.payloadOffset = payload
    this.payloadLength = length
    this.payloadCaptured = present < length ? present : length
    this.ipVersion = 4
    this.source0 = view.getInt32(ipAt + 12)
    this.source1 = this.source2 = this.source3 = 0
    this.destination0 = view.getInt32(ipAt + 16)
    this.destination1 = this.destination2 = this.destination3 = 0
    this.sourcePort = sourcePort
    this.destinationPort = destinationPort
    this.dscp = (first >>> 18) & 0x3f
    this.ttl = bytes[ipAt + 8]
    this.vlan = vlan
    this.ipLength = ipLength
    this.udpChecksum = view.getUint16(ipAt + 26)
    this.reassembled = false
    this.fromHep = false
    this.hepTransport = 0
    this.hepProtocolType = 0
    return KIND_UDP
  }

  /**
   * Decodes a HEP version 3 message that lies bare in a buffer (from a TCP stream): KIND_UDP or KIND_SKIPPED.
   * `timeMs` holds when the message names no time.
   */
  decodeHep(bytes: Uint8Array, view: DataView, offset: number, length: number, timeMs: number): number {
    this.start(bytes, view, offset, length, length)
    this.timeMs = timeMs
    this.setPayload(offset, length)
    return hep(this)
  }

  /** Counts the fragments that still wait for others as incomplete; call once, after the last frame. */
  finish(): void {
    this.fragments.finish()
  }

  /** Counts of what was skipped, by reason; only reasons that occurred. */
  get skippedByReason(): Partial<Record<SkipReason, number>> {
    return skippedByReason(this.skipped)
  }

  /** Encapsulations unwrapped, by name; only those that occurred. */
  get tunnels(): Partial<Record<layer.TunnelName, number>> {
    const record: Partial<Record<layer.TunnelName, number>> = {}
    layer.TUNNEL_NAMES.forEach((name, i) => {
      if (this.tunnelCounts[i] > 0) record[name] = this.tunnelCounts[i]
    })
    return record
  }

  private start(bytes: Uint8Array, view: DataView, offset: number, captured: number, wire: number): void {
    this.fragments.release()
    this.bytes = bytes
    this.view = view
    this.at = offset
    this.capturedEnd = Math.min(offset + captured, bytes.length)
    this.wireEnd = offset + Math.max(wire, captured)
    this.layers = 0
    this.vlan = -1
    this.reassembled = false
    this.fromHep = false
    this.hepTransport = 0
    this.hepProtocolType = 0
  }

  private walk(
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    captured: number,
    wire: number,
    linkType: number,
  ): number {
    this.start(bytes, view, offset, captured, wire)
    let next = linkHeader(this, linkType)
    while (next >= layer.LAYER_FIRST) {
      if (++this.layers > layer.MAX_LAYERS) return this.skip(SKIP_TUNNEL_TOO_DEEP)
      next = this.layer(next)
    }
    return next
  }

  private layer(kind: number): number {
    switch (kind) {
      case layer.LAYER_ETHERNET:
        return ethernet(this)
      case layer.LAYER_ETHERTYPE:
        return etherType(this)
      case layer.LAYER_IPV4:
        return ipv4(this)
      case layer.LAYER_IPV6:
        return ipv6(this)
      case layer.LAYER_IP_PROTOCOL:
        return ipProtocol(this)
      case layer.LAYER_UDP:
        return udp(this)
      case layer.LAYER_TCP:
        return tcp(this)
      case layer.LAYER_ICMP:
        return icmp(this)
      case layer.LAYER_IP:
        return ip(this)
      case layer.LAYER_LLC:
        return llc(this)
      case layer.LAYER_MPLS:
        return mpls(this)
      case layer.LAYER_PPPOE:
        return pppoe(this)
      case layer.LAYER_PPP:
        return ppp(this)
      case layer.LAYER_GRE:
        return gre(this)
      case layer.LAYER_WLAN:
        return wlan(this)
      case layer.LAYER_RADIOTAP:
        return radiotap(this)
      case layer.LAYER_HDLC:
        return hdlc(this)
      default:
        return this.skip(SKIP_UNSUPPORTED_LINK_TYPE)
    }
  }
}
