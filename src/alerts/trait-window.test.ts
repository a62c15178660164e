import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GroupValue } from '../aggregates/finding-calls.js'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { TraitWindow, type TraitedCall } from './trait-window.js'

const WINDOW_MS = 10_000
/** Traits and calls that a window holds (docs/alerting.md, limits). */
const MOST_TRAITS = 4096
const MOST_CALLS = 20_000

function callOf(callId: string, isBad: boolean, values: readonly GroupValue[], startMs = 0): TraitedCall {
  const tags = { path: 'a → b', direction: undefined }
  const call = { callId, caller: callId, callee: '', startMs, endMs: Infinity, tags }
  return { call, traits: values, isBad, group: 'a → b' }
}

const trunk = (value: string): GroupValue => ({ dimension: 'trunk', value })
const host = (value: string): GroupValue => ({ dimension: 'host', value })

describe('the calls of a window', () => {
  it('are counted as one would by going through all of them again', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 4000 }),
      id: fc.integer({ min: 0, max: 12 }),
      isBad: fc.boolean(),
      trunk: fc.constantFrom('a', 'b'),
      host: fc.constantFrom('1', '2', '3'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const window = new TraitWindow(WINDOW_MS)
        let seen: { id: number; timeMs: number; isBad: boolean; values: GroupValue[] }[] = []
        let nowMs = 0
        for (const { afterMs, id, isBad, ...places } of steps) {
          nowMs += afterMs
          seen = seen.filter(({ timeMs }) => timeMs > nowMs - WINDOW_MS)
          const before = seen.find((one) => one.id === id)
          const values = [trunk(places.trunk), host(places.host)]
          seen = seen.filter((one) => one !== before)
          seen.push({ id, timeMs: nowMs, isBad: isBad || before?.isBad === true, values })
          window.expire(nowMs)
          window.add(nowMs, callOf(String(id), isBad, values))
          const bad = seen.filter((one) => one.isBad)
          expect([window.size, window.badCalls]).toEqual([seen.length, bad.length])
          for (const name of ['a', 'b']) {
            const there = (one: { values: GroupValue[] }): boolean => one.values[0].value === name
            expect(window.badWith(trunk(name)).map(({ call }) => call.callId)).toEqual(
              bad.filter(there).map((one) => String(one.id)),
            )
            for (const { group } of window.standOut())
              if (group.dimension === 'trunk' && group.value === name)
                expect(group).toMatchObject({
                  calls: bad.filter(there).length,
                  of_calls: seen.filter(there).length,
                  calls_elsewhere: bad.length - bad.filter(there).length,
                  of_calls_elsewhere: seen.length - seen.filter(there).length,
                })
          }
        }
      }),
      propertyRuns(200),
    )
  })

  it('that find no room drive out those seen longest ago, and are counted', () => {
    const window = new TraitWindow(WINDOW_MS)
    for (let n = 0; n < MOST_CALLS + 5; n++) window.add(n / 100, callOf(`${n}`, true, [trunk('a')]))
    expect([window.size, window.badCalls, window.overflow]).toEqual([MOST_CALLS, MOST_CALLS, 5])
    expect(window.badWith(trunk('a'))[0].call.callId).toBe('5')
    // Seen again it is the youngest; the next one drives out another.
    window.add(201, callOf('5', false, [trunk('a')]))
    window.add(202, callOf('new', false, [trunk('a')]))
    expect(window.badWith(trunk('a'))[0].call.callId).toBe('7')
    expect(window.badWith(trunk('a')).at(-1)?.call.callId).toBe('5')
  })

  it('of more different hosts than are told apart leave those without a group, until others go', () => {
    const window = new TraitWindow(WINDOW_MS)
    for (let n = 0; n <= MOST_TRAITS; n++) window.add(0, callOf(`${n}`, true, [host(`${n}`)]))
    expect(window.overflow).toBe(1)
    expect(window.badWith(host(`${MOST_TRAITS}`))).toEqual([])
    window.expire(WINDOW_MS)
    expect(window.size).toBe(0)
    window.add(WINDOW_MS, callOf('later', true, [host('later')]))
    expect(window.badWith(host('later'))).toHaveLength(1)
  })
})
