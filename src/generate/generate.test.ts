import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { generateScenario, ScenarioRun } from './generate.js'
import { checkScenario } from './load.js'
import { rtpPackets } from './read-back.js'
import type { DirectionSpec, Scenario } from './scenario.js'

const percent = fc.integer({ min: 0, max: 30 })
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

const direction: fc.Arbitrary<DirectionSpec> = fc
  .record({
    codec: maybe(fc.constantFrom('PCMU', 'G729', 'opus', 'AMR-WB', 'iLBC')),
    initial_sequence: fc.integer({ min: 0, max: 65535 }),
    initial_timestamp: fc.integer({ min: 0, max: 4294967295 }),
    loss: maybe(fc.record({ random_percent: percent, gilbert: fc.constant({ p: 0.02, q: 0.3 }) })),
    jitter: maybe(
      fc.record({
        uniform_ms: fc.integer({ min: 0, max: 80 }),
        late: fc.record({ percent, delay_ms: percent }),
      }),
    ),
    reorder: maybe(fc.record({ percent, by: fc.integer({ min: 1, max: 5 }) })),
    duplicates: maybe(fc.record({ percent, after_ms: fc.integer({ min: 0, max: 70 }) })),
    skew_ppm: maybe(fc.integer({ min: -300, max: 300 })),
    dtx: maybe(fc.constant({ talk_s: 0.7, silence_s: 0.4 })),
    dtmf: maybe(fc.constant([{ at_s: 0.5, digit: '7' }])),
    ssrc_change: maybe(fc.constant([{ at_s: 1.1 }])),
    sequence_reset: maybe(fc.constant([{ at_s: 1.6 }])),
    timestamp_jump: maybe(fc.constant([{ at_s: 0.9, by_ms: -700 }])),
    media_after_bye_ms: maybe(fc.integer({ min: 0, max: 3000 })),
  })
  .map((record): DirectionSpec => JSON.parse(JSON.stringify(record)))

const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.integer({ min: 0, max: 2 ** 40 }),
    drop: percent,
    from_caller: direction,
    from_callee: direction,
  })
  .map(({ seed, drop, from_caller, from_callee }) => ({
    seed,
    mirror: { drop_percent: drop },
    calls: [{ duration_s: 3, rtcp: { interval_s: 1 }, media: { from_caller, from_callee } }],
  }))

describe('any scenario', () => {
  it('accounts for every packet, and its truth is what a reader of the frames counts', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        checkScenario(scenario)
        const { packets, truth } = generateScenario(scenario)
        expect(packets.every((packet, i) => i === 0 || packet.timeMs >= packets[i - 1].timeMs)).toBe(true)
        expect(truth.frames).toBe(packets.length)
        const call = truth.calls[0]
        const untilMs = Date.parse(call.end) + 2000
        const rtp = rtpPackets(packets).filter((packet) => packet.timeMs <= untilMs)
        for (const [name, source] of [
          ['from_caller', '192.0.2.10'],
          ['from_callee', '198.51.100.20'],
        ] as const) {
          const told = call.media[name]
          if (!told) throw new Error(`${name} is missing`)
          const mine = rtp.filter((packet) => packet.source === source)
          const keys = mine.map((p) => `${p.ssrc} ${p.sequence} ${p.timestamp}`)
          expect(told.packets).toBe(new Set(keys).size)
          expect(told.packets + told.duplicates).toBe(mine.length)
          expect(told.sent).toBe(told.packets + told.lost_before_tap + told.mirror_dropped + told.after_call)
          expect(told.lost).toBeLessThanOrEqual(told.lost_before_tap + told.mirror_dropped + told.after_call)
          expect(told.segments.reduce((sum, segment) => sum + segment.packets, 0)).toBe(told.packets)
          expect(told.segments.reduce((sum, segment) => sum + segment.lost, 0)).toBe(told.lost)
          expect(told.span_duplicates).toBeLessThanOrEqual(told.duplicates)
          expect(told.made_late).toBeLessThanOrEqual(told.packets)
        }
      }),
      propertyRuns(60),
    )
  })
})

describe('a seed', () => {
  const scenario: Scenario = {
    calls: [{ duration_s: 3, media: { both: { loss: { random_percent: 10 }, jitter: { uniform_ms: 30 } } } }],
    noise: [{ kind: 'quic', duration_s: 5 }],
  }
  const bytes = (made: ReturnType<typeof generateScenario>): string[] =>
    made.packets.map(({ timeMs, frame }) => `${timeMs} ${Buffer.from(frame).toString('hex')}`)

  it('gives the same bytes and the same truth every time', () => {
    const first = generateScenario(scenario, 5)
    const second = generateScenario(scenario, 5)
    expect(bytes(second)).toEqual(bytes(first))
    expect(second.truth).toEqual(first.truth)
  })

  it('gives other packets than another seed', () => {
    expect(bytes(generateScenario(scenario, 6))).not.toEqual(bytes(generateScenario(scenario, 5)))
  })

  it('leaves a call as it was when another call joins the scenario', () => {
    const alone = generateScenario(scenario, 5)
    const joined = generateScenario(
      { ...scenario, calls: [...(scenario.calls ?? []), { at_s: 1, caller: { address: '192.0.2.77' } }] },
      5,
    )
    const kept = new Set(bytes(joined))
    expect(bytes(alone).filter((packet) => !kept.has(packet))).toEqual([])
    expect(joined.truth.calls[0]).toEqual(alone.truth.calls[0])
  })

  it('gives loss near the percentage asked for', () => {
    const spec = { from: '192.0.2.1:4000', to: '192.0.2.2:5000', duration_s: 400 }
    const { truth } = generateScenario({ streams: [{ ...spec, loss: { random_percent: 5 } }] }, 1)
    // 20,000 packets: 5 % +- 4 standard deviations of 0.154 %.
    expect(Math.abs(truth.streams[0].loss_percent - 5)).toBeLessThan(0.62)
  })

  it('gives bursts of 1/q packets on average', () => {
    const spec = { from: '192.0.2.1:4000', to: '192.0.2.2:5000', duration_s: 400 }
    const { truth } = generateScenario({ streams: [{ ...spec, loss: { gilbert: { p: 0.02, q: 0.25 } } }] }, 1)
    const { lost, loss_runs: runs } = truth.streams[0]
    const mean = lost / runs.reduce((sum, n) => sum + n, 0)
    expect(mean).toBeGreaterThan(3.5)
    expect(mean).toBeLessThan(4.5)
  })
})

describe('the mirror', () => {
  it('that shows one direction shows neither SIP, RTP nor RTCP of the other', () => {
    const { packets, truth } = generateScenario({
      calls: [{ duration_s: 6, mirror: { one_direction: 'from_caller' } }],
    })
    const source = (frame: Uint8Array): string => frame.subarray(26, 30).join('.')
    expect(new Set(packets.map(({ frame }) => source(frame)))).toEqual(new Set(['192.0.2.10']))
    expect(truth.calls[0].media.from_callee).toMatchObject({ packets: 0, sent: 299, mirror_dropped: 299 })
  })
})

describe('a long scenario', () => {
  it('opens calls as their time comes', () => {
    const run = new ScenarioRun({
      calls: [{ duration_s: 1, answer_delay_ms: 300, repeat: { count: 100_000, spacing_s: 3600 } }],
    })
    for (let i = 0; i < 200; i++) run.next()
    expect(run.truth().calls.length).toBeLessThanOrEqual(3)
  })
})
