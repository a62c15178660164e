import { describe, expect, it } from 'vitest'
import { PacketDecoder } from './decoder.js'
import { KIND_SKIPPED, KIND_UDP } from './packet.js'
import {
  cat,
  decode,
  eth,
  payload,
  RTP,
  RTP_ETH,
  RTP_IP,
  RTP_IP6,
  skippedTotal,
  tag,
  u16,
} from './test-frames.js'

const LLC_SNAP = cat('aa aa 03 00 00 00 08 00')
const BSSID = new Uint8Array(18)
/** 802.11 data frame from the access point: 24 bytes. */
const WLAN_DATA = cat('08 02 00 00', BSSID, '00 00')
const WLAN_QOS = cat('88 02 00 00', BSSID, '00 00', '06 00')
const SLL = (hardware: number, protocol: number): Uint8Array =>
  cat(u16(0), u16(hardware), u16(6), new Uint8Array(8), u16(protocol))
const ERF = (type: number): Uint8Array => cat(new Uint8Array(8), type, 4, u16(100), u16(0), u16(100))
/** Attribute 1 (packet header) then 9 (payload), lengths and types little endian. */
const NFLOG_TLVS = (length: number): Uint8Array =>
  cat('08 00 01 00 08 00 00 00', '05 00 0a 00 41 00 00 00', length & 255, length >> 8, '09 00')

const frames: [string, number, Uint8Array][] = [
  ['NULL, family little endian', 0, cat('02 00 00 00', RTP_IP)],
  ['NULL, family big endian', 0, cat('00 00 00 02', RTP_IP)],
  ['NULL, IPv6 of macOS', 0, cat('1e 00 00 00', RTP_IP6)],
  ['NULL, IPv6 of FreeBSD', 0, cat('1c 00 00 00', RTP_IP6)],
  ['NULL, IPv6 of NetBSD', 0, cat('18 00 00 00', RTP_IP6)],
  ['LOOP', 108, cat('00 00 00 02', RTP_IP)],
  ['PPP', 9, cat('00 21', RTP_IP)],
  ['PPP with HDLC framing', 9, cat('ff 03 00 57', RTP_IP6)],
  ['PPP with a compressed protocol field', 9, cat('21', RTP_IP)],
  ['PPP_HDLC', 50, cat('ff 03 00 21', RTP_IP)],
  ['PPP_HDLC with Cisco HDLC', 50, cat('0f 00 08 00', RTP_IP)],
  ['PPP_ETHER', 51, cat('11 00 00 01', u16(RTP_IP.length + 2), '00 21', RTP_IP)],
  ['RAW, IPv4', 101, RTP_IP],
  ['RAW, IPv6', 101, RTP_IP6],
  ['RAW as 12', 12, RTP_IP],
  ['RAW as 14', 14, RTP_IP6],
  ['C_HDLC', 104, cat('0f 00 86 dd', RTP_IP6)],
  ['802.11 data', 105, cat(WLAN_DATA, LLC_SNAP, RTP_IP)],
  ['802.11 QoS data', 105, cat(WLAN_QOS, LLC_SNAP, RTP_IP)],
  ['802.11 QoS data padded to four bytes', 105, cat(WLAN_QOS, '00 00', LLC_SNAP, RTP_IP)],
  [
    '802.11 between access points (four addresses)',
    105,
    cat('08 03 00 00', BSSID, '00 00', new Uint8Array(6), LLC_SNAP, RTP_IP),
  ],
  ['802.11 QoS with HT control', 105, cat('88 82 00 00', BSSID, '00 00 06 00 00 00 00 00', LLC_SNAP, RTP_IP)],
  [
    '802.11 A-MSDU',
    105,
    cat('88 02 00 00', BSSID, '00 00', '86 00', new Uint8Array(12), u16(8 + RTP_IP.length), LLC_SNAP, RTP_IP),
  ],
  ['FRELAY, NLPID of IPv4', 107, cat('18 41 03 cc', RTP_IP)],
  ['FRELAY, NLPID of IPv6, padded', 107, cat('18 41 03 00 8e', RTP_IP6)],
  ['FRELAY, SNAP', 107, cat('18 41 03 00 80 00 00 00 08 00', RTP_IP)],
  ['FRELAY, Cisco', 107, cat('18 41 08 00', RTP_IP)],
  ['FRELAY, 4-byte address', 107, cat('18 40 00 01 03 cc', RTP_IP)],
  ['LINUX_SLL', 113, cat(SLL(1, 0x0800), RTP_IP)],
  ['LINUX_SLL with a VLAN tag', 113, cat(SLL(1, 0x8100), tag(9, 0x0800, RTP_IP))],
  ['LINUX_SLL of a GRE device with Ethernet', 113, cat(SLL(778, 0x6558), RTP_ETH)],
  ['LINUX_SLL with LLC', 113, cat(SLL(1, 4), LLC_SNAP, RTP_IP)],
  ['RADIOTAP', 127, cat('00 00 0a 00 00 00 00 00 00 00', WLAN_DATA, LLC_SNAP, RTP_IP)],
  ['PPP_PPPD', 166, cat('01 03 00 21', RTP_IP)],
  ['ERF, Ethernet', 197, cat(ERF(2), '00 00', RTP_ETH)],
  [
    'ERF, Ethernet with two extension headers',
    197,
    cat(ERF(0x82), '80', new Uint8Array(7), '00', new Uint8Array(7), '00 00', RTP_ETH),
  ],
  ['ERF, HDLC over POS', 197, cat(ERF(1), 'ff 03 00 21', RTP_IP)],
  ['ERF, IPv6', 197, cat(ERF(23), RTP_IP6)],
  ['PPP_WITH_DIR', 204, cat('01 ff 03 00 21', RTP_IP)],
  ['IPV4', 228, RTP_IP],
  ['IPV6', 229, RTP_IP6],
  ['NFLOG', 239, cat('02 00 00 05', NFLOG_TLVS(RTP_IP.length + 4), RTP_IP)],
  ['NFLOG of a big-endian machine', 239, cat('0a 00 00 05', u16(RTP_IP6.length + 4), '00 09', RTP_IP6)],
  ['LINUX_SLL2', 276, cat('08 00 00 00 00 00 00 03 00 01 00 06', new Uint8Array(8), RTP_IP)],
  ['Ethernet with LLC and SNAP', 1, eth(8 + RTP_IP.length, cat(LLC_SNAP, RTP_IP))],
  ['Ethernet with LLC of IP', 1, eth(3 + RTP_IP.length, cat('06 06 03', RTP_IP))],
]

describe('link types (standards of tcpdump.org/linktypes.html)', () => {
  it.each(frames)('%s (%i)', (_name, linkType, frame) => {
    const d = new PacketDecoder()
    expect(decode(d, frame, { linkType })).toBe(KIND_UDP)
    expect(payload(d)).toEqual(RTP)
    expect([d.sourcePort, d.destinationPort]).toEqual([10000, 20000])
    expect(skippedTotal(d)).toBe(0)
  })

  it.each(frames)('%s (%i) cut anywhere is counted, not thrown', (_name, linkType, frame) => {
    for (let captured = 0; captured < frame.length; captured++) {
      const d = new PacketDecoder()
      const kind = decode(d, frame, { linkType, captured })
      const whole = captured >= frame.length - RTP.length
      expect([captured, kind]).toEqual([captured, whole ? KIND_UDP : KIND_SKIPPED])
      expect(skippedTotal(d)).toBe(whole ? 0 : 1)
    }
  })

  it('reports the VLAN id of a tag behind a cooked header', () => {
    const d = new PacketDecoder()
    decode(d, cat(SLL(1, 0x8100), tag(9, 0x0800, RTP_IP)), { linkType: 113 })
    expect(d.vlan).toBe(9)
  })

  it.each([
    [
      'a protected 802.11 frame',
      'encrypted_frame',
      105,
      cat('08 42 00 00', BSSID, '00 00', new Uint8Array(80)),
    ],
    ['an 802.11 beacon', 'not_ip', 105, cat('80 00 00 00', BSSID, '00 00', new Uint8Array(80))],
    ['an 802.11 null frame', 'not_ip', 105, cat('48 01 00 00', BSSID, '00 00')],
    ['an 802.11 acknowledgement, 10 bytes', 'not_ip', 105, cat('d4 00 00 00', new Uint8Array(6))],
    ['PPP with MPPE', 'encrypted_frame', 9, cat('ff 03 00 fd', new Uint8Array(40))],
    ['PPP LCP', 'not_ip', 9, cat('ff 03 c0 21', new Uint8Array(10))],
    ['LINUX_SLL with ARP', 'not_ip', 113, cat(SLL(1, 0x0806), new Uint8Array(28))],
    ['NULL with another family', 'not_ip', 0, cat('07 00 00 00', new Uint8Array(28))],
  ])('%s is skipped as %s', (_name, reason, linkType, frame) => {
    const d = new PacketDecoder()
    expect(decode(d, frame, { linkType })).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ [reason]: 1 })
  })
})
