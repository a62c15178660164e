import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { inArrivalOrder, packet, stream } from '../../test/differential/streams.js'
import type { ReferencePacket } from '../../test/reference/reference.js'

const FORMATS = [{ payloadType: 101, encoding: 'TELEPHONE-EVENT', clockRateHz: 8000, channels: 1 }]

function measure(packets: readonly ReferencePacket[]) {
  return new Feed({}, FORMATS).announce().sendAll(inArrivalOrder(packets)).finish()
}

describe('repeats', () => {
  it('another packet under a number that was already used is neither a packet nor a repeat', () => {
    const packets = stream(0, 100)
    packets.splice(50, 0, packet(49, { ts: 49 * 160 + 7, delayMs: 1 }))
    expect(measure(packets)).toMatchObject({ packets: 100, duplicates: 0, stray: 1, lost: 0 })
  })

  it('a repeat is known as one after an older packet came late', () => {
    // 92 late puts itself where 100, eight higher, is remembered.
    const packets = [...stream(0, 101), ...stream(101, 200)]
    packets[92] = packet(92, { delayMs: 161 })
    packets.push(packet(100, { delayMs: 2 }))
    expect(measure(packets)).toMatchObject({ packets: 200, duplicates: 1, spanDuplicates: 1, stray: 0 })
  })

  it('every packet twice, the copies 30 ms later: a restart is recognized all the same', () => {
    const once = stream(0, 300, (i) => (i < 150 ? {} : { seq: 40_000 + i, ts: 77_000_000 + i * 160 }))
    const packets = once.flatMap((p) => [p, { ...p, timeMs: p.timeMs + 30 }])
    expect(measure(packets)).toMatchObject({ packets: 300, duplicates: 300, segments: 2, stray: 0, lost: 0 })
  })
})

describe('packets from elsewhere', () => {
  it('and their repeats are strays, in no other count', () => {
    const stray = packet(100, { seq: 30_000, ts: 5, delayMs: 1 })
    const packets = [...stream(0, 101), stray, { ...stray, timeMs: stray.timeMs + 1 }, ...stream(101, 200)]
    expect(measure(packets)).toMatchObject({ packets: 200, stray: 2, duplicates: 0, segments: 1, lost: 0 })
  })

  it('the repeats of what proves to be a restart are repeats', () => {
    const packets = stream(0, 200, (i) => (i < 100 ? {} : { seq: 30_000 + i, ts: i * 160 + 9_000_000 }))
    packets.splice(101, 0, { ...packets[100], timeMs: packets[100].timeMs + 1 })
    expect(measure(packets)).toMatchObject({ packets: 200, stray: 0, duplicates: 1, segments: 2 })
  })
})

describe('outages', () => {
  it('an outage of 11 minutes (33,000 packets, over half of the sequence space) is loss', () => {
    const totals = measure([...stream(0, 100), ...stream(33_100, 33_200)])
    expect(totals).toMatchObject({ packets: 200, lost: 33_000, segments: 1, stray: 0 })
  })

  it('an outage that ends with a telephone-event is loss, and the event is not timed as media', () => {
    const totals = measure([
      ...stream(0, 100),
      ...stream(4100, 4105, () => ({ pt: 101, ts: 4100 * 160, payloadLength: 16 })),
      ...stream(4105, 4200),
    ])
    expect(totals).toMatchObject({ packets: 200, lost: 4000, segments: 1, dtmfEvents: 1, eventPackets: 5 })
    expect(totals).toMatchObject({ measured: 195, timestampJumps: 0 })
  })

  it('a stray packet just before the end of a long outage stays a stray', () => {
    const stray = packet(4099, { seq: 60_000, ts: 5 })
    expect(measure([...stream(0, 100), stray, ...stream(4100, 4200)])).toMatchObject({
      packets: 200,
      lost: 4000,
      stray: 1,
      segments: 1,
    })
  })
})

describe('the longest gap', () => {
  it('ends with a packet that comes late and out of order', () => {
    // 50 is due at 1,000 ms and comes at 1,075 ms, between 51..53 (held to 1,060) and 54.
    const packets = stream(0, 200).filter(({ seq }) => seq < 51 || seq > 53)
    packets[50] = packet(50, { delayMs: 75 })
    expect(measure(packets).longestGap).toBeCloseTo(1075 - 980, 2)
  })

  it('counts the silence between two segments', () => {
    const packets = [
      ...stream(0, 100),
      ...stream(100, 200, (i) => ({ delayMs: 700, seq: 40_000 + i, ts: 9_000_000 + i * 160 })),
    ]
    expect(measure(packets)).toMatchObject({ segments: 2 })
    expect(measure(packets).longestGap).toBeCloseTo(720, 2)
  })
})

describe('reordering is not loss, nor a burst', () => {
  it('wherever it falls on the end of an interval', () => {
    // Intervals end after 500 packets. Packets on either side come 30 places late.
    for (let late = 470; late <= 530; late += 3) {
      const packets = stream(0, 1000)
      packets[late] = packet(late, { delayMs: 601 })
      const totals = measure(packets)
      expect(totals).toMatchObject({ packets: 1000, lost: 0, reordered: 1, finalPackets: 1000 })
      expect(Array.from(totals.lossRuns)).toEqual(new Array(10).fill(0))
    }
  })

  it('of the first packets neither, when the first interval ends with them', () => {
    // The capture starts 20 packets before an interval's end; its lowest number arrives after that.
    const packets = stream(480, 900)
    packets[0] = packet(480, { delayMs: 25 * 20 + 1 })
    const totals = measure(packets)
    expect(totals).toMatchObject({ packets: 420, lost: 0, reordered: 1, finalPackets: 420 })
    expect(Array.from(totals.lossRuns)).toEqual(new Array(10).fill(0))
  })

  it('right behind an outage neither, nor right before it, of whatever length', () => {
    for (const outage of [95, 97, 100, 130, 300, 2000, 3500]) {
      for (const distance of [1, 5, 40]) {
        const behind = 200 + outage
        const packets = [...stream(0, 200), ...stream(behind, behind + 200)]
        packets[198] = packet(198, { delayMs: 21 })
        packets[200] = packet(behind, { delayMs: distance * 20 + 1 })
        const totals = measure(packets)
        expect(totals).toMatchObject({ packets: 400, lost: outage, reordered: 2, finalPackets: 400 + outage })
        expect(totals.badTotal).toBe(outage + totals.lateAdaptive)
        expect(Array.from(totals.lossRuns), `${outage} ${distance}`).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
      }
    }
  })
})
