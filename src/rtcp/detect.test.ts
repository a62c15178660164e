import { describe, expect, it } from 'vitest'
import { looksLikeRtcp, parseRtcp } from './parse.js'
import { hex, RR, SDES, SR } from './test-bytes.js'

function looks(text: string, wireLength?: number): boolean {
  const bytes = hex(text)
  return looksLikeRtcp(bytes, 0, bytes.length, wireLength)
}

function parse(text: string, expectEncrypted = false) {
  const bytes = hex(text)
  return parseRtcp(bytes, 0, bytes.length, { expectEncrypted })
}

describe('RTCP beside RTP on one port (RFC 5761)', () => {
  it('packet types 192..223 with a length that fits are RTCP', () => {
    expect(looks(SR + SDES)).toBe(true)
    expect(looks('81cd0002 cafe0001 11111111')).toBe(true)
    expect(looks('80cf0001 cafe0001')).toBe(true)
  })

  it('RTP is not taken for RTCP', () => {
    // PCMU, sequence number 1; with marker: second byte 0x80.
    expect(looks('80000001 00000000 cafe0001 ffffffff')).toBe(false)
    expect(looks('80800001 00000000 cafe0001 ffffffff')).toBe(false)
    // Dynamic payload type 111 with marker: 0xef.
    expect(looks('80ef0001 00000000 cafe0001 ffffffff')).toBe(false)
    // Marker and payload type 72 look like SR; the "length" is a sequence number.
    expect(looks(`80c86a3b 00000000 cafe0001 ${'00'.repeat(160)}`)).toBe(false)
  })

  it('STUN, DTLS and a datagram too short are not RTCP', () => {
    expect(looks('00010000 2112a442 00000000 00000000')).toBe(false)
    expect(looks('16fefd00 00000000 00000000')).toBe(false)
    expect(looks('80c90001')).toBe(false)
    expect(looksLikeRtcp(hex(RR), 0, 33)).toBe(false)
  })

  it('a datagram cut by the snap length is judged by its length on the wire', () => {
    expect(looks('81c90007 cafe0002', 32)).toBe(true)
    expect(looks('81c90007 cafe0002')).toBe(false)
  })

  it('SRTCP is RTCP: its first header is clear', () => {
    expect(looks(`80c80006 cafe0001 ${'a7'.repeat(20)} 80000001 ${'5b'.repeat(10)}`)).toBe(true)
  })
})

describe('SRTCP (RFC 3711 3.4)', () => {
  const BODY = '9f3d1c75 e2a86b40 17d9cc02 6ef135b8 4a90dd27'
  const SR_CLEAR = '80c80006 cafe0001'
  const TAG10 = '5b5b5b5b 5b5b5b5b 5b5b'

  it('an encrypted SR is recognised by the lengths that do not add up and by its E flag', () => {
    expect(parse(`${SR_CLEAR} ${BODY} 80000001 ${TAG10}`)).toMatchObject({
      packets: [],
      encrypted: true,
      defects: [],
      first: { packetType: 200, ssrc: 0xcafe0001 },
    })
  })

  it('so is a compound whose second header is encrypted', () => {
    expect(parse(`${SR_CLEAR} ${BODY} 3c71a8e0 99b04dd1 80000a05 ${TAG10}`).encrypted).toBe(true)
  })

  it('AEAD has its tag in front of the index (RFC 7714)', () => {
    expect(parse(`${SR_CLEAR} ${BODY} ${'5b'.repeat(16)} 80000001`).encrypted).toBe(true)
  })

  it('a tag of 4 bytes and a master key identifier are recognised', () => {
    expect(parse(`${SR_CLEAR} ${BODY} 80000001 5b5b5b5b`).encrypted).toBe(true)
    expect(parse(`${SR_CLEAR} ${BODY} 80000001 01 ${TAG10}`).encrypted).toBe(true)
    expect(parse(`${SR_CLEAR} ${BODY} 80000001 00000001 ${TAG10}`).encrypted).toBe(true)
  })

  it('without the E flag the compound is readable, and index and tag are no junk', () => {
    expect(parse(`${SR} ${SDES} 00000007 ${TAG10}`)).toMatchObject({
      packets: [{ type: 'sr' }, { type: 'sdes' }],
      encrypted: false,
      authenticated: true,
      defects: [],
    })
    expect(parse(`${SR} ${SDES} 00000007 ${TAG10}`, true).packets).toHaveLength(2)
  })

  it('when SDP announces SRTP, what may be encrypted is left alone', () => {
    // An index and a tag that tell nothing by themselves.
    const srtcp = `${SR_CLEAR} ${BODY} ffffffff ${'ff'.repeat(10)}`
    expect(parse(srtcp)).toMatchObject({ encrypted: false, defects: ['trailing_bytes'] })
    expect(parse(srtcp, true)).toMatchObject({ encrypted: true, packets: [], defects: [] })
    const cut = hex(srtcp)
    expect(parseRtcp(cut, 0, 28, { expectEncrypted: true, wireLength: cut.length }).encrypted).toBe(true)
  })

  it('a first packet followed by nothing but random bytes is not trusted, whatever the trailer', () => {
    const random = '6386f23e 0dfd6acb 43ca49d0 2c099e52 9ee33ac6 f4abee59'
    expect(parse(`80c90001 cafe0002 ${random}`)).toMatchObject({ encrypted: true, packets: [] })
    const text = Buffer.from('vendor data, in the clear').toString('hex')
    expect(parse(`80c90001 cafe0002 ${text}`)).toMatchObject({ encrypted: false, packets: [{ type: 'rr' }] })
  })

  it('when SDP announces SRTP but the endpoint sends plain RTCP, it is read: SRTCP always has an index', () => {
    expect(parse(SR + SDES, true)).toMatchObject({
      encrypted: false,
      packets: [{ type: 'sr' }, { type: 'sdes' }],
    })
  })

  it('plain RTCP with junk behind it is not taken for SRTCP', () => {
    expect(parse(`${SR} ${'00'.repeat(14)}`)).toMatchObject({ encrypted: false, authenticated: false })
    expect(parse(`${SR} ${'ff'.repeat(14)}`)).toMatchObject({
      encrypted: false,
      defects: ['trailing_bytes'],
    })
  })
})
