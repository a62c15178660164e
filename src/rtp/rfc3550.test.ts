import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { inArrivalOrder, packet, stream } from '../../test/differential/streams.js'
import type { ReferencePacket } from '../../test/reference/reference.js'

function measure(packets: readonly ReferencePacket[]) {
  return new Feed().announce().sendAll(inArrivalOrder(packets)).finish()
}

describe('RFC 3550 A.1: sequence numbers', () => {
  it('go on over the wrap from 65,535 to 0, with loss and reordering on it', () => {
    const packets = stream(0, 100, (i) => ({ seq: (65_500 + i) & 0xffff })).filter((p) => p.seq !== 65_535)
    packets[30] = { ...packets[30], timeMs: packets[30].timeMs + 170 }
    expect(measure(packets)).toMatchObject({ packets: 99, lost: 1, reordered: 1, segments: 1, duplicates: 0 })
  })

  it('go on through several cycles', () => {
    const packets = Array.from({ length: 140_000 }, (_, i) => packet(i, { seq: (i + 7) & 0xffff }))
    expect(measure(packets)).toMatchObject({ packets: 140_000, lost: 0, segments: 1, reordered: 0 })
  })

  it('2,999 ahead is a dropout, 3,000 ahead a restart when the timestamp does not go along', () => {
    const jump = (by: number) => measure(stream(0, 200, (i) => ({ seq: i < 100 ? i : i + by - 1 })))
    expect(jump(2999)).toMatchObject({ lost: 2998, segments: 1 })
    expect(jump(3000)).toMatchObject({ lost: 0, segments: 2, packets: 200 })
  })

  it('99 behind is late, 100 behind a restart', () => {
    // 50 comes right behind 149 or 150.
    const behind = (after: number) => {
      const packets = stream(0, 300)
      packets[50] = packet(50, { delayMs: (after - 50) * 20 + 1 })
      return measure(packets)
    }
    expect(behind(149)).toMatchObject({ packets: 300, lost: 0, reordered: 1, stray: 0 })
    expect(behind(150)).toMatchObject({ packets: 299, lost: 1, reordered: 0, stray: 1 })
  })

  it('a restart is believed when the next packet follows on, not before', () => {
    const back = stream(0, 200, (i) => (i < 100 ? { seq: 500 + i } : { seq: i - 100, ts: i * 160 + 800_000 }))
    expect(measure(back)).toMatchObject({ packets: 200, lost: 0, segments: 2, stray: 0 })
    expect(measure(back.slice(0, 101))).toMatchObject({ packets: 100, segments: 1, stray: 1 })
  })
})

describe('RFC 3550 A.8: interarrival jitter', () => {
  it('J += (|D| - J) / 16: one packet 10 ms late gives 0.625, then 1.2109375, then decays by 1/16', () => {
    const totals = measure([packet(0), packet(1, { delayMs: 10 }), packet(2), packet(3)])
    const third = 1.2109375 * (15 / 16)
    expect(totals.jitterMax).toBe(1.2109375)
    expect(totals.jitterUpdates).toBe(3)
    expect(totals.jitterSum).toBeCloseTo(0.625 + 1.2109375 + third, 9)
  })

  it('a deviation of 16 ms on every packet approaches 16 ms', () => {
    // 16 ms early and late in turn by 8: |D| = 16 each time.
    const packets = stream(0, 400, (i) => ({ delayMs: i % 2 === 0 ? 0 : 16 }))
    const totals = measure(packets)
    // J_n = 16 (1 - (15/16)^n)
    expect(totals.jitterMax).toBeCloseTo(16 * (1 - (15 / 16) ** 399), 5)
  })

  it('compares the RTP clock with the arrival: the timestamp wraps, and 11,025 Hz does not divide into ms', () => {
    const wrap = stream(0, 100, (i) => ({ ts: (0xffffff00 + i * 160) >>> 0 }))
    expect(measure(wrap)).toMatchObject({ jitterMax: 0, timestampJumps: 0 })
    // DVI4 at 11,025 Hz (payload type 16), 20.045 ms per 221 ticks.
    const odd = stream(0, 100, (i) => ({ pt: 16, ts: i * 221, delayMs: i * (221 / 11.025 - 20) }))
    expect(measure(odd).jitterMax).toBeLessThan(1e-3)
  })

  it('leaves duplicates, late packets, events and comfort noise out', () => {
    const packets = stream(0, 100, (i) =>
      i === 30 ? { pt: 13, delayMs: 9 } : i === 50 ? { pt: 101, payloadLength: 16, ts: 7, delayMs: 5 } : {},
    )
    packets.push(packet(40, { delayMs: 3 }))
    packets[60] = packet(60, { delayMs: 70 })
    const totals = measure(packets)
    expect(totals).toMatchObject({
      packets: 100,
      duplicates: 1,
      reordered: 1,
      jitterUpdates: 96,
      jitterMax: 0,
    })
  })
})
