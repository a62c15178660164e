import { describe, expect, it } from 'vitest'
import { PLACES, ruleNames, trunkCalls, watchScenario } from './helpers/alerts.js'

const START = '2024-03-01T12:00:00Z'

describe('calls as packets show them', () => {
  it('of which many have audio one way raise an alert that names the path and examples', async () => {
    const good = trunkCalls(12, { duration_s: 6 }).map((call, n) => ({ ...call, at_s: n * 7 }))
    const oneWay = trunkCalls(6, { duration_s: 6, media: { from_callee: { no_media: true } } }).map(
      (call, n) => ({
        ...call,
        at_s: 3 + n * 14,
        caller: { user: `20${n}`, address: `192.0.2.${60 + n}` },
        callee: { user: `0050${n}`, address: `198.51.100.${60 + n}` },
      }),
    )
    const { alerts } = await watchScenario({ seed: 1, start: START, calls: [...good, ...oneWay] }, PLACES)
    expect(ruleNames(alerts)).toEqual(['one_way_audio firing'])
    expect(alerts[0]).toMatchObject({ path: 'berlin → carrier-a', trunk: 'carrier-a', severity: 'critical' })
    expect(alerts[0].call_ids).toHaveLength(3)
  })

  it('are told of under a trunk that is known by its domain, as their records have it', async () => {
    const trunks = [{ name: 'by-domain', realms: ['carrier.example'] }]
    const calls = trunkCalls(24, {
      status: 503,
      answer_delay_ms: 500,
      ring_delay_ms: 100,
      callee: { domain: 'carrier.example' },
    }).map((call, n) => ({ ...call, at_s: n * 3 }))
    const failed = await watchScenario({ seed: 1, start: START, calls }, { ...PLACES, trunks })
    expect(failed.alerts[0]).toMatchObject({ rule: 'setup_failures', path: 'by-domain', trunk: 'by-domain' })
    const bursts = trunkCalls(4, {
      duration_s: 40,
      callee: { domain: 'carrier.example' },
      media: { from_caller: { jitter: { queueing: { every_s: 10, stall_ms: 150 } } } },
    })
    const late = await watchScenario({ seed: 4, start: START, calls: bursts }, { ...PLACES, trunks })
    expect(late.alerts[0]).toMatchObject({ rule: 'burst_jitter', path: 'berlin → by-domain' })
  })

  it('that a trunk refuses raise an alert; busy lines and callers who give up do not', async () => {
    const attempts = (status: number) =>
      trunkCalls(24, { status, duration_s: 2, answer_delay_ms: 500, ring_delay_ms: 100 }).map((call, n) => ({
        ...call,
        at_s: n * 3,
      }))
    const refused = await watchScenario(
      {
        seed: 1,
        start: START,
        calls: attempts(503).map((call, n) => (n % 2 === 0 ? call : { ...call, status: 200 })),
      },
      PLACES,
    )
    expect(ruleNames(refused.alerts)).toEqual(['setup_failures firing'])
    expect(refused.alerts[0]).toMatchObject({ path: 'carrier-a', trunk: 'carrier-a' })
    expect(refused.alerts[0].cause).toMatch(/server/)
    const codecs = await watchScenario({ seed: 1, start: START, calls: attempts(488) }, PLACES)
    expect(codecs.alerts[0]).toMatchObject({ rule: 'setup_failures', path: 'carrier-a' })
    expect(codecs.alerts[0].cause).toMatch(/codec/)
    const busy = await watchScenario({ seed: 1, start: START, calls: attempts(486) }, PLACES)
    expect(busy.alerts).toEqual([])
  })
})
