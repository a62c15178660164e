import { describe, expect, it } from 'vitest'
import type { ProbeHealth } from '../src/alerts/probe-group.js'
import { AlertFeed, finding, START_MS, type FedCall, type SecondSpec } from './helpers/alert-feed.js'

const PLACES = `
sites: [{name: berlin, networks: [10.1.0.0/16]}, {name: hamburg, networks: [10.2.0.0/16]}]
trunks: [{name: carrier-a, addresses: [10.9.0.0/24]}, {name: carrier-b, addresses: [10.9.1.0/24]}]
`

/** So many seconds of these calls, what each has decided by its number and the second. */
function play(
  feed: AlertFeed,
  calls: readonly FedCall[],
  seconds: number,
  spec: (call: number, second: number) => SecondSpec = () => ({}),
): void {
  for (let second = 0; second < seconds; second++) {
    feed.advance(1000)
    calls.forEach((call, n) => {
      feed.media(call, 'from_caller', spec(n, second))
      feed.media(call, 'from_callee')
    })
    feed.engine.onTime(feed.nowMs + 100)
  }
}

function calls(feed: AlertFeed, count: number, spec: Parameters<AlertFeed['call']>[0] = {}): FedCall[] {
  return Array.from({ length: count }, () => feed.call(spec))
}

describe('bursts', () => {
  it('of loss on several streams of a path fire within 2 s of the third', () => {
    const feed = new AlertFeed(PLACES)
    play(feed, calls(feed, 5), 40, (_, second) => (second % 10 === 5 ? { lost: 8 } : {}))
    expect(feed.said).toEqual(['loss_bursts firing'])
    const [alert] = feed.alerts
    expect(Date.parse(alert.time) - (START_MS + 26_000)).toBeLessThan(1000)
    expect(alert).toMatchObject({ path: 'berlin → hamburg', calls_affected: 5, loss_percent: 16 })
    expect(alert.cause).toContain('loss without delay before it')
  })

  it('of three calls of one phone, one after the other, wake nobody', () => {
    const feed = new AlertFeed()
    for (let n = 0; n < 3; n++) {
      const call = feed.call({ caller: 'bad phone' })
      play(feed, [call], 19, (_, second) => (second % 6 === 2 ? { burstMs: 120 } : {}))
      call.sip.endMs = feed.nowMs
      feed.close(call)
    }
    expect(feed.said).toEqual([])
  })

  it('of two calls at a time, in both directions of both, are not three calls that are bad together', () => {
    const feed = new AlertFeed('sites: [{name: berlin, networks: [10.0.0.0/8]}]')
    const all = calls(feed, 8)
    for (let second = 0; second < 40; second++) {
      feed.advance(1000)
      // The first and second, second and third, third and first of three.
      const turn = Math.floor(second / 5) % 3
      all.forEach((call, n) => {
        const isBad = second % 5 === 2 && (n === turn || n === (turn + 1) % 3)
        for (const direction of ['from_caller', 'from_callee'] as const)
          feed.media(call, direction, isBad ? { burstMs: 120 } : {})
      })
    }
    expect(feed.said).toEqual([])
  })

  it('of three calls that a PBX has at the same time do, though all come from one number', () => {
    const feed = new AlertFeed()
    play(feed, calls(feed, 3, { caller: 'main number' }), 20, (_, second) =>
      second % 6 === 2 ? { burstMs: 120 } : {},
    )
    expect(feed.said).toEqual(['burst_jitter firing'])
  })

  it('are held back while the capture drops packets, and the drops are what is told', () => {
    let packets = 0
    let captureDrops = 0
    const health = (): ProbeHealth => ({ packets: (packets += 1000), captureDrops })
    const feed = new AlertFeed('', { health })
    const all = calls(feed, 5)
    play(feed, all, 20)
    play(feed, all, 60, (_, second) => {
      if (second % 6 === 2) captureDrops += 40
      return second % 6 === 2 ? { lost: 12, burstMs: 100 } : {}
    })
    expect(feed.said).toEqual(['capture_drops firing'])
    expect(feed.alerts[0].cause).toContain('more packets than this probe can take')
  })
})

describe('a drop of MOS', () => {
  it('tells what drives it: late packets', () => {
    const feed = new AlertFeed(PLACES)
    play(feed, calls(feed, 8), 60, (n) => (n < 6 ? { late: 8 } : {}))
    expect(feed.said).toEqual(['mos_drop firing'])
    expect(feed.alerts[0]).toMatchObject({ calls_affected: 6, streams_active: 8, mos_driver: 'late' })
    // G.107 with Ppl 16 % and Bpl 25.1: Ie,eff = 95 x 16/41.1 = 37.0; R near 93.2 - 37.0 - Id(105 ms) 2.5 or so.
    expect(feed.alerts[0].mos_cq).toBeGreaterThan(2.6)
    expect(feed.alerts[0].mos_cq).toBeLessThan(2.9)
    expect(feed.alerts[0].message).toContain('driven by late packets')
  })

  it('tells loss apart', () => {
    const feed = new AlertFeed(PLACES + 'alerts: {rules: [{name: loss_bursts, enabled: false}]}')
    play(feed, calls(feed, 6), 60, () => ({ lost: 6, late: 1 }))
    expect(feed.said).toEqual(['mos_drop firing'])
    expect(feed.alerts[0].mos_driver).toBe('loss')
  })

  it('is none when the codec never does better: GSM half rate, on a way without a fault', () => {
    const feed = new AlertFeed(PLACES)
    const all = calls(feed, 8)
    play(feed, all, 60, () => ({ gsmHalfRate: true }))
    expect(feed.said).toEqual([])
    const naive = new AlertFeed(
      `${PLACES}alerts: {rules: [{name: mos_drop, bad: [{metric: mos_cq, below: 3.6}]}]}`,
    )
    play(naive, calls(naive, 8), 60, () => ({ gsmHalfRate: true }))
    expect(naive.said).toEqual(['mos_drop firing'])
    // With late packets it is one as it would be for any codec.
    play(feed, all, 60, () => ({ gsmHalfRate: true, late: 6 }))
    expect(feed.said).toEqual(['mos_drop firing'])
    expect(feed.alerts[0].mos_driver).toBe('late')
  })

  it('is no alert of its own where bursts of loss are known to be behind it', () => {
    const feed = new AlertFeed(PLACES)
    play(feed, calls(feed, 6), 60, () => ({ lost: 10 }))
    expect(feed.said).toEqual(['loss_bursts firing'])
  })
})

describe('calls', () => {
  const oneWay = { quality: 'broken', findings: [finding('one_way_audio')] } as const

  it('with one-way audio fire when they are many of many, with three examples', () => {
    const feed = new AlertFeed(PLACES)
    for (let n = 0; n < 20; n++) {
      feed.advance(10_000)
      feed.close(feed.call(), n % 2 === 0 ? { ...oneWay, findings: [...oneWay.findings] } : {})
    }
    expect(feed.said).toEqual(['one_way_audio firing'])
    expect(feed.alerts[0].call_ids).toHaveLength(3)
    expect(feed.alerts[0]).toMatchObject({ path: 'berlin → hamburg', severity: 'critical' })
  })

  it.each([
    [
      'are of one phone',
      (n: number) => ({ caller: n % 2 === 0 ? 'bad phone' : `c${n}` }),
      finding('one_way_audio'),
    ],
    ['the finding is but a guess', () => ({}), finding('one_way_audio', 'low')],
  ])('with one-way audio do not when they %s', (_, who, found) => {
    const feed = new AlertFeed(PLACES)
    for (let n = 0; n < 30; n++) {
      feed.advance(10_000)
      feed.close(feed.call(who(n)), n % 2 === 0 ? { findings: [found] } : {})
    }
    expect(feed.said).toEqual([])
  })

  it('that fail on one trunk fire for that trunk alone', () => {
    const feed = new AlertFeed(PLACES)
    const failed = { state: 'failed' as const, findings: [finding('setup_failed')] }
    for (let n = 0; n < 60; n++) {
      feed.advance(4000)
      feed.close(feed.call({ to: `10.9.0.${1 + (n % 20)}` }), n % 3 === 0 ? failed : {})
      feed.close(feed.call({ to: '10.9.1.7' }))
    }
    expect(feed.said).toEqual(['setup_failures firing'])
    expect(feed.alerts[0]).toMatchObject({
      path: 'carrier-a',
      trunk: 'carrier-a',
      metric: 'share of setup_failed in percent',
    })
    expect(feed.alerts[0].value).toBeGreaterThan(25)
  })

  it('that never come fire where there were many, and the first one ends it', () => {
    const feed = new AlertFeed()
    for (let n = 0; n < 120; n++) {
      feed.advance(45_000)
      feed.call()
    }
    const lastMs = feed.nowMs
    feed.advance(1_200_000)
    expect(feed.said).toEqual(['no_calls firing'])
    expect(Date.parse(feed.alerts[0].time) - lastMs).toBeLessThanOrEqual(916_000)
    feed.call()
    feed.advance(2000)
    expect(feed.said).toEqual(['no_calls firing', 'no_calls resolved'])
  })

  it('that never come do not where there never were many', () => {
    const feed = new AlertFeed()
    for (let n = 0; n < 40; n++) {
      feed.advance(300_000, 5000)
      feed.call()
    }
    feed.advance(7_200_000, 5000)
    expect(feed.said).toEqual([])
  })
})

describe('the probe itself', () => {
  it('tells that the mirror went quiet, also in a replay that jumps over the silence', () => {
    const feed = new AlertFeed()
    feed.advance(700_000)
    const lastMs = feed.nowMs
    feed.advance(300_000, 300_000)
    expect(feed.said).toEqual(['mirror_quiet firing'])
    expect(Date.parse(feed.alerts[0].time)).toBe(lastMs + 61_000)
    feed.advance(40_000)
    expect(feed.said).toEqual(['mirror_quiet firing', 'mirror_quiet resolved'])
  })

  it('tells that the mirror went quiet while live time goes on without packets', () => {
    let packets = 0
    const feed = new AlertFeed('', { health: () => ({ packets }) })
    for (let second = 0; second < 700; second++) {
      packets += 100
      feed.advance(1000)
    }
    feed.advance(70_000)
    expect(feed.said).toEqual(['mirror_quiet firing'])
  })

  it('does not call a lab quiet in which hardly anything ever happens', () => {
    const feed = new AlertFeed()
    feed.advance(3_600_000, 90_000)
    expect(feed.said).toEqual([])
  })

  it('tells that the spool grows, not that it is used for a while', () => {
    let spoolBytes = 0
    let packets = 0
    const feed = new AlertFeed('', { health: () => ({ packets: packets++, spoolBytes }) })
    for (let second = 0; second < 600; second++) {
      spoolBytes = second % 60 < 30 ? 4_000_000 : 0
      feed.advance(1000)
    }
    expect(feed.said).toEqual([])
    for (let second = 0; second < 900; second++) {
      spoolBytes += 100_000
      feed.advance(1000)
    }
    expect(feed.said).toEqual(['spool_growing firing'])
  })
})

describe("rules of one's own", () => {
  it('look at any metric or percentile of a scope', () => {
    const feed = new AlertFeed(`${PLACES}
alerts:
  shipped_rules: false
  rules:
    - {name: pdd, over: calls, metric: sip.pdd_ms, measure: p95, above: 4000, min_samples: 10, scope: {trunk: carrier-a}, group_by: [trunk]}
    - {name: pdv-a, over: seconds, metric: pdv_p95_ms, measure: p95, above: 80, min_samples: 30, scope: {site: berlin, codec: PCMU}}
`)
    for (let n = 0; n < 30; n++) {
      feed.advance(1000)
      feed.close(feed.call({ to: '10.9.0.1' }), { sip: { pdd_ms: n % 10 === 0 ? 9000 : 100 } })
      feed.close(feed.call({ to: '10.9.1.1' }), { sip: { pdd_ms: 20_000 } })
    }
    expect(feed.said).toEqual(['pdd firing'])
    expect(feed.alerts[0]).toMatchObject({
      trunk: 'carrier-a',
      path: 'carrier-a',
      metric: 'p95 of sip.pdd_ms',
      threshold: 4000,
    })
    const call = feed.call()
    play(feed, [call], 40, () => ({ burstMs: 120, burstPackets: 10 }))
    expect(feed.said).toContain('pdv-a firing')
    expect(feed.alerts.find(({ rule }) => rule === 'pdv-a')?.value).toBeGreaterThan(116)
  })

  it('wait as long as they say, with hysteresis and cool-down', () => {
    const feed = new AlertFeed(`
alerts:
  shipped_rules: false
  rules: [{name: slow, over: calls, metric: sip.setup_ms, measure: mean, above: 1000, clear: 500, window_s: 10, for_s: 20, clear_after_s: 10, cooldown_s: 60}]
`)
    const run = (seconds: number, setupMs: number): void => {
      for (let n = 0; n < seconds; n++) {
        feed.advance(1000)
        feed.close(feed.call(), { sip: { setup_ms: setupMs } })
      }
    }
    run(15, 2000)
    run(15, 100)
    expect(feed.said).toEqual([])
    run(40, 2000)
    expect(feed.said).toEqual(['slow firing'])
    // Between clear and threshold it goes on.
    run(60, 800)
    expect(feed.said).toEqual(['slow firing'])
    run(30, 100)
    expect(feed.said).toEqual(['slow firing', 'slow resolved'])
    const resolvedMs = Date.parse(feed.alerts[1].time)
    run(120, 2000)
    expect(feed.said).toEqual(['slow firing', 'slow resolved', 'slow firing'])
    expect(Date.parse(feed.alerts[2].time) - resolvedMs).toBeGreaterThanOrEqual(60_000)
    expect(feed.alerts[2].alert_id).not.toBe(feed.alerts[0].alert_id)
  })
})

describe('many at once', () => {
  it('become five alerts and one that stands for the rest, not five hundred', () => {
    const feed = new AlertFeed()
    const all = Array.from({ length: 40 }, (_, site) =>
      calls(feed, 3, { from: `10.${site}.0.1`, to: '172.16.0.1' }),
    ).flat()
    play(feed, all, 25, (_, second) => (second % 6 === 2 ? { burstMs: 150 } : {}))
    expect(feed.alerts).toHaveLength(6)
    play(feed, all, 180)
    expect(feed.alerts).toHaveLength(12)
    const last = feed.alerts.filter(({ state }) => state === 'resolved').at(-1)
    expect(feed.alerts.at(-1)?.state).toBe('resolved')
    expect(
      feed.alerts.some(({ state, message }) => state === 'resolved' && message.includes('35 more groups')),
    ).toBe(true)
    expect(last?.end).toBeDefined()
  })

  it('of five hundred calls on one path are one alert', () => {
    const feed = new AlertFeed()
    play(feed, calls(feed, 500), 20, (_, second) => (second % 6 === 2 ? { burstMs: 150 } : {}))
    expect(feed.said).toEqual(['burst_jitter firing'])
    expect(feed.alerts[0]).toMatchObject({ calls_affected: 500, confidence: 'medium' })
  })
})

describe('silences', () => {
  it('mark what they cover, and let the rest through', () => {
    const feed = new AlertFeed(`${PLACES}
alerts:
  silences: [{rules: [burst_jitter], scope: {path: 'berlin*'}, from: 2026-03-02T07:00:00Z, until: 2026-03-02T09:00:00Z, comment: core switch}]
`)
    const bursts = (_: number, second: number): SecondSpec => (second % 6 === 2 ? { burstMs: 150 } : {})
    play(feed, [...calls(feed, 3), ...calls(feed, 3, { from: '10.2.0.1', to: '10.2.0.2' })], 20, bursts)
    expect(feed.alerts.map(({ path, silenced }) => [path, silenced])).toEqual([
      ['berlin → hamburg', true],
      ['hamburg → hamburg', undefined],
    ])
  })
})

describe('a baseline', () => {
  const RULES = `
alerts:
  shipped_rules: false
  rules: [{name: volume, over: call_starts, group_by: [probe], measure: count, below: 1, baseline: {deviations: 4, floor: 40}, min_samples: 0, window_s: 600, for_s: 60}]
`
  /** A week of calls: ten a minute by day, two by night. */
  function week(feed: AlertFeed, perMinute: (hour: number) => number): void {
    for (let minute = 0; minute < 7 * 24 * 60; minute++) {
      const hour = new Date(feed.nowMs).getUTCHours()
      for (let n = 0; n < perMinute(hour); n++) feed.call()
      feed.advance(60_000, 60_000)
    }
  }

  it('knows the hours of the week, survives a restart, and fires on what is unusual for the hour', () => {
    const usual = (hour: number): number => (hour >= 8 && hour < 18 ? 10 : 2)
    const feed = new AlertFeed(RULES)
    week(feed, usual)
    week(feed, usual)
    expect(feed.said).toEqual([])
    const state = JSON.parse(JSON.stringify(feed.engine.state))

    const later = new AlertFeed(RULES)
    later.nowMs = feed.nowMs
    later.engine.restore(state)
    const run = (minutes: number, perMinute: number): void => {
      for (let minute = 0; minute < minutes; minute++) {
        for (let n = 0; n < perMinute; n++) later.call()
        later.advance(60_000, 60_000)
      }
    }
    // Monday at 08:00: ten minutes to fill the window, then as usual.
    run(50, 10)
    const before = later.alerts.length
    run(30, 2)
    expect(later.alerts.slice(before).map(({ rule, state: is }) => `${rule} ${is}`)).toEqual([
      'volume firing',
    ])
    expect(later.alerts[before].baseline).toBeGreaterThanOrEqual(90)
    expect(later.alerts[before].baseline).toBeLessThan(110)
    expect(later.alerts[before].threshold).toBeLessThanOrEqual(40)
  })
})

describe('a restart', () => {
  it('takes up what was open, and ends it when it is calm', () => {
    const first = new AlertFeed(PLACES)
    play(first, calls(first, 4), 20, (_, second) => (second % 6 === 2 ? { burstMs: 150 } : {}))
    const state = JSON.parse(JSON.stringify(first.engine.state))
    // Before the first packet, as live capture does it.
    const second = new AlertFeed(PLACES, { state })
    expect(second.restored).toMatchObject([{ alert_id: first.alerts[0].alert_id, state: 'firing' }])
    second.advance(120_000)
    expect(second.alerts).toMatchObject([
      { alert_id: first.alerts[0].alert_id, state: 'resolved', path: 'berlin → hamburg', calls_affected: 4 },
    ])
  })
})
