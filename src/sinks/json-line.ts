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
import { LineBytes } from './line-bytes.js'
import { decimalsOf } from './rounding.js'

/** One field of a shape: everything about it that does not change from record to record. */
interface Column {
  name: string
  /** `,"name":` */
  key: Uint8Array
  decimals: number
  /** For an object or an array of objects whose fields have an order; others are written in their own order. */
  shape?: Shape
}

/** Appends an object's fields in their order. */
type Shape = (out: LineBytes, value: object) => void

function shapeOf(fields: readonly string[], nested: Record<string, Shape> = {}): Shape {
  const columns = fields.map((name) => ({
    name,
    key: asciiBytes(`,${JSON.stringify(name)}:`),
    decimals: decimalsOf(name),
    shape: nested[name],
  }))
  let compiled: Shape | undefined
  // Compiled when it is first needed.
  return (out, value) => (compiled ??= compileShape(columns))(out, value)
}

/**
 * Code that reads each field by its name. A loop over names would look each of them up in each object, which takes
 * longer than writing what it finds.
 */
function compileShape(columns: readonly Column[]): Shape {
  const reads = columns.map(
    ({ name }, k) => `if ((v = value[${JSON.stringify(name)}]) !== undefined) field(out, v, columns[${k}])`,
  )
  const body = `return (out, value) => { let v\n${reads.join('\n')} }`
  const make = new Function('columns', 'field', body) as (columns: readonly Column[], field: unknown) => Shape
  return make(columns, appendField)
}

const direction = shapeOf(DIRECTION_FIELDS)
const validity = shapeOf(VALIDITY_FIELDS)
const findingSummary = shapeOf(FINDING_SUMMARY_FIELDS, { groups: shapeOf(FINDING_GROUP_FIELDS) })
const SHAPES: Record<RecordType, Shape> = {
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
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const TRUE = asciiBytes('true')
const FALSE = asciiBytes('false')

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/**
 * Appends a record as one line of JSON, without the line feed: fields in the documented order, numbers rounded as
 * `rounding.ts` says, fields that are undefined, null or not finite left out.
 */
export function appendJson(out: LineBytes, record: ProbeRecord): void {
  appendObject(out, record, SHAPES[record.type])
}

const line = new LineBytes()

/** The same as a string. */
export function jsonLine(record: ProbeRecord): string {
  line.clear()
  appendJson(line, record)
  return line.bytes.toString('utf8', 0, line.length)
}

/** Appends nothing when there is nothing to write. */
function appendField(out: LineBytes, value: unknown, { key, decimals, shape }: Column): void {
  const before = out.length
  out.append(key)
  if (!appendValue(out, value, decimals, shape)) out.length = before
}

/** @returns false when there is nothing to write */
function appendValue(out: LineBytes, value: unknown, decimals: number, shape?: Shape): boolean {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) return false
      out.decimal(value, decimals)
      return true
    case 'string':
      appendString(out, value)
      return true
    case 'boolean':
      out.append(value ? TRUE : FALSE)
      return true
    case 'object':
      if (value === null) return false
      if (Array.isArray(value)) appendArray(out, value, decimals, shape)
      else appendObject(out, value, shape ?? appendOpenFields)
      return true
    default:
      return false
  }
}

/** Each field comes with a comma before it; the first one's becomes the brace. */
function appendObject(out: LineBytes, value: object, shape: Shape): void {
  const begin = out.length
  shape(out, value)
  if (out.length === begin) out.byte(OPEN_BRACE)
  else out.bytes[begin] = OPEN_BRACE
  out.byte(CLOSE_BRACE)
}

function appendArray(out: LineBytes, values: readonly unknown[], decimals: number, shape?: Shape): void {
  const begin = out.length
  for (let k = 0; k < values.length; k++) {
    out.byte(COMMA)
    if (!appendValue(out, values[k], decimals, shape)) out.length--
  }
  if (out.length === begin) out.byte(OPEN_BRACKET)
  else out.bytes[begin] = OPEN_BRACKET
  out.byte(CLOSE_BRACKET)
}

/** Of an object with names of its own (evidence, counts by reason). */
function appendOpenFields(out: LineBytes, value: object): void {
  for (const [name, field] of Object.entries(value)) {
    const before = out.length
    out.byte(COMMA)
    appendString(out, name)
    out.byte(COLON)
    if (!appendValue(out, field, typeof field === 'number' ? decimalsOf(name) : OTHER_DECIMALS))
      out.length = before
  }
}

// C1 controls and bidi marks pass JSON.stringify, and a terminal may act on them: write them as escapes.
const TERMINAL_ACTIVE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

function appendString(out: LineBytes, text: string): void {
  if (out.quoted(text)) return
  out.text(
    JSON.stringify(text).replace(
      TERMINAL_ACTIVE,
      (character) => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'),
    ),
  )
}
