import { describe, expect, it } from 'vitest'
import { MAX_PACKETS, parseRtcp } from './parse.js'
import { hex, REPORT_BLOCK, RR, SDES, SR } from './test-bytes.js'

function parse(text: string, options: Parameters<typeof parseRtcp>[3] = {}) {
  const bytes = hex(text)
  return parseRtcp(bytes, 0, bytes.length, options)
}

const PARSED_BLOCK = {
  ssrc: 0x11111111,
  fractionLost: 64,
  cumulativeLost: 3,
  extendedHighest: 65_636,
  jitter: 80,
  lsr: 0xb7052000,
  dlsr: 0x00054000,
}

describe('RTCP packets', () => {
  it('a sender report has NTP time, RTP timestamp, counts and report blocks (RFC 3550 6.4.1)', () => {
    expect(parse(SR).packets).toEqual([
      {
        type: 'sr',
        ssrc: 0xcafe0001,
        sender: {
          ntpSeconds: 0xb44db705,
          ntpFraction: 0x20000000,
          ntpMiddle32: 0xb7052000,
          rtpTimestamp: 14_400,
          packetCount: 200,
          octetCount: 32_000,
        },
        reports: [PARSED_BLOCK],
      },
    ])
  })

  it('a receiver report may carry several report blocks, or none', () => {
    const second = '22222222 00000000 00000001 00000000 00000000 00000000'
    expect(parse(`82c9000d cafe0002 ${REPORT_BLOCK} ${second}`).packets).toMatchObject([
      { type: 'rr', ssrc: 0xcafe0002, reports: [PARSED_BLOCK, { ssrc: 0x22222222, extendedHighest: 1 }] },
    ])
    expect(parse('80c90001 cafe0002')).toMatchObject({
      packets: [{ type: 'rr', reports: [] }],
      defects: [],
    })
  })

  it('cumulative lost is a signed 24-bit number: duplicates make it negative', () => {
    const lostOf = (lost: string) => {
      const [packet] = parse(
        `81c90007 cafe0002 11111111 00${lost} 00000064 00000000 00000000 00000000`,
      ).packets
      return packet.type === 'rr' ? packet.reports[0].cumulativeLost : undefined
    }
    expect(lostOf('ffffff')).toBe(-1)
    expect(lostOf('800000')).toBe(-8_388_608)
    expect(lostOf('7fffff')).toBe(8_388_607)
    expect(lostOf('ffffe2')).toBe(-30)
  })

  it('a source description has chunks of items, each chunk padded to a word', () => {
    // CNAME "a@b" fills no word; TOOL "x" and NOTE "é" in the second chunk.
    const found = parse('82ca0006 cafe0001 01036140 62000000 cafe0002 06017807 02c3a900')
    expect(found.defects).toEqual([])
    expect(found.packets).toEqual([
      {
        type: 'sdes',
        chunks: [
          { ssrc: 0xcafe0001, items: [{ type: 'cname', code: 1, text: 'a@b' }] },
          {
            ssrc: 0xcafe0002,
            items: [
              { type: 'tool', code: 6, text: 'x' },
              { type: 'note', code: 7, text: 'é' },
            ],
          },
        ],
      },
    ])
  })

  it('a goodbye names its sources and may give a reason', () => {
    expect(parse('82cb0005 cafe0001 cafe0002 0a66616c 6c207761 6c6b7300').packets).toEqual([
      { type: 'bye', ssrcs: [0xcafe0001, 0xcafe0002], reason: 'fall walks' },
    ])
    expect(parse('81cb0001 cafe0001').packets).toEqual([{ type: 'bye', ssrcs: [0xcafe0001] }])
    expect(parse('80cb0000').packets).toEqual([{ type: 'bye', ssrcs: [] }])
  })

  it('an APP packet has a subtype, a name and data', () => {
    expect(parse('85cc0003 cafe0001 504f4331 01020304').packets).toEqual([
      { type: 'app', subtype: 5, ssrc: 0xcafe0001, name: 'POC1', dataLength: 4 },
    ])
  })

  it('feedback says format, sender and media source (RFC 4585 6.1)', () => {
    expect(parse('81cd0003 cafe0001 11111111 0064000f 81ce0002 cafe0001 11111111').packets).toEqual([
      { type: 'rtpfb', format: 1, ssrc: 0xcafe0001, mediaSsrc: 0x11111111 },
      { type: 'psfb', format: 1, ssrc: 0xcafe0001, mediaSsrc: 0x11111111 },
    ])
  })

  it('a packet type that is not read is kept by number and length', () => {
    expect(parse('80d00002 cafe0001 00000000').packets).toEqual([
      { type: 'other', packetType: 208, length: 12 },
    ])
  })
})

describe('compounds', () => {
  it('several packets in one datagram are read in order', () => {
    const found = parse(SR + SDES + '81cb0001 cafe0001')
    expect(found.packets.map((packet) => packet.type)).toEqual(['sr', 'sdes', 'bye'])
    expect(found).toMatchObject({ defects: [], reducedSize: false, encrypted: false, truncated: false })
    expect(found.first).toEqual({ packetType: 200, ssrc: 0xcafe0001 })
  })

  it('several compounds in one datagram are read as one list', () => {
    const found = parse(SR + SDES + RR + SDES)
    expect(found.packets.map((packet) => packet.type)).toEqual(['sr', 'sdes', 'rr', 'sdes'])
    expect(found.defects).toEqual([])
  })

  it('a datagram that does not begin with SR or RR is reduced-size (RFC 5506)', () => {
    expect(parse('81cd0002 cafe0001 11111111').reducedSize).toBe(true)
    expect(parse(RR).reducedSize).toBe(false)
  })

  it('padding at the end is not content (RFC 3550 6.4.1)', () => {
    const found = parse(`${RR} a1cb0003 cafe0001 00000000 00000008`)
    expect(found.packets[1]).toEqual({ type: 'bye', ssrcs: [0xcafe0001] })
    expect(found.defects).toEqual([])
    expect(parse(`a1cb0003 cafe0001 00000000 00000008 ${RR}`).defects).toEqual(['padding_not_last'])
    expect(parse('a1cb0001 cafe0001').defects).toEqual(['bad_padding'])
    expect(parse('a0cc0002 cafe0001 00000028').defects).toContain('bad_padding')
  })

  it('reads from the middle of a buffer', () => {
    const bytes = hex(`ffffffff ${RR} ffffffff`)
    expect(parseRtcp(bytes, 4, bytes.length - 8)).toMatchObject({
      packets: [{ type: 'rr', reports: [PARSED_BLOCK] }],
      defects: [],
    })
  })
})

describe('damaged RTCP', () => {
  it('a capture cut by its snap length gives what is there, without blaming the sender', () => {
    const whole = hex(SR + SDES)
    const cut = parseRtcp(whole, 0, 40, { wireLength: whole.length })
    expect(cut).toMatchObject({ truncated: true, defects: [] })
    expect(cut.packets).toMatchObject([{ type: 'sr', sender: { packetCount: 200 }, reports: [] }])
    expect(parseRtcp(whole, 0, 20, { wireLength: whole.length }).packets).toEqual([
      { type: 'sr', ssrc: 0xcafe0001, reports: [] },
    ])
    for (let length = 0; length < whole.length; length++) {
      expect(parseRtcp(whole, 0, length, { wireLength: whole.length }).defects).toEqual([])
    }
  })

  it('a length beyond the datagram is a defect, and what is there is read', () => {
    expect(parse(`81c9ffff cafe0002 ${REPORT_BLOCK}`)).toMatchObject({
      packets: [{ type: 'rr', reports: [PARSED_BLOCK] }],
      defects: ['length_beyond_datagram'],
      truncated: false,
    })
  })

  it('fewer report blocks than counted are a defect', () => {
    expect(parse(`83c90007 cafe0002 ${REPORT_BLOCK}`)).toMatchObject({
      packets: [{ reports: [PARSED_BLOCK] }],
      defects: ['missing_report_blocks'],
    })
  })

  it('an SDES item longer than its packet ends the chunks', () => {
    expect(parse('82ca0003 cafe0001 01ff6140 62000000')).toMatchObject({
      packets: [{ type: 'sdes', chunks: [{ ssrc: 0xcafe0001, items: [] }] }],
      defects: ['sdes_item_too_long'],
    })
  })

  it('a reason longer than its packet is cut', () => {
    expect(parse('81cb0002 cafe0001 20616263')).toMatchObject({
      packets: [{ reason: 'abc' }],
      defects: ['bye_reason_too_long'],
    })
  })

  it('what is not RTCP is named and not read', () => {
    expect(parse('').defects).toEqual(['too_short'])
    expect(parse('81c9')).toMatchObject({ packets: [], defects: ['too_short'] })
    expect(parse('41c90001 cafe0002')).toMatchObject({ packets: [], defects: ['bad_version'] })
    expect(parse('80000001 cafe0002')).toMatchObject({ packets: [], defects: ['bad_packet_type'] })
    expect(parse(`${RR} 00000000`)).toMatchObject({
      packets: [{ type: 'rr' }],
      defects: ['trailing_bytes'],
    })
    expect(parse('81c80000')).toMatchObject({
      packets: [{ type: 'other', packetType: 200 }],
      defects: ['missing_ssrc'],
    })
  })

  it('the number of packets read from one datagram is bounded', () => {
    const found = parse('80cb0000'.repeat(MAX_PACKETS + 5))
    expect(found.packets).toHaveLength(MAX_PACKETS)
    expect(found.defects).toEqual(['too_many_packets'])
  })
})
