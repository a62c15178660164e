import { describe, expect, it } from 'vitest'
import { analyseBursts, type PacketState } from './bursts.js'
import { measureReference, type ReferenceOptions, type ReferencePacket } from './reference.js'
import { nearestRank, theilSen } from './timing.js'

const options: ReferenceOptions = {
  clockRates: { 0: 8000, 13: 8000, 101: 8000 },
  classes: { 13: 'cn', 101: 'telephone-event' },
}

/** Packet `index` of a perfect 20 ms G.711 stream that starts at 1,000,000 ms, with changes. */
function packet(
  index: number,
  changes: Partial<ReferencePacket> & { delayMs?: number } = {},
): ReferencePacket {
  const { delayMs = 0, ...fields } = changes
  return {
    timeMs: 1_000_000 + index * 20 + delayMs,
    seq: index & 0xffff,
    ts: (index * 160) >>> 0,
    ssrc: 1,
    pt: 0,
    marker: false,
    payloadLength: 160,
    ...fields,
  }
}

function stream(
  count: number,
  change: (index: number) => Parameters<typeof packet>[1] = () => ({}),
): ReferencePacket[] {
  return Array.from({ length: count }, (_, index) => packet(index, change(index)))
}

function inArrivalOrder(packets: ReferencePacket[]): ReferencePacket[] {
  return [...packets].sort((a, b) => a.timeMs - b.timeMs)
}

describe('counting', () => {
  it('a perfect stream has nothing to report', () => {
    expect(measureReference(stream(500), options)).toMatchObject({
      packets: 500,
      bytes: 80_000,
      lost: 0,
      duplicates: 0,
      reordered: 0,
      segments: 1,
      ptimeMs: 20,
      jitterMaxMs: 0,
      pdvMaxMs: 0,
      lateFixed50: 0,
      lateAdaptive: 0,
      meanAdaptiveDepthMs: 40,
      burstCount: 0,
      lossRuns: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      burstRatio: undefined,
      longestGapMs: 20,
    })
  })

  it('missing numbers are lost, a missing tail is not', () => {
    const packets = stream(100).filter(({ seq }) => ![10, 11, 50].includes(seq) && seq < 97)
    const result = measureReference(packets, options)
    expect(result.lost).toBe(3)
    expect(result.lossRuns).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(result.longestGapMs).toBe(60)
  })

  it('a repeat is a duplicate, not a packet, and a late one is reordered, not lost', () => {
    const packets = stream(100)
    packets.push(packet(30, { delayMs: 30 }), packet(40, { delayMs: 1 }))
    packets[60] = packet(60, { delayMs: 35 })
    const result = measureReference(inArrivalOrder(packets), options)
    expect(result).toMatchObject({ packets: 100, lost: 0, duplicates: 2, reordered: 1 })
  })

  it('reordered first packets lower the start', () => {
    const [a, b, c, d] = stream(4)
    const result = measureReference([c, a, b, d], options)
    expect(result).toMatchObject({ packets: 4, lost: 0, reordered: 2 })
  })

  it('sequence and timestamp wrap', () => {
    const packets = stream(100).map((p, i) => ({
      ...p,
      seq: (65_500 + i) & 0xffff,
      ts: (0xffffff00 + i * 160) >>> 0,
    }))
    expect(measureReference(packets, options)).toMatchObject({
      packets: 100,
      lost: 0,
      segments: 1,
      timestampJumps: 0,
      pdvMaxMs: 0,
    })
  })
})

describe('segments', () => {
  it('a sequence reset that the next packet confirms starts a new one', () => {
    const packets = stream(200).map((p, i) => (i < 100 ? { ...p, seq: 30_000 + i } : { ...p, seq: i - 100 }))
    expect(measureReference(packets, options)).toMatchObject({
      packets: 200,
      lost: 0,
      segments: 2,
      strays: 0,
    })
  })

  it('one packet from elsewhere belongs to nothing', () => {
    const packets = stream(200)
    packets.splice(100, 0, packet(100, { seq: 20_000, ts: 5 }))
    expect(measureReference(packets, options)).toMatchObject({
      packets: 200,
      lost: 0,
      segments: 1,
      strays: 1,
    })
  })

  it('4,000 missing packets are loss when the timestamp advanced with them', () => {
    const packets = [...stream(100), ...stream(4200).slice(4100)]
    expect(measureReference(packets, options)).toMatchObject({ lost: 4000, segments: 1, timestampJumps: 0 })
  })

  it('and a new segment when it did not', () => {
    const packets = stream(200).map((p, i) => (i < 100 ? p : { ...p, seq: p.seq + 4000 }))
    expect(measureReference(packets, options)).toMatchObject({ lost: 0, segments: 2 })
  })

  it('each SSRC has its own', () => {
    const second = stream(100).map((p) => ({ ...p, ssrc: 2, timeMs: p.timeMs + 7, seq: p.seq + 9_000 }))
    const result = measureReference(inArrivalOrder([...stream(100), ...second]), options)
    expect(result).toMatchObject({ packets: 200, lost: 0, segments: 2, jitterMaxMs: 0 })
  })
})

describe('jitter, RFC 3550 A.8', () => {
  it('two deviations of 10 ms give 0.625 and 1.2109375', () => {
    const result = measureReference([packet(0), packet(1, { delayMs: 10 }), packet(2)], options)
    expect(result.jitterMaxMs).toBe(1.2109375)
    expect(result.jitterMeanMs).toBe((0.625 + 1.2109375) / 2)
  })

  it('comfort noise and telephone-events do not update it', () => {
    const packets = stream(6, (i) => (i === 2 ? { pt: 13, delayMs: 9 } : i === 3 ? { pt: 101, ts: 77 } : {}))
    expect(measureReference(packets, options)).toMatchObject({
      packets: 6,
      lost: 0,
      jitterMaxMs: 0,
      pdvMaxMs: 0,
    })
  })

  it('a payload type of unknown clock is counted but not timed', () => {
    const result = measureReference(
      stream(10, () => ({ pt: 96 })),
      options,
    )
    expect(result).toMatchObject({ packets: 10, jitterMaxMs: undefined, pdvMaxMs: undefined })
  })
})

describe('timestamp jumps', () => {
  it('a jump of the timestamp is counted and leaves jitter and delay variation alone', () => {
    const packets = stream(100).map((p, i) => (i < 50 ? p : { ...p, ts: p.ts + 80_000 }))
    expect(measureReference(packets, options)).toMatchObject({
      timestampJumps: 1,
      jitterMaxMs: 0,
      pdvMaxMs: 0,
    })
  })

  it('a silence that the clock counts is no jump, marked or not', () => {
    for (const marker of [true, false]) {
      const packets = stream(100).map((p, i) =>
        i < 50 ? p : { ...p, timeMs: p.timeMs + 3000, ts: p.ts + 24_000, marker: marker && i === 50 },
      )
      expect(measureReference(packets, options)).toMatchObject({ timestampJumps: 0, pdvMaxMs: 0, lost: 0 })
    }
  })

  it('a marked pause that the clock does not count is a jump, an unmarked one is lateness', () => {
    const pause = (marker: boolean): ReferencePacket[] =>
      stream(60).map((p, i) => (i < 50 ? p : { ...p, timeMs: p.timeMs + 600, marker: marker && i === 50 }))
    expect(measureReference(pause(true), options)).toMatchObject({ timestampJumps: 1, pdvMaxMs: 0 })
    expect(measureReference(pause(false), options)).toMatchObject({ timestampJumps: 0, pdvMaxMs: 600 })
  })
})

describe('jitter buffers', () => {
  it('70 ms late is too late for 50 ms and for the fresh adaptive buffer, which then waits 80 ms', () => {
    const packets = stream(100, (i) => (i >= 50 && i < 54 ? { delayMs: 70 } : {}))
    const result = measureReference(inArrivalOrder(packets), options)
    expect(result).toMatchObject({ lateFixed50: 4, lateFixed200: 0, lateAdaptive: 1, pdvMaxMs: 70 })
    // 51 packets judged by 40 ms, 49 by 80 ms.
    expect(result.meanAdaptiveDepthMs).toBeCloseTo((51 * 40 + 49 * 80) / 100, 9)
  })

  it('the adaptive depth falls by one packet time per second once 10 s have been calm', () => {
    // Late at 1,001.000 s: depth 80. The packet leaves the memory at the second 1,012, when it falls to 60, then 40.
    const packets = stream(1000, (i) => (i === 50 ? { delayMs: 70 } : {}))
    const result = measureReference(inArrivalOrder(packets), options)
    const raisedFor = 51 // index 50 arrives after 53 and is judged by 40; 54.. are judged by 80
    const depths = stream(1000).map(({ timeMs }, i) => {
      if (i === 50) return 40
      const second = Math.floor(timeMs / 1000)
      return i < raisedFor + 3 ? 40 : second < 1012 ? 80 : second < 1013 ? 60 : 40
    })
    expect(result.lateAdaptive).toBe(1)
    expect(result.meanAdaptiveDepthMs).toBeCloseTo(depths.reduce<number>((a, b) => a + b, 0) / 1000, 9)
  })

  it('a fixed buffer moves its base after 2 s in a row that were late', () => {
    const packets = stream(400, (i) => (i >= 100 ? { delayMs: 100 } : {}))
    // Late from the first shifted packet to the one 2,000 ms after it: 101 packets.
    expect(measureReference(packets, options)).toMatchObject({ lateFixed50: 101, lateFixed200: 0 })
  })
})

describe('clock skew', () => {
  function drifting(ppm: number, count: number): ReferencePacket[] {
    return stream(count, (i) => ({ delayMs: (-i * 20 * ppm) / 1e6 }))
  }

  it('a sender 100 ppm fast reads +100, a slow one -100', () => {
    expect(measureReference(drifting(100, 3000), options).skewPpm).toBeCloseTo(100, 0)
    expect(measureReference(drifting(-100, 3000), options).skewPpm).toBeCloseTo(-100, 0)
  })

  it('is not known before 30 s and not believed beyond 500 ppm', () => {
    expect(measureReference(drifting(100, 1400), options).skewPpm).toBeUndefined()
    expect(measureReference(drifting(800, 3000), options).skewPpm).toBeUndefined()
  })

  it('does not count as delay variation once it is known', () => {
    // 60 s at -100 ppm: 3 ms build up in the first 30 s, and none after.
    const result = measureReference(drifting(-100, 3000), options)
    expect(result.pdvMaxMs).toBeGreaterThan(2.9)
    expect(result.pdvMaxMs).toBeLessThan(3.01)
    expect(result.pdvP50Ms).toBeLessThan(0.01)
  })

  it('Theil-Sen shrugs off an outlier', () => {
    const points = [0, 1, 2, 3, 4, 5, 6].map((i) => ({ timeMs: i, d: i === 3 ? 90 : 2 * i }))
    expect(theilSen(points)).toBe(2)
    expect(theilSen([{ timeMs: 0, d: 0 }])).toBeUndefined()
  })
})

describe('bursts and gaps, RFC 3611 4.7.2', () => {
  function states(text: string): PacketState[] {
    return [...text].map((c) => (c === '0' ? 'lost' : c === 'X' ? 'late' : 'received'))
  }

  it("the RFC's worked example: burst 120 ms with density 0.33, gaps of 230 and 290 ms with density 0.04", () => {
    const analysis = analyseBursts(
      [states('11110111111111111111111X111X1011110111111111111111111X1111111111')],
      10,
    )
    expect(analysis.burstCount).toBe(1)
    expect(analysis.burstDurationMs).toBe(120)
    expect(analysis.burstDensity).toBeCloseTo(1 / 3, 9)
    expect(analysis.gapLengths).toEqual([23, 29])
    expect(analysis.gapDurationMs).toBe(260)
    expect(analysis.gapDensity).toBeCloseTo(2 / 52, 9)
    expect(analysis.lossRuns).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(analysis.impaired).toBe(6)
  })

  it('16 received in a row part two losses, 15 do not', () => {
    expect(analyseBursts([states(`0${'1'.repeat(16)}0`)], 20).burstCount).toBe(0)
    expect(analyseBursts([states(`0${'1'.repeat(15)}0`)], 20)).toMatchObject({
      burstCount: 1,
      burstDurationMs: 340,
    })
  })

  it('burst ratio: runs of 4 at 20 % loss are 4 x 0.8 = 3.2 times as long as random ones', () => {
    const analysis = analyseBursts([states('1111111100001111111100001111111111111111')], 20)
    expect(analysis.burstRatio).toBeCloseTo(3.2, 9)
    expect(analysis.lossRuns[3]).toBe(2)
  })

  it('the burst ratio that the E-model gets is held to 2 from 2 % loss on', () => {
    const packets = stream(100).filter(({ seq }) => seq < 40 || seq > 45)
    expect(measureReference(packets, options)).toMatchObject({
      burstRatio: 2,
      lossRuns: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
    })
  })
})

describe('burst seconds', () => {
  it('need three packets above 60 ms in one clock-aligned second', () => {
    const three = stream(100, (i) => (i >= 60 && i < 63 ? { delayMs: 61 } : {}))
    const two = stream(100, (i) => (i >= 60 && i < 62 ? { delayMs: 61 } : {}))
    expect(measureReference(inArrivalOrder(three), options).burstSeconds).toBe(1)
    expect(measureReference(inArrivalOrder(two), options).burstSeconds).toBe(0)
  })
})

describe('nearest rank', () => {
  it('takes the value at ceil(p n)', () => {
    const values = [15, 20, 35, 40, 50]
    expect([5, 30, 40, 50, 100].map((p) => nearestRank(values, p))).toEqual([15, 20, 20, 35, 50])
    expect(nearestRank([], 50)).toBeUndefined()
  })
})
