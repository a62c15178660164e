import { describe, expect, it } from 'vitest'
import { MediaSecond } from '../calls/second-watch.js'
import { bucketOf, jitterBucketOf } from '../rtp/histogram.js'
import { HEAT_EDGES_MS, POINT_BYTES, unpackSeconds, type Seconds } from './page/second-codes.js'
import { BatchReader, BatchWriter } from './call-batch.js'
import { packSeconds, readSeconds } from './packed-seconds.js'
import { SecondStore } from './second-store.js'

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

/** Seconds of one direction. */
class Series {
  readonly track: number

  constructor(
    mostPoints: number,
    readonly store = new SecondStore(mostPoints),
  ) {
    this.track = store.open()
  }

  add(made: MediaSecond, delayMs = NaN, mos = NaN): void {
    this.store.add(this.track, made, delayMs, mos)
  }
}

/** As the page has them, on the way that they take to it. */
function unpacked({ store, track }: Series): Seconds {
  const writer = new BatchWriter()
  store.write(track, writer)
  const seen = readSeconds(new BatchReader(writer.take()))
  const bytes = new Uint8Array(seen.count * POINT_BYTES + 7)
  return unpackSeconds(bytes, packSeconds(seen, bytes, 7))
}

const within5 = (value: number | null, expected: number): void => {
  expect(value).not.toBeNull()
  expect(Math.abs((value ?? 0) - expected)).toBeLessThanOrEqual(Math.max(0.1, expected * 0.06))
}

describe('seconds of a direction', () => {
  it('come back as they went in, times to 5 %', () => {
    const series = new Series(100)
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
    const series = new Series(100)
    series.add(second(0, [...new Array<number>(49).fill(1), 80]))
    const { heat } = unpacked(series)
    const band = HEAT_EDGES_MS.indexOf(60) + 1
    expect(heat.map(([share]) => Math.round(share * 50))).toEqual(
      heat.map((_, i) => (i === 0 ? 49 : i === band ? 1 : 0)),
    )
  })

  it('lay the losses of an outage out over the seconds in which nothing came', () => {
    const series = new Series(100)
    series.add(second(0, new Array<number>(50).fill(1)))
    // Media stopped at the end of second 0 and resumed in the middle of second 4: 175 packets of 20 ms.
    series.add(second(4, new Array<number>(25).fill(1), { lost: 175 }))
    expect(unpacked(series).counts.lost).toEqual([0, 50, 50, 50, 25])
  })

  it('take two, four, ... seconds per point when there are more than fit, and lose no packet by it', () => {
    const series = new Series(10)
    for (let at = 0; at < 35; at++) series.add(second(at, [at], { lost: 1 }), NaN, at === 30 ? 2 : 4)
    const seconds = unpacked(series)
    expect(seconds.stepMs).toBe(4000)
    expect(seconds.counts.packets).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 3])
    expect(seconds.counts.lost.reduce((a, b) => a + b)).toBe(35)
    expect(seconds.mos[7]).toBe(2)
    within5(seconds.times.pdvMax[8], 34)
  })

  it('take a loss back that turned out to be a late arrival, never below zero', () => {
    const series = new Series(10)
    series.add(second(0, [1], { lost: -2 }))
    expect(unpacked(series).counts.lost).toEqual([0])
  })

  it('are kept apart from those of other directions, in memory that others have used', () => {
    const store = new SecondStore(1800)
    const points = (count: number, packets: number): Series => {
      const series = new Series(0, store)
      for (let at = 0; at < count; at++) series.add(second(at, new Array<number>(packets).fill(at)))
      return series
    }
    const gone = points(300, 9)
    store.close(gone.track)
    const [short, long, longest] = [points(5, 1), points(100, 2), points(1700, 3)]
    expect(store.points).toBe(1805)
    expect(unpacked(short).counts.packets).toEqual(new Array(5).fill(1))
    expect(unpacked(long).counts.packets).toEqual(new Array(100).fill(2))
    expect(unpacked(longest).counts.packets).toEqual(new Array(1700).fill(3))
    expect(unpacked(new Series(0, store)).count).toBe(0)
  })
})
