import { describe, expect, it } from 'vitest'
import { EXAMPLE_CALL } from '../calls/record-examples.js'
import type { CallRecord, DirectionRecord } from '../calls/records.js'
import { verdictOf } from './verdict.js'

function direction(part: Partial<DirectionRecord>): DirectionRecord {
  return {
    packets: 500,
    bytes: 86_000,
    expected: true,
    loss_percent: 0,
    late_percent: 0,
    mos_cq: 4.3,
    mos_cq_min: 4.2,
    ...part,
  }
}

function call(part: Partial<CallRecord>): CallRecord {
  return {
    ...EXAMPLE_CALL,
    state: 'completed',
    caller: 'alice',
    callee: 'bob',
    duration_s: 10,
    mos_cq_min: 4.2,
    media: { from_caller: direction({}), from_callee: direction({}) },
    ...part,
  }
}

describe('the sentence about a call', () => {
  it('a good one', () => {
    expect(verdictOf(call({}))).toBe('Both sides heard each other well (MOS 4.20 at worst).')
  })

  it('names who heard whom badly, and how: media from the caller are what the callee hears', () => {
    const from_caller = direction({
      loss_percent: 3.5,
      loss_runs: [2, 0, 1, 0, 0, 0, 0, 0, 0, 0],
      mos_cq_min: 3.1,
    })
    expect(verdictOf(call({ media: { from_caller, from_callee: direction({ mos_cq: 4.3 }) } }))).toBe(
      'Bob heard alice with 3.5 % of the packets lost, up to 3 in a row (MOS 3.10 at worst). Alice heard bob well (MOS 4.30).',
    )
  })

  it('one-way audio', () => {
    const from_callee = direction({ packets: 0, bytes: 0, mos_cq: undefined, mos_cq_min: undefined })
    expect(verdictOf(call({ media: { from_caller: direction({}), from_callee } }))).toBe(
      'Nothing from bob was seen, so alice heard silence. Bob heard alice well (MOS 4.30).',
    )
  })

  it('no audio at all: a fault when it was expected, unknown when signalling alone was seen', () => {
    const silent = direction({ packets: 0, bytes: 0 })
    expect(verdictOf(call({ media: { from_caller: silent, from_callee: silent } }))).toBe(
      'The call was answered, but no audio was seen in either direction.',
    )
    expect(verdictOf(call({ media: {} }))).toContain('signalling alone does not tell')
  })

  it('a refusal, with what it means', () => {
    const refused = call({
      state: 'failed',
      media: {},
      sip: { ...EXAMPLE_CALL.sip, status: 486, reason: 'Busy Here', setup_ms: undefined },
    })
    expect(verdictOf(refused)).toBe('The call was not set up: 486 Busy Here (busy).')
  })

  it('a caller who gave up', () => {
    expect(verdictOf(call({ state: 'cancelled', media: {} }))).toBe(
      'The caller gave up before the call was answered.',
    )
  })
})
