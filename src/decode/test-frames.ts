/** Byte builders for tests: each writes one header by hand in front of a payload. */
import { PacketDecoder } from './decoder.js'

export type Part = number | readonly number[] | Uint8Array | string

/** Joins bytes; numbers are single bytes, strings are hex with or without blanks. */
export function cat(...parts: Part[]): Uint8Array {
  const out: number[] = []
  for (const part of parts) {
    if (typeof part === 'number') out.push(part)
    else if (typeof part === 'string') out.push(...Buffer.from(part.replace(/\s+/g, ''), 'hex'))
    else out.push(...part)
  }
  return Uint8Array.from(out)
}

export const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255]
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]
export const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'))
export const v4 = (address: string): number[] => address.split('.').map(Number)

/** 12 bytes of RTP header and 8 of payload. */
export const RTP = cat('80 00 12 34 00 00 10 00 de ad be ef', '00 01 02 03 04 05 06 07')
export const CALLER = '192.0.2.1'
export const CALLEE = '198.51.100.7'
/** 2001:db8::1 and 2001:db8::2 */
export const CALLER6 = '2001 0db8 0000 0000 0000 0000 0000 0001'
export const CALLEE6 = '2001 0db8 0000 0000 0000 0000 0000 0002'

export function udp(
  payload: Uint8Array,
  sourcePort = 10000,
  destinationPort = 20000,
  length = 8 + payload.length,
) {
  return cat(u16(sourcePort), u16(destinationPort), u16(length), u16(0xbeef), payload)
}

export interface TcpHeader {
  sourcePort?: number
  destinationPort?: number
  sequence?: number
  acknowledgement?: number
  flags?: number
}

export function tcp(payload: Uint8Array, header: TcpHeader = {}): Uint8Array {
  const h = {
    sourcePort: 5060,
    destinationPort: 5060,
    sequence: 1,
    acknowledgement: 0,
    flags: 0x18,
    ...header,
  }
  return cat(
    u16(h.sourcePort),
    u16(h.destinationPort),
    u32(h.sequence),
    u32(h.acknowledgement),
    0x50,
    h.flags,
    u16(0xffff),
    u16(0),
    u16(0),
    payload,
  )
}

export interface Ipv4Header {
  protocol?: number
  source?: string
  destination?: string
  tos?: number
  ttl?: number
  identification?: number
  /** Flags and fragment offset in units of 8, as in the header. */
  fragment?: number
  /** Multiple of 4. */
  options?: Uint8Array
  totalLength?: number
}

export function ipv4(payload: Uint8Array, header: Ipv4Header = {}): Uint8Array {
  const options = header.options ?? new Uint8Array(0)
  return cat(
    0x45 + options.length / 4,
    header.tos ?? 0xb8,
    u16(header.totalLength ?? 20 + options.length + payload.length),
    u16(header.identification ?? 0x1111),
    u16(header.fragment ?? 0x4000),
    header.ttl ?? 64,
    header.protocol ?? 17,
    u16(0),
    v4(header.source ?? CALLER),
    v4(header.destination ?? CALLEE),
    options,
    payload,
  )
}

export function ipv6(
  payload: Uint8Array,
  nextHeader = 17,
  source = CALLER6,
  destination = CALLEE6,
): Uint8Array {
  return cat(0x6b, 0x80, u16(0), u16(payload.length), nextHeader, 63, source, destination, payload)
}

export const MACS = cat('02 00 00 00 00 02', '02 00 00 00 00 01')
export const eth = (type: number, payload: Uint8Array): Uint8Array => cat(MACS, u16(type), payload)
export const tag = (id: number, type: number, payload: Uint8Array): Uint8Array =>
  cat(u16(0xa000 | id), u16(type), payload)

/** RTP in UDP in IPv4: the packet that every encapsulation must give back. */
export const RTP_IP = ipv4(udp(RTP))
export const RTP_ETH = eth(0x0800, RTP_IP)
export const RTP_IP6 = ipv6(udp(RTP))

export interface FrameOptions {
  linkType?: number
  captured?: number
  wire?: number
  timeMs?: number
}

/** Decodes a frame that lies in the middle of a larger buffer full of 0xff, as frames of a batch do. */
export function decode(decoder: PacketDecoder, frame: Uint8Array, options: FrameOptions = {}): number {
  const buffer = new Uint8Array(frame.length + 64).fill(0xff)
  buffer.set(frame, 16)
  const view = new DataView(buffer.buffer)
  const captured = options.captured ?? frame.length
  const wire = options.wire ?? frame.length
  return decoder.decode(buffer, view, 16, captured, wire, options.linkType ?? 1, options.timeMs ?? 1000)
}

/** The payload bytes present of the last decoded packet. */
export function payload(decoder: PacketDecoder): Uint8Array {
  return decoder.bytes.slice(decoder.payloadOffset, decoder.payloadOffset + decoder.payloadCaptured)
}

/** Sum of the counters of skipped frames. */
export function skippedTotal(decoder: PacketDecoder): number {
  return decoder.skipped.reduce((sum, count) => sum + count, 0)
}
