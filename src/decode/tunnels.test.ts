import { describe, expect, it } from 'vitest'
import { PacketDecoder } from './decoder.js'
import { KIND_SKIPPED, KIND_UDP } from './packet.js'
import {
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
  text,
  u16,
  u32,
  udp,
} from './test-frames.js'

const OUTER = { source: '203.0.113.1', destination: '203.0.113.2' }
const overIp = (protocol: number, inside: Uint8Array): Uint8Array =>
  eth(0x0800, ipv4(inside, { ...OUTER, protocol }))
const overUdp = (port: number, inside: Uint8Array): Uint8Array => overIp(17, udp(inside, 54321, port))
const gre = (flags: number, type: number, ...inside: Uint8Array[]): Uint8Array =>
  overIp(47, cat(u16(flags), u16(type), ...inside))
const label = (id: number, bottom: 0 | 1): Uint8Array => cat(u32(((id << 12) | (bottom << 8) | 64) >>> 0))
const gtp = (flags: number, optional: Uint8Array, inside: Uint8Array): Uint8Array =>
  overUdp(2152, cat(flags, 255, u16(optional.length + inside.length), '00 00 00 2a', optional, inside))
const geneve = (options: Uint8Array, type: number, inside: Uint8Array): Uint8Array =>
  overUdp(6081, cat(options.length / 4, 0, u16(type), '00 00 2a 00', options, inside))
/** A MAC that starts like IPv4, but whose bytes make no length that fits. */
const ETH_LIKE_IP = cat('45 00 ff ff 00 01 02 00 00 00 00 02', u16(0x0800), RTP_IP)
const ETH_ZERO_MAC = cat('00 1b 17 00 01 30 00 1b 17 00 01 31', u16(0x0800), RTP_IP)
const ERSPAN2 = cat('10 2a 08 01 00 00 00 05')
const ERSPAN3 = (last: number): Uint8Array => cat('20 2a 00 01', u32(12345), u16(0), u16(last))

const frames: [string, string, Uint8Array][] = [
  ['MPLS with IPv4', 'mpls', eth(0x8847, cat(label(100, 1), RTP_IP))],
  [
    'MPLS with three labels and IPv6',
    'mpls',
    eth(0x8848, cat(label(1, 0), label(2, 0), label(3, 1), RTP_IP6)),
  ],
  ['MPLS pseudowire with control word', 'mpls', eth(0x8847, cat(label(9, 1), '00 00 00 07', RTP_ETH))],
  ['MPLS pseudowire without control word', 'mpls', eth(0x8847, cat(label(9, 1), RTP_ETH))],
  ['MPLS pseudowire without control word, MAC 00:1b', 'mpls', eth(0x8847, cat(label(9, 1), ETH_ZERO_MAC))],
  [
    'MPLS pseudowire with control word, MAC 00:1b',
    'mpls',
    eth(0x8847, cat(label(9, 1), u32(0), ETH_ZERO_MAC)),
  ],
  ['MPLS pseudowire without control word, MAC 45:00', 'mpls', eth(0x8847, cat(label(9, 1), ETH_LIKE_IP))],
  ['PPPoE session', 'pppoe', eth(0x8864, cat('11 00 00 01', u16(RTP_IP.length + 2), '00 21', RTP_IP))],
  [
    'PPPoE session with IPv6 in a VLAN',
    'pppoe',
    eth(0x8100, tag(7, 0x8864, cat('11 00 00 01 00 50 00 57', RTP_IP6))),
  ],
  ['GRE', 'gre', gre(0, 0x0800, RTP_IP)],
  ['GRE with checksum, key and sequence', 'gre', gre(0xb000, 0x86dd, cat(u32(0), u32(7), u32(1)), RTP_IP6)],
  ['GRE with Ethernet (TEB)', 'gre', gre(0x2000, 0x6558, cat(u32(7)), RTP_ETH)],
  ['GRE with MPLS', 'gre', gre(0, 0x8847, label(5, 1), RTP_IP)],
  ['GRE over IPv6', 'gre', eth(0x86dd, ipv6(cat('00 00 08 00', RTP_IP), 47))],
  [
    'PPTP',
    'gre',
    gre(0x3001, 0x880b, cat(u16(RTP_IP.length + 4), u16(1), u32(1)), cat('ff 03 00 21', RTP_IP)),
  ],
  [
    'PPTP with acknowledgement',
    'gre',
    gre(0x3081, 0x880b, cat(u16(50), u16(1), u32(1), u32(0)), cat('21', RTP_IP)),
  ],
  ['ERSPAN type I', 'erspan', gre(0, 0x88be, RTP_ETH)],
  ['ERSPAN type II', 'erspan', gre(0x1000, 0x88be, cat(u32(99)), ERSPAN2, RTP_ETH)],
  ['ERSPAN type III', 'erspan', gre(0x1000, 0x22eb, cat(u32(99)), ERSPAN3(0), RTP_ETH)],
  [
    'ERSPAN type III with platform data',
    'erspan',
    gre(0x1000, 0x22eb, cat(u32(99)), ERSPAN3(1), new Uint8Array(8), RTP_ETH),
  ],
  ['ERSPAN type III with IP', 'erspan', gre(0x1000, 0x22eb, cat(u32(99)), ERSPAN3(2 << 10), RTP_IP)],
  ['IP in IP', 'ip_in_ip', overIp(4, RTP_IP)],
  ['6in4', 'ip_in_ip', overIp(41, RTP_IP6)],
  ['4in6', 'ip_in_ip', eth(0x86dd, ipv6(RTP_IP, 4))],
  ['VXLAN', 'vxlan', overUdp(4789, cat('08 00 00 00 00 00 2a 00', RTP_ETH))],
  ['VXLAN on the old Linux port', 'vxlan', overUdp(8472, cat('08 00 00 00 00 00 2a 00', RTP_ETH))],
  [
    'VXLAN with group policy, whose first byte is 0x88',
    'vxlan',
    overUdp(4789, cat('88 48 00 05 00 00 2a 00', RTP_ETH)),
  ],
  ['VXLAN over IPv6', 'vxlan', eth(0x86dd, ipv6(udp(cat('08 00 00 00 00 00 2a 00', RTP_ETH), 1, 4789)))],
  ['VXLAN-GPE with Ethernet', 'vxlan', overUdp(4790, cat('0c 00 00 03 00 00 2a 00', RTP_ETH))],
  ['VXLAN-GPE with IPv4', 'vxlan', overUdp(4790, cat('0c 00 00 01 00 00 2a 00', RTP_IP))],
  ['VXLAN-GPE with IPv6', 'vxlan', overUdp(4790, cat('0c 00 00 02 00 00 2a 00', RTP_IP6))],
  ['GENEVE with Ethernet', 'geneve', geneve(new Uint8Array(0), 0x6558, RTP_ETH)],
  ['GENEVE with options and IPv4', 'geneve', geneve(cat('01 08 01 01', u32(5)), 0x0800, RTP_IP)],
  ['GTP-U', 'gtp', gtp(0x30, new Uint8Array(0), RTP_IP)],
  ['GTP-U with sequence number', 'gtp', gtp(0x32, cat('00 01 00 00'), RTP_IP6)],
  [
    'GTP-U with two extension headers',
    'gtp',
    gtp(0x34, cat('00 00 00 85', '01 10 00 40', '02 00 00 00 00 00 00 00'), RTP_IP),
  ],
  ['Teredo', 'teredo', overUdp(3544, RTP_IP6)],
  ['Teredo with origin indication', 'teredo', overUdp(3544, cat('00 00 10 20 30 40 50 60', RTP_IP6))],
  ['TZSP', 'tzsp', overUdp(37008, cat('01 00 00 01', '0a 01 c0', '00', '01', RTP_ETH))],
  [
    'TZSP with 802.11',
    'tzsp',
    overUdp(
      37008,
      cat('01 00 00 12 01', '08 02 00 00', new Uint8Array(18), '00 00', 'aa aa 03 00 00 00 08 00', RTP_IP),
    ),
  ],
  [
    'VXLAN in GRE in a VLAN',
    'vxlan',
    eth(
      0x8100,
      tag(
        3,
        0x0800,
        ipv4(cat('00 00 08 00', ipv4(udp(cat('08 00 00 00 00 00 01 00', RTP_ETH), 1, 4789))), {
          protocol: 47,
        }),
      ),
    ),
  ],
]

describe('tunnels', () => {
  it.each(frames)('%s gives back the RTP inside, counted as %s', (_name, tunnel, frame) => {
    const d = new PacketDecoder()
    expect(decode(d, frame)).toBe(KIND_UDP)
    expect(payload(d)).toEqual(RTP)
    expect([d.sourcePort, d.destinationPort, d.payloadLength]).toEqual([10000, 20000, 20])
    expect(d.tunnels).toMatchObject({ [tunnel]: 1 })
    expect(skippedTotal(d)).toBe(0)
  })

  it.each(frames)('%s (%s) may be cut anywhere', (_name, _tunnel, frame) => {
    for (let captured = 0; captured <= frame.length; captured++) {
      const d = new PacketDecoder()
      const kind = decode(d, frame, { captured, wire: frame.length })
      expect(skippedTotal(d)).toBe(kind === KIND_SKIPPED ? 1 : 0)
      if (kind !== KIND_SKIPPED) expect(kind).toBe(KIND_UDP)
      if (captured >= frame.length - RTP.length)
        expect([captured, kind, d.payloadLength]).toEqual([captured, KIND_UDP, 20])
      if (d.sourcePort === 10000) expect(d.payloadCaptured).toBe(captured - (frame.length - RTP.length))
    }
  })

  it('reports DSCP, TTL and addresses of the inner header', () => {
    const d = new PacketDecoder()
    decode(
      d,
      eth(
        0x0800,
        ipv4(ipv4(udp(RTP), { tos: 0x28, ttl: 9 }), { ...OUTER, protocol: 4, tos: 0xb8, ttl: 200 }),
      ),
    )
    expect([d.dscp, d.ttl, d.source0 >>> 0, d.ipLength]).toEqual([10, 9, 0xc0000201, 48])
  })

  it('reports the VLAN that ERSPAN says the mirrored frame was in, and the frame’s own tag before that', () => {
    const d = new PacketDecoder()
    decode(d, gre(0x1000, 0x88be, cat(u32(99)), ERSPAN2, RTP_ETH))
    expect(d.vlan).toBe(42)
    decode(d, gre(0x1000, 0x88be, cat(u32(99)), ERSPAN2, eth(0x8100, tag(77, 0x0800, RTP_IP))))
    expect(d.vlan).toBe(77)
  })

  it.each([4789, 8472, 4790, 6081, 2152, 37008, 3544, 9060, 9061])(
    'an RTP stream to port %i is an RTP stream',
    (port) => {
      const d = new PacketDecoder()
      for (const first of [0x80, 0x88, 0x90, 0xa0, 0xb0]) {
        const rtp = cat(first, RTP.slice(1))
        expect(decode(d, overUdp(port, rtp))).toBe(KIND_UDP)
        expect(payload(d)).toEqual(rtp)
        expect(d.destinationPort).toBe(port)
      }
      expect(d.tunnels).toEqual({})
    },
  )

  it.each([
    ['SIP on the VXLAN port', 4789, text('OPTIONS sip:a SIP/2.0\r\n')],
    ['a GTP echo request', 2152, cat('32 01 00 04 00 00 00 00 00 01 00 00')],
    ['a G-PDU longer than the datagram', 2152, cat('30 ff 00 ff 00 00 00 00', RTP_IP)],
    [
      'a G-PDU with an extension header of length 0',
      2152,
      cat('34 ff 00 08 00 00 00 00 00 00 00 85 00 00 00 00'),
    ],
    ['GENEVE with an unknown protocol', 6081, cat('00 00 12 34 00 00 00 00', RTP_IP)],
    ['GENEVE options beyond the datagram', 6081, cat('3f 00 08 00 00 00 00 00', RTP_IP)],
    ['a TZSP keepalive', 37008, cat('01 04 00 00')],
    ['TZSP without an end tag', 37008, cat('01 00 00 01 0a 01 c0')],
    ['a short datagram on the VXLAN port', 4789, cat('08 00 00')],
    ['VXLAN with reserved bits set', 4789, cat('08 00 00 01 00 00 2a 01', RTP_ETH)],
    ['STUN on the Teredo port', 3544, cat('00 01 00 00 21 12 a4 42', new Uint8Array(12))],
  ])('%s stays an ordinary datagram', (_name, port, datagram) => {
    const d = new PacketDecoder()
    expect(decode(d, overUdp(port, datagram))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(datagram)
    expect(d.tunnels).toEqual({})
  })

  it.each([
    ['GRE version 2', 'bad_tunnel_header', gre(2, 0x0800, RTP_IP)],
    ['GRE with routing', 'bad_tunnel_header', gre(0x4000, 0x0800, RTP_IP)],
    ['GRE keepalive', 'not_ip', gre(0, 0, new Uint8Array(20))],
    [
      'ERSPAN II with another version',
      'bad_tunnel_header',
      gre(0x1000, 0x88be, cat(u32(1), '30 00 00 00 00 00 00 00'), RTP_ETH),
    ],
    ['MPLS without a bottom', 'bad_tunnel_header', eth(0x8847, new Uint8Array(80))],
    ['MPLS OAM', 'not_ip', eth(0x8847, cat(label(1, 1), '10 00 00 07', new Uint8Array(30)))],
    ['PPPoE discovery', 'not_ip', eth(0x8863, cat('11 09 00 00 00 00'))],
    ['PPPoE with another version', 'bad_tunnel_header', eth(0x8864, cat('21 00 00 01 00 00 00 21', RTP_IP))],
    ['PPP echo in PPPoE', 'not_ip', eth(0x8864, cat('11 00 00 01 00 06 c0 21', new Uint8Array(4)))],
    [
      'ARP in VXLAN',
      'not_ip',
      overUdp(4789, cat('08 00 00 00 00 00 2a 00', eth(0x0806, new Uint8Array(28)))),
    ],
  ])('%s is skipped as %s', (_name, reason, frame) => {
    const d = new PacketDecoder()
    expect(decode(d, frame)).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ [reason]: 1 })
  })

  it('gives up on a frame that is all tunnels', () => {
    let inside: Uint8Array = RTP_IP
    for (let i = 0; i < 40; i++) inside = ipv4(inside, { protocol: 4 })
    const d = new PacketDecoder()
    expect(decode(d, eth(0x0800, inside))).toBe(KIND_SKIPPED)
    let tags: Uint8Array = tag(1, 0x0800, RTP_IP)
    for (let i = 0; i < 40; i++) tags = tag(1, 0x8100, tags)
    expect(decode(d, eth(0x8100, tags))).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ tunnel_too_deep: 2 })
  })
})
