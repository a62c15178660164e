import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { inArrivalOrder, packet, START_MS, stream } from '../../test/differential/streams.js'

const FORMATS = [
  { payloadType: 96, encoding: 'OPUS', clockRateHz: 48_000, channels: 2 },
  { payloadType: 101, encoding: 'TELEPHONE-EVENT', clockRateHz: 8000, channels: 1 },
]

describe('what is timed', () => {
  it("the first packet of an announced stream is timed by the clock rate that its call's SDP gave", () => {
    const feed = new Feed({}, FORMATS).announce()
    feed.sendAll(stream(0, 50, (i) => ({ pt: 96, ts: i * 960 })))
    expect(feed.finish()).toMatchObject({ packets: 50, measured: 50, jitterUpdates: 49 })
  })

  it('a change of clock rate updates no jitter (RFC 3550 A.8 compares timestamps of one clock)', () => {
    const feed = new Feed({}, FORMATS).announce()
    feed.sendAll(stream(0, 50)).sendAll(stream(50, 100, (i) => ({ pt: 96, ts: i * 960 })))
    expect(feed.finish()).toMatchObject({ packets: 100, measured: 100, jitterUpdates: 98, timestampJumps: 0 })
  })

  it('a packet sent before a timestamp jump that arrives after it is counted, not timed', () => {
    for (const jump of [80_000, -80_000]) {
      const packets = stream(0, 200, (i) => (i < 100 ? {} : { ts: (i * 160 + jump) >>> 0 }))
      packets[99].timeMs += 25
      const totals = new Feed().announce().sendAll(inArrivalOrder(packets)).finish()
      expect(totals).toMatchObject({ packets: 200, lost: 0, reordered: 1, timestampJumps: 1, measured: 199 })
      expect(totals.pdvMax).toBe(0)
    }
  })

  it('a packet held back over a pause is late by the whole pause', () => {
    const packets = stream(0, 200, (i) => (i < 100 ? {} : { ts: i * 160 + 24_000, delayMs: 3000 }))
    packets[99].timeMs += 3030
    const totals = new Feed().announce().sendAll(inArrivalOrder(packets)).finish()
    expect(totals).toMatchObject({ packets: 200, reordered: 1, timestampJumps: 0, measured: 200 })
    expect(totals.pdvMax).toBeCloseTo(3030, 2)
  })

  it('a delay right after a telephone-event is a delay, not a timestamp jump', () => {
    const packets = [
      ...stream(0, 100),
      ...stream(100, 110, () => ({ pt: 101, ts: 16_000 })),
      ...stream(110, 200, () => ({ delayMs: 250 })),
    ]
    const totals = new Feed({}, FORMATS).announce().sendAll(packets).finish()
    expect(totals).toMatchObject({ timestampJumps: 0, dtmfEvents: 1 })
    expect(totals.pdvMax).toBeCloseTo(250, 2)
  })

  it('a delay of the second packet after an event too, even when audio came with its last packet', () => {
    const packets = [
      ...stream(0, 100),
      ...stream(100, 110, () => ({ pt: 101, ts: 16_000 })),
      packet(110, { delayMs: -20 }),
      ...stream(111, 200, () => ({ delayMs: 250 })),
    ]
    const totals = new Feed({}, FORMATS).announce().sendAll(packets).finish()
    expect(totals).toMatchObject({ timestampJumps: 0, lateAdaptive: 1 })
  })

  it('two pauses of one length do not make that the packet time', () => {
    // Silence of 200 ms each, the clock running; then a delay of 250 ms in step with the sequence.
    const pauses = (i: number): number => (i >= 100 ? 200 : 0) + (i >= 150 ? 200 : 0)
    const packets = stream(0, 200, (i) => ({
      ts: i * 160 + pauses(i) * 8,
      delayMs: pauses(i) + (i > 150 ? 250 : 0),
    }))
    const totals = new Feed().announce().sendAll(packets).finish()
    expect(totals).toMatchObject({ timestampJumps: 0, ptimeMs: 20, lateAdaptive: 1 })
    expect(totals.pdvMax).toBeCloseTo(250, 2)
  })

  it('a late packet of the other G.711 law is timed: both have one clock', () => {
    const packets = stream(0, 200, (i) => ({ pt: i < 100 ? 0 : 8 }))
    packets[99].timeMs += 25
    expect(new Feed().announce().sendAll(inArrivalOrder(packets)).finish()).toMatchObject({
      measured: 200,
      reordered: 1,
    })
  })
})

describe('jitter buffers over time', () => {
  it('the adaptive depth falls one packet time per second through a silence of any length', () => {
    // 490 ms late once: depth 500. After 10 s + 23 packet times of silence it is back at 40.
    const packets = [
      ...stream(0, 100, (i) => (i === 50 ? { delayMs: 490 } : {})),
      ...stream(0, 100).map((_, i) =>
        packet(100 + i, { timeMs: START_MS + 100_000 + i * 20, ts: (100_000 / 20) * 160 + i * 160 }),
      ),
    ]
    const feed = new Feed().announce().sendAll(inArrivalOrder(packets))
    const before = feed.finish()
    // 75 packets judged by 40 ms (the late one, at 1,490 ms, included), 25 by 500 ms, then 100 by 40 ms.
    expect(before.depthSum).toBeCloseTo(75 * 40 + 25 * 500 + 100 * 40, 1)
  })
})
