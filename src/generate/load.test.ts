import { describe, expect, it } from 'vitest'
import { generateScenario } from './generate.js'
import { parseScenario } from './load.js'
import type { Scenario } from './scenario.js'

describe('a scenario file', () => {
  it('may be YAML or JSON', () => {
    const yaml = parseScenario('seed: 3\ncalls:\n  - { status: 486 }\n')
    expect(yaml).toEqual({ seed: 3, calls: [{ status: 486 }] })
    expect(parseScenario('{"seed": 3, "calls": [{"status": 486}]}')).toEqual(yaml)
  })

  it.each([
    [
      'calls: [{ media: { both: { los: {} } } }]',
      'calls[0].media.both: unknown key "los"; did you mean "loss"?',
    ],
    ['cals: []', 'the scenario: unknown key "cals"; did you mean "calls"?'],
    [
      'calls: [{ rtcp: { intervall_s: 3 } }]',
      'calls[0].rtcp: unknown key "intervall_s"; did you mean "interval_s"?',
    ],
    ['calls: [{ media: { both: { codec: PCMX } } }]', 'calls[0].media.both.codec must be one of PCMU'],
    ['streams: [{ from: "192.0.2.1:4000" }]', "streams[0] must have required property 'to'"],
    ['calls: [{ duration_s: -1 }]', 'calls[0].duration_s must be > 0'],
    ['calls: [{ status: 250 }]', 'calls[0].status'],
    ['start: yesterday', 'start must match format "date-time"'],
    ['calls: [', 'line 1'],
  ])('%s is refused with its place', (text, message) => {
    expect(() => parseScenario(text)).toThrow(message)
  })

  it('that is empty is refused', () => {
    expect(() => parseScenario('')).toThrow('the scenario must be object')
  })
})

describe('a scenario that makes no sense', () => {
  it.each<[string, Scenario, string]>([
    [
      'address',
      { calls: [{ caller: { address: '192.0.2.300' } }] },
      'calls[0].caller.address: "192.0.2.300"',
    ],
    ['two IP versions', { calls: [{ caller: { address: '2001:db8::1' } }] }, 'are not of one IP version'],
    [
      'packet time',
      { calls: [{ media: { both: { codec: 'G729', ptime_ms: 25 } } }] },
      '10-ms frames of G729',
    ],
    ['answer before ringing', { calls: [{ ring_delay_ms: 900, answer_delay_ms: 500 }] }, 'answer_delay_ms'],
    [
      'endpoint',
      { streams: [{ from: 'here', to: '192.0.2.1:4' }] },
      'streams[0].from: "here" is not address:port',
    ],
    [
      'reset by one',
      {
        streams: [
          {
            from: '192.0.2.1:4',
            to: '192.0.2.2:4',
            initial_sequence: 0,
            sequence_reset: [{ at_s: 1, to: 48 }],
          },
        ],
      },
      'too close behind',
    ],
    [
      'SSRC',
      { streams: [{ from: '192.0.2.1:4', to: '192.0.2.2:4', ssrc: '0x123456789' }] },
      'is not a number of 32 bits',
    ],
  ])('says so: %s', (_, scenario, message) => {
    expect(() => generateScenario(scenario)).toThrow(message)
  })
})
