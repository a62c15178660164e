import { describe, expect, it } from 'vitest'
import { AlertFeed, finding, type FedCall, type SecondSpec } from './helpers/alert-feed.js'
import { PLACES, trunkCalls, watchScenario } from './helpers/alerts.js'

const SITES = `
sites: [{name: berlin, networks: [10.1.0.0/16]}, {name: hamburg, networks: [10.2.0.0/16]}]
trunks: [{name: carrier-a, addresses: [10.9.0.0/24]}, {name: carrier-b, addresses: [10.9.1.0/24]}]
`
const WAYS = [
  { from: '10.1.0.', to: '10.9.0.' },
  { from: '10.1.0.', to: '10.2.0.' },
  { from: '10.2.0.', to: '10.9.1.' },
] as const

/** Mulberry32: the same noise in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

interface RunningCall {
  call: FedCall
  way: number
  untilMs: number
  /** A phone on bad wireless. */
  isNoisy: boolean
  /** Its path got longer while it ran: every second has a high delay variation, and no movement. */
  isRerouted: boolean
}

/** An office day, noisy but normal. Rates per call or per second are in the comments. */
class OfficeDay {
  readonly running: RunningCall[] = []
  burstSeconds = 0
  lossySeconds = 0
  private readonly random = randomNumbers(20260302)
  private spikeWay = -1

  constructor(readonly feed: AlertFeed) {}

  second(): void {
    const { feed, random } = this
    feed.advance(1000)
    // Some 5 calls a minute and path at noon, one in the morning and evening.
    const hour = new Date(feed.nowMs).getUTCHours()
    const perMinute = hour >= 9 && hour < 16 ? 5 : 1
    for (let way = 0; way < WAYS.length; way++) if (random() < perMinute / 60) this.begin(way)
    // Every ten minutes something short hits a whole path at once; every hour a path becomes 80 ms longer.
    this.spikeWay = random() < 1 / 600 ? Math.floor(random() * WAYS.length) : -1
    const rerouted = random() < 1 / 3600 ? Math.floor(random() * WAYS.length) : -1
    for (const one of this.running) {
      if (one.way === rerouted) one.isRerouted = true
      feed.media(one.call, 'from_caller', this.noise(one))
      feed.media(one.call, 'from_callee', this.noise({ ...one, isNoisy: false }))
    }
    for (const one of this.running.filter(({ untilMs }) => untilMs <= feed.nowMs)) this.end(one)
  }

  private begin(way: number): void {
    const { feed, random } = this
    const phone = Math.floor(random() * 60)
    const call = feed.call({
      caller: `phone-${way}-${phone}`,
      callee: `number-${Math.floor(random() * 500)}`,
      from: `${WAYS[way].from}${phone + 1}`,
      to: `${WAYS[way].to}${1 + Math.floor(random() * 4)}`,
    })
    // Of a hundred attempts four fail in the network, twelve are busy.
    const fate = random()
    if (fate < 0.04) feed.close(call, { state: 'failed', findings: [finding('setup_failed')] })
    else if (fate < 0.16) feed.close(call, { state: 'failed' })
    else
      this.running.push({
        call,
        way,
        untilMs: feed.nowMs + 1000 * (20 - 100 * Math.log(1 - random())),
        isNoisy: phone < 4,
        isRerouted: false,
      })
  }

  /** One call in a hundred has audio one way, one in two hundred was a guess. */
  private end(one: RunningCall): void {
    this.running.splice(this.running.indexOf(one), 1)
    one.call.sip.endMs = this.feed.nowMs
    const fate = this.random()
    const findings =
      fate < 0.01 ? [finding('one_way_audio')] : fate < 0.015 ? [finding('one_way_audio', 'low')] : []
    this.feed.close(one.call, { findings })
  }

  private noise({ way, isNoisy, isRerouted }: RunningCall): SecondSpec {
    const { random } = this
    const draw = random()
    if (way === this.spikeWay || draw < (isNoisy ? 0.1 : 0.002)) {
      this.burstSeconds++
      return { burstMs: 70 + 120 * random(), late: 2 }
    }
    if (draw > (isNoisy ? 0.95 : 0.9995)) {
      this.lossySeconds++
      return { lost: 5 + Math.floor(6 * random()) }
    }
    if (draw > 0.97) return { lost: 1 }
    return isRerouted ? { burstMs: 80, burstPackets: 2 } : {}
  }
}

describe('ten hours that are noisy but normal', () => {
  it('raise no alert; what is not normal does right afterwards', () => {
    const feed = new AlertFeed(SITES)
    const day = new OfficeDay(feed)
    for (let second = 0; second < 36_000; second++) day.second()
    expect(feed.alerts).toEqual([])
    // Noise enough: a rule that took each for itself would have fired hundreds of times.
    expect(day.burstSeconds).toBeGreaterThan(1000)
    expect(day.lossySeconds).toBeGreaterThan(300)

    const bad = Array.from({ length: 6 }, (_, n) => feed.call({ from: `10.1.0.${100 + n}`, to: '10.9.0.1' }))
    for (let second = 0; second < 30; second++) {
      day.second()
      for (const call of bad) feed.media(call, 'from_caller', second % 8 === 3 ? { burstMs: 150 } : {})
    }
    expect(feed.said).toEqual(['burst_jitter firing'])
    expect(feed.alerts[0].path).toBe('berlin → carrier-a')
  }, 60_000)
})

describe('a minute of noisy packets', () => {
  it('raises no alert', async () => {
    const { alerts } = await watchScenario(
      {
        seed: 11,
        start: '2024-03-01T12:00:00Z',
        calls: [
          ...trunkCalls(6, {
            duration_s: 60,
            media: {
              both: { jitter: { uniform_ms: 25, preserve_order: true }, loss: { random_percent: 1 } },
            },
          }),
          ...trunkCalls(2, {
            duration_s: 60,
            caller: { address: '192.0.2.77', user: 'wireless' },
            media: {
              from_caller: {
                jitter: { queueing: { every_s: 5, stall_ms: 180 } },
                loss: { random_percent: 3 },
              },
            },
          }),
          ...trunkCalls(4, { at_s: 5, duration_s: 20, status: 486 }),
        ],
      },
      PLACES,
    )
    expect(alerts).toEqual([])
  })
})
