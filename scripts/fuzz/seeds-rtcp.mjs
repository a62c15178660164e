const hex = (text) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

const SENDER_REPORT = hex(`81c8000c 11111111 b44db705 20000000 00000320 00000064 00003e80
  22222222 0c000003 00010064 00000014 b44d0000 00018000`)
const RECEIVER_REPORT = hex('81c90007 22222222 11111111 ff7fffff 0001ffff 00000014 b7052000 00054000')
const DESCRIPTION = hex('81ca0004 11111111 01056140622e63 0000 0000')
const GOODBYE = hex('81cb0003 11111111 04627965 21000000')
const FEEDBACK = hex('81cd0003 11111111 22222222 00640003 81ce0002 11111111 22222222')
const APPLICATION = hex('80cc0003 11111111 4e414d45 00000001')
/** RFC 3611 4.1 .. 4.7: loss and duplicate RLE, receipt times, reference time, DLRR, statistics, VoIP metrics. */
const EXTENDED = hex(`80cf0032 11111111
  01000004 22222222 00640096 400a0005 e0034014 02000004 22222222 00640096 c00ac005 00000000
  03000004 22222222 00640066 00000001 00000002 04000002 b44db705 20000000
  05000003 33333333 b7052000 00054000
  06e80009 22222222 000a006e 00000007 00000002 00000001 00000050 00000014 0000000a 3c403e01
  07000008 22222222 0d054c03 00782710 0030008c ebc0371f 5d5c2a29 b5000028 0050012c`)
/** RFC 6776, 6798, 6843, 6958, 7002 .. 7005, 7294 and others: as far as their headers go. */
const LATER = [14, 15, 16, 18, 20, 21, 22, 23, 25, 26, 27, 28, 29, 33, 34, 35]

function laterBlock(type) {
  const body = hex('22222222 00640096 00800440 10000bb8 00001900 00640032')
  const block = Buffer.concat([Buffer.from([type, 0x80, 0, body.length / 4]), body])
  const packet = Buffer.concat([hex('80cf0000 11111111'), block])
  packet.writeUInt16BE(packet.length / 4 - 1, 2)
  return packet
}

/** Datagrams as src/rtcp/fuzz-target.ts takes them: two bytes of options, then a compound. */
export function rtcpSeeds() {
  const compounds = [
    [SENDER_REPORT, DESCRIPTION],
    [RECEIVER_REPORT, DESCRIPTION, GOODBYE],
    [SENDER_REPORT, DESCRIPTION, EXTENDED],
    [RECEIVER_REPORT, FEEDBACK, APPLICATION],
    ...LATER.map((type) => [RECEIVER_REPORT, laterBlock(type)]),
    // SRTCP: what follows the first eight bytes is encrypted, then an index and a tag.
    [SENDER_REPORT, hex('80000001 00112233445566778899')],
  ]
  const options = [0x00, 0x01, 0x80, 0x05]
  return compounds.map(
    (parts, i) => new Uint8Array(Buffer.concat([Buffer.from([options[i % 4], i]), ...parts])),
  )
}

/** Of RFC 6035 4.6.2, with every metric of its tables. */
const REPORT = `VQSessionReport: CallTerm
CallID: 6dg37f1890463
LocalID: Alice <sip:alice@example.org>
RemoteID: Bill <sip:bill@example.net>
OrigID: Alice <sip:alice@example.org>
LocalGroup: a
RemoteGroup: b
LocalAddr: IP=192.0.2.1 PORT=5000 SSRC=0x2468abcd
RemoteAddr: IP=2001:db8::2 PORT=5002 SSRC=0x1357efff
LocalMAC: 00:1f:5b:cc:21:0f
LocalMetrics:
Timestamps:START=2024-03-05T10:00:00Z STOP=2024-03-05T10:05:00Z
SessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50 FMTP="annexb=no" PLC=3 SSUP=on
JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120
PacketLoss:NLR=5.0 JDR=2.0
BurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16
Delay:RTD=200 ESD=140 SOWD=100 IAJ=2 MAJ=10
Signal:SL=-18 NL=-50 RERL=55
QualityEst:RLQ=90 RCQ=85 EXTRI=90 MOSLQ=4.2 MOSCQ=4.3 QoEEstAlg=P.564
RemoteMetrics:
Timestamps:START=2024-03-05T10:00:00Z STOP=2024-03-05T10:05:00Z
PacketLoss:NLR=0.1 JDR=0.1
Delay:RTD=200 ESD=140
QualityEst:MOSLQ=4.1 MOSCQ=4.0
DialogID:6dg37f1890463@example.org;to-tag=8472761;from-tag=9123dh311
`

export function reportSeeds() {
  const texts = [
    REPORT,
    REPORT.replaceAll('\n', '\r\n'),
    REPORT.replaceAll('=', ' = '),
    'VQIntervalReport\r\n' + REPORT,
  ]
  return texts.map((text) => new Uint8Array(Buffer.from(text)))
}
