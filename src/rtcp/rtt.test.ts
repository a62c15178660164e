import { describe, expect, it } from 'vitest'
import { RttMeter } from './rtt.js'

const A = 0xaaaaaaaa
const B = 0xbbbbbbbb
const SECOND = 65_536

describe('round trip at the tap', () => {
  it('RFC 3550 Figure 2: 6.125 s', () => {
    const meter = new RttMeter()
    // A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000; the clocks of sender and tap are one here.
    const sentMs = (0xb7052000 * 1000) / 65_536
    const receivedMs = (0xb7108000 * 1000) / 65_536
    meter.onSenderReport(A, 0xb7052000, sentMs)
    const sample = meter.onReportBlock(B, A, 0xb7052000, 0x00054000, receivedMs)
    expect(sample).toEqual({ reporterSsrc: B, aboutSsrc: A, rttMs: 6125, timeMs: receivedMs, via: 'sr' })
  })

  it('needs no clock but the tap’s: the sender’s NTP time is only a name', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 12, 1_700_000_000_000)
    expect(meter.onReportBlock(B, A, 12, 2 * SECOND, 1_700_000_002_040)?.rttMs).toBe(40)
  })

  it('both legs are measured apart: each sample belongs to the reporter’s side', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 100, 1000)
    meter.onSenderReport(B, 200, 1100)
    expect(meter.onReportBlock(B, A, 100, SECOND, 2030)).toMatchObject({ reporterSsrc: B, rttMs: 30 })
    expect(meter.onReportBlock(A, B, 200, SECOND, 2180)).toMatchObject({ reporterSsrc: A, rttMs: 80 })
  })

  it('a report that overtakes later SRs is matched with the one it names', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 1, 0)
    meter.onSenderReport(A, 2, 5000)
    meter.onSenderReport(A, 3, 10_000)
    expect(meter.onReportBlock(B, A, 2, SECOND, 6100)?.rttMs).toBeCloseTo(100)
    expect(meter.onReportBlock(B, A, 3, 0, 10_020)?.rttMs).toBeCloseTo(20)
  })

  it('without an SR yet, LSR is zero and says nothing', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 0, 0)
    expect(meter.onReportBlock(B, A, 0, 0, 100)).toBeUndefined()
    expect(meter.counters).toMatchObject({ samples: 0, zeroReference: 1 })
  })

  it('an SR that did not pass here is not guessed', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 1, 0)
    expect(meter.onReportBlock(B, A, 2, 0, 100)).toBeUndefined()
    expect(meter.onReportBlock(B, 0xdddddddd, 1, 0, 100)).toBeUndefined()
    expect(meter.counters.unknownReference).toBe(2)
  })

  it('-1..0 ms counts as 0, less is discarded and counted', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 1, 0)
    expect(meter.onReportBlock(B, A, 1, SECOND, 999.2)?.rttMs).toBe(0)
    expect(meter.onReportBlock(B, A, 1, 2 * SECOND, 1999)?.rttMs).toBe(0)
    expect(meter.onReportBlock(B, A, 1, 3 * SECOND, 2998.9)).toBeUndefined()
    expect(meter.counters).toMatchObject({ samples: 2, negative: 1 })
  })

  it('an SR older than 60 s is not used, nor a round trip longer than the limit', () => {
    const meter = new RttMeter({ maxRttMs: 10_000 })
    meter.onSenderReport(A, 1, 0)
    expect(meter.onReportBlock(B, A, 1, 59 * SECOND, 60_000)?.rttMs).toBe(1000)
    expect(meter.onReportBlock(B, A, 1, 60 * SECOND, 60_001)).toBeUndefined()
    expect(meter.onReportBlock(B, A, 1, SECOND, 30_000)).toBeUndefined()
    expect(meter.counters).toMatchObject({ samples: 1, tooOld: 1, implausible: 1 })
  })

  it('a mirror’s copies of SR and report change nothing', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 1, 0)
    meter.onSenderReport(A, 1, 3)
    expect(meter.onReportBlock(B, A, 1, SECOND, 1025)?.rttMs).toBe(25)
    expect(meter.onReportBlock(B, A, 1, SECOND, 1028)).toBeUndefined()
    expect(meter.counters).toMatchObject({ samples: 1, repeatedReferences: 1, repeatedReports: 1 })
  })

  it('a DLSR that stands still is not taken for network delay', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 1, 0)
    expect(meter.onReportBlock(B, A, 1, 0, 20)?.rttMs).toBe(20)
    expect(meter.onReportBlock(B, A, 1, 0, 5020)).toBeUndefined()
    expect(meter.counters.repeatedReports).toBe(1)
  })

  it('when a sender repeats an NTP time, the delay counts from the last SR', () => {
    const meter = new RttMeter()
    meter.onSenderReport(A, 1, 0)
    meter.onSenderReport(A, 1, 5000)
    expect(meter.onReportBlock(B, A, 1, SECOND, 6030)?.rttMs).toBe(30)
  })

  it('XR reference time and DLRR measure those who send no media', () => {
    const meter = new RttMeter()
    meter.onReceiverReferenceTime(A, 77, 0)
    // An SR of the same time is another thing.
    expect(meter.onReportBlock(B, A, 77, 0, 10)).toBeUndefined()
    expect(meter.onDlrr(B, A, 77, SECOND, 1050)).toEqual({
      reporterSsrc: B,
      aboutSsrc: A,
      rttMs: 50,
      timeMs: 1050,
      via: 'rrtr',
    })
    expect(meter.onDlrr(B, A, 0, 0, 1060)).toBeUndefined()
  })

  it('remembers a bounded number of SRs per source', () => {
    const meter = new RttMeter({ outstanding: 4 })
    for (let i = 1; i <= 6; i++) meter.onSenderReport(A, i, i * 1000)
    expect(meter.onReportBlock(B, A, 2, 0, 6100)).toBeUndefined()
    expect(meter.onReportBlock(B, A, 3, 0, 6100)?.rttMs).toBe(3100)
    expect(meter.onReportBlock(B, A, 6, 0, 6110)?.rttMs).toBe(110)
  })

  it('remembers a bounded number of sources and forgets the quietest', () => {
    const meter = new RttMeter({ sources: 3 })
    for (const ssrc of [1, 2, 3]) meter.onSenderReport(ssrc, 9, ssrc)
    meter.onSenderReport(1, 10, 50)
    meter.onSenderReport(4, 9, 60)
    expect(meter.counters.sourcesEvicted).toBe(1)
    expect(meter.onReportBlock(B, 2, 9, 0, 100)).toBeUndefined()
    expect(meter.onReportBlock(B, 1, 10, 0, 100)?.rttMs).toBe(50)
    expect(meter.onReportBlock(B, 4, 9, 0, 100)?.rttMs).toBe(40)
  })
})
