import { describe, expect, it } from 'vitest'
import { Feed, type KeptRow } from '../../test/differential/feed.js'
import { inArrivalOrder, packet, START_MS, stream } from '../../test/differential/streams.js'
import type { ReferencePacket } from '../../test/reference/reference.js'

function rowsOf(packets: readonly ReferencePacket[], intervalMs = 10_000): KeptRow[] {
  const feed = new Feed({ intervalMs }).announce().sendAll(inArrivalOrder(packets))
  feed.end()
  return feed.collector.streams[0].rows
}

const counts = (rows: readonly KeptRow[]) =>
  rows.map(({ start, packets, lost }) => [(start - START_MS) / 1000, packets, lost])

describe('intervals', () => {
  it('are aligned to the clock', () => {
    const rows = rowsOf(stream(250, 1100))
    expect(counts(rows)).toEqual([
      [0, 250, 0],
      [10, 500, 0],
      [20, 100, 0],
    ])
    expect(rows.map(({ first, last }) => [first, last])).toEqual([
      [true, false],
      [false, false],
      [false, true],
    ])
    expect(rows[0].firstPacket).toBe(START_MS + 5000)
    expect(rows[0].lastPacket).toBe(START_MS + 9980)
    expect(rows[1].firstPacket).toBe(START_MS + 10_000)
  })

  it('a full outage is an interval with lost = expected', () => {
    // Nothing from 4 s to 36 s.
    expect(counts(rowsOf([...stream(0, 200), ...stream(1800, 2200)]))).toEqual([
      [0, 200, 300],
      [10, 0, 500],
      [20, 0, 500],
      [30, 200, 300],
      [40, 200, 0],
    ])
  })

  it('also one of more than the 3,000 packets that RFC 3550 calls a dropout', () => {
    // Nothing from 4 s to 84 s.
    expect(counts(rowsOf([...stream(0, 200), ...stream(4200, 4500)]))).toEqual([
      [0, 200, 300],
      ...[10, 20, 30, 40, 50, 60, 70].map((start) => [start, 0, 500]),
      [80, 300, 200],
    ])
  })

  it('a packet lost at the end of a long pause belongs to where the media resumed', () => {
    // Silence from 10 s to 40 s, the clock running; the first packet after it is lost.
    const packets = [
      ...stream(0, 500),
      ...stream(501, 600, (i) => ({ delayMs: 30_000, ts: i * 160 + 240_000 })),
    ]
    expect(counts(rowsOf(packets))).toEqual([
      [0, 500, 0],
      [40, 99, 1],
    ])
  })

  it('a late packet is taken back from the interval that counted it lost', () => {
    const packets = stream(0, 700)
    packets[495] = packet(495, { delayMs: 210 })
    const rows = rowsOf(packets)
    expect(rows.map(({ lost, lostBefore }) => [lost, lostBefore])).toEqual([
      [1, 0],
      [0, 1],
    ])
  })

  it('a late packet whose loss was booked in the open interval is taken back there', () => {
    // 498 is missing when 499 comes 65 ms behind the boundary: its loss falls on that side.
    const packets = stream(0, 700, (i) => (i >= 499 && i < 504 ? { delayMs: 85 + (499 - i) * 19 } : {}))
    packets[498] = packet(498, { delayMs: 300 })
    const rows = rowsOf(packets)
    expect(rows.reduce((sum, { lost, lostBefore }) => sum + lost - lostBefore, 0)).toBe(0)
    const totals = new Feed().announce().sendAll(inArrivalOrder(packets)).finish()
    expect(totals).toMatchObject({ packets: 700, lost: 0 })
  })

  it('packets are counted by payload type, of known clock or not', () => {
    const packets = stream(0, 500, (i) => ({ pt: i < 100 ? 0 : i < 250 ? 8 : i < 300 ? 0 : 99 }))
    expect(rowsOf(packets)[0].types).toEqual([
      { payloadType: 0, packets: 150 },
      { payloadType: 8, packets: 150 },
      { payloadType: 99, packets: 200 },
    ])
  })

  it('events and comfort noise count for no audio payload type', () => {
    const packets = stream(0, 500, (i) =>
      i >= 100 && i < 110
        ? { pt: 13, payloadLength: 13 }
        : i >= 200 && i < 205
          ? { pt: 101, payloadLength: 16 }
          : {},
    )
    expect(rowsOf(packets)[0].types).toEqual([{ payloadType: 0, packets: 485 }])
  })
})

describe('an interval waits for the next packet, at most 30 s', () => {
  /** Feeds, then lets time pass without a packet. */
  function waiting(packets: readonly ReferencePacket[], untilMs: number): Feed {
    const feed = new Feed({ idleMs: 600_000 }).announce().sendAll(inArrivalOrder(packets))
    for (let now = packets[packets.length - 1].timeMs; now <= untilMs; now += 500) feed.meter.sweep(now, 1)
    feed.meter.sweep(untilMs, 1)
    return feed
  }

  it('then it is handed out', () => {
    const packets = stream(0, 300)
    expect(waiting(packets, START_MS + 39_900).collector.streams[0].rows).toEqual([])
    const { rows } = waiting(packets, START_MS + 40_000).collector.streams[0]
    expect(counts(rows)).toEqual([[0, 300, 0]])
  })

  it('a longer outage still gives one interval after another with lost = expected', () => {
    const feed = waiting(stream(0, 300), START_MS + 75_000)
    feed.sendAll(stream(3750, 4100)).end()
    const { rows, totals } = feed.collector.streams[0]
    expect(counts(rows)).toEqual([
      [0, 300, 0],
      ...[10, 20, 30, 40, 50, 60].map((start) => [start, 0, 500]),
      [70, 250, 250],
      [80, 100, 0],
    ])
    // Those of its own time are booked on the first one afterwards.
    expect(rows.map(({ lostBefore }) => lostBefore)).toEqual([0, -200, 0, 0, 0, 0, 0, 0, 0])
    expect(totals.lost).toBe(3450)
  })

  it('and what the last second before it held stays in it', () => {
    // Four packets 80 ms late in the last second: a burst second of the first interval.
    const packets = stream(0, 300, (i) => (i >= 290 && i < 294 ? { delayMs: 80 } : {}))
    const feed = waiting(packets, START_MS + 45_000)
    feed.sendAll(stream(2500, 2600).map((p, i) => ({ ...p, seq: 300 + i }))).end()
    const { rows } = feed.collector.streams[0]
    expect(rows.map((row) => row.burstSeconds)).toEqual([1, 0])
    expect(rows[0].pdvMax).toBeCloseTo(80, 2)
    expect(rows[1].pdvMax).toBe(0)
    expect(rows[1].firstPacket).toBe(START_MS + 50_000)
  })
})
