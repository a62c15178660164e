import type { MetricPoint } from '../../aggregates/point.js'
import { decimalsOf } from '../rounding.js'
import { FIELD_TYPES, type FieldType } from './field-types.js'
import { LineBytes } from '../line-bytes.js'

/**
 * InfluxDB line protocol: `measurement,tag=value field=value,... nanoseconds`, for 1.x, 2.x, 3.x and what else reads it.
 *
 * A point's time is its record's second plus a hash of its `key` in nanoseconds, so that points that share tags and
 * second do not overwrite each other and a second run of the same record writes the same point. A point whose `key` is
 * '' keeps its own time: for aggregates, of which there is one per tags and time by construction.
 */
export const NANOSECONDS_PER_SECOND = 1_000_000_000

/** Characters of a string field that are kept: at most 48 KB of the 64 KB that InfluxDB 1.x and 2.x take. */
const MOST_STRING_CHARACTERS = 16_000
/** Characters of a tag value that are kept. Names from the configuration are at most 64. */
const MOST_TAG_CHARACTERS = 256

/** What an empty or absent tag value is written as: the protocol has no empty ones. */
export const UNKNOWN_TAG = 'unknown'

/** Field values that had to be left out, by reason; kept for the sink's counters. */
export interface FieldTally {
  /** The value was of another JavaScript type than the field's. */
  fieldsOfOtherType: number
}

/**
 * One line without the line feed; '' when the point has no field that can be written or no time.
 * @param nanoseconds the time within the second, when ties were broken (PointTimes)
 */
export function toLine(point: MetricPoint, nanoseconds = nanosecondsOf(point), tally?: FieldTally): string {
  const out = new LineBytes()
  if (!writeFields(out, point, tally)) return ''
  const fields = out.bytes.toString('utf8', 0, out.length)
  return `${seriesOf(point.measurement, point.tags)} ${fields} ${timeText(secondOf(point), nanoseconds)}`
}

/** When a point is, and what tells it from others of its second. */
export type PointMoment = Pick<MetricPoint, 'timeMs' | 'key'>

/** How the tags of a measurement's last point were written. */
interface TagLayout {
  /** Escaped. */
  measurement: string
  /** In the order of the point. */
  names: readonly string[]
  sorted: readonly FieldColumn[]
}

const tagLayouts = new Map<string, TagLayout>()

function tagLayoutOf(measurement: string, tags: MetricPoint['tags']): TagLayout {
  const last = tagLayouts.get(measurement)
  if (last !== undefined && hasNames(tags, last.names)) return last
  const names = Object.keys(tags)
  const sorted = [...names].sort().map(columnOf)
  const layout = { measurement: escapeMeasurement(measurement), names, sorted }
  tagLayouts.set(measurement, layout)
  return layout
}

function hasNames(tags: MetricPoint['tags'], names: readonly string[]): boolean {
  let place = 0
  for (const name in tags) if (names[place++] !== name) return false
  return place === names.length
}

/** Measurement and tags, sorted: what makes a series. Equal texts are equal series. */
export function seriesOf(measurement: string, tags: MetricPoint['tags']): string {
  const layout = tagLayoutOf(measurement, tags)
  let text = layout.measurement
  for (const { name, key } of layout.sorted) text += `,${key}${tagValue(tags[name])}`
  return text
}

/** Seconds since the epoch, rounded down. */
export function secondOf(point: PointMoment): number {
  return Math.floor(point.timeMs / 1000)
}

/** Time within the second before ties are broken, 0..999,999,999. */
export function nanosecondsOf(point: PointMoment): number {
  if (point.key !== '') return hashNanoseconds(point.key)
  return Math.round((point.timeMs - secondOf(point) * 1000) * 1e6)
}

/** FNV-1a over UTF-16 units, mixed as MurmurHash3 ends, scaled into one second: 29.9 bits. */
export function hashNanoseconds(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash ^= hash >>> 16
  return Math.floor((hash >>> 0) * (NANOSECONDS_PER_SECOND / 2 ** 32))
}

/** Nanoseconds since the epoch as text; a float64 could not hold them. */
export function timeText(second: number, nanoseconds: number): string {
  const carry = Math.floor(nanoseconds / NANOSECONDS_PER_SECOND)
  const seconds = second + carry
  const rest = nanoseconds - carry * NANOSECONDS_PER_SECOND
  return seconds === 0 ? String(rest) : String(seconds) + String(rest).padStart(9, '0')
}

interface FieldColumn {
  name: string
  /** `name=`, escaped. */
  key: string
  /** `,name=` */
  keyBytes: Uint8Array
  type: FieldType | undefined
  decimals: number
}

/** Names of tags and fields come from code, so there are few. */
const columns = new Map<string, FieldColumn>()

function columnOf(name: string): FieldColumn {
  let column = columns.get(name)
  if (column === undefined) {
    const key = `${escapeKey(name)}=`
    const keyBytes = new Uint8Array(Buffer.from(`,${key}`))
    column = { name, key, keyBytes, type: FIELD_TYPES.get(name), decimals: decimalsOf(name) }
    columns.set(name, column)
  }
  return column
}

/**
 * The columns of a measurement's last point, by position: points of one measurement have mostly the same fields in the
 * same order, so that a comparison stands in for a look-up of each name.
 */
const layouts = new Map<string, FieldColumn[]>()

function layoutOf(measurement: string): FieldColumn[] {
  let layout = layouts.get(measurement)
  if (layout === undefined) {
    layout = []
    layouts.set(measurement, layout)
  }
  return layout
}

/** Appends the fields of a line; false when there is none that can be written, or no time: then nothing was appended. */
export function writeFields(
  out: LineBytes,
  { measurement, fields, timeMs }: MetricPoint,
  tally?: FieldTally,
): boolean {
  if (!Number.isFinite(timeMs)) return false
  const layout = layoutOf(measurement)
  const begin = out.length
  let place = 0
  // Own names only: points are literals. Unlike Object.keys() this leaves nothing behind.
  for (const name in fields) {
    const i = place++
    const value = fields[name]
    if (value === undefined) continue
    if (layout[i]?.name !== name) layout[i] = columnOf(name)
    const column = layout[i]
    const before = out.length
    out.append(column.keyBytes, before === begin ? 1 : 0)
    if (!writeValue(out, value, column, tally)) out.length = before
  }
  return out.length > begin
}

const INTEGER_MARK = new Uint8Array(Buffer.from('i'))
const TRUE = new Uint8Array(Buffer.from('true'))
const FALSE = new Uint8Array(Buffer.from('false'))

/** False when there is nothing to write. */
function writeValue(
  out: LineBytes,
  value: number | string | boolean,
  { type, decimals }: FieldColumn,
  tally: FieldTally | undefined,
): boolean {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) return false
      if (type === 'float' || type === undefined) {
        out.decimal(value, decimals)
        return true
      }
      if (type === 'integer') return writeInteger(out, value)
      break
    case 'string':
      if (type === 'string' || type === undefined) {
        writeString(out, value)
        return true
      }
      break
    case 'boolean':
      if (type === 'boolean' || type === undefined) {
        out.append(value ? TRUE : FALSE)
        return true
      }
      break
    default:
      break
  }
  if (tally !== undefined) tally.fieldsOfOtherType++
  return false
}

/** From 2^53 on a number may print with an exponent, which an integer must not have. */
function writeInteger(out: LineBytes, value: number): boolean {
  const rounded = Math.round(value) + 0
  if (!Number.isSafeInteger(rounded)) return false
  out.decimal(rounded, 0)
  out.append(INTEGER_MARK)
  return true
}

// Control characters, line feeds before all, end or spoil a line in one version or another. Half a surrogate pair has no
// UTF-8: Buffer writes U+FFFD for it.
const CONTROL = /[\u0000-\u001f\u007f]/g
const QUOTED = /["\\]/g

function writeString(out: LineBytes, text: string): void {
  if (text.length <= MOST_STRING_CHARACTERS && out.quoted(text)) return
  out.text(`"${cut(text, MOST_STRING_CHARACTERS).replace(CONTROL, ' ').replace(QUOTED, '\\$&')}"`)
}

const PLAIN_TAG = /^[\w.:+/-]{1,256}$/

/**
 * A backslash is literal in a tag value unless a separator follows, and which of both is meant at the end of a value
 * differs between versions: it is written as a slash.
 */
function tagValue(value: string): string {
  if (PLAIN_TAG.test(value)) return value
  const text = cut(value, MOST_TAG_CHARACTERS).replace(CONTROL, ' ').replaceAll('\\', '/')
  return text === '' ? UNKNOWN_TAG : text.replace(/[,= ]/g, '\\$&')
}

function escapeKey(name: string): string {
  return name.replace(CONTROL, ' ').replaceAll('\\', '/').replace(/[,= ]/g, '\\$&')
}

function escapeMeasurement(name: string): string {
  return name.replace(CONTROL, ' ').replaceAll('\\', '/').replace(/[, ]/g, '\\$&')
}

/** The first characters of a text, never half a surrogate pair. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const last = text.charCodeAt(most - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most)
}
