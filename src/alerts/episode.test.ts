import { describe, expect, it } from 'vitest'
import { partiesOf, type AffectedCall } from './bad-sample.js'
import { Episode } from './episode.js'
import { SlidingWindow } from './sliding-window.js'
import { groupKeyOf, inScope, networkOf, pathOf } from './tags.js'

describe('an episode', () => {
  it('begins when the condition held long enough, and is not begun by one that comes and goes', () => {
    const episode = new Episode({ forMs: 3000, clearAfterMs: 0, cooldownMs: 0 })
    expect([0, 1000].map((now) => episode.update(now, true, false))).toEqual([undefined, undefined])
    expect(episode.update(2000, false, true)).toBeUndefined()
    expect([3000, 4000, 5000, 6000].map((now) => episode.update(now, true, false))).toEqual([
      undefined,
      undefined,
      undefined,
      'raised',
    ])
    expect(episode.startMs).toBe(3000)
  })

  it('ends when it was calm long enough, and then rests', () => {
    const episode = new Episode({ forMs: 0, clearAfterMs: 2000, cooldownMs: 5000 })
    expect(episode.update(0, true, false)).toBe('raised')
    expect([1000, 2000].map((now) => episode.update(now, false, true))).toEqual([undefined, undefined])
    // Neither bad nor calm: between the thresholds.
    expect(episode.update(2500, false, false)).toBeUndefined()
    expect([3000, 4000, 5000].map((now) => episode.update(now, false, true))).toEqual([
      undefined,
      undefined,
      'cleared',
    ])
    expect(episode.endMs).toBe(3000)
    expect([6000, 9999].map((now) => episode.update(now, true, false))).toEqual([undefined, undefined])
    expect(episode.update(10_000, true, false)).toBe('raised')
    expect(episode.startMs).toBe(6000)
  })
})

describe('a sliding window', () => {
  it('forgets what is older than itself', () => {
    const window = new SlidingWindow(10_000, true)
    for (let second = 0; second < 30; second++) window.add(second * 1000, second, second % 2 === 0)
    window.expire(29_500)
    // Seconds 20 to 29.
    expect([window.count, window.bad, window.sum, window.min, window.max]).toEqual([10, 5, 245, 20, 29])
  })

  it('knows percentiles to 3 %, of negative values too', () => {
    const window = new SlidingWindow(1_000_000, true)
    for (let n = 1; n <= 1000; n++) window.add(n, n, false)
    for (const percent of [50, 95, 99]) {
      const value = window.percentile(percent) ?? 0
      expect(Math.abs(value - percent * 10) / (percent * 10)).toBeLessThan(0.03)
    }
    const skew = new SlidingWindow(1_000_000, true)
    for (let n = -100; n <= -1; n++) skew.add(1, n, false)
    expect(Math.abs((skew.percentile(50) ?? 0) + 51)).toBeLessThan(2)
  })

  it('takes samples that come a little late', () => {
    const window = new SlidingWindow(10_000, false)
    window.add(5000, 1, false)
    window.add(3000, 1, false)
    window.add(4000, 1, false)
    window.expire(13_500)
    expect(window.count).toBe(2)
  })
})

describe('parties', () => {
  const call = (n: number, caller: string, callee: string, startMs: number, endMs: number): AffectedCall => ({
    callId: String(n),
    caller,
    callee,
    startMs,
    endMs,
    tags: { path: '' },
  })

  it('count one phone once, on whichever side it is', () => {
    expect(partiesOf([0, 1, 2].map((n) => call(n, 'bad', `d${n}`, n * 10, n * 10 + 5)))).toBe(1)
    expect(partiesOf([0, 1, 2].map((n) => call(n, `c${n}`, 'bad', n * 10, n * 10 + 5)))).toBe(1)
  })

  it('count a hotline with three calls at a time as several', () => {
    expect(partiesOf([0, 1, 2].map((n) => call(n, `c${n}`, 'hotline', n, Infinity)))).toBe(3)
    // Two at a time: a phone with call waiting.
    expect(partiesOf([0, 1, 2].map((n) => call(n, `c${n}`, 'phone', n * 10, n * 10 + 15)))).toBe(1)
  })

  it('take media without signalling call by call', () => {
    expect(partiesOf([0, 1].map((n) => call(n, '', '', 0, 1)))).toBe(2)
  })
})

describe('paths', () => {
  it.each([
    [{ fromSite: 'berlin', toSite: 'hamburg' }, 'berlin → hamburg'],
    [{ fromSite: 'berlin', toSite: 'hamburg', trunk: 'mpls' }, 'berlin → hamburg via mpls'],
    [{ fromSite: 'berlin', toSite: 'unknown', trunk: 'carrier-a' }, 'berlin → carrier-a'],
    [{ fromSite: 'unknown', toSite: 'berlin', trunk: 'carrier-a' }, 'carrier-a → berlin'],
    [{ fromAddress: '10.1.2.3', toAddress: '2001:db8:0:1::5' }, '10.1.2.0/24 → 2001:db8:0:1::/64'],
    [{ fromSite: 'berlin', toAddress: '192.0.2.200' }, 'berlin → 192.0.2.0/24'],
  ])('of %j is named', (ends, path) => {
    expect(pathOf(ends)).toBe(path)
  })

  it('fall back on the network', () => {
    expect([networkOf('2001:db8::1'), networkOf('::ffff:10.0.0.9'), networkOf(undefined)]).toEqual([
      '2001:db8::/64',
      '10.0.0.0/24',
      'unknown',
    ])
  })

  it('group and scope samples', () => {
    const tags = { path: 'a → b', caller_site: 'a', callee_site: 'b', codec: 'PCMU' }
    expect(groupKeyOf(tags, ['path', 'codec'])).toBe('a → b, PCMU')
    expect(groupKeyOf(tags, ['direction'])).toBeUndefined()
    expect(inScope(tags, { site: 'b', codec: ['G729', 'PCM*'] })).toBe(true)
    expect(inScope(tags, { trunk: 'x' })).toBe(false)
  })
})
