import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { inArrivalOrder, START_MS, stream } from '../../test/differential/streams.js'
import type { MediaTotals } from '../calls/media-totals.js'
import type { ConfiguredBuffer } from './jitter-buffers.js'

/** Packets of which `delayed` says how late each is, ms, in the order that gives. */
function play(
  count: number,
  delayed: (index: number) => number,
  jitterBuffer?: ConfiguredBuffer,
  shape: (index: number) => { ts?: number } = () => ({}),
): MediaTotals {
  const packets = stream(0, count, (i) => ({ ...shape(i), delayMs: delayed(i) }))
  return new Feed({ jitterBuffer }).announce().sendAll(inArrivalOrder(packets)).finish()
}

describe('fixed buffers', () => {
  it('call late what exceeds the lowest delay by more than their depth', () => {
    const late = (ms: number) => play(200, (i) => (i === 100 ? ms : 0))
    expect(late(49.9)).toMatchObject({ lateFixed50: 0, lateFixed200: 0 })
    expect(late(50.1)).toMatchObject({ lateFixed50: 1, lateFixed200: 0 })
    expect(late(199.9)).toMatchObject({ lateFixed50: 1, lateFixed200: 0 })
    expect(late(200.1)).toMatchObject({ lateFixed50: 1, lateFixed200: 1 })
  })

  it('move their base when 2 s in a row were entirely late: 101 packets of 20 ms', () => {
    expect(play(1000, (i) => (i < 300 ? 0 : 80))).toMatchObject({ lateFixed50: 101, lateFixed200: 0 })
    expect(play(1000, (i) => (i < 300 ? 0 : 300))).toMatchObject({ lateFixed50: 101, lateFixed200: 101 })
  })

  it('keep it when one packet in time came within the 2 s', () => {
    // 360, in time, overtakes 357 to 359: 57 late before it, then 2 s without exception, in
    // which its own place is empty: 100.
    expect(play(1000, (i) => (i < 300 || i === 360 ? 0 : 79)).lateFixed50).toBe(157)
  })

  it('move it to the lowest of the late ones, so that later packets count from there', () => {
    // Late by 80, once by 70 in those 2 s; then 121 is 51 above the new base.
    const totals = play(1000, (i) => (i < 300 ? 0 : i === 350 ? 70 : i === 900 ? 121 : i === 905 ? 119 : 80))
    expect(totals.lateFixed50).toBe(102)
  })

  it('go back down at once with a packet that is earlier', () => {
    // Rebased to 79 after 101; at 600 back to 0, which overtakes three; then 51 is late again.
    expect(play(1000, (i) => (i < 300 ? 0 : i < 600 ? 79 : i === 700 ? 51 : 0)).lateFixed50).toBe(101 + 3 + 1)
  })

  it('of a configured depth play beside the standard ones', () => {
    const totals = play(200, (i) => (i === 100 ? 110 : i === 150 ? 90 : 0), { kind: 'fixed', depthMs: 100 })
    expect(totals).toMatchObject({ lateConfigured: 1, lateFixed50: 2, lateFixed200: 0, badTotal: 1 })
    const shallow = play(200, (i) => (i === 100 ? 25 : 0), { kind: 'fixed', depthMs: 20 })
    expect(shallow).toMatchObject({ lateConfigured: 1, lateFixed50: 0, lateAdaptive: 0, badTotal: 1 })
  })
})

describe('the adaptive buffer', () => {
  it('starts at 40 ms, and grows to the late packet, rounded up to a packet time', () => {
    expect(play(200, (i) => (i === 100 ? 39.9 : 0)).lateAdaptive).toBe(0)
    // 65 ms: 80 deep from then on.
    expect(play(200, (i) => (i === 100 ? 65 : i === 110 ? 79.9 : 0)).lateAdaptive).toBe(1)
    expect(play(200, (i) => (i === 100 ? 65 : i === 110 ? 80.1 : 0)).lateAdaptive).toBe(2)
  })

  it('grows to 500 ms at most', () => {
    const totals = play(300, (i) => (i === 100 ? 900 : i === 200 ? 501 : i === 250 ? 499 : 0))
    expect(totals.lateAdaptive).toBe(2)
    expect(totals.depthSum / totals.measured).toBeLessThan(500)
  })

  it('falls one packet time per second while ten seconds need less than that', () => {
    // Late at 1,010.07 s of the clock's second 1: 80 ms deep. Seconds 2..11 are calm; falls at 12 s to 60, at 13 s to 40.
    const totals = play(1000, (i) => (i === 50 ? 70 : 0))
    const depths = stream(0, 1000).map(({ timeMs }, i) => {
      const second = Math.floor((timeMs - START_MS) / 1000)
      return i < 54 ? 40 : second < 12 ? 80 : second < 13 ? 60 : 40
    })
    expect(totals.depthSum).toBeCloseTo(
      depths.reduce((sum, depth) => sum + depth, 0),
      0,
    )
  })

  it('does not fall while a packet in ten seconds comes within a packet time of it', () => {
    // 80 deep; 60.1 ms once every 9 s keeps it there, so 79 ms stays in time.
    const needed = play(2500, (i) => (i === 50 ? 70 : i % 450 === 400 ? 60.1 : i === 2490 ? 79 : 0))
    expect(needed.lateAdaptive).toBe(1)
    // 59 ms lets it fall to 60.
    const unneeded = play(2500, (i) => (i === 50 ? 70 : i % 450 === 400 ? 59 : i === 2490 ? 79 : 0))
    expect(unneeded.lateAdaptive).toBe(2)
  })

  it('rounds to the packet time of the stream: 30 ms', () => {
    const slow = (last: number) => {
      const packets = stream(0, 300, (i) => ({
        ts: i * 240,
        delayMs: i * 10 + (i === 100 ? 65 : i === 110 ? last : 0),
      }))
      return new Feed().announce().sendAll(inArrivalOrder(packets)).finish()
    }
    expect(slow(89.9).lateAdaptive).toBe(1)
    expect(slow(90.1).lateAdaptive).toBe(2)
  })

  it('of configured bounds starts at its minimum and stays under its maximum', () => {
    const own: ConfiguredBuffer = { kind: 'adaptive', minimumMs: 60, maximumMs: 100 }
    const at = (delayed: (i: number) => number) => play(300, delayed, own)
    expect(at((i) => (i === 100 ? 59.9 : 0))).toMatchObject({ lateConfigured: 0, lateAdaptive: 1 })
    expect(at((i) => (i === 100 ? 61 : i === 200 ? 79.9 : 0)).lateConfigured).toBe(1)
    expect(at((i) => (i === 100 ? 300 : i === 200 ? 101 : i === 250 ? 99 : 0)).lateConfigured).toBe(2)
    // Mean depth over packets: 60 until the late one, 80 after it.
    const totals = at((i) => (i === 100 ? 61 : 0))
    expect(totals.depthSum).toBeCloseTo(104 * 60 + 196 * 80, 0)
  })
})

describe('burst seconds', () => {
  it('need three packets above 60 ms within one second of the clock', () => {
    const three = (from: number) => play(200, (i) => (i >= from && i < from + 3 ? 61 : 0)).burstSeconds
    expect(three(60)).toBe(1)
    // 1.98, 2.00 and 2.02 s, each 61 ms late: 2.041, 2.061, 2.081 s.
    expect(three(99)).toBe(1)
    // 1.941, 2.001, 2.021: no second has three.
    expect(play(200, (i) => (i === 94 || i === 97 || i === 98 ? 61 : 0)).burstSeconds).toBe(0)
    expect(play(200, (i) => (i === 60 || i === 62 ? 61 : 0)).burstSeconds).toBe(0)
  })

  it('are counted to the very end of the stream', () => {
    expect(play(100, (i) => (i >= 97 ? 61 : 0)).burstSeconds).toBe(1)
  })
})
