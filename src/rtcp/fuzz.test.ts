import fc from 'fast-check'
import { describe, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { fuzzQualityReportOne, fuzzRtcpOne } from './fuzz-target.js'
import { hex, RR, SDES, SR } from './test-bytes.js'

const XR = `80cf0028 cafe0002
  01000004 11111111 00640096 400a0005 e0034014
  04000002 b44db705 20000000 05000003 33333333 b7052000 00054000
  06e80009 11111111 000a006e 00000007 00000002 00000001 00000050 00000014 0000000a 3c403e01
  07000008 11111111 0d054c03 00782710 0030008c ebc0371f 5d5c2a29 b5000028 0050012c
  1d800002 11111111 00800440 14e00005 11111111 10000bb8 00001900 00640032 00012345`

const SEEDS = [SR + SDES, RR, XR, SR + SDES + RR + SDES, `${RR} a1cb0003 cafe0001 00000000 00000008`].map(
  (text) => new Uint8Array([0, 1, ...hex(text)]),
)

const REPORT = `CallID: a\r\nLocalAddr: IP=192.0.2.1 PORT=1 SSRC=0x1\r\nLocalMetrics:\r\nTimestamps:START=2024-03-05T10:00:00Z
PacketLoss:NLR=5.0 JDR=2.0\r\nJitterBuffer:JBM=20JBX=240 FMTP="a=b"\r\nQualityEst:MOSLQ=4.1 x-a=b\r\nDialogID:a;to-tag=b`

describe('damaged input', () => {
  it('any bytes are parsed without an exception, within bounds', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fuzzRtcpOne), propertyRuns(1000))
  })

  it('a valid datagram with bytes changed, cut or repeated is, too', () => {
    const damage = fc.record({
      seed: fc.constantFrom(...SEEDS),
      changes: fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      cut: fc.nat(200),
      twice: fc.boolean(),
    })
    fc.assert(
      fc.property(damage, ({ seed, changes, cut, twice }) => {
        const bytes = twice ? new Uint8Array([...seed, ...seed.subarray(2)]) : Uint8Array.from(seed)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        fuzzRtcpOne(bytes.subarray(0, Math.max(2, bytes.length - (cut > 100 ? 0 : cut))))
      }),
      propertyRuns(2000),
    )
  })

  it('any text is no or some quality report, never an exception', () => {
    const encoder = new TextEncoder()
    const piece = fc.oneof(
      fc.constantFrom(...REPORT.split(/(?<=[ :=\n;])/)),
      fc.string({ maxLength: 8 }),
      fc.constantFrom('=', '"', ':', ' ', '\r\n', '127', '-1'),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) =>
        fuzzQualityReportOne(encoder.encode(pieces.join(''))),
      ),
      propertyRuns(1000),
    )
  })
})
