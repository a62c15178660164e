import { describe, expect, it } from 'vitest'
import { formatAddress } from './address.js'
import { PacketDecoder } from './decoder.js'
import { KIND_SKIPPED, KIND_UDP } from './packet.js'
import { cat, decode, eth, ipv4, payload, RTP, skippedTotal, text, u16, u32, udp, v4 } from './test-frames.js'

const chunk = (type: number, value: Uint8Array | number[], vendor = 0): Uint8Array =>
  cat(u16(vendor), u16(type), u16(value.length + 6), value)
const message = (...chunks: Uint8Array[]): Uint8Array => {
  const body = cat(...chunks)
  return cat(text('HEP3'), u16(body.length + 6), body)
}
const frame = (hep: Uint8Array, port = 9060): Uint8Array => eth(0x0800, ipv4(udp(hep, 40000, port)))

/** The example of HEP/EEP specification rev. 37: a packet of 113 octets. */
const EXAMPLE = cat(
  '48 45 50 33 00 71',
  '00 00 00 01 00 07 02',
  '00 00 00 02 00 07 11',
  '00 00 00 03 00 0a d4 ca 00 01',
  '00 00 00 04 00 0a 52 74 00 d3',
  '00 00 00 07 00 08 2e ea',
  '00 00 00 08 00 08 13 c4',
  '00 00 00 09 00 0a 4e 49 82 cb',
  '00 00 00 0a 00 0a 00 01 d4 c0',
  '00 00 00 0b 00 07 01',
  '00 00 00 0c 00 0a 00 00 00 e4',
  '00 00 00 0f 00 14 49 4e 56 49 54 45 20 73 69 70 3a 62 6f 62',
)
const IPV6 = message(
  chunk(1, [10]),
  chunk(2, [6]),
  chunk(5, cat('2001 0db8 0000 0000 0000 0000 0000 0001')),
  chunk(6, cat('2001 0db8 0000 0000 0000 0000 0000 0002')),
  chunk(7, u16(5061)),
  chunk(8, u16(5060)),
  chunk(11, [1]),
  chunk(18, u16(33)),
  chunk(24, [0x68]),
  chunk(17, text('call-id'), 0),
  chunk(3, v4('10.0.0.1'), 2), // another vendor's chunk of the same number
  chunk(15, text('SIP/2.0 200 OK\r\n')),
)

describe('HEP version 3', () => {
  it('the example of the specification: 212.202.0.1:12010 to 82.116.0.211:5060', () => {
    const d = new PacketDecoder()
    expect(EXAMPLE).toHaveLength(113)
    expect(decode(d, frame(EXAMPLE), { timeMs: 5 })).toBe(KIND_UDP)
    expect(formatAddress(4, d.source0, 0, 0, 0)).toBe('212.202.0.1')
    expect(formatAddress(4, d.destination0, 0, 0, 0)).toBe('82.116.0.211')
    expect([d.sourcePort, d.destinationPort, d.hepTransport, d.hepProtocolType]).toEqual([12010, 5060, 17, 1])
    expect(d.timeMs).toBe(1313440459120)
    expect(payload(d)).toEqual(text('INVITE sip:bob'))
    expect(d.fromHep).toBe(true)
    expect(d.tunnels).toEqual({ hep: 1 })
  })

  it('leaves no mark on the next packet', () => {
    const d = new PacketDecoder()
    decode(d, frame(EXAMPLE))
    decode(d, eth(0x0800, ipv4(udp(RTP))))
    expect([d.fromHep, d.hepTransport, d.hepProtocolType, d.timeMs]).toEqual([false, 0, 0, 1000])
  })

  it('reads IPv6 addresses, transport, VLAN and TOS, and steps over chunks of vendors', () => {
    const d = new PacketDecoder()
    expect(decode(d, frame(IPV6, 9063))).toBe(KIND_UDP)
    expect(formatAddress(6, d.source0, d.source1, d.source2, d.source3)).toBe('2001:db8::1')
    expect(formatAddress(6, d.destination0, d.destination1, d.destination2, d.destination3)).toBe(
      '2001:db8::2',
    )
    expect([d.sourcePort, d.hepTransport, d.vlan, d.dscp, d.timeMs]).toEqual([5061, 6, 33, 26, 1000])
    expect(payload(d)).toEqual(text('SIP/2.0 200 OK\r\n'))
  })

  it('reads a message that came over TCP', () => {
    const d = new PacketDecoder()
    expect(d.decodeHep(EXAMPLE, new DataView(EXAMPLE.buffer), 0, EXAMPLE.length, 7)).toBe(KIND_UDP)
    expect([d.sourcePort, d.payloadLength]).toEqual([12010, 14])
  })

  it('keeps what is there of a payload that the snap length cut', () => {
    const d = new PacketDecoder()
    const whole = frame(EXAMPLE)
    expect(decode(d, whole, { captured: whole.length - 8 })).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured]).toEqual([14, 6])
    expect(payload(d)).toEqual(text('INVITE'))
  })

  it('counts every cut that leaves no payload, and throws at none', () => {
    const whole = frame(IPV6)
    for (let captured = 0; captured <= whole.length; captured++) {
      const d = new PacketDecoder()
      const kind = decode(d, whole, { captured })
      expect(skippedTotal(d)).toBe(kind === KIND_SKIPPED ? 1 : 0)
    }
  })

  it.each([
    ['a total length beyond the datagram', cat('48 45 50 33 ff ff', EXAMPLE.slice(6))],
    ['a chunk beyond the message', cat('48 45 50 33 00 71 00 00 00 01 ff ff', EXAMPLE.slice(12))],
    ['a chunk of length 0', cat('48 45 50 33 00 71 00 00 00 01 00 00', EXAMPLE.slice(12))],
    [
      'no payload',
      message(chunk(1, [2]), chunk(2, [17]), chunk(3, v4('10.0.0.1')), chunk(4, v4('10.0.0.2'))),
    ],
    ['no addresses', message(chunk(1, [2]), chunk(2, [17]), chunk(15, text('x')))],
    [
      'an IPv6 family with IPv4 addresses',
      message(chunk(1, [10]), chunk(3, v4('10.0.0.1')), chunk(4, v4('10.0.0.2')), chunk(15, text('x'))),
    ],
    [
      'a compressed payload only',
      message(chunk(1, [2]), chunk(3, v4('10.0.0.1')), chunk(4, v4('10.0.0.2')), chunk(16, u32(0))),
    ],
  ])('%s is bad_hep', (_name, hep) => {
    const d = new PacketDecoder()
    expect(decode(d, frame(hep))).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ bad_hep: 1 })
  })

  it('a datagram to port 9060 that is not HEP stays a datagram', () => {
    const d = new PacketDecoder()
    expect(decode(d, frame(text('HELLO world')))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(text('HELLO world'))
    expect(d.fromHep).toBe(false)
  })
})
