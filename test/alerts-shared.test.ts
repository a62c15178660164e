import { describe, expect, it } from 'vitest'
import { chanceOf } from '../src/aggregates/chance.js'
import { mailText } from '../src/alerts/notifiers/email.js'
import { syslogMessage } from '../src/alerts/notifiers/syslog.js'
import { fill, templateValues } from '../src/alerts/notifiers/template.js'
import { WEBHOOK_FORMATS } from '../src/alerts/notifiers/webhook-formats.js'
import { recordPoints } from '../src/sinks/influx/record-points.js'
import type { CallRecord } from '../src/calls/records.js'
import { AlertFeed, finding, type SecondSpec } from './helpers/alert-feed.js'

const PLACES = `
sites: [{name: berlin, networks: [10.1.0.0/16]}, {name: hamburg, networks: [10.2.0.0/16]}]
trunks: [{name: carrier-a, addresses: [10.9.0.0/24]}, {name: carrier-b, addresses: [10.9.1.0/24]}]
`
const TO = { 'carrier-a': '10.9.0.1', 'carrier-b': '10.9.1.1' }

const ONE_WAY: Partial<CallRecord> = { quality: 'broken', findings: [finding('one_way_audio')] }
const LOSSY: Partial<CallRecord> = { quality: 'poor', findings: [finding('random_loss', 'medium')] }

interface Made {
  trunk?: keyof typeof TO
  caller?: string
  agent?: string
  bad?: Partial<CallRecord>
}

/** A call that ends now. */
function closed(feed: AlertFeed, { trunk = 'carrier-b', caller, agent, bad }: Made): void {
  const call = feed.call({ to: TO[trunk], caller })
  const sip = agent === undefined ? undefined : { user_agents: { caller: agent } }
  feed.close(call, { trunk, sip, ...(bad && { ...bad, findings: [...(bad.findings ?? [])] }) })
}

/** Numbers that look random and are the same each time (Numerical Recipes' generator). */
function random(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

/** n! as it is. */
function factorial(n: number): bigint {
  return n < 2 ? 1n : BigInt(n) * factorial(n - 1)
}
function choose(n: number, k: number): bigint {
  return factorial(n) / (factorial(k) * factorial(n - k))
}

describe('an alert about calls', () => {
  /** 54 calls over A of which 14 are bad, 81 over B of which one is, within eleven minutes. */
  function issue(feed: AlertFeed): void {
    for (let n = 0; n < 135; n++) {
      feed.advance(5000)
      const isA = n % 5 < 2
      const a = 2 * Math.floor(n / 5) + (n % 5)
      closed(feed, {
        trunk: isA ? 'carrier-a' : 'carrier-b',
        bad: isA ? (a < 42 && a % 3 === 0 ? ONE_WAY : undefined) : n === 2 ? ONE_WAY : undefined,
      })
    }
  }

  it('says that 14 of 15 cross trunk A, against its other calls and those elsewhere', () => {
    const feed = new AlertFeed(PLACES)
    issue(feed)
    expect(feed.said).toEqual(['one_way_audio firing'])
    const [alert] = feed.engine.open()
    expect(alert.shared?.[0]).toMatchObject({
      dimension: 'trunk',
      value: 'carrier-a',
      calls: 14,
      calls_elsewhere: 1,
      since: '2026-03-02T08:00:05.000Z',
    })
    expect(alert.message).toContain('14 of 15 bad calls cross trunk carrier-a since 08:00 (14 of ')
    feed.advance(2_000_000)
    const last = feed.alerts.at(-1)
    expect(last?.state).toBe('resolved')
    expect(last?.shared?.[0]).toMatchObject({
      value: 'carrier-a',
      calls: 14,
      of_calls: 54,
      of_calls_elsewhere: 81,
    })
  })

  it('says so in Alertmanager, mails, syslog, chats and the database', () => {
    const feed = new AlertFeed(PLACES)
    issue(feed)
    const [alert] = feed.engine.open()
    const sentence = '14 of 15 bad calls cross trunk carrier-a since 08:00'
    expect(mailText(alert)).toMatch(new RegExp(`^In common +${sentence}`, 'm'))
    expect(syslogMessage(alert, { facility: 16, hostname: 'h' })).toMatch(
      new RegExp(` shared_dimension="trunk" shared="carrier-a"\\] \ufeff.*${sentence}`),
    )
    const values = templateValues(alert, undefined)
    for (const format of Object.values(WEBHOOK_FORMATS))
      expect(JSON.stringify(fill(format, values))).toMatch(
        /14 of 15 bad calls|"value":"carrier-a","calls":14/,
      )
    expect(recordPoints(alert)[0].fields).toMatchObject({
      shared_dimension: 'trunk',
      shared: 'carrier-a',
      shared_calls: 14,
    })
  })

  it('says nothing where all calls cross the trunk, bad ones and good ones', () => {
    const feed = new AlertFeed(PLACES)
    for (let n = 0; n < 40; n++) {
      feed.advance(5000)
      closed(feed, { trunk: 'carrier-a', bad: n % 2 === 0 ? ONE_WAY : undefined })
    }
    expect(feed.said).toEqual(['one_way_audio firing'])
    expect(feed.alerts[0].shared).toBeUndefined()
    expect(feed.alerts[0].message).not.toContain('carrier-a since')
    expect(feed.alerts[0].confidence).not.toBe('high')
  })

  it('says what the calls of its own path share when another fault hides it', () => {
    const feed = new AlertFeed(PLACES)
    for (let n = 0; n < 120; n++) {
      feed.advance(3000)
      // Over A one firmware is silent; over B half of all calls are, of whatever firmware.
      const agent = n % 4 < 2 ? 'Phone 1.0' : 'Phone 2.0'
      closed(feed, { trunk: 'carrier-a', agent, bad: n % 4 === 0 ? ONE_WAY : undefined })
      closed(feed, { trunk: 'carrier-b', agent: `Other ${n % 3}`, bad: n % 2 === 0 ? ONE_WAY : undefined })
    }
    const alert = feed.engine.open().find(({ trunk }) => trunk === 'carrier-a')
    expect(alert?.shared?.[0]).toMatchObject({
      dimension: 'user_agent',
      value: 'Phone 1.0',
      calls_elsewhere: 0,
    })
    expect(alert?.message).toContain('bad calls here involve Phone 1.0')
  })
})

describe('an alert about seconds', () => {
  it('says what the calls with bursts have in common: one firmware among two', () => {
    const feed = new AlertFeed(PLACES)
    const calls = Array.from({ length: 16 }, (_, n) => {
      const call = feed.call({ to: '10.2.0.5' })
      call.sip.userAgents.caller = n < 6 ? 'Phone 1.0' : 'Phone 2.0'
      return call
    })
    const bursts = (n: number, second: number): SecondSpec =>
      n < 6 && second % 6 === 2 ? { burstMs: 150 } : {}
    for (let second = 0; second < 30; second++) {
      feed.advance(1000)
      calls.forEach((call, n) => {
        feed.media(call, 'from_caller', bursts(n, second))
        feed.media(call, 'from_callee')
      })
    }
    expect(feed.said).toEqual(['burst_jitter firing'])
    expect(feed.alerts[0].shared?.[0]).toMatchObject({
      dimension: 'user_agent',
      value: 'Phone 1.0',
      calls: 6,
      of_calls: 6,
      calls_elsewhere: 0,
      of_calls_elsewhere: 10,
    })
  })

  it('says which trunk it is when five paths and more fail at once', () => {
    const feed = new AlertFeed(PLACES)
    const calls = Array.from({ length: 60 }, (_, n) =>
      feed.call({ from: `10.${20 + (n % 10)}.0.1`, to: n < 30 ? TO['carrier-a'] : TO['carrier-b'] }),
    )
    for (let second = 0; second < 30; second++) {
      feed.advance(1000)
      calls.forEach((call, n) =>
        feed.media(call, 'from_caller', n < 30 && second % 6 === 2 ? { burstMs: 150 } : {}),
      )
    }
    expect(feed.alerts).toHaveLength(6)
    const many = feed.engine.open().find(({ path }) => path === undefined)
    expect(many?.message).toContain('30 of 30 bad calls cross trunk carrier-a')
  })
})

describe('the rule on what bad calls have in common', () => {
  const said = (feed: AlertFeed): string[] =>
    feed.alerts.filter(({ rule }) => rule === 'bad_calls_shared').map(({ state }) => state)

  /** A call every five seconds, 40 % over A. */
  function run(
    feed: AlertFeed,
    calls: number,
    made: (n: number, isA: boolean, chance: number) => Made,
  ): void {
    const next = random(7)
    for (let n = 0; n < calls; n++) {
      feed.advance(5000)
      const isA = next() < 0.4
      closed(feed, { trunk: isA ? 'carrier-a' : 'carrier-b', ...made(n, isA, next()) })
    }
  }

  it('fires when loss hits one trunk, is about it to the end, and clears', () => {
    const feed = new AlertFeed(PLACES)
    run(feed, 100, () => ({}))
    expect(said(feed)).toEqual([])
    const beganMs = feed.nowMs
    run(feed, 100, (_, isA, chance) => ({
      bad: isA && chance < 0.5 ? LOSSY : chance > 0.99 ? LOSSY : undefined,
    }))
    expect(said(feed)).toEqual(['firing'])
    const [alert] = feed.alerts
    expect(alert).toMatchObject({
      path: 'trunk carrier-a',
      trunk: 'carrier-a',
      severity: 'warning',
      threshold: 80,
    })
    expect(alert.message).toMatch(
      /Bad calls that have one thing in common \(trunk carrier-a\) since 08:\d\d:\d\d UTC/,
    )
    expect(alert.cause).toContain('trunk carrier-a')
    expect(Date.parse(alert.time) - beganMs).toBeLessThan(480_000)
    run(feed, 300, () => ({}))
    expect(said(feed)).toEqual(['firing', 'resolved'])
    expect(feed.alerts.at(-1)).toMatchObject({ path: 'trunk carrier-a', alert_id: alert.alert_id })
  })

  it.each<[string, (n: number, isA: boolean, chance: number) => Made]>([
    [
      'every tenth call is bad, wherever it goes',
      (_n, _isA, chance) => ({ bad: chance < 0.1 ? LOSSY : undefined }),
    ],
    [
      'every third call is bad, and there are dozens of firmwares',
      (n, _isA, chance) => ({ agent: `Phone ${n % 37}`, bad: chance < 0.33 ? LOSSY : undefined }),
    ],
    [
      'one bad phone makes many calls over A',
      (n, isA) => (isA && n % 2 === 0 ? { caller: 'bad phone', bad: LOSSY } : {}),
    ],
    [
      'calls over A are poor for their codec alone',
      (_, isA) => ({ bad: isA ? { quality: 'poor', findings: [finding('dscp_unmarked')] } : undefined }),
    ],
    [
      'the findings are guesses',
      (_, isA) => ({ bad: isA ? { quality: 'poor', findings: [finding('random_loss', 'low')] } : undefined }),
    ],
    [
      'few calls over A are bad, and hardly any elsewhere',
      (n, isA) => ({ bad: isA && n % 9 === 0 ? LOSSY : undefined }),
    ],
    [
      'nearly all calls cross A',
      (n, _isA, chance) => ({
        trunk: n % 20 === 0 ? 'carrier-b' : 'carrier-a',
        bad: chance < 0.3 ? LOSSY : undefined,
      }),
    ],
  ])('does not when %s', (_, made) => {
    const feed = new AlertFeed(`${PLACES}
alerts: {rules: [{name: one_way_audio, enabled: false}]}`)
    run(feed, 3000, made)
    expect(said(feed)).toEqual([])
  })

  it('does not while a rule that names the path already fires', () => {
    const feed = new AlertFeed(PLACES)
    run(feed, 200, (n, isA) => ({ bad: isA && n % 3 !== 0 ? ONE_WAY : undefined }))
    expect(feed.said).toEqual(['one_way_audio firing'])
  })

  it('may be asked of one finding and other traits', () => {
    const feed = new AlertFeed(`${PLACES}
alerts:
  shipped_rules: false
  rules:
    - {name: firmware, over: calls, group_by: [probe], bad: [{finding: [random_loss, burst_loss]}], measure: shared_percent, shared: {by: [user_agent]}, above: 80, min_samples: 20, min_calls: 5, window_s: 600}
`)
    run(feed, 100, (n, isA) => ({
      agent: n % 4 === 0 ? 'Phone 1.0' : 'Phone 2.0',
      bad: n % 4 === 0 && isA ? LOSSY : undefined,
    }))
    expect(feed.said).toEqual(['firmware firing'])
    expect(feed.alerts[0].path).toBe('user agent Phone 1.0')
  })
})

describe("Fisher's exact test", () => {
  it('is that of the lady tasting tea: all four right by chance 1 in 70, three or four 17 in 70', () => {
    expect(chanceOf({ calls: 4, ofCalls: 4, affected: 4, total: 8 })).toBeCloseTo(1 / 70, 12)
    expect(chanceOf({ calls: 3, ofCalls: 4, affected: 4, total: 8 })).toBeCloseTo(17 / 70, 12)
  })

  it('is what whole numbers say of 14 of 15 where 54 of 135 would be usual', () => {
    const ways = choose(54, 14) * choose(81, 1) + choose(54, 15)
    const exact = Number((ways * 10n ** 18n) / choose(135, 15)) / 1e18
    const chance = chanceOf({ calls: 14, ofCalls: 54, affected: 15, total: 135 })
    expect(Math.abs(chance / exact - 1)).toBeLessThan(1e-6)
  })
})
