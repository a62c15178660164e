import { describe, expect, it } from 'vitest'
import { matching, NO_CHOICE, pathOf } from './page/filter.js'
import { groupFindings, groupPaths } from './page/groups.js'
import type { ListedCall } from './page/data.js'

let index = 0
function call(part: Partial<ListedCall>): ListedCall {
  const whole: ListedCall = {
    index: index++,
    searched: '',
    block: 0,
    place: 0,
    callId: 'id',
    startMs: index,
    durationS: 10,
    state: 'completed',
    quality: 'good',
    caller: '',
    callee: '',
    callerAddress: '192.0.2.1',
    calleeAddress: '192.0.2.2',
    callerSite: '',
    calleeSite: '',
    trunk: '',
    codec: 'PCMU',
    mos: 4.3,
    lossPercent: 0,
    latePercent: 0,
    jitterMs: 1,
    status: 200,
    reason: 'OK',
    findings: [],
    ...part,
  }
  return { ...whole, searched: `${whole.caller}\n${whole.callee}\n${whole.codec}`.toLowerCase() }
}

describe('the table of calls', () => {
  it('shows broken calls first, then poor and fair ones, then those that failed, then good ones', () => {
    const calls = [
      call({ quality: 'good' }),
      call({ quality: 'unknown', state: 'failed', mos: null }),
      call({ quality: 'fair', mos: 3.8 }),
      call({ quality: 'broken', mos: null }),
      call({ quality: 'poor', mos: 2 }),
      call({ quality: 'unknown', state: 'cancelled', mos: null }),
    ]
    const order = matching(calls, NO_CHOICE).map(({ quality, state }) => `${quality} ${state}`)
    expect(order).toEqual([
      'broken completed',
      'poor completed',
      'fair completed',
      'unknown failed',
      'good completed',
      'unknown cancelled',
    ])
  })

  it('finds calls that have every word of the search, in any order and in any field', () => {
    const calls = [
      call({ caller: 'Alice', codec: 'OPUS' }),
      call({ caller: 'alice' }),
      call({ callee: 'Bob' }),
    ]
    const found = (search: string): number => matching(calls, { ...NO_CHOICE, search }).length
    expect(found('opus ALICE')).toBe(1)
    expect(found('alice')).toBe(2)
    expect(found('alice bob')).toBe(0)
    expect(found('  ')).toBe(3)
  })

  it('puts what is not known last, whichever way it sorts', () => {
    const calls = [call({ mos: null }), call({ mos: 2 }), call({ mos: 4 })]
    const sorted = (descending: boolean): (number | null)[] =>
      matching(calls, { ...NO_CHOICE, sort: 'mos', descending }).map(({ mos }) => mos)
    expect(sorted(false)).toEqual([2, 4, null])
    expect(sorted(true)).toEqual([4, 2, null])
  })
})

describe('paths and findings over calls', () => {
  it('names a path by sites and trunk, else by addresses', () => {
    expect(pathOf(call({}))).toBe('192.0.2.1 → 192.0.2.2')
    expect(pathOf(call({ callerSite: 'Berlin', calleeSite: 'Carrier A', trunk: 'T1' }))).toBe(
      'Berlin → Carrier A (T1)',
    )
  })

  it('shows the path with most bad calls first, with median and lowest MOS of those that have one', () => {
    const calls = [
      ...[4.4, 4.2, 4.3].map((mos) => call({ callerAddress: '10.0.0.1', mos })),
      call({ quality: 'poor', mos: 2.5, lossPercent: 8 }),
      call({ quality: 'unknown', mos: null, durationS: null }),
    ]
    const [first, second] = groupPaths(calls)
    expect(first).toMatchObject({
      calls: 2,
      answered: 1,
      badCalls: 1,
      lowestMos: 2.5,
      medianMos: 2.5,
      worstLoss: 8,
    })
    expect(second).toMatchObject({ calls: 3, badCalls: 0, lowestMos: 4.2, medianMos: 4.3 })
  })

  it('counts a finding once per call, also when both directions have it', () => {
    const calls = [
      call({ findings: ['w burst_loss', 'w burst_loss'], quality: 'poor' }),
      call({ findings: ['c burst_loss'] }),
      call({ findings: ['i short_call'], callerAddress: '10.0.0.9' }),
    ]
    expect(groupFindings(calls)).toEqual([
      { code: 'burst_loss', severity: 'critical', calls: 2, badCalls: 1, mostlyOn: '192.0.2.1 → 192.0.2.2' },
      { code: 'short_call', severity: 'info', calls: 1, badCalls: 0, mostlyOn: undefined },
    ])
  })
})
