import { describe, expect, it } from 'vitest'
import { generateScenario } from './generate.js'
import { readDatagram, type Rtcp, rtcpPackets } from './read-back.js'
import type { CallSpec } from './scenario.js'

const CALLER = '192.0.2.10'

function play(call: CallSpec) {
  const { packets, truth } = generateScenario({ calls: [{ duration_s: 31, ...call }] })
  return { packets, reports: rtcpPackets(packets), truth: truth.calls[0] }
}

/** The tap's computation: report's time - time of the SR that it names - DLSR. */
function legRtts(reports: Rtcp[], reporter: string): number[] {
  return reports.flatMap((report) => {
    if (report.source !== reporter || !report.block || report.block.lsr === 0) return []
    const heard = reports.find((sr) => sr.source !== reporter && sr.ntpMiddle === report.block?.lsr)
    return heard ? report.timeMs - heard.timeMs - (report.block.dlsr * 1000) / 65536 : []
  })
}

describe('RTCP', () => {
  it('gives the tap exactly the round-trip times of the scenario, per leg', () => {
    const { reports, truth } = play({ network: { caller_leg_rtt_ms: 30, callee_leg_rtt_ms: 50.5 } })
    const caller = legRtts(reports, CALLER)
    const callee = legRtts(reports, '198.51.100.20')
    // Reports 5, 10, ... 30 s after media began.
    expect(caller.length).toBe(6)
    expect(new Set(caller)).toEqual(new Set([30]))
    expect(new Set(callee)).toEqual(new Set([50.5]))
    expect(truth.caller_leg).toMatchObject({ samples: caller.length, rtt_p50_ms: 30 })
    expect(truth.end_to_end).toMatchObject({ rtt_p50_ms: 80.5, rtt_max_ms: 80.5 })
  })

  it('takes a list of round-trip times in turn', () => {
    const { reports } = play({ network: { caller_leg_rtt_ms: [10, 20, 300] } })
    expect(legRtts(reports, CALLER)).toEqual([10, 20, 300, 10, 20, 300])
  })

  it('reports loss that happens before and after the tap, and none that the mirror made up', () => {
    const last = (call: CallSpec): Rtcp['block'] =>
      play(call).reports.findLast((report) => report.source === '198.51.100.20')?.block
    const packets = [10, 11, 500]
    expect(last({ media: { from_caller: { loss: { packets } } } })?.lost).toBe(3)
    expect(last({ media: { from_caller: { loss: { packets, where: 'after_tap' } } } })?.lost).toBe(3)
    expect(last({ mirror: { drop_percent: 20 } })?.lost).toBe(0)
  })

  it('fraction lost is 256 x lost / expected of the interval, rounded down', () => {
    // Callee reports at 12.5 s, 17.5 s, ...: 250 packets between two; 10 of them lost is 256 * 10 / 250 = 10.24.
    const packets = Array.from({ length: 10 }, (_, i) => 700 + i)
    const { reports } = play({ media: { from_caller: { loss: { packets } } } })
    const fractions = reports.flatMap((r) => (r.source === '198.51.100.20' ? (r.block?.fraction ?? []) : []))
    expect(fractions.filter((fraction) => fraction > 0)).toEqual([10])
  })

  it('of a side that sends nothing is a receiver report', () => {
    const { reports } = play({ media: { from_callee: { no_media: true } } })
    const types = (side: boolean): number[] =>
      reports.filter((r) => (r.source === CALLER) === side).map((report) => report.type)
    expect(new Set(types(true))).toEqual(new Set([200]))
    expect(new Set(types(false))).toEqual(new Set([201]))
  })

  it('counts in the SR the packets that were sent, lost ones included', () => {
    const { reports } = play({ media: { from_caller: { loss: { random_percent: 30 } } } })
    const counts = reports.filter((r) => r.source === CALLER).map((report) => report.senderPackets)
    expect(
      counts
        .map((count, i) => count - (counts[i - 1] ?? 0))
        .every((n) => n === 250 || n === 251 || n === 249),
    ).toBe(true)
  })

  it('runs on port + 1, or on the media port with mux', () => {
    const ports = (rtcp: CallSpec['rtcp']): Set<number> =>
      new Set(
        play({ rtcp })
          .packets.map(readDatagram)
          .filter(({ payload }) => payload[1] === 200 || payload[1] === 201)
          .map(({ sourcePort }) => sourcePort),
      )
    expect(ports(true)).toEqual(new Set([10001, 20001]))
    expect(ports({ mux: true })).toEqual(new Set([10000, 20000]))
    expect(ports(false)).toEqual(new Set())
  })

  it('of an SRTP call shows the SSRC and nothing else', () => {
    const { packets, truth } = play({ srtp: true })
    const reports = packets.map(readDatagram).filter(({ sourcePort }) => sourcePort === 10001)
    // 28 + 24 bytes of SR, SDES of 28, 4 of E and index, 10 of tag.
    expect(reports.length).toBeGreaterThan(3)
    for (const { payload } of reports) expect(payload[payload.length - 14] >> 7).toBe(1)
    expect(truth).toMatchObject({ encrypted: true })
    expect(truth.caller_leg).toBeUndefined()
  })
})
