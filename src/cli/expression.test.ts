import { describe, expect, it } from 'vitest'
import { EXAMPLE_CALL } from '../calls/record-examples.js'
import type { CallRecord } from '../calls/records.js'
import { CallprobeError } from '../errors.js'
import { callFields } from './expression-fields.js'
import { compileExpression } from './expression.js'
import { BUSY_CALL, CLEAN_CALL, LOSSY_CALL, MEDIA_ONLY_CALL, ONE_WAY_CALL } from './table-samples.js'

const holds = (text: string, record: CallRecord): boolean => compileExpression(text).test(record)

function errorOf(text: string): CallprobeError {
  try {
    compileExpression(text)
  } catch (error) {
    if (error instanceof CallprobeError) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

describe('expressions', () => {
  it.each([
    ['sip.status == 486', true],
    ['sip.status != 486', false],
    ['sip.status >= 400 and sip.status < 500', true],
    ['sip.status < 400 or state == failed', true],
    ['not sip.status == 486', false],
    ['not (sip.status == 200) and state == "failed"', true],
    ['state in (completed, failed)', true],
    ['state not in ("completed", cancelled)', true],
    ['sip.status in (480, 486, 600)', true],
    ['sip.reason ~ "busy"', true],
    ['sip.reason ~ /^Busy Here$/', true],
    ['sip.reason ~ /busy$/i', false],
    ['sip.reason !~ "busy"', false],
    ['callee ~ /^\\+44/', true],
    ["callee == '+442079460000'", true],
    ['callee == +442079460000', true],
    ['486 == sip.status', true],
    ['400 > sip.status', false],
    ['start >= "2026-03-02T09:17:30Z"', true],
    ['start > "2026-03-02T10:17:29+01:00"', true],
    ['start < "2026-03-02"', false],
    ['SIP.STATUS == 486', undefined],
    ['state == failed && !(sip.status == 404)', true],
  ])('%s of a busy call: %s', (text, expected) => {
    if (expected === undefined) expect(() => holds(text, BUSY_CALL)).toThrow('did you mean "sip.status"?')
    else expect(holds(text, BUSY_CALL)).toBe(expected)
  })

  it('binds and closer than or, and not closer than both', () => {
    expect(holds('state == failed or state == failed and state == timeout', BUSY_CALL)).toBe(true)
    expect(holds('(state == failed or state == failed) and state == timeout', BUSY_CALL)).toBe(false)
    expect(holds('not state == failed and state == timeout', BUSY_CALL)).toBe(false)
    expect(holds('not (state == failed and state == timeout)', BUSY_CALL)).toBe(true)
  })

  it('takes a bare media field for either direction', () => {
    expect(holds('loss_percent > 5', LOSSY_CALL)).toBe(true)
    expect(holds('media.from_caller.loss_percent > 5', LOSSY_CALL)).toBe(false)
    expect(holds('media.from_callee.loss_percent > 5', LOSSY_CALL)).toBe(true)
    expect(holds('codec == "G722" and codec == "PCMA"', LOSSY_CALL)).toBe(true)
    expect(holds('not loss_percent > 5', CLEAN_CALL)).toBe(true)
    expect(holds('packets == 0', ONE_WAY_CALL)).toBe(true)
  })

  it('takes a name that the call has itself for the call, not its directions', () => {
    expect(holds('mos_cq_min == 3.4375', EXAMPLE_CALL)).toBe(true)
    expect(holds('mos_cq_min == 4.0625', EXAMPLE_CALL)).toBe(false)
    expect(holds('media.from_callee.mos_cq_min == 4.0625', EXAMPLE_CALL)).toBe(true)
  })

  it('compares the two directions with each other', () => {
    expect(holds('media.from_callee.jitter_mean_ms > media.from_caller.jitter_mean_ms', LOSSY_CALL)).toBe(
      true,
    )
    expect(holds('media.from_callee.loss_percent < media.from_caller.loss_percent', LOSSY_CALL)).toBe(false)
  })

  it('looks into findings and their evidence', () => {
    expect(holds('findings.code == burst_loss', LOSSY_CALL)).toBe(true)
    expect(holds('findings.code == one_way_audio', LOSSY_CALL)).toBe(false)
    expect(holds('findings.evidence.loss_percent > 5', LOSSY_CALL)).toBe(true)
    expect(holds('findings.evidence.loss_percent > 6', LOSSY_CALL)).toBe(false)
    expect(holds('findings.evidence.codec == "PCMA"', EXAMPLE_CALL)).toBe(true)
    expect(holds('findings.severity == critical and findings.direction == from_callee', LOSSY_CALL)).toBe(
      true,
    )
  })

  it('asks for a finding by its code', () => {
    expect(holds('findings contains burst_loss', LOSSY_CALL)).toBe(true)
    expect(holds('findings contains "burst_loss"', LOSSY_CALL)).toBe(true)
    expect(holds('not findings contains one_way_audio', LOSSY_CALL)).toBe(true)
    expect(holds('findings contains one_way_audio or loss_percent > 50', CLEAN_CALL)).toBe(false)
    expect(() => compileExpression('findings contains one_way_audo')).toThrow('did you mean "one_way_audio"')
    expect(() => compileExpression('media contains burst_loss')).toThrow('is a group of fields')
    expect(() => compileExpression('duration_s contains 3')).toThrow('contains is for text and lists')
  })

  it('takes contains on text for ~', () => {
    expect(holds('codec contains "g7"', LOSSY_CALL)).toBe(true)
    expect(holds('codec contains "opus"', LOSSY_CALL)).toBe(false)
  })

  it.each(['<', '<=', '>', '>=', '==', '!='])('makes %s with a field that is not known false', (operator) => {
    expect(holds(`mos_cq_min ${operator} 4`, BUSY_CALL)).toBe(false)
    expect(holds(`loss_percent ${operator} 4`, BUSY_CALL)).toBe(false)
  })

  it('makes ~, !~, in and not in with a field that is not known false too', () => {
    for (const text of ['trunk ~ "a"', 'trunk !~ "a"', 'trunk in ("a")', 'trunk not in ("a")'])
      expect(holds(text, BUSY_CALL)).toBe(false)
  })

  it('tells known from unknown by has()', () => {
    expect(holds('has(mos_cq_min)', CLEAN_CALL)).toBe(true)
    expect(holds('has(mos_cq_min)', BUSY_CALL)).toBe(false)
    expect(holds('not has(sip.status)', MEDIA_ONLY_CALL)).toBe(true)
    expect(holds('has(media.from_caller)', BUSY_CALL)).toBe(false)
    expect(holds('has(media.from_caller)', CLEAN_CALL)).toBe(true)
    expect(holds('has(findings)', CLEAN_CALL)).toBe(false)
  })

  it('takes a true/false field as a condition', () => {
    expect(holds('validity.complete_start', EXAMPLE_CALL)).toBe(true)
    expect(holds('validity.truncated', EXAMPLE_CALL)).toBe(false)
    expect(holds('validity.truncated == false', EXAMPLE_CALL)).toBe(true)
    expect(holds('not encrypted', EXAMPLE_CALL)).toBe(true)
    expect(holds('validity.truncated', BUSY_CALL)).toBe(false)
  })

  it('knows every field of the schema by its path', () => {
    const names = [...callFields().keys()]
    expect(names).toEqual(
      expect.arrayContaining([
        'sip.user_agents.caller',
        'media.from_callee.endpoint_mos_cq',
        'validity.mirror_loss',
        'late',
      ]),
    )
    for (const [name, { kind }] of callFields()) {
      if (kind === 'group' || kind === 'open') continue
      expect(holds(`has(${name})`, EXAMPLE_CALL), name).toBe(true)
    }
  })

  it('does not read what only the prototype has', () => {
    expect(() => compileExpression('constructor.name == "x"')).toThrow('unknown field')
    expect(holds('has(findings.evidence.constructor)', LOSSY_CALL)).toBe(false)
  })
})

describe('errors in expressions', () => {
  it('names the nearest known field and points at the place', () => {
    expect(errorOf('state == failed and los_percent > 1').message).toBe(
      [
        'unknown field "los_percent"; did you mean "loss_percent"?',
        '  state == failed and los_percent > 1',
        '                      ^^^^^^^^^^^',
      ].join('\n'),
    )
    expect(errorOf('status == 486').message).toContain('unknown field "status"; did you mean "sip.status"?')
    expect(errorOf('media.from_caler.lost > 1').message).toContain('did you mean "media.from_caller.lost"?')
  })

  it('keeps the caret under the place behind wide and hostile characters', () => {
    const message = errorOf('caller == "漢字\u001b" and nope == 1').message.split('\n')
    expect(message[1]).toBe('  caller == "漢字␛" and nope == 1')
    // Two wide characters take four columns, the picture of ESC one.
    expect(message[2]).toBe(' '.repeat(2 + 22) + '^^^^')
  })

  it.each([
    ['', 'the expression is empty'],
    ['loss_percent', 'expected a comparison after loss_percent, e.g. loss_percent > 1'],
    ['loss_percent = 1', 'write == to compare'],
    ['loss_percent > "1"', 'loss_percent is a number, e.g. loss_percent > 1'],
    ['loss_percent > 1%', 'write a number without its unit'],
    ['rtt_max_ms > 400ms', 'write a number without its unit'],
    ['loss_percent ~ "1"', 'loss_percent is a number: ~ is for text'],
    ['caller > "1"', 'caller is text: compare it with == or !='],
    ['caller == alice', '"alice" is no field; text stands in quotes: "alice"'],
    ['quality == goood', 'quality is one of good, fair, poor, broken, unknown; did you mean "good"?'],
    ['quality == "bad"', 'quality is one of good, fair, poor, broken, unknown'],
    ['quality < good', 'quality is text: compare it with == or !='],
    ['start > "yesterday"', 'start is a time, e.g. start >= "2026-03-02T09:00:00Z"'],
    ['validity.truncated == 1', 'validity.truncated is true or false'],
    ['media.from_caller > 1', 'media.from_caller is a group of fields: name one of them'],
    ['caller == "alice', 'this text has no closing quote'],
    ['caller ~ /a', 'this regular expression has no closing /'],
    ['caller ~ /(/', 'Invalid regular expression'],
    ['caller ~ /a/g', 'the only flags of a regular expression here are i and u'],
    ['/a/ == caller', 'a regular expression stands after ~ or !~'],
    ['(sip.status == 486', 'expected )'],
    ['sip.status == 486)', 'expected and, or, or the end'],
    ['sip.status == 486 sip.status == 404', 'expected and, or, or the end'],
    ['sip.status ==', 'expected a value for sip.status'],
    ['sip.status in 486', 'expected ('],
    ['sip.status in ()', 'expected a value for sip.status'],
    ['has(nothing)', 'unknown field "nothing"'],
    ['1 < 2', 'one side of a comparison is a field'],
    ['true', 'a condition begins with a field'],
    ['caller == sip.status', 'caller is text, sip.status is a number'],
    ['a & b', 'write &&, or the word'],
    ['; rm', '";" has no meaning here'],
  ])('%j: %s', (text, message) => {
    const error = errorOf(text)
    expect(error.code).toBe('EXPRESSION_INVALID')
    expect(error.message.split('\n')[0]).toContain(message)
  })

  it('refuses what is nested or written without end instead of overflowing the stack', () => {
    expect(errorOf('('.repeat(5000) + 'sip.status == 1').message).toContain('more than 200 levels')
    expect(errorOf('not '.repeat(2000) + 'sip.status == 1').message).toContain('more than 200 levels')
    expect(errorOf('sip.status == 1 or '.repeat(2000)).message).toContain('longer than 10000 characters')
  })
})
