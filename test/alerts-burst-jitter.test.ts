import { describe, expect, it } from 'vitest'
import type { CallSpec, DirectionSpec } from '../src/generate/scenario.js'
import { PLACES, ruleNames, trunkCalls, watchScenario } from './helpers/alerts.js'

const START = '2024-03-01T12:00:00Z'
/** The 2xx comes two seconds after the INVITE, media a moment later. */
const ANSWER_MS = Date.parse(START) + 2000

/** A queue stands still for 150 ms every ten seconds. */
const BURSTS: DirectionSpec = {
  jitter: { uniform_ms: 3, queueing: { every_s: 10, stall_ms: 150, drain_ms: 2 } },
}

function scenario(calls: CallSpec[]) {
  return { seed: 3, start: START, calls }
}

/** When the n-th burst (from 1) reached the tap, at the latest. */
function burstMs(n: number): number {
  return ANSWER_MS + n * 10_000 + 400
}

describe('burst jitter on the streams of a path', () => {
  it('fires within 2 s of the third burst, names the path, and clears after quiet', async () => {
    const bursty = trunkCalls(5, { duration_s: 45, media: { from_caller: BURSTS } })
    const calm = trunkCalls(3, { at_s: 46, duration_s: 120 })
    const { alerts } = await watchScenario(scenario([...bursty, ...calm]), PLACES)
    expect(ruleNames(alerts)).toEqual(['burst_jitter firing', 'burst_jitter resolved'])
    const [firing, resolved] = alerts
    const raisedMs = Date.parse(firing.time)
    expect(raisedMs).toBeGreaterThan(burstMs(3) - 400)
    expect(raisedMs).toBeLessThan(burstMs(3) + 2000)
    expect(firing).toMatchObject({
      path: 'berlin → carrier-a',
      caller_site: 'berlin',
      trunk: 'carrier-a',
      direction: 'from_caller',
      severity: 'critical',
      calls_affected: 5,
      streams_affected: 5,
      streams_active: 5,
      value: 100,
      threshold: 20,
    })
    expect(firing.call_ids).toHaveLength(3)
    expect(firing.pdv_max_ms).toBeGreaterThan(120)
    expect(firing.pdv_max_ms).toBeLessThan(160)
    expect(firing.message).toContain('berlin → carrier-a')
    // It began with the first burst and ended with the fourth.
    expect(Math.abs(Date.parse(firing.start) - burstMs(1))).toBeLessThan(1500)
    expect(resolved.alert_id).toBe(firing.alert_id)
    expect(Math.abs(Date.parse(resolved.end ?? '') - burstMs(4))).toBeLessThan(2000)
    expect(Date.parse(resolved.time) - burstMs(4)).toBeLessThan(100_000)
  })

  it('names the networks where no sites are configured', async () => {
    const { alerts } = await watchScenario(
      scenario(trunkCalls(4, { duration_s: 40, media: { from_callee: BURSTS } })),
    )
    expect(alerts[0]).toMatchObject({ rule: 'burst_jitter', path: '198.51.100.0/24 → 192.0.2.0/24' })
  })

  it('fires though bursts follow so closely that no second is calm', async () => {
    const restless: DirectionSpec = { jitter: { queueing: { every_s: 0.7, stall_ms: 150, drain_ms: 2 } } }
    const { alerts } = await watchScenario(
      scenario(trunkCalls(5, { duration_s: 40, media: { from_caller: restless } })),
      PLACES,
    )
    expect(ruleNames(alerts)).toContain('burst_jitter firing')
  })

  it.each<[string, CallSpec[]]>([
    [
      'on one spike that hits all',
      trunkCalls(8, {
        duration_s: 30,
        media: { both: { jitter: { queueing: { every_s: 25, stall_ms: 200 } } } },
      }),
    ],
    [
      'on one noisy stream among fifty',
      [
        ...trunkCalls(1, {
          duration_s: 32,
          caller: { address: '192.0.2.100', user: 'noisy' },
          media: { both: { jitter: { queueing: { every_s: 4, stall_ms: 200 } } } },
        }),
        ...trunkCalls(49, { duration_s: 32 }),
      ],
    ],
    [
      'on one noisy phone at night, with no other call',
      trunkCalls(1, {
        duration_s: 60,
        media: { both: { jitter: { queueing: { every_s: 4, stall_ms: 200 } } } },
      }),
    ],
    [
      'on DTX',
      trunkCalls(6, {
        duration_s: 60,
        media: { both: { dtx: { talk_s: 2, silence_s: 1.5, comfort_noise: true } } },
      }),
    ],
    [
      'on DTX without comfort noise or marker',
      trunkCalls(6, {
        duration_s: 60,
        media: { both: { dtx: { talk_s: 2, silence_s: 1.5 }, marker: 'never' } },
      }),
    ],
    [
      'on timestamp jumps',
      trunkCalls(6, {
        duration_s: 60,
        media: { both: { timestamp_jump: [8, 18, 28, 38].map((at_s) => ({ at_s, by_ms: -400 })) } },
      }),
    ],
    [
      'on a new route with a longer delay',
      trunkCalls(6, { duration_s: 60, media: { both: { jitter: { pattern_ms: delayStep(15, 90) } } } }),
    ],
    ['on packets that the capture dropped', trunkCalls(6, { duration_s: 60, mirror: { drop_percent: 12 } })],
  ])('does not fire %s', async (_, calls) => {
    const { alerts } = await watchScenario(scenario(calls), PLACES)
    expect(ruleNames(alerts).filter((name) => name.startsWith('burst_jitter'))).toEqual([])
  })
})

/** Delays of a minute of packets, with a step after so many seconds. */
function delayStep(afterS: number, stepMs: number): number[] {
  return Array.from({ length: 62 * 50 }, (_, n) => (n < afterS * 50 ? 0 : stepMs))
}
