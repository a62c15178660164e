import { describe, expect, it } from 'vitest'
import { parseQualityReport } from './quality-report.js'

function lines(...text: string[]): string {
  return text.join('\r\n') + '\r\n'
}

/** Every metric of RFC 6035 4.6.2, once. */
const FULL = lines(
  'VQSessionReport: CallTerm',
  'CallID: 6dg37f1890463@gw.example.net',
  'LocalID: "Desk 12" <sip:+4930123456@example.net;user=phone>',
  'RemoteID: <sip:bob@example.org>',
  'OrigID: <sip:+4930123456@example.net>',
  'LocalGroup: berlin-2',
  'RemoteGroup: trunk-7',
  'LocalAddr: IP=192.0.2.10 PORT=16384 SSRC=0x2468ABCD',
  'LocalMAC: 00:00:5e:00:53:01',
  'RemoteAddr: IP=[2001:db8::7] PORT=49170 SSRC=305419896',
  'RemoteMAC: 00:00:5e:00:53:02',
  'LocalMetrics:',
  'Timestamps: START=2024-03-05T10:00:00Z STOP=2024-03-05T10:02:30.500Z',
  'SessionDesc: PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50 FMTP="annexb=no" PLC=3 SSUP=on',
  'JitterBuffer: JBA=3 JBR=2 JBN=40 JBM=80 JBX=120',
  'PacketLoss: NLR=5.25 JDR=2.0',
  'BurstGapLoss: BLD=33.3 BD=1200 GLD=2.5 GD=30000 GMIN=16',
  'Delay: RTD=200 ESD=140 OWD=100 SOWD=240 IAJ=2 MAJ=10',
  'Signal: SL=-18 NL=-50 RERL=55',
  'QualityEst: RLQ=90 RCQ=85 EXTRI=89 EXTRO=88 MOSLQ=4.1 MOSCQ=3.9 QoEEstAlg=P.564',
  'RemoteMetrics:',
  'PacketLoss: NLR=1.0 JDR=0.0',
  'QualityEst: MOSLQ=4.3 MOSCQ=4.2',
  'DialogID: 6dg37f1890463@gw.example.net;to-tag=8472761;from-tag=9123dh311',
)

describe('voice quality reports (RFC 6035)', () => {
  it('a session report at the end of a call, all fields', () => {
    expect(parseQualityReport(FULL)).toEqual({
      kind: 'session',
      final: true,
      callId: '6dg37f1890463@gw.example.net',
      localId: '"Desk 12" <sip:+4930123456@example.net;user=phone>',
      remoteId: '<sip:bob@example.org>',
      origId: '<sip:+4930123456@example.net>',
      localGroup: 'berlin-2',
      remoteGroup: 'trunk-7',
      local: { address: '192.0.2.10', port: 16_384, ssrc: 0x2468abcd },
      localMac: '00:00:5e:00:53:01',
      remote: { address: '2001:db8::7', port: 49_170, ssrc: 0x12345678 },
      remoteMac: '00:00:5e:00:53:02',
      localMetrics: {
        startMs: Date.UTC(2024, 2, 5, 10, 0, 0),
        stopMs: Date.UTC(2024, 2, 5, 10, 2, 30, 500),
        payloadType: 18,
        payloadName: 'G729',
        sampleRate: 8000,
        frameDurationMs: 20,
        frameOctets: 20,
        framesPerPacket: 2,
        packetsPerSecond: 50,
        fmtp: 'annexb=no',
        concealment: 3,
        silenceSuppression: true,
        bufferKind: 3,
        bufferRate: 2,
        bufferNominalMs: 40,
        bufferMaxMs: 80,
        bufferAbsoluteMaxMs: 120,
        lossPercent: 5.25,
        discardPercent: 2,
        burstDensityPercent: 33.3,
        burstDurationMs: 1200,
        gapDensityPercent: 2.5,
        gapDurationMs: 30_000,
        gmin: 16,
        roundTripMs: 200,
        endSystemDelayMs: 140,
        oneWayDelayMs: 100,
        symmetricOneWayDelayMs: 240,
        interarrivalJitterMs: 2,
        meanAbsoluteJitterMs: 10,
        signalLevelDbm: -18,
        noiseLevelDbm: -50,
        echoReturnLossDb: 55,
        rLq: 90,
        rCq: 85,
        externalRIn: 89,
        externalROut: 88,
        mosLq: 4.1,
        mosCq: 3.9,
        algorithm: 'P.564',
      },
      remoteMetrics: { lossPercent: 1, discardPercent: 0, mosLq: 4.3, mosCq: 4.2 },
      dialog: { callId: '6dg37f1890463@gw.example.net', toTag: '8472761', fromTag: '9123dh311' },
    })
  })

  it('a phone that puts the metrics first, writes TimeStamps and leaves spaces out', () => {
    const report = parseQualityReport(
      lines(
        'VQSessionReport',
        'LocalMetrics:',
        'TimeStamps:START=2024-03-05T10:00:00ZSTOP=2024-03-05T10:00:45Z',
        'SessionDesc:PT=9 PPS=50 PLC=1 SSUP=off',
        'CallID:329@192.0.2.21',
        'LocalAddr:IP=192.0.2.21 PORT=11784 SSRC=0x1a2a9c52',
        'RemoteAddr:IP=198.51.100.184 PORT=27210 SSRC=0xce2256d2',
        'JitterBuffer:JBA=2 JBR=15 JBN=40 JBM=20JBX=240',
        'PacketLoss:NLR=0.0 JDR=0.0',
        'Delay:RTD=0 ESD=177 SOWD=88 IAJ=0 MAJ=0',
        'Signal:SL=-21 NL=-64 RERL=127',
        'QualityEst:RCQ=92 EXTRI=127 MOSLQ=3.8 MOSCQ=3.8',
      ),
    )
    expect(report).toMatchObject({
      final: false,
      callId: '329@192.0.2.21',
      local: { address: '192.0.2.21', port: 11_784, ssrc: 0x1a2a9c52 },
      localMetrics: {
        startMs: Date.UTC(2024, 2, 5, 10, 0, 0),
        stopMs: Date.UTC(2024, 2, 5, 10, 0, 45),
        silenceSuppression: false,
        bufferMaxMs: 20,
        bufferAbsoluteMaxMs: 240,
        lossPercent: 0,
        endSystemDelayMs: 177,
        interarrivalJitterMs: 0,
        rCq: 92,
        mosCq: 3.8,
      },
    })
    for (const key of ['roundTripMs', 'echoReturnLossDb', 'externalRIn'])
      expect(report?.localMetrics).not.toHaveProperty(key)
    expect(report).not.toHaveProperty('remoteMetrics')
  })

  it('127, 0 and values outside the range stand for unavailable', () => {
    const report = parseQualityReport(
      lines(
        'VQSessionReport: CallTerm',
        'CallID: a',
        'LocalMetrics:',
        'Timestamps: START=0 STOP=0',
        'Signal: SL=127 NL=127 RERL=127',
        'QualityEst: RLQ=127 RCQ=0 MOSLQ=0.0 MOSCQ=12.7',
        'PacketLoss: NLR=-1 JDR=101',
        'Delay: RTD=-1 ESD=0',
      ),
    )
    expect(report).toEqual({ kind: 'session', final: true, callId: 'a' })
  })

  it('names in any case, LF alone, units and decimal commas', () => {
    const report = parseQualityReport(
      'vqsessionreport:callterm\ncallid:x\nLOCALMETRICS:\nPACKETLOSS:nlr=5,5% jdr=1.5\ndelay:Rtd=80ms\n',
    )
    expect(report).toEqual({
      kind: 'session',
      final: true,
      callId: 'x',
      localMetrics: { lossPercent: 5.5, discardPercent: 1.5, roundTripMs: 80 },
    })
  })

  it('spaces about the equals sign, and values left empty', () => {
    const report = parseQualityReport(
      lines(
        'VQSessionReport: CallTerm',
        'LocalAddr: IP= PORT= SSRC=',
        'RemoteAddr: IP = 192.0.2.1 PORT = 5004',
        'JitterBuffer: JBA = 3 JBN= JBM=80',
      ),
    )
    expect(report?.local).toEqual({})
    expect(report?.remote).toEqual({ address: '192.0.2.1', port: 5004 })
    expect(report?.localMetrics).toEqual({ bufferKind: 3, bufferMaxMs: 80 })
  })

  it('an SSRC printed as a signed number is the same SSRC', () => {
    const report = parseQualityReport('VQSessionReport\r\nLocalAddr: IP=192.0.2.1 PORT=1 SSRC=-2\r\n')
    expect(report?.local?.ssrc).toBe(0xfffffffe)
  })

  it('the drafts’ FromID and ToID name the two ends', () => {
    expect(
      parseQualityReport('VQSessionReport\r\nFromID: sip:a@example.net\r\nToID: sip:b@example.net'),
    ).toMatchObject({ localId: 'sip:a@example.net', remoteId: 'sip:b@example.net' })
  })

  it('an alert says what, how bad and which way', () => {
    expect(
      parseQualityReport(
        lines(
          'VQAlertReport: Type=NLR Severity=Critical Dir=local',
          'CallID: x',
          'LocalMetrics:',
          'PacketLoss:NLR=12.0',
        ),
      ),
    ).toMatchObject({
      kind: 'alert',
      alert: { type: 'NLR', severity: 'Critical', direction: 'local' },
      localMetrics: { lossPercent: 12 },
    })
    expect(parseQualityReport('VQIntervalReport\r\nCallID: x')).toMatchObject({
      kind: 'interval',
      final: false,
    })
  })

  it('extensions are kept as text, a bounded number of them', () => {
    const many = Array.from({ length: 20 }, (_, i) => `x-e${i}=${i}`).join(' ')
    const report = parseQualityReport(`VQSessionReport\r\nx-Vendor: x-UserExp=Good ${many}\r\n`)
    expect(report?.localMetrics?.extensions).toMatchObject({ 'x-userexp': 'Good', 'x-e0': '0' })
    expect(Object.keys(report?.localMetrics?.extensions ?? {})).toHaveLength(16)
  })

  it('times may have another zone than UTC', () => {
    const report = parseQualityReport('VQSessionReport\nTimestamps: START=2024-03-05T12:00:00+0200 STOP=now')
    expect(report?.localMetrics).toEqual({ startMs: Date.UTC(2024, 2, 5, 10, 0, 0) })
  })

  it('a body that does not say it is a report is none', () => {
    expect(parseQualityReport('')).toBeUndefined()
    expect(parseQualityReport('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n')).toBeUndefined()
    expect(parseQualityReport('CallID: x\r\nPacketLoss: NLR=5')).toBeUndefined()
  })
})
