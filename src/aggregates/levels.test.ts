import { describe, expect, it } from 'vitest'
import { Levels } from './levels.js'
import type { MetricPoint } from './point.js'
import { SeriesTable } from './series.js'

/** Counts, with a number that only a whole point has. */
class Count {
  count = 0
  merge(other: Count): void {
    this.count += other.count
  }
  fields(whole: boolean): MetricPoint['fields'] {
    return { count: this.count, mean: whole ? 1 : undefined }
  }
}

const T0 = Date.UTC(2024, 0, 1, 12)
const SERIES = { tags: { probe: 'p' }, key: 'a' }

/** Events at times in s after noon, each counted when packet time is `late` s past it. */
function run(events: readonly number[], { late = 0, endS = Math.max(...events), intervalS = 10 } = {}) {
  const points: MetricPoint[] = []
  const levels = new Levels(
    'm',
    intervalS * 1000,
    () => new Count(),
    (due) => points.push(...due),
  )
  for (const event of events) {
    levels.advance(T0 + (event + late) * 1000)
    levels.at(T0 + event * 1000, SERIES).count++
  }
  levels.advance(T0 + endS * 1000)
  const before = points.length
  levels.finish()
  return { points, before, levels }
}

function shown(points: readonly MetricPoint[], measurement: string) {
  return points
    .filter((point) => point.measurement === measurement)
    .map(({ timeMs, fields }) => [(timeMs - T0) / 1000, fields.count])
}

describe('intervals and their roll-ups', () => {
  const everySecond = Array.from({ length: 2 * 3600 }, (_, s) => s)

  it('add up: each minute is its intervals, each hour its minutes', () => {
    const { points } = run(everySecond)
    expect(shown(points, 'm')).toHaveLength(720)
    expect(shown(points, 'm').every(([, count]) => count === 10)).toBe(true)
    expect(shown(points, 'm_1m').map(([start]) => start)).toEqual(
      Array.from({ length: 120 }, (_, k) => 60 * k),
    )
    expect(shown(points, 'm_1m').every(([, count]) => count === 60)).toBe(true)
    expect(shown(points, 'm_1h')).toEqual([
      [0, 3600],
      [3600, 3600],
    ])
  })

  it('are written 15, 45 and 60 s after their end, by packet time', () => {
    const due = (endS: number): string[] => {
      const { points, before } = run([0, 3599], { endS })
      return points.slice(0, before).map((p) => `${p.measurement}@${(p.timeMs - T0) / 1000}`)
    }
    expect(due(3614.9)).toEqual(['m@0', 'm_1m@0'])
    expect(due(3615)).toEqual(['m@0', 'm_1m@0', 'm@3590'])
    expect(due(3645)).toEqual(['m@0', 'm_1m@0', 'm@3590', 'm_1m@3540'])
    expect(due(3660)).toEqual(['m@0', 'm_1m@0', 'm@3590', 'm_1m@3540', 'm_1h@0'])
    expect(run([0, 3599], { endS: 3600 }).points).toHaveLength(5)
  })

  it('lose nothing that comes late: a further point without percentiles, and every sum stays exact', () => {
    for (const late of [0, 14, 16, 50, 75, 400, 4000]) {
      const { points } = run(everySecond, { late })
      for (const measurement of ['m', 'm_1m', 'm_1h']) {
        const sum = shown(points, measurement).reduce((total, [, count]) => total + Number(count), 0)
        expect(sum, `${measurement}, ${late} s late`).toBe(7200)
      }
      expect(
        new Set(points.map(({ measurement, timeMs, key }) => `${measurement} ${timeMs} ${key}`)).size,
      ).toBe(points.length)
    }
    const { points, levels } = run(everySecond, { late: 16 })
    expect(levels.latePoints).toBeGreaterThan(0)
    expect(points.some(({ fields }) => fields.mean === undefined)).toBe(true)
  })

  it('stay whole when time jumps ahead by days: the minute of before is no late one', () => {
    const { points, levels } = run([1, 2, 300_000])
    expect(shown(points, 'm_1m')).toEqual([
      [0, 2],
      [300_000, 1],
    ])
    expect(levels.latePoints).toBe(0)
  })

  it('begin anew when the clock is set back, and no point overwrites one of before', () => {
    const again = Array.from({ length: 200 }, (_, s) => 7000 + s)
    const { points } = run([...again, ...again, 100, 101, ...again])
    expect(shown(points, 'm_1h').reduce((total, [, count]) => total + Number(count), 0)).toBe(602)
    expect(
      new Set(points.map(({ measurement, timeMs, key }) => `${measurement} ${timeMs} ${key}`)).size,
    ).toBe(points.length)
  })

  it.each([1, 7, 30, 60])(
    'work with intervals of %i s, also where these do not divide a minute',
    (intervalS) => {
      const { points, levels } = run(everySecond, { intervalS })
      for (const measurement of ['m', 'm_1m', 'm_1h'])
        expect(shown(points, measurement).reduce((total, [, count]) => total + Number(count), 0)).toBe(7200)
      expect(levels.latePoints).toBe(0)
    },
  )

  it('are the same points for the same packets, and others for another run', () => {
    expect(run(everySecond).points).toEqual(run(everySecond).points)
    const keys = (events: number[]): string[] => run(events).points.map(({ key }) => key)
    expect(keys([1, 5])).not.toEqual(keys([2, 5]))
  })
})

describe('a bucket with many series', () => {
  it('is written in slices, none of which stalls the capture, and is part of its minute all the same', () => {
    const sizes: number[] = []
    const points: MetricPoint[] = []
    const levels = new Levels(
      'm',
      10_000,
      () => new Count(),
      (due) => {
        if (due.length > 0) sizes.push(due.length)
        points.push(...due)
      },
    )
    const many = Array.from({ length: 3000 }, (_, k) => ({ tags: { probe: 'p' }, key: String(k) }))
    for (let ms = 0; ms < 180_000; ms += 100) {
      levels.advance(T0 + ms)
      if (ms % 10_000 === 0) for (const series of many) levels.at(T0 + ms, series).count++
    }
    expect(Math.max(...sizes)).toBe(500)
    levels.finish()
    for (const measurement of ['m', 'm_1m', 'm_1h']) {
      const sum = shown(points, measurement).reduce((total, [, count]) => total + Number(count), 0)
      expect(sum, measurement).toBe(18 * 3000)
    }
    expect(levels.latePoints).toBe(0)
  })
})

describe('the series budget', () => {
  it('holds whatever comes: further tag sets are counted under other', () => {
    let warnings = 0
    const table = new SeriesTable('p', ['direction', 'site', 'codec'], 1, 2, 10, () => warnings++)
    const seen = new Set<unknown>()
    for (let k = 0; k < 1000; k++)
      for (const direction of ['from_caller', 'from_callee'])
        seen.add(table.get(direction, `site ${k}`, 'PCMA'))
    expect(table.size).toBe(10)
    expect(seen.size).toBe(10)
    expect(table.get('from_callee', 'site 999', 'PCMA').tags).toEqual({
      probe: 'p',
      direction: 'from_callee',
      site: 'other',
      codec: 'other',
    })
    expect(table.get('from_caller', 'site 0', 'PCMA').tags.site).toBe('site 0')
    expect(warnings).toBe(1)
    expect(table.overflow).toBe(2000 - 8 + 1)
  })
})
