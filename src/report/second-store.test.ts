import { describe, expect, it } from 'vitest'
import { MediaSecond } from '../calls/second-watch.js'
import { bucketOf, jitterBucketOf } from '../rtp/histogram.js'
import { HEAT_EDGES_MS, unpackSeconds, type Seconds } from './page/second-codes.js'
import { SecondSeries } from './second-series.js'

const START_MS = 1_700_000_000_000

/** A second with a packet of each given PDV, ms; jitter as given for each. */
function second(
  at: number,
  pdv: readonly number[],
  part: Partial<MediaSecond> = {},
  jitter = pdv,
): MediaSecond {
  const made = new MediaSecond()
  Object.assign(made, { startMs: START_MS + at * 1000, packets: pdv.length, ptimeMs: 20, ...part })
  for (const value of pdv) made.pdv[bucketOf(value)]++
  for (const value of jitter) made.jitter[jitterBucketOf(value)]++
  made.measured = pdv.length
  made.pdvMax = Math.max(0, ...pdv)
  made.jitterUpdates = jitter.length
  made.jitterSum = jitter.reduce((sum, value) => sum + value, 0)
  return made
}

function unpacked(series: SecondSeries): Seconds {
  const bytes = new Uint8Array(series.packedBytes + 7)
  return unpackSeconds(bytes, series.pack(bytes, 7))
}

const within5 = (value: number | null, expected: number): void => {
  expect(value).not.toBeNull()
  expect(Math.abs((value ?? 0) - expected)).toBeLessThanOrEqual(Math.max(0.1, expected * 0.06))
}

describe('seconds of a direction', () => {
  it('come back as they went in, times to 5 %', () => {
    const series = new SecondSeries(100)
    const pdv = Array.from({ length: 50 }, (_, i) => i * 2)
    series.add(second(0, pdv, { lost: 3, late: 2 }), 120, 4.12)
    const seconds = unpacked(series)
    expect(seconds).toMatchObject({ startMs: START_MS, stepMs: 1000, count: 1 })
    expect(seconds.counts).toEqual({ packets: [50], lost: [3], late: [2] })
    expect(seconds.mos[0]).toBeCloseTo(4.12, 2)
    within5(seconds.times.delay[0], 120)
    within5(seconds.times.jitterMean[0], 49)
    // Nearest rank of 0, 2, ... 98: the 25th and the 48th.
    within5(seconds.times.pdvP50[0], 48)
    within5(seconds.times.pdvP95[0], 94)
    within5(seconds.times.pdvMax[0], 98)
  })

  it('show a single late packet among fifty in the band above 60 ms', () => {
    const series = new SecondSeries(100)
    series.add(second(0, [...new Array<number>(49).fill(1), 80]), undefined, undefined)
    const { heat } = unpacked(series)
    const band = HEAT_EDGES_MS.indexOf(60) + 1
    expect(heat.map(([share]) => Math.round(share * 50))).toEqual(
      heat.map((_, i) => (i === 0 ? 49 : i === band ? 1 : 0)),
    )
  })

  it('lay the losses of an outage out over the seconds in which nothing came', () => {
    const series = new SecondSeries(100)
    series.add(second(0, new Array<number>(50).fill(1)), undefined, undefined)
    // Media stopped at the end of second 0 and resumed in the middle of second 4: 175 packets of 20 ms.
    series.add(second(4, new Array<number>(25).fill(1), { lost: 175 }), undefined, undefined)
    expect(unpacked(series).counts.lost).toEqual([0, 50, 50, 50, 25])
  })

  it('take two, four, ... seconds per point when there are more than fit, and lose no packet by it', () => {
    const series = new SecondSeries(10)
    for (let at = 0; at < 35; at++) series.add(second(at, [at], { lost: 1 }), undefined, at === 30 ? 2 : 4)
    const seconds = unpacked(series)
    expect(seconds.stepMs).toBe(4000)
    expect(seconds.counts.packets).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 3])
    expect(seconds.counts.lost.reduce((a, b) => a + b)).toBe(35)
    expect(seconds.mos[7]).toBe(2)
    within5(seconds.times.pdvMax[8], 34)
  })

  it('take a loss back that turned out to be a late arrival, never below zero', () => {
    const series = new SecondSeries(10)
    series.add(second(0, [1], { lost: -2 }), undefined, undefined)
    expect(unpacked(series).counts.lost).toEqual([0])
  })
})
