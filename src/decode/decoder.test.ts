import { describe, expect, it } from 'vitest'
import { formatAddress } from './address.js'
import { PacketDecoder } from './decoder.js'
import { KIND_ICMP, KIND_SKIPPED, KIND_TCP, KIND_UDP, SKIP_REASONS } from './packet.js'
import * as skip from './skip-reason.js'
import {
  CALLEE,
  CALLER,
  cat,
  decode,
  eth,
  ipv4,
  ipv6,
  payload,
  RTP,
  RTP_ETH,
  RTP_IP,
  RTP_IP6,
  skippedTotal,
  tag,
  tcp,
  text,
  u16,
  udp,
} from './test-frames.js'

const source = (d: PacketDecoder): string =>
  formatAddress(d.ipVersion, d.source0, d.source1, d.source2, d.source3)
const destination = (d: PacketDecoder): string =>
  formatAddress(d.ipVersion, d.destination0, d.destination1, d.destination2, d.destination3)

describe('UDP in Ethernet', () => {
  it('gives addresses, ports, DSCP, TTL, lengths and payload of an IPv4 datagram', () => {
    const d = new PacketDecoder()
    expect(decode(d, RTP_ETH, { timeMs: 1234.5 })).toBe(KIND_UDP)
    expect([d.ipVersion, source(d), d.sourcePort, destination(d), d.destinationPort]).toEqual([
      4,
      CALLER,
      10000,
      CALLEE,
      20000,
    ])
    // 0xb8 is EF (46) in the upper six bits.
    expect([d.dscp, d.ttl, d.vlan, d.ipLength, d.udpChecksum, d.timeMs]).toEqual([
      46, 64, -1, 48, 0xbeef, 1234.5,
    ])
    expect([d.payloadLength, d.payloadCaptured]).toEqual([20, 20])
    expect(payload(d)).toEqual(RTP)
    expect(d.reassembled || d.fromHep).toBe(false)
  })

  it('gives the same for IPv6', () => {
    const d = new PacketDecoder()
    expect(decode(d, eth(0x86dd, RTP_IP6))).toBe(KIND_UDP)
    expect([d.ipVersion, source(d), destination(d)]).toEqual([6, '2001:db8::1', '2001:db8::2'])
    // Traffic class 0xb8.
    expect([d.dscp, d.ttl, d.ipLength]).toEqual([46, 63, 68])
    expect(payload(d)).toEqual(RTP)
  })

  it('leaves no words of an IPv6 address behind in a later IPv4 packet', () => {
    const d = new PacketDecoder()
    decode(d, eth(0x86dd, RTP_IP6))
    decode(d, RTP_ETH)
    expect([d.source1, d.source2, d.source3, d.destination1, d.destination2, d.destination3]).toEqual([
      0, 0, 0, 0, 0, 0,
    ])
    decode(d, eth(0x86dd, RTP_IP6))
    decode(d, eth(0x0800, ipv4(tcp(RTP), { protocol: 6 })))
    expect([d.source3, d.destination3]).toEqual([0, 0])
  })

  it('reports the VLAN id of an 802.1Q tag', () => {
    const d = new PacketDecoder()
    expect(decode(d, eth(0x8100, tag(100, 0x0800, RTP_IP)))).toBe(KIND_UDP)
    expect(d.vlan).toBe(100)
    expect(payload(d)).toEqual(RTP)
    decode(d, RTP_ETH)
    expect(d.vlan).toBe(-1)
  })

  it('takes VLAN id 0 for a priority tag: no VLAN', () => {
    const d = new PacketDecoder()
    expect(decode(d, eth(0x8100, tag(0, 0x0800, RTP_IP)))).toBe(KIND_UDP)
    expect(d.vlan).toBe(-1)
    expect(decode(d, eth(0x8100, tag(0, 0x86dd, RTP_IP6)))).toBe(KIND_UDP)
    expect(d.vlan).toBe(-1)
  })

  it.each([0x88a8, 0x9100, 0x9200, 0x8100])('reports the inner id of QinQ with outer tag 0x%s', (outer) => {
    const d = new PacketDecoder()
    expect(decode(d, eth(outer, tag(7, 0x8100, tag(42, 0x0800, RTP_IP))))).toBe(KIND_UDP)
    expect(d.vlan).toBe(42)
    expect(payload(d)).toEqual(RTP)
  })

  it('does not count Ethernet padding as payload', () => {
    const d = new PacketDecoder()
    const padded = cat(eth(0x0800, ipv4(udp(cat('80')))), new Uint8Array(30))
    expect(decode(d, padded)).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured]).toEqual([1, 1])
    expect(decode(d, cat(eth(0x86dd, ipv6(udp(cat('80')))), new Uint8Array(30)))).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured]).toEqual([1, 1])
  })

  it('does not read Ethernet padding as a header', () => {
    const d = new PacketDecoder()
    expect(decode(d, cat(eth(0x0800, ipv4(cat('00 00'), { protocol: 47 })), new Uint8Array(24)))).toBe(
      KIND_SKIPPED,
    )
    expect(d.skippedByReason).toEqual({ bad_tunnel_header: 1 })
  })

  it('bounds the payload by the UDP length and by the IP length', () => {
    const d = new PacketDecoder()
    decode(d, eth(0x0800, ipv4(udp(RTP, 1, 2, 8 + 12))))
    expect([d.payloadLength, d.payloadCaptured]).toEqual([12, 12])
    decode(d, eth(0x0800, ipv4(udp(RTP, 1, 2, 200))))
    expect([d.payloadLength, d.payloadCaptured]).toEqual([20, 20])
    decode(d, eth(0x86dd, ipv6(udp(RTP, 1, 2, 8 + 12))))
    expect([d.payloadLength, d.payloadCaptured]).toEqual([12, 12])
    decode(d, eth(0x86dd, ipv6(udp(RTP, 1, 2, 200))))
    expect([d.payloadLength, d.payloadCaptured]).toEqual([20, 20])
  })

  it('keeps the promised length of a frame that the snap length cut, and counts it', () => {
    const d = new PacketDecoder()
    expect(decode(d, RTP_ETH, { captured: 14 + 28 + 12 })).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured, d.cutFrames]).toEqual([20, 12, 1])
    expect(decode(d, eth(0x86dd, RTP_IP6), { captured: 14 + 48 + 3 })).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured, d.cutFrames]).toEqual([20, 3, 2])
    expect(decode(d, RTP_ETH, { captured: 14 + 28 })).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured, d.cutFrames]).toEqual([20, 0, 3])
  })

  it('accepts an empty datagram, which keeps NAT bindings open', () => {
    const d = new PacketDecoder()
    expect(decode(d, eth(0x0800, ipv4(udp(new Uint8Array(0)))))).toBe(KIND_UDP)
    expect([d.payloadLength, d.payloadCaptured]).toEqual([0, 0])
  })

  it('takes a total length of 0 (segmentation offload) as the rest of the frame', () => {
    const d = new PacketDecoder()
    expect(decode(d, eth(0x0800, ipv4(tcp(RTP), { protocol: 6, totalLength: 0 })))).toBe(KIND_TCP)
    expect([d.payloadLength, d.ipLength]).toEqual([20, 60])
    expect(decode(d, eth(0x0800, ipv4(udp(RTP), { totalLength: 0 })))).toBe(KIND_UDP)
    expect(d.payloadLength).toBe(20)
  })

  it('steps over IPv4 options', () => {
    const d = new PacketDecoder()
    expect(decode(d, eth(0x0800, ipv4(udp(RTP), { options: cat('94 04 00 00 01 01 01 00') })))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(RTP)
    expect(d.ipLength).toBe(56)
  })

  it('steps over hop-by-hop, routing, destination, authentication and empty fragment headers of IPv6', () => {
    const d = new PacketDecoder()
    const chain = cat(
      cat(43, 0, '01 04 00 00 00 00'), // hop-by-hop with padding
      cat(60, 2, '00 00 00 00 00 00', new Uint8Array(16)), // routing, 24 bytes
      cat(51, 0, '01 04 00 00 00 00'), // destination options
      cat(44, 4, u16(0), new Uint8Array(20)), // AH: (4 + 2) * 4 = 24 bytes
      cat(17, 0, u16(0), '00 00 00 09'), // atomic fragment (RFC 6946)
      udp(RTP),
    )
    expect(decode(d, eth(0x86dd, ipv6(chain, 0)))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(RTP)
    expect(d.reassembled).toBe(false)
  })
})

describe('TCP and ICMP', () => {
  it('gives sequence number, flags and payload of a TCP segment with options', () => {
    const d = new PacketDecoder()
    const segment = tcp(text('INVITE'), { sequence: 0xfffffff0, acknowledgement: 0x80000001, flags: 0x18 })
    const withOptions = cat(
      segment.slice(0, 12),
      0x80,
      segment.slice(13, 20),
      '01 01 08 0a',
      new Uint8Array(8),
      text('INVITE'),
    )
    expect(decode(d, eth(0x0800, ipv4(withOptions, { protocol: 6 })))).toBe(KIND_TCP)
    expect([d.tcpSequence >>> 0, d.tcpAcknowledgement >>> 0, d.tcpFlags]).toEqual([
      0xfffffff0, 0x80000001, 0x18,
    ])
    expect(payload(d)).toEqual(text('INVITE'))
    expect(d.payloadLength).toBe(6)
  })

  it('does not count Ethernet padding as TCP payload', () => {
    const d = new PacketDecoder()
    expect(
      decode(d, cat(eth(0x0800, ipv4(tcp(new Uint8Array(0)), { protocol: 6 })), new Uint8Array(6))),
    ).toBe(KIND_TCP)
    expect(d.payloadLength).toBe(0)
  })

  it('gives an ICMP message whole, and never the RTP that it quotes', () => {
    const d = new PacketDecoder()
    const message = cat('03 03 00 00 00 00 00 00', RTP_IP)
    expect(decode(d, eth(0x0800, ipv4(message, { protocol: 1 })))).toBe(KIND_ICMP)
    expect(payload(d)).toEqual(message)
    expect(decode(d, eth(0x86dd, ipv6(cat('01 04 00 00 00 00 00 00', RTP_IP6), 58)))).toBe(KIND_ICMP)
    expect(d.sourcePort).toBe(0)
  })
})

describe('what is skipped is counted under its reason', () => {
  const reasons: [string, string, Uint8Array, number?][] = [
    ['ARP', 'not_ip', eth(0x0806, new Uint8Array(28))],
    ['LLDP', 'not_ip', eth(0x88cc, new Uint8Array(40))],
    ['spanning tree over LLC', 'not_ip', eth(38, cat('42 42 03', new Uint8Array(35)))],
    ['CDP over SNAP', 'not_ip', eth(60, cat('aa aa 03 00 00 0c 20 00', new Uint8Array(50)))],
    ['a MACsec frame', 'encrypted_frame', eth(0x88e5, cat('2c 00', new Uint8Array(40)))],
    ['an unknown link type', 'unsupported_link_type', RTP_ETH, 9999],
    ['a frame shorter than its link header', 'truncated_link_header', RTP_ETH.slice(0, 13)],
    ['a cut VLAN tag', 'truncated_link_header', eth(0x8100, cat('00 64 08'))],
    ['a cut IPv4 header', 'truncated_ip_header', RTP_ETH.slice(0, 14 + 19)],
    ['a cut IPv6 header', 'truncated_ip_header', eth(0x86dd, RTP_IP6.slice(0, 39))],
    ['IPv4 header length 4', 'bad_ip_header', eth(0x0800, cat(0x44, RTP_IP.slice(1)))],
    ['EtherType IPv4 with version 6', 'bad_ip_header', eth(0x0800, RTP_IP6)],
    ['total length below the header', 'bad_ip_header', eth(0x0800, ipv4(udp(RTP), { totalLength: 19 }))],
    ['a cut UDP header', 'truncated_transport_header', RTP_ETH.slice(0, 14 + 27)],
    ['UDP length 7', 'bad_udp_length', eth(0x0800, ipv4(udp(RTP, 1, 2, 7)))],
    ['no room for a UDP header', 'bad_udp_length', eth(0x0800, ipv4(new Uint8Array(7)))],
    [
      'a cut TCP header',
      'truncated_transport_header',
      eth(0x0800, ipv4(tcp(RTP), { protocol: 6 })).slice(0, 53),
    ],
    [
      'TCP data offset 4',
      'bad_tcp_header',
      eth(0x0800, ipv4(cat(tcp(RTP).slice(0, 12), 0x40, new Uint8Array(7)), { protocol: 6 })),
    ],
    [
      'TCP header beyond the packet',
      'bad_tcp_header',
      eth(0x0800, ipv4(cat(tcp(RTP).slice(0, 12), 0xf0, new Uint8Array(7)), { protocol: 6 })),
    ],
    ['ESP', 'unsupported_ip_protocol', eth(0x0800, ipv4(new Uint8Array(40), { protocol: 50 }))],
    ['ESP in IPv6', 'unsupported_ip_protocol', eth(0x86dd, ipv6(new Uint8Array(40), 50))],
    ['OSPF', 'unsupported_ip_protocol', eth(0x0800, ipv4(new Uint8Array(40), { protocol: 89 }))],
  ]
  it.each(reasons)('%s: %s', (_name, reason, frame, linkType) => {
    const d = new PacketDecoder()
    expect(decode(d, frame, { linkType })).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ [reason]: 1 })
  })

  it('names every reason that has a position', () => {
    const positions = Object.entries(skip).filter(([name]) => name.startsWith('SKIP_'))
    const named = positions.map(([name, i]) => [SKIP_REASONS[Number(i)], name.slice(5).toLowerCase()])
    expect(named).toHaveLength(SKIP_REASONS.length)
    for (const [reason, name] of named) expect(reason).toBe(name)
  })

  it('every cut of a frame is either a packet with less payload or counted once', () => {
    const frames = [
      RTP_ETH,
      eth(0x8100, tag(5, 0x86dd, RTP_IP6)),
      eth(0x0800, ipv4(tcp(RTP), { protocol: 6 })),
    ]
    for (const frame of frames) {
      const headers = frame.length - RTP.length
      for (let captured = 0; captured <= frame.length; captured++) {
        const d = new PacketDecoder()
        const kind = decode(d, frame, { captured })
        expect(kind === KIND_SKIPPED).toBe(captured < headers)
        expect(skippedTotal(d)).toBe(captured < headers ? 1 : 0)
        if (kind !== KIND_SKIPPED) expect(d.payloadCaptured).toBe(captured - headers)
      }
    }
  })
})
