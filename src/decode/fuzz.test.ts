import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { PacketDecoder } from './decoder.js'
import { fuzzDecodeOne, fuzzTcpOne } from './fuzz-target.js'
import { KIND_SKIPPED } from './packet.js'
import {
  cat,
  decode,
  eth,
  ipv4,
  ipv6,
  RTP_ETH,
  RTP_IP,
  RTP_IP6,
  skippedTotal,
  tag,
  tcp,
  text,
  u16,
  u32,
  udp,
} from './test-frames.js'

/** Frames that lead into every layer, to be damaged. */
const SEEDS: [number, Uint8Array][] = [
  [1, RTP_ETH],
  [1, eth(0x8100, tag(1, 0x86dd, RTP_IP6))],
  [1, eth(0x8847, cat('00 00 11 40', RTP_ETH))],
  [1, eth(0x8864, cat('11 00 00 01 00 40 00 21', RTP_IP))],
  [
    1,
    eth(
      0x0800,
      ipv4(cat('b0 00 88 be', new Uint8Array(12), '10 2a 08 01 00 00 00 05', RTP_ETH), { protocol: 47 }),
    ),
  ],
  [
    1,
    eth(
      0x0800,
      ipv4(cat('10 00 22 eb', u32(1), '20 2a 00 01', new Uint8Array(8), RTP_ETH), { protocol: 47 }),
    ),
  ],
  [1, eth(0x0800, ipv4(udp(cat('08 00 00 00 00 00 2a 00', RTP_ETH), 1, 4789)))],
  [1, eth(0x0800, ipv4(udp(cat('01 00 65 58 00 00 2a 00', u32(0), RTP_ETH), 1, 6081)))],
  [1, eth(0x0800, ipv4(udp(cat('34 ff 00 38 00 00 00 01', '00 00 00 85 01 00 00 00', RTP_IP), 1, 2152)))],
  [1, eth(0x0800, ipv4(udp(cat('01 00 00 01 0a 01 00 01', RTP_ETH), 1, 37008)))],
  [1, eth(0x0800, ipv4(udp(cat('00 01 00 00', new Uint8Array(9), RTP_IP6), 3544, 1)))],
  [
    1,
    eth(
      0x0800,
      ipv4(
        udp(
          cat(text('HEP3'), u16(35), '000000010007 02', '00000003000a 01020304', '0000000f000c 414243444546'),
          1,
          9060,
        ),
      ),
    ),
  ],
  [1, eth(0x0800, ipv4(udp(text('x'.repeat(80))), { fragment: 0x2000 }))],
  [1, eth(0x0800, ipv4(text('x'.repeat(80)), { fragment: 11 }))],
  [1, eth(0x86dd, ipv6(cat(17, 0, u16(1), u32(7), udp(text('x'.repeat(80)))), 44))],
  [1, eth(0x0800, ipv4(tcp(text('SIP/2.0')), { protocol: 6 }))],
  [1, eth(0x0800, ipv4(cat('03 03 00 00 00 00 00 00', RTP_IP), { protocol: 1 }))],
  [0, cat('02 00 00 00', RTP_IP)],
  [107, cat('18 41 03 cc', RTP_IP)],
  [
    127,
    cat(
      '00 00 08 00 00 00 00 00',
      '88 02 00 00',
      new Uint8Array(18),
      '00 00 06 00 aa aa 03 00 00 00 08 00',
      RTP_IP,
    ),
  ],
  [197, cat(new Uint8Array(8), '82 04 00 64 00 00 00 64', new Uint8Array(8), '00 00', RTP_ETH)],
  [239, cat('02 00 00 05 08 00 01 00 00 00 00 00 40 00 09 00', RTP_IP)],
  [276, cat('08 00 00 00 00 00 00 03 00 01 00 06', new Uint8Array(8), RTP_IP)],
]

describe('damaged input', () => {
  it('any bytes are decoded without an exception, each skipped frame counted once', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fuzzDecodeOne), propertyRuns(2000))
  })

  it('any segments are put together within bounds', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), fuzzTcpOne), propertyRuns(2000))
  })

  it('valid frames with some bytes changed keep the decoder’s promises', () => {
    const edit = fc.tuple(fc.nat(200), fc.nat(255))
    const frame = fc.tuple(fc.nat(SEEDS.length - 1), fc.array(edit, { maxLength: 4 }), fc.nat(20))
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), (frames) => {
        const d = new PacketDecoder({ fragmentDatagrams: 4 })
        for (const [seed, edits, cut] of frames) {
          const [linkType, whole] = SEEDS[seed]
          const bytes = whole.slice()
          for (const [at, value] of edits) bytes[at % bytes.length] = value
          const before = skippedTotal(d)
          const kind = decode(d, bytes, { linkType, captured: Math.max(0, bytes.length - cut) })
          if (kind === KIND_SKIPPED) expect(skippedTotal(d)).toBeGreaterThan(before)
          else if (kind < 4 && d.payloadCaptured > 0) {
            expect(d.payloadCaptured).toBeLessThanOrEqual(d.payloadLength)
            expect(d.payloadOffset + d.payloadCaptured).toBeLessThanOrEqual(d.bytes.length)
          }
        }
      }),
      propertyRuns(3000),
    )
  })

  it('a frame said to be longer than its buffer is read to the buffer’s end', () => {
    const d = new PacketDecoder()
    const view = new DataView(RTP_ETH.buffer)
    for (let end = 0; end < RTP_ETH.length; end++) {
      const bytes = RTP_ETH.slice(0, end)
      expect(() => d.decode(bytes, new DataView(bytes.buffer), 0, 1500, 1500, 1, 0)).not.toThrow()
    }
    d.decode(RTP_ETH, view, 0, 5000, 5000, 1, 0)
    expect([d.payloadLength, d.payloadCaptured]).toEqual([20, 20])
  })
})
