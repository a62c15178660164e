import { describe, expect, it } from 'vitest'
import { EXAMPLES, EXAMPLE_CALL, EXAMPLE_INTERVAL, EXAMPLE_STREAM } from './record-examples.js'
import {
  DIRECTION_FIELDS,
  FINDING_FIELDS,
  MEDIA_FIELDS,
  RECORD_FIELDS,
  SIP_FIELDS,
  VALIDITY_FIELDS,
} from './record-fields.js'
import { DIRECTIONS, FINDING_CODES, QUALITIES, RECORD_STATES } from './records.js'
import { RECORD_TYPES, readSchema, validateRecord } from './validate.js'

const definitions = readSchema('definitions').$defs
const media = Object.keys(definitions.media_fields.properties)

/** Names of a record's fields by its schema, media fields where the schema includes them. */
function schemaFields(type: string): string[] {
  const schema = readSchema(type)
  const own = Object.keys(schema.properties)
  return '$ref' in schema ? [...own, ...media] : own
}

const sorted = (names: Iterable<string>): string[] => [...names].sort()

describe('record vocabulary', () => {
  it.each(RECORD_TYPES)('has the same fields in the type, the field order and the schema of a %s', (type) => {
    expect(sorted(RECORD_FIELDS[type])).toEqual(sorted(schemaFields(type)))
    const example = EXAMPLES.find((record) => record.type === type)
    expect(sorted(Object.keys(example ?? {}))).toEqual(sorted(RECORD_FIELDS[type]))
  })

  it('has the same fields in the types and schemas of the parts of a call', () => {
    const call = readSchema('call')
    expect(Object.keys(call.properties.sip.properties)).toEqual(SIP_FIELDS)
    expect(media).toEqual(MEDIA_FIELDS)
    expect([...Object.keys(call.$defs.direction_record.properties), ...media]).toEqual(DIRECTION_FIELDS)
    expect(Object.keys(definitions.finding.properties)).toEqual(FINDING_FIELDS)
    expect(Object.keys(definitions.validity.properties)).toEqual(VALIDITY_FIELDS)
    expect(Object.keys(EXAMPLE_CALL.sip)).toEqual(SIP_FIELDS)
  })

  it('has the same enumerations in types and schemas', () => {
    expect(definitions.finding.properties.code.enum).toEqual(FINDING_CODES)
    expect(definitions.direction.enum).toEqual(DIRECTIONS)
    expect(definitions.call_state.enum).toEqual(RECORD_STATES)
    expect(definitions.quality.enum).toEqual(QUALITIES)
  })

  it('puts type and schema first in every record', () => {
    for (const fields of Object.values(RECORD_FIELDS)) expect(fields.slice(0, 2)).toEqual(['type', 'schema'])
  })

  it('describes every field in its schema, with the unit where the name has one', () => {
    for (const [name, schema] of Object.entries(definitions.media_fields.properties))
      expect(schema, name).toHaveProperty('description')
    for (const type of RECORD_TYPES)
      for (const [name, schema] of Object.entries<Record<string, string>>(readSchema(type).properties)) {
        const shared = schema.$ref?.split('/').at(-1)
        const described = schema.description ?? definitions[shared ?? '']?.description ?? schema.enum
        expect(described, `${type}.${name}`).toBeTruthy()
      }
  })
})

describe('record validation', () => {
  it.each(EXAMPLES.map((record) => [record.type, record] as const))(
    'accepts a %s with every field',
    (_, record) => {
      expect(validateRecord(record)).toEqual([])
    },
  )

  it('accepts the least that each record may hold', () => {
    const { type, schema, call_id, probe, start, end, direction } = EXAMPLE_INTERVAL
    expect(
      validateRecord({
        type: 'call',
        schema,
        call_id,
        probe,
        start,
        state: 'media_only',
        quality: 'unknown',
        media: {},
        findings: [],
        validity: {},
      }),
    ).toEqual([])
    expect(
      validateRecord({ type, schema, call_id, probe, start, end, direction, packets: 0, bytes: 0 }),
    ).toEqual([])
  })

  it('refuses a field that no schema knows, also inside a direction and beside media fields', () => {
    expect(validateRecord({ ...EXAMPLE_CALL, mos: 4 })).toEqual(['unknown field "mos"'])
    expect(validateRecord({ ...EXAMPLE_STREAM, loss: 4 })).toEqual(['unknown field "loss"'])
    const from_caller = { ...EXAMPLE_CALL.media.from_caller, jitter: 1 }
    expect(validateRecord({ ...EXAMPLE_CALL, media: { from_caller } })).toEqual([
      'media.from_caller: unknown field "jitter"',
    ])
  })

  it.each([
    ['a MOS below 1', { mos_cq: 0.9 }, 'mos_cq: must be >= 1'],
    ['a MOS above 4.5', { mos_lq: 4.51 }, 'mos_lq: must be <= 4.5'],
    ['more than 100 percent', { loss_percent: 100.1 }, 'loss_percent: must be <= 100'],
    ['-1 for unknown', { lost: -1 }, 'lost: must be >= 0'],
    ['NaN for unknown', { jitter_max_ms: NaN }, 'jitter_max_ms: must be number'],
    ['null for unknown', { codec: null }, 'codec: must be string'],
    [
      'a time that is not UTC',
      { first_packet: '2026-03-02T09:15:04+01:00' },
      'first_packet: must match pattern "Z$"',
    ],
    [
      'a day that does not exist',
      { first_packet: '2026-02-30T09:15:04Z' },
      'first_packet: must match format "date-time"',
    ],
    ['an SSRC in decimal', { ssrcs: ['305441741'] }, 'ssrcs.0: must match pattern "^0x[0-9a-f]{8}$"'],
    [
      'nine loss runs',
      { loss_runs: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
      'loss_runs: must NOT have fewer than 10 items',
    ],
    ['a DSCP of more than 6 bits', { dscp: 184 }, 'dscp: must be <= 63'],
  ])('refuses %s', (_, fields, message) => {
    expect(validateRecord({ ...EXAMPLE_INTERVAL, ...fields })).toEqual([message])
  })

  it('refuses what is no record', () => {
    expect(validateRecord(null)).toHaveLength(1)
    expect(validateRecord({ type: 'calls' })[0]).toContain(
      'must be one of call, stream, interval, alert, summary',
    )
  })
})
