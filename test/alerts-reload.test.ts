import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notifiers } from '../src/alerts/notifiers/notifiers.js'
import { readBaselines, writeState } from '../src/alerts/state-file.js'
import type { NotifierFile } from '../src/config/alerts.js'
import { parseConfig } from '../src/config/load.js'
import { main } from '../src/cli/main.js'
import { generateScenario } from '../src/generate/generate.js'
import { AlertFeed, START_MS, type FedCall, type SecondSpec } from './helpers/alert-feed.js'
import { freePort } from './helpers/databases.js'
import { pcapOf } from './helpers/replay.js'
import { alertRecord, TestOutside, until, WebReceiver } from './helpers/receivers.js'

let folder = ''
let open: (() => Promise<unknown> | void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callprobe-reload-'))
})
afterEach(async () => {
  for (const close of open.toReversed()) await close()
  open = []
  rmSync(folder, { recursive: true, force: true })
})

const LOSS =
  'bad: [{metric: lost, above: 4}], over: seconds, bad_seconds: 3, group_by: [path], window_s: 30, clear_after_s: 5'
const rules = (text: string): string => `alerts: {shipped_rules: false, rules: [${text}]}`

function reload(feed: AlertFeed, config: string): void {
  feed.engine.reconfigure(parseConfig(config, 'again.yaml'))
}

function play(feed: AlertFeed, calls: readonly FedCall[], seconds: number, spec: SecondSpec): void {
  for (let second = 0; second < seconds; second++) {
    feed.advance(1000)
    for (const call of calls) feed.media(call, 'from_caller', spec)
  }
}

describe('rules that change while they run', () => {
  it('keep what they have seen when only thresholds and times changed', () => {
    const feed = new AlertFeed(rules(`{name: loss, ${LOSS}, measure: count, above: 10}`))
    const calls = Array.from({ length: 4 }, () => feed.call())
    play(feed, calls, 5, { lost: 8 })
    expect(feed.said).toEqual([])
    reload(feed, rules(`{name: loss, ${LOSS}, measure: count, above: 3, severity: critical}`))
    // One more good second is enough: the bad ones before are still known.
    play(feed, calls, 1, { lost: 8 })
    expect(feed.said).toEqual(['loss firing'])
    expect(feed.alerts[0]).toMatchObject({ severity: 'critical', threshold: 3, streams_affected: 4 })
    // An open alert goes on under the new numbers.
    reload(feed, rules(`{name: loss, ${LOSS}, measure: count, above: 10}`))
    play(feed, calls, 7, {})
    expect(feed.said).toEqual(['loss firing', 'loss resolved'])
  })

  it('end their alerts when they are taken away, disabled, or look at something else', () => {
    for (const after of [
      rules(''),
      rules(`{name: loss, ${LOSS}, measure: count, above: 3, enabled: false}`),
      rules(`{name: loss, ${LOSS.replace('above: 4', 'above: 20')}, measure: count, above: 3}`),
    ]) {
      const feed = new AlertFeed(rules(`{name: loss, ${LOSS}, measure: count, above: 3}`))
      const calls = Array.from({ length: 4 }, () => feed.call())
      play(feed, calls, 5, { lost: 8 })
      reload(feed, after)
      expect(feed.said).toEqual(['loss firing', 'loss resolved'])
      play(feed, calls, 10, { lost: 8 })
      expect(feed.said).toHaveLength(2)
    }
  })

  it('leave the others alone, and new ones begin', () => {
    const one = `{name: loss, ${LOSS}, measure: count, above: 3}`
    const feed = new AlertFeed(rules(one))
    const calls = Array.from({ length: 4 }, () => feed.call())
    play(feed, calls, 5, { lost: 8 })
    reload(feed, rules(`${one}, {name: late, ${LOSS.replace('lost', 'late')}, measure: count, above: 3}`))
    play(feed, calls, 5, { lost: 8, late: 8 })
    expect(feed.said).toEqual(['loss firing', 'late firing'])
  })

  it('name calls by new sites; a silence does not keep back the end of what was told', () => {
    const feed = new AlertFeed(rules(`{name: loss, ${LOSS}, measure: count, above: 3}`))
    const calls = Array.from({ length: 4 }, () => feed.call())
    play(feed, calls, 5, { lost: 8 })
    const silence = `silences: [{from: '${new Date(START_MS - 1000).toISOString()}', until: 2027-01-01T00:00:00Z}]`
    const after = `sites: [{name: berlin, networks: [10.1.0.0/16]}, {name: hamburg, networks: [10.2.0.0/16]}]
alerts: {shipped_rules: false, ${silence}, rules: [{name: loss, ${LOSS}, measure: count, above: 3}]}`
    reload(feed, after)
    play(feed, calls, 40, {})
    expect(feed.alerts.map(({ state, silenced }) => [state, silenced])).toEqual([
      ['firing', undefined],
      ['resolved', undefined],
    ])
    play(
      feed,
      Array.from({ length: 4 }, () => feed.call()),
      5,
      { lost: 8 },
    )
    expect(feed.alerts[2]).toMatchObject({ state: 'firing', path: 'berlin → hamburg', silenced: true })
  })
})

describe('an alert that was open at a restart', () => {
  it('whose rule is gone ends, for those who were told', () => {
    const first = new AlertFeed(rules(`{name: loss, ${LOSS}, measure: count, above: 3}`))
    play(
      first,
      Array.from({ length: 4 }, () => first.call()),
      5,
      { lost: 8 },
    )
    const state = JSON.parse(JSON.stringify(first.engine.state))
    const second = new AlertFeed(rules(''), { state })
    second.advance(2000)
    expect(second.alerts).toMatchObject([{ state: 'resolved', alert_id: first.alerts[0].alert_id }])
  })

  it('and stood for many ends too', () => {
    const config = rules(`{name: loss, ${LOSS}, measure: count, above: 0, max_open: 1}`)
    const first = new AlertFeed(config)
    play(
      first,
      [1, 2, 3].map((n) => first.call({ from: `10.${n}.0.1` })),
      5,
      { lost: 8 },
    )
    expect(first.alerts).toHaveLength(2)
    const state = JSON.parse(JSON.stringify(first.engine.state))
    const second = new AlertFeed(config, { state })
    second.advance(60_000)
    expect(new Set(second.alerts.map(({ alert_id }) => alert_id))).toEqual(
      new Set(first.alerts.map(({ alert_id }) => alert_id)),
    )
    expect(second.said).toEqual(['loss resolved', 'loss resolved'])
  })
})

describe('notifiers that change while they run', () => {
  async function receiver(): Promise<WebReceiver & { url: string }> {
    const web = new WebReceiver()
    const url = `http://127.0.0.1:${await web.listen()}/`
    open.push(() => web.close())
    return Object.assign(web, { url })
  }
  const hook = (name: string, url: string): NotifierFile => ({ type: 'webhook', name, url })

  it('send what waits for a wrong address to the right one', async () => {
    const outside = new TestOutside()
    const wrong = `http://127.0.0.1:${await freePort()}/`
    const notifiers = new Notifiers(
      { notifiers: [hook('a', wrong)], state_dir: folder, queue_limit: 10 },
      outside,
    )
    open.push(() => notifiers.close(0))
    for (const n of [1, 2]) notifiers.notify(alertRecord({ alert_id: `alert-${n}` }))
    await until(() => notifiers.counters.a.failedAttempts === 1)
    const right = await receiver()
    notifiers.reconfigure([hook('a', right.url)])
    await until(() => right.bodies.length === 2)
    expect(right.bodies).toMatchObject([{ alert_id: 'alert-1' }, { alert_id: 'alert-2' }])
  })

  it('come and go; one that cannot be opened leaves all as they were', async () => {
    const [first, second] = [await receiver(), await receiver()]
    const notifiers = new Notifiers(
      { notifiers: [hook('a', first.url)], state_dir: '', queue_limit: 10 },
      new TestOutside(),
    )
    open.push(() => notifiers.close(0))
    const broken: NotifierFile = { type: 'webhook', name: 'c', url_env: 'NOT_SET_ANYWHERE' }
    expect(() => notifiers.reconfigure([hook('b', second.url), broken])).toThrow('NOT_SET_ANYWHERE')
    notifiers.notify(alertRecord())
    await until(() => first.bodies.length === 1)
    notifiers.reconfigure([hook('b', second.url)])
    notifiers.notify(alertRecord())
    await until(() => second.bodies.length === 1)
    expect(first.bodies).toHaveLength(1)
    expect(Object.keys(notifiers.counters)).toEqual(['b'])
  })
})

describe('replay --alerts --baselines', () => {
  /** Monday 08:00: usually a hundred attempts in ten minutes. */
  const RULE = `alerts:
  shipped_rules: false
  rules: [{name: volume, over: call_starts, group_by: [probe], measure: count, baseline: {deviations: 4, floor: 5}, above: 100000, min_samples: 0, window_s: 60}]
`
  const calls = Array.from({ length: 12 }, (_, n) => ({ at_s: n * 2, status: 486, answer_delay_ms: 100 }))

  async function alertsOf(...more: string[]): Promise<{ said: string[]; code: number; err: string }> {
    const capture = join(folder, 'monday.pcap')
    const config = join(folder, 'probe.yaml')
    const output = join(folder, 'out.ndjson')
    const { packets } = generateScenario({ seed: 1, start: '2026-03-02T08:10:00Z', calls })
    writeFileSync(capture, pcapOf(packets))
    writeFileSync(config, RULE)
    let err = ''
    const write = process.stderr.write
    process.stderr.write = (text) => ((err += String(text)), true)
    try {
      const args = ['replay', '--alerts', '--config', config, '--format', 'ndjson', '--output', output]
      const code = await main(['node', 'callprobe', ...args, ...more, capture])
      const records = readFileSync(output, 'utf8').trim().split('\n')
      const said = records.map((line): { type: string; rule: string; state: string } => JSON.parse(line))
      return {
        said: said.filter(({ type }) => type === 'alert').map(({ rule, state }) => `${rule} ${state}`),
        code,
        err,
      }
    } finally {
      process.stderr.write = write
    }
  }

  function learnt(mean: number): string {
    const path = join(folder, 'state', 'alerts.json')
    const hours: [number, number, number, number][] = [[8, 4, mean, 0.25]]
    writeState(path, {
      version: 1,
      timeMs: 0,
      open: [],
      baselines: { version: 1, groups: [{ rule: 'volume', group: 'probe', hours }] },
    })
    return path
  }

  it('goes by what capture learnt of this hour of the week, and writes nothing there', async () => {
    const path = learnt(3)
    const before = readFileSync(path)
    expect((await alertsOf('--baselines', join(folder, 'state'))).said).toEqual(['volume firing'])
    expect(readFileSync(path)).toEqual(before)
    // Twelve attempts where ten are usual are nothing; the file itself may be given.
    learnt(10)
    expect((await alertsOf('--baselines', path)).said).toEqual([])
  })

  it('says that a rule has nothing to go by without it', async () => {
    const { said, err } = await alertsOf()
    expect(said).toEqual([])
    expect(err).toContain('rule volume goes by a baseline')
  })

  it('is refused for a folder without any', async () => {
    expect(() => readBaselines(folder)).toThrow(`${join(folder, 'alerts.json')} has no baselines`)
  })
})
