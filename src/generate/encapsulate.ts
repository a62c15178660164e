import type { Endpoint } from './addresses.js'
import { ethernetFrame, ipPackets, PROTOCOL_GRE, PROTOCOL_UDP, udpDatagram } from './frames.js'

export interface Tunnel {
  kind: 'vxlan' | 'erspan'
  source: Endpoint
  destination: Endpoint
  /** VXLAN network identifier (24 bits) or ERSPAN session (10 bits). */
  id: number
}

const VXLAN_PORT = 4789
const NO_LIMIT = 65535

/** RFC 7348 section 5: flags with I, reserved, network identifier, reserved. */
function vxlanHeader(id: number): number[] {
  return [0x08, 0, 0, 0, id >>> 16, (id >>> 8) & 0xff, id & 0xff, 0]
}

/** GRE with the S bit and protocol 0x88BE, its sequence number, then the 8 bytes of ERSPAN type II. */
function erspanHeader(id: number, sequence: number): number[] {
  const gre = [0x10, 0x00, 0x88, 0xbe, 0, 0, sequence >> 8, sequence & 0xff]
  return [...gre, 0x10, 0x00, (id >> 8) & 0x03, id & 0xff, 0, 0, 0, 0]
}

/** Wraps a frame as a tunnelling mirror would; `identification` numbers the outer packet. */
export function encapsulate(tunnel: Tunnel, frame: Uint8Array, identification: number): Uint8Array {
  const header = tunnel.kind === 'vxlan' ? vxlanHeader(tunnel.id) : erspanHeader(tunnel.id, identification)
  const body = new Uint8Array(header.length + frame.length)
  body.set(header)
  body.set(frame, header.length)
  const { source, destination } = tunnel
  const vxlanTo = { address: destination.address, port: VXLAN_PORT }
  const segment = tunnel.kind === 'vxlan' ? udpDatagram(source, vxlanTo, body) : body
  const protocol = tunnel.kind === 'vxlan' ? PROTOCOL_UDP : PROTOCOL_GRE
  const fields = { dscp: 0, ttl: 64, identification }
  const [packet] = ipPackets(source.address, destination.address, protocol, segment, fields, NO_LIMIT)
  return ethernetFrame(source.address, destination.address, [], packet)
}
