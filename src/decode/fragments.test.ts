import { describe, expect, it } from 'vitest'
import { PacketDecoder } from './decoder.js'
import { KIND_FRAGMENT, KIND_SKIPPED, KIND_TCP, KIND_UDP } from './packet.js'
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
  tag,
  tcp,
  text,
  u16,
  u32,
  udp,
} from './test-frames.js'

const MORE = 0x2000
/** 100 bytes that differ. */
const MESSAGE = Uint8Array.from({ length: 100 }, (_, i) => i)
/** 108 bytes of UDP in fragments of 40, 40 and 28 bytes. */
const DATAGRAM = udp(MESSAGE, 5060, 5061)

interface Piece {
  identification?: number
  source?: string
  protocol?: number
}
/** A fragment of `datagram` from byte `start` to `end`. */
function piece(datagram: Uint8Array, start: number, end: number, header: Piece = {}): Uint8Array {
  const more = end < datagram.length ? MORE : 0
  return ipv4(datagram.slice(start, end), { identification: 7, ...header, fragment: more | (start / 8) })
}
const framed = (packet: Uint8Array): Uint8Array => eth(0x0800, packet)
const FIRST = framed(piece(DATAGRAM, 0, 40))
const MIDDLE = framed(piece(DATAGRAM, 40, 80))
const LAST = framed(piece(DATAGRAM, 80, 108))

function piece6(datagram: Uint8Array, start: number, end: number, next = 17, identification = 7): Uint8Array {
  const more = end < datagram.length ? 1 : 0
  return eth(
    0x86dd,
    ipv6(cat(next, 0, u16(start | more), u32(identification), datagram.slice(start, end)), 44),
  )
}

describe('IPv4 fragments', () => {
  it.each([
    ['in order', [FIRST, MIDDLE, LAST]],
    ['last first', [LAST, MIDDLE, FIRST]],
    ['first in the middle', [MIDDLE, FIRST, LAST]],
  ])('are put together %s', (_name, order) => {
    const d = new PacketDecoder()
    expect(order.map((f) => decode(d, f))).toEqual([KIND_FRAGMENT, KIND_FRAGMENT, KIND_UDP])
    expect(payload(d)).toEqual(MESSAGE)
    expect([d.sourcePort, d.destinationPort, d.payloadLength, d.ipLength]).toEqual([5060, 5061, 100, 128])
    expect(d.reassembled).toBe(true)
    expect(d.fragments.datagramsReassembled).toBe(1)
    decode(d, RTP_ETH)
    expect(d.reassembled).toBe(false)
  })

  it('a repeated fragment changes nothing', () => {
    const d = new PacketDecoder()
    const kinds = [FIRST, FIRST, LAST, LAST, MIDDLE].map((f) => decode(d, f))
    expect(kinds).toEqual([1, 1, 1, 1, 0].map((waiting) => (waiting ? KIND_FRAGMENT : KIND_UDP)))
    expect(payload(d)).toEqual(MESSAGE)
    expect(d.fragments.duplicateFragments).toBe(2)
  })

  it('a mirror that sends every frame twice leaves no incomplete datagram behind', () => {
    const d = new PacketDecoder()
    const kinds = [FIRST, FIRST, MIDDLE, MIDDLE, LAST, LAST].map((f) => decode(d, f))
    expect(kinds.filter((kind) => kind === KIND_UDP)).toHaveLength(1)
    d.finish()
    expect(d.skippedByReason).toEqual({})
    expect(d.fragments.duplicateFragments).toBe(3)
  })

  it('a copy of the whole datagram is a second datagram', () => {
    const d = new PacketDecoder()
    const kinds = [FIRST, MIDDLE, LAST, FIRST, MIDDLE, LAST].map((f) => decode(d, f))
    expect(kinds.filter((kind) => kind === KIND_UDP)).toHaveLength(2)
    expect(payload(d)).toEqual(MESSAGE)
  })

  it('RFC 5722: an overlap drops the datagram, with the fragments still to come', () => {
    const d = new PacketDecoder()
    const overlap = framed(piece(DATAGRAM, 32, 80))
    const kinds = [FIRST, overlap, MIDDLE, LAST].map((f) => decode(d, f))
    expect(kinds).toEqual([KIND_FRAGMENT, KIND_SKIPPED, KIND_SKIPPED, KIND_SKIPPED])
    d.finish()
    expect(d.skippedByReason).toEqual({ fragment_overlap: 3 })
  })

  it('an overlap is one even where a buffer that was used before holds the same bytes', () => {
    const d = new PacketDecoder()
    for (const fragment of [FIRST, MIDDLE, LAST]) decode(d, fragment)
    const again = { identification: 8 }
    expect(decode(d, framed(piece(DATAGRAM, 0, 40, again)))).toBe(KIND_FRAGMENT)
    expect(decode(d, framed(piece(DATAGRAM, 32, 80, again)))).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ fragment_overlap: 1 })
  })

  it('a repeat with other content is an overlap', () => {
    const d = new PacketDecoder()
    const other = udp(MESSAGE.slice().reverse(), 5060, 5061)
    const kinds = [MIDDLE, framed(piece(other, 40, 80)), FIRST, LAST].map((f) => decode(d, f))
    expect(kinds).not.toContain(KIND_UDP)
    expect(d.skippedByReason).toEqual({ fragment_overlap: 3 })
  })

  it('a second end elsewhere is an overlap', () => {
    const d = new PacketDecoder()
    expect(decode(d, LAST)).toBe(KIND_FRAGMENT)
    expect(decode(d, framed(ipv4(MESSAGE.slice(0, 8), { identification: 7, fragment: 4 })))).toBe(
      KIND_SKIPPED,
    )
    expect(d.skippedByReason).toEqual({ fragment_overlap: 1 })
  })

  it('datagrams are told apart by addresses, identification and protocol', () => {
    const d = new PacketDecoder()
    const others: Piece[] = [{ identification: 8 }, { source: '192.0.2.9' }, { protocol: 6 }]
    decode(d, FIRST)
    for (const other of others) expect(decode(d, framed(piece(DATAGRAM, 40, 80, other)))).toBe(KIND_FRAGMENT)
    for (const other of others) expect(decode(d, framed(piece(DATAGRAM, 80, 108, other)))).toBe(KIND_FRAGMENT)
    expect([decode(d, MIDDLE), decode(d, LAST)]).toEqual([KIND_FRAGMENT, KIND_UDP])
    expect(payload(d)).toEqual(MESSAGE)
  })

  it('fragments that were mirrored in different VLANs belong together', () => {
    const d = new PacketDecoder()
    decode(d, eth(0x8100, tag(1, 0x0800, piece(DATAGRAM, 0, 40))))
    decode(d, MIDDLE)
    expect(decode(d, eth(0x8100, tag(2, 0x0800, piece(DATAGRAM, 80, 108))))).toBe(KIND_UDP)
  })

  it('are put together when the datagram is TCP', () => {
    const d = new PacketDecoder()
    const segment = tcp(MESSAGE, { sequence: 77 })
    decode(d, framed(piece(segment, 0, 80, { protocol: 6 })))
    expect(decode(d, framed(piece(segment, 80, 120, { protocol: 6 })))).toBe(KIND_TCP)
    expect([d.tcpSequence, d.payloadLength]).toEqual([77, 100])
    expect(payload(d)).toEqual(MESSAGE)
  })

  it('a cut fragment still gives what lies before the cut', () => {
    const d = new PacketDecoder()
    decode(d, FIRST)
    decode(d, MIDDLE, { captured: 14 + 20 + 10 })
    expect(decode(d, LAST)).toBe(KIND_UDP)
    // 40 + 10 bytes of the datagram, of which 8 are the UDP header.
    expect([d.payloadLength, d.payloadCaptured]).toEqual([100, 42])
    expect(payload(d)).toEqual(MESSAGE.slice(0, 42))
  })

  it('when the UDP header itself was cut, the datagram is counted', () => {
    const d = new PacketDecoder()
    decode(d, FIRST, { captured: 14 + 20 + 4 })
    decode(d, MIDDLE)
    expect(decode(d, LAST)).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ truncated_transport_header: 1 })
  })

  it('waits 30 s of packet time for the rest', () => {
    const d = new PacketDecoder()
    decode(d, FIRST, { timeMs: 0 })
    decode(d, MIDDLE, { timeMs: 20_000 })
    expect(decode(d, LAST, { timeMs: 29_000 })).toBe(KIND_UDP)
    decode(d, framed(piece(DATAGRAM, 0, 40, { identification: 9 })), { timeMs: 100_000 })
    decode(d, framed(piece(DATAGRAM, 40, 80, { identification: 9 })), { timeMs: 131_000 })
    expect(d.skippedByReason).toEqual({ fragment_incomplete: 1 })
    expect(decode(d, framed(piece(DATAGRAM, 80, 108, { identification: 9 })), { timeMs: 131_001 })).toBe(
      KIND_FRAGMENT,
    )
    d.finish()
    expect(d.skippedByReason).toEqual({ fragment_incomplete: 2 })
  })

  it('RFC 4963: a new datagram may reuse the identification of one that stayed incomplete', () => {
    const d = new PacketDecoder()
    const other = udp(MESSAGE.slice().reverse(), 5060, 5061)
    decode(d, MIDDLE, { timeMs: 0 })
    const kinds = [0, 40, 80].map((start) =>
      decode(d, framed(piece(other, start, Math.min(start + 40, 108))), { timeMs: 8000 + start }),
    )
    expect(kinds).not.toContain(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ fragment_incomplete: 1 })
  })

  it('the table is bounded: the oldest datagram gives way and is counted', () => {
    const d = new PacketDecoder({ fragmentDatagrams: 4 })
    for (let id = 0; id < 6; id++)
      decode(d, framed(piece(DATAGRAM, 0, 40, { identification: id })), { timeMs: id })
    expect(d.fragments.size).toBe(4)
    expect(d.skippedByReason).toEqual({ fragment_table_full: 2 })
    for (const start of [40, 80]) {
      decode(d, framed(piece(DATAGRAM, start, Math.min(108, start + 40), { identification: 5 })), {
        timeMs: 10,
      })
    }
    expect(payload(d)).toEqual(MESSAGE)
    expect(d.fragments.datagramsReassembled).toBe(1)
  })

  it('many datagrams in turn reuse one buffer', () => {
    const d = new PacketDecoder()
    const buffers = new Set<Uint8Array>()
    for (let i = 0; i < 5000; i++) {
      const header = { identification: i }
      const mine = udp(
        Uint8Array.from({ length: 40 }, (_, k) => i + k),
        i,
        2,
      )
      decode(d, framed(piece(mine, 24, 48, header)), { timeMs: i * 10 })
      expect(decode(d, framed(piece(mine, 0, 24, header)), { timeMs: i * 10 })).toBe(KIND_UDP)
      expect([d.sourcePort, d.bytes[d.payloadOffset]]).toEqual([i, i & 255])
      buffers.add(d.bytes)
    }
    expect(buffers.size).toBe(1)
    d.finish()
    expect(d.skippedByReason).toEqual({})
  })

  it.each([
    ['beyond 65,535 bytes', ipv4(new Uint8Array(80), { fragment: 0x1fff })],
    ['not a multiple of 8 with more to follow', ipv4(new Uint8Array(81), { fragment: MORE })],
    ['without content', ipv4(new Uint8Array(0), { fragment: 1 })],
  ])('a fragment %s is bad_ip_header', (_name, packet) => {
    const d = new PacketDecoder()
    expect(decode(d, framed(packet))).toBe(KIND_SKIPPED)
    expect(d.skippedByReason).toEqual({ bad_ip_header: 1 })
  })
})

describe('IPv6 fragments', () => {
  it('are put together in any order', () => {
    const d = new PacketDecoder()
    const kinds = [piece6(DATAGRAM, 80, 108), piece6(DATAGRAM, 0, 40), piece6(DATAGRAM, 40, 80)].map((f) =>
      decode(d, f),
    )
    expect(kinds).toEqual([KIND_FRAGMENT, KIND_FRAGMENT, KIND_UDP])
    expect(payload(d)).toEqual(MESSAGE)
    expect([d.ipVersion, d.reassembled, d.ipLength]).toEqual([6, true, 148])
  })

  it('may begin with a further extension header', () => {
    const d = new PacketDecoder()
    const content = cat(17, 0, '01 04 00 00 00 00', DATAGRAM)
    decode(d, piece6(content, 0, 40, 60))
    expect(decode(d, piece6(content, 40, 116, 60))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(MESSAGE)
  })

  it('are not mixed with IPv4 fragments of the same identification', () => {
    const d = new PacketDecoder()
    decode(d, piece6(DATAGRAM, 0, 40))
    decode(d, MIDDLE)
    expect(decode(d, LAST)).toBe(KIND_FRAGMENT)
  })
})

describe('fragments and tunnels', () => {
  const vxlan = (inside: Uint8Array): Uint8Array => udp(cat('08 00 00 00 00 00 2a 00', inside), 1, 4789)

  it('fragments inside a tunnel are put together', () => {
    const d = new PacketDecoder()
    expect(decode(d, framed(ipv4(vxlan(FIRST))))).toBe(KIND_FRAGMENT)
    expect(decode(d, framed(ipv4(vxlan(MIDDLE))))).toBe(KIND_FRAGMENT)
    expect(decode(d, framed(ipv4(vxlan(LAST))))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(MESSAGE)
  })

  it('a tunnel packet that was itself fragmented is unwrapped', () => {
    const d = new PacketDecoder()
    const outer = vxlan(RTP_ETH)
    expect(decode(d, framed(piece(outer, 0, 48)))).toBe(KIND_FRAGMENT)
    expect(decode(d, framed(piece(outer, 48, outer.length)))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(RTP)
    expect([d.sourcePort, d.destinationPort]).toEqual([10000, 20000])
  })

  it('fragments in fragments', () => {
    const d = new PacketDecoder()
    const inner = [FIRST, MIDDLE, LAST].map(vxlan)
    inner.forEach((outer, i) => {
      const header = { identification: 100 + i, source: '203.0.113.5' }
      expect(decode(d, framed(piece(outer, 0, 32, header)))).toBe(KIND_FRAGMENT)
      expect(decode(d, framed(piece(outer, 32, outer.length, header)))).toBe(i < 2 ? KIND_FRAGMENT : KIND_UDP)
    })
    expect(payload(d)).toEqual(MESSAGE)
  })

  it('fragments inside GRE over a fragmented IPv6 packet', () => {
    const d = new PacketDecoder()
    for (const [i, part] of [
      piece(DATAGRAM, 0, 40),
      piece(DATAGRAM, 40, 80),
      piece(DATAGRAM, 80, 108),
    ].entries()) {
      const outer = cat('00 00 08 00', part)
      decode(d, piece6(outer, 0, 16, 47, i))
      decode(d, piece6(outer, 16, outer.length, 47, i))
    }
    expect(payload(d)).toEqual(MESSAGE)
    expect(d.tunnels).toEqual({ gre: 3 })
  })

  it('an ordinary packet between fragments does not disturb them', () => {
    const d = new PacketDecoder()
    decode(d, FIRST)
    expect(decode(d, framed(RTP_IP))).toBe(KIND_UDP)
    expect(payload(d)).toEqual(RTP)
    decode(d, MIDDLE)
    decode(d, framed(ipv4(udp(text('INVITE sip:x SIP/2.0')))))
    expect(decode(d, LAST)).toBe(KIND_UDP)
    expect(payload(d)).toEqual(MESSAGE)
  })
})
