import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { inArrivalOrder, packet } from '../../test/differential/streams.js'
import type { MediaTotals } from '../calls/media-totals.js'

/** RFC 3611's drawing: 1 received, 0 lost, X discarded. 10 ms packets; a discarded one comes too late for 50 ms. */
function draw(text: string, intervalMs = 10_000): MediaTotals {
  const packets = [...text].flatMap((state, i) =>
    state === '0' ? [] : [packet(i, { ts: i * 80, delayMs: -i * 10 + (state === 'X' ? 60 : 0) })],
  )
  const feed = new Feed({ intervalMs, jitterBuffer: { kind: 'fixed', depthMs: 50 } })
  return feed.announce().sendAll(inArrivalOrder(packets)).finish()
}

describe('bursts and gaps, RFC 3611 4.7.2', () => {
  it("the RFC's worked example: a burst of 120 ms with density 0.33, a gap density of 0.04", () => {
    const totals = draw('11110111111111111111111X111X1011110111111111111111111X1111111111')
    expect(totals.finalPackets).toBe(64)
    expect([totals.lost, totals.lateConfigured]).toEqual([3, 3])
    expect([totals.burstCount, totals.burstPackets, totals.burstBad]).toEqual([1, 12, 4])
    // Gaps of 230 and 290 ms: 52 packets, two of them bad.
    expect([totals.finalPackets - totals.burstPackets, totals.gapBad, totals.edgeBursts]).toEqual([52, 2, 0])
    expect([totals.badTotal, totals.badRuns]).toEqual([6, 6])
    expect(Array.from(totals.lossRuns)).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('16 received in a row part two losses, 15 do not', () => {
    const pad = '1'.repeat(20)
    expect(draw(`${pad}0${'1'.repeat(16)}0${pad}`)).toMatchObject({ burstCount: 0, gapBad: 2 })
    expect(draw(`${pad}0${'1'.repeat(15)}0${pad}`)).toMatchObject({
      burstCount: 1,
      burstPackets: 17,
      gapBad: 0,
    })
  })

  it('a burst may run to the end of the stream', () => {
    const totals = draw(`${'1'.repeat(30)}0X`)
    expect(totals).toMatchObject({ burstCount: 1, burstPackets: 2, edgeBursts: 1 })
  })

  it('runs of loss are counted by length, 10 and more together; a late packet between them parts them', () => {
    const gap = '1'.repeat(20)
    const runs = [1, 2, 3, 9, 10, 40, 300].map((n) => '0'.repeat(n) + gap).join('')
    expect(Array.from(draw(gap + runs).lossRuns)).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 3])
    const parted = draw(`${gap}00X00${gap}`)
    expect(Array.from(parted.lossRuns)).toEqual([0, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    // For the burst ratio it is one run of five.
    expect([parted.badTotal, parted.badRuns]).toEqual([5, 1])
  })

  it('intervals do not part a burst', () => {
    const text = `${'1'.repeat(90)}0110110101010101101010100110${'1'.repeat(90)}`
    const whole = draw(text)
    expect(whole.burstCount).toBe(1)
    expect(draw(text, 1000)).toMatchObject({
      burstCount: whole.burstCount,
      burstPackets: whole.burstPackets,
      burstBad: whole.burstBad,
      badRuns: whole.badRuns,
      finalPackets: whole.finalPackets,
    })
  })
})
