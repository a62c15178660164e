import type { Address, Endpoint } from './addresses.js'
import { allocateFrame, allocateScratch } from './allocate.js'

/** Ones' complement sum of 16-bit words (RFC 1071), not yet folded; `sum` is what came before. */
function addWords(sum: number, bytes: Uint8Array, from: number, to: number): number {
  let i = from
  for (; i + 1 < to; i += 2) sum += (bytes[i] << 8) | bytes[i + 1]
  if (i < to) sum += bytes[i] << 8
  return sum
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536)
  return ~sum & 0xffff
}

function put16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8
  bytes[offset + 1] = value
}

function put32(bytes: Uint8Array, offset: number, value: number): void {
  put16(bytes, offset, value >>> 16)
  put16(bytes, offset + 2, value)
}

export const PROTOCOL_ICMP = 1
export const PROTOCOL_TCP = 6
export const PROTOCOL_UDP = 17
export const PROTOCOL_GRE = 47

function checksumTransport(from: Address, to: Address, protocol: number, segment: Uint8Array): number {
  let sum = protocol + segment.length
  sum = addWords(sum, from.bytes, 0, from.bytes.length)
  sum = addWords(sum, to.bytes, 0, to.bytes.length)
  return fold(addWords(sum, segment, 0, segment.length))
}

/** A UDP datagram with its checksum. */
export function udpDatagram(from: Endpoint, to: Endpoint, payload: Uint8Array): Uint8Array {
  const datagram = allocateScratch(8 + payload.length)
  put16(datagram, 0, from.port)
  put16(datagram, 2, to.port)
  put16(datagram, 4, datagram.length)
  datagram.set(payload, 8)
  // RFC 768: a computed zero is sent as all ones.
  put16(datagram, 6, checksumTransport(from.address, to.address, PROTOCOL_UDP, datagram) || 0xffff)
  return datagram
}

export const TCP_FIN = 1
export const TCP_SYN = 2
export const TCP_PSH = 8
export const TCP_ACK = 16

/** A TCP segment without options, with its checksum. */
export function tcpSegment(
  from: Endpoint,
  to: Endpoint,
  sequence: number,
  acknowledge: number,
  flags: number,
  payload: Uint8Array,
): Uint8Array {
  const segment = allocateScratch(20 + payload.length)
  put16(segment, 0, from.port)
  put16(segment, 2, to.port)
  put32(segment, 4, sequence)
  put32(segment, 8, acknowledge)
  segment[12] = 5 << 4
  segment[13] = flags
  put16(segment, 14, 64240)
  segment.set(payload, 20)
  put16(segment, 16, checksumTransport(from.address, to.address, PROTOCOL_TCP, segment))
  return segment
}

export interface IpFields {
  dscp: number
  ttl: number
  /** 16-bit IPv4 identification; also the IPv6 fragment identification. */
  identification: number
}

function ipv4Packet(
  from: Address,
  to: Address,
  protocol: number,
  payload: Uint8Array,
  fields: IpFields,
  flagsAndOffset: number,
): Uint8Array {
  const packet = allocateScratch(20 + payload.length)
  packet[0] = 0x45
  packet[1] = fields.dscp << 2
  put16(packet, 2, packet.length)
  put16(packet, 4, fields.identification)
  put16(packet, 6, flagsAndOffset)
  packet[8] = fields.ttl
  packet[9] = protocol
  packet.set(from.bytes, 12)
  packet.set(to.bytes, 16)
  put16(packet, 10, fold(addWords(0, packet, 0, 20)))
  packet.set(payload, 20)
  return packet
}

function ipv6Packet(
  from: Address,
  to: Address,
  nextHeader: number,
  payload: Uint8Array,
  fields: IpFields,
): Uint8Array {
  const packet = allocateScratch(40 + payload.length)
  packet[0] = 0x60 | (fields.dscp >> 2)
  packet[1] = (fields.dscp & 3) << 6
  put16(packet, 4, payload.length)
  packet[6] = nextHeader
  packet[7] = fields.ttl
  packet.set(from.bytes, 8)
  packet.set(to.bytes, 24)
  packet.set(payload, 40)
  return packet
}

const DONT_FRAGMENT = 0x4000
const MORE_FRAGMENTS = 0x2000
const IPV6_FRAGMENT_HEADER = 44

/** IP packets for one transport segment: one, or fragments when it exceeds `mtu` bytes. Addresses of one version. */
export function ipPackets(
  from: Address,
  to: Address,
  protocol: number,
  segment: Uint8Array,
  fields: IpFields,
  mtu: number,
): Uint8Array[] {
  const v4 = from.version === 4
  const headerBytes = v4 ? 20 : 40
  if (headerBytes + segment.length <= mtu) {
    return [
      v4
        ? ipv4Packet(from, to, protocol, segment, fields, DONT_FRAGMENT)
        : ipv6Packet(from, to, protocol, segment, fields),
    ]
  }
  const room = (mtu - headerBytes - (v4 ? 0 : 8)) & ~7
  const packets: Uint8Array[] = []
  for (let offset = 0; offset < segment.length; offset += room) {
    const part = segment.subarray(offset, offset + room)
    const more = offset + room < segment.length
    if (v4) {
      packets.push(ipv4Packet(from, to, protocol, part, fields, (more ? MORE_FRAGMENTS : 0) | (offset >> 3)))
      continue
    }
    const body = allocateScratch(8 + part.length)
    body[0] = protocol
    put16(body, 2, offset | (more ? 1 : 0))
    put32(body, 4, fields.identification)
    body.set(part, 8)
    packets.push(ipv6Packet(from, to, IPV6_FRAGMENT_HEADER, body, fields))
  }
  return packets
}

/** A locally administered MAC that stands for an address, so that one host keeps one MAC. */
function writeMac(frame: Uint8Array, offset: number, address: Address): void {
  const b = address.bytes
  const last = b.length - 4
  frame[offset] = 0x02
  frame[offset + 1] = b[0] ^ b[1]
  for (let i = 0; i < 4; i++) frame[offset + 2 + i] = b[last + i]
}

export function ethernetFrame(from: Address, to: Address, vlans: number[], packet: Uint8Array): Uint8Array {
  const headerBytes = 14 + 4 * vlans.length
  const frame = allocateFrame(Math.max(60, headerBytes + packet.length))
  writeMac(frame, 0, to)
  writeMac(frame, 6, from)
  let offset = 12
  vlans.forEach((vlan, i) => {
    put16(frame, offset, i < vlans.length - 1 ? 0x88a8 : 0x8100)
    put16(frame, offset + 2, vlan)
    offset += 4
  })
  put16(frame, offset, from.version === 4 ? 0x0800 : 0x86dd)
  frame.set(packet, headerBytes)
  return frame
}
