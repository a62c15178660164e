import {
  ALERT_FIELDS,
  CALL_FIELDS,
  DIRECTION_FIELDS,
  FINDING_FIELDS,
  FINDING_GROUP_FIELDS,
  FINDING_SUMMARY_FIELDS,
  INTERVAL_FIELDS,
  SIP_FIELDS,
  STREAM_FIELDS,
  SUMMARY_FIELDS,
  TRUNCATED_FILE_FIELDS,
  VALIDITY_FIELDS,
} from '../calls/record-fields.js'
import type { ProbeRecord, RecordType } from '../calls/records.js'
import { decimalsOf, decimalText } from './rounding.js'

/** One field of a shape: everything about it that does not change from record to record. */
interface Column {
  name: string
  /** `"name":` */
  key: string
  decimals: number
  /** For an object or an array of objects whose fields have an order; others are written in their own order. */
  shape?: readonly Column[]
}

type Shapes = Record<string, readonly Column[]>

function shapeOf(fields: readonly string[], nested: Shapes = {}): readonly Column[] {
  return fields.map((name) => ({
    name,
    key: `${JSON.stringify(name)}:`,
    decimals: decimalsOf(name),
    shape: nested[name],
  }))
}

const direction = shapeOf(DIRECTION_FIELDS)
const validity = shapeOf(VALIDITY_FIELDS)
const findingSummary = shapeOf(FINDING_SUMMARY_FIELDS, { groups: shapeOf(FINDING_GROUP_FIELDS) })
const SHAPES: Record<RecordType, readonly Column[]> = {
  call: shapeOf(CALL_FIELDS, {
    sip: shapeOf(SIP_FIELDS),
    media: shapeOf(['from_caller', 'from_callee'], { from_caller: direction, from_callee: direction }),
    findings: shapeOf(FINDING_FIELDS),
    validity,
  }),
  stream: shapeOf(STREAM_FIELDS, { validity }),
  interval: shapeOf(INTERVAL_FIELDS),
  alert: shapeOf(ALERT_FIELDS),
  summary: shapeOf(SUMMARY_FIELDS, {
    truncated_files: shapeOf(TRUNCATED_FILE_FIELDS),
    findings: findingSummary,
    bad_calls: findingSummary,
  }),
}

const OTHER_DECIMALS = decimalsOf('')

/**
 * A record as one line of JSON, without the line feed: fields in the documented order, numbers rounded as
 * `rounding.ts` says, fields that are undefined, null or not finite left out.
 */
export function jsonLine(record: ProbeRecord): string {
  return orderedObject(record, SHAPES[record.type])
}

function orderedObject(value: object, shape: readonly Column[]): string {
  const fields = value as Readonly<Record<string, unknown>>
  let text = '{'
  for (let i = 0; i < shape.length; i++) {
    const column = shape[i]
    const field = jsonValue(fields[column.name], column.decimals, column.shape)
    if (field !== '') text += text.length === 1 ? column.key + field : ',' + column.key + field
  }
  return text + '}'
}

/** '' when there is nothing to write. */
function jsonValue(value: unknown, decimals: number, shape?: readonly Column[]): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? decimalText(value, decimals) : ''
    case 'string':
      return jsonString(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return ''
      if (Array.isArray(value)) return jsonArray(value, decimals, shape)
      return shape === undefined ? openObject(value) : orderedObject(value, shape)
    default:
      return ''
  }
}

function jsonArray(values: readonly unknown[], decimals: number, shape?: readonly Column[]): string {
  let text = '['
  for (const value of values) {
    const item = jsonValue(value, decimals, shape)
    if (item !== '') text += text.length === 1 ? item : ',' + item
  }
  return text + ']'
}

/** An object with names of its own (evidence, counts by reason). */
function openObject(value: object): string {
  let text = '{'
  for (const [name, field] of Object.entries(value)) {
    const item = jsonValue(field, typeof field === 'number' ? decimalsOf(name) : OTHER_DECIMALS)
    if (item !== '') text += (text.length === 1 ? '' : ',') + jsonString(name) + ':' + item
  }
  return text + '}'
}

const PLAIN = /^[ !#-[\]-~]*$/
// C1 controls and bidi marks pass JSON.stringify, and a terminal may act on them: write them as escapes.
const TERMINAL_ACTIVE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

function jsonString(text: string): string {
  if (PLAIN.test(text)) return '"' + text + '"'
  return JSON.stringify(text).replace(
    TERMINAL_ACTIVE,
    (character) => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'),
  )
}
