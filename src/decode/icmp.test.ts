import { describe, expect, it } from 'vitest'
import { PacketDecoder } from './decoder.js'
import { parseUnreachable } from './icmp.js'
import { KIND_ICMP, KIND_UDP } from './packet.js'
import { cat, decode, eth, ipv4, ipv6, RTP, RTP_IP, RTP_IP6, tcp, u16, udp } from './test-frames.js'

const icmp4 = (type: number, code: number, quoted: Uint8Array): Uint8Array =>
  eth(0x0800, ipv4(cat(type, code, u16(0), u16(0), u16(0), quoted), { protocol: 1, source: '203.0.113.9' }))
const icmp6 = (type: number, code: number, quoted: Uint8Array): Uint8Array =>
  eth(0x86dd, ipv6(cat(type, code, u16(0), u16(0), u16(0), quoted), 58))

describe('destination unreachable', () => {
  it('names the datagram that could not be delivered, by its quotation (RFC 792: header and 8 bytes)', () => {
    const d = new PacketDecoder()
    expect(decode(d, icmp4(3, 3, RTP_IP.slice(0, 28)))).toBe(KIND_ICMP)
    expect(parseUnreachable(d)).toMatchObject({
      ipVersion: 4,
      type: 3,
      code: 3,
      portUnreachable: true,
      reporterAddress: '203.0.113.9',
      sourceAddress: '192.0.2.1',
      sourcePort: 10000,
      destinationAddress: '198.51.100.7',
      destinationPort: 20000,
    })
    expect([...(parseUnreachable(d)?.destinationWords ?? [])]).toEqual([0xc6336407 | 0, 0, 0, 0])
  })

  it('the same for IPv6 (RFC 4443: code 4 is port unreachable), behind extension headers', () => {
    const d = new PacketDecoder()
    const quoted = ipv6(cat(17, 0, '01 04 00 00 00 00', udp(RTP)), 60)
    for (const packet of [RTP_IP6, quoted]) {
      expect(decode(d, icmp6(1, 4, packet))).toBe(KIND_ICMP)
      expect(parseUnreachable(d)).toMatchObject({
        ipVersion: 6,
        portUnreachable: true,
        sourceAddress: '2001:db8::1',
        sourcePort: 10000,
        destinationAddress: '2001:db8::2',
        destinationPort: 20000,
      })
    }
  })

  it('host unreachable is not port unreachable', () => {
    const d = new PacketDecoder()
    decode(d, icmp4(3, 1, RTP_IP))
    expect(parseUnreachable(d)).toMatchObject({ code: 1, portUnreachable: false, destinationPort: 20000 })
  })

  it('steps over options of the quoted header', () => {
    const d = new PacketDecoder()
    decode(d, icmp4(3, 3, ipv4(udp(RTP), { options: cat('94 04 00 00') })))
    expect(parseUnreachable(d)?.sourcePort).toBe(10000)
  })

  it.each([
    ['an echo', icmp4(8, 0, RTP_IP)],
    ['time exceeded', icmp4(11, 0, RTP_IP)],
    ['a quoted TCP segment', icmp4(3, 3, ipv4(tcp(RTP), { protocol: 6 }))],
    ['a quoted later fragment', icmp4(3, 3, ipv4(udp(RTP), { fragment: 0x0010 }))],
    ['a quotation without ports', icmp4(3, 3, RTP_IP.slice(0, 20))],
    ['a quotation of nothing', icmp4(3, 3, new Uint8Array(0))],
    ['an IPv6 packet in ICMP for IPv4', icmp4(3, 3, RTP_IP6)],
    ['ICMPv6 packet too big', icmp6(2, 0, RTP_IP6)],
    ['a quoted IPv6 later fragment', icmp6(1, 4, ipv6(cat(17, 0, u16(64), '00 00 00 07', udp(RTP)), 44))],
    ['a quoted ICMPv6 message', icmp6(1, 4, ipv6(new Uint8Array(16), 58))],
  ])('%s says nothing about a datagram', (_name, frame) => {
    const d = new PacketDecoder()
    expect(decode(d, frame)).toBe(KIND_ICMP)
    expect(parseUnreachable(d)).toBeUndefined()
  })

  it('every cut of the message is safe', () => {
    for (const frame of [icmp4(3, 3, RTP_IP), icmp6(1, 4, RTP_IP6)]) {
      const ports = frame.length - RTP.length - 4
      for (let captured = 0; captured <= frame.length; captured++) {
        const d = new PacketDecoder()
        if (decode(d, frame, { captured }) !== KIND_ICMP) continue
        expect(parseUnreachable(d) !== undefined).toBe(captured >= ports)
      }
    }
  })

  it('what it quotes never comes out as a datagram of its own', () => {
    const d = new PacketDecoder()
    expect(decode(d, icmp4(3, 3, RTP_IP))).not.toBe(KIND_UDP)
    expect(decode(d, icmp6(1, 4, RTP_IP6))).not.toBe(KIND_UDP)
  })
})
