import type { FieldInfo } from './expression-fields.js'

/** Longest text that a regular expression is tried on: what it would cost is up to whoever sent the packet. */
const LONGEST_MATCHED = 4096

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!='
export type Value = number | string | boolean

/** Every known value of a field in a record; arrays are looked through. */
export function valuesOf(record: object, field: FieldInfo): Value[] {
  const found: Value[] = []
  for (const path of field.paths) gather(record, path, 0, found)
  return field.kind === 'time' ? found.map((value) => Date.parse(String(value))) : found
}

function gather(at: unknown, path: readonly string[], depth: number, found: Value[]): void {
  if (Array.isArray(at)) {
    for (const item of at) gather(item, path, depth, found)
  } else if (depth < path.length) {
    if (typeof at === 'object' && at !== null && Object.hasOwn(at, path[depth]))
      gather((at as Record<string, unknown>)[path[depth]], path, depth + 1, found)
  } else if (typeof at === 'number' ? !Number.isNaN(at) : typeof at === 'string' || typeof at === 'boolean') {
    found.push(at as Value)
  } else if (typeof at === 'object' && at !== null) {
    // has(media.from_caller): the group is there.
    found.push(true)
  }
}

/** Values of different kinds are never equal, nor in any order. */
export function compare(left: Value, operator: Comparison, right: Value): boolean {
  if (typeof left !== typeof right) return false
  switch (operator) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    case '==':
      return left === right
    case '!=':
      return left !== right
  }
}

export const MIRRORED: Record<Comparison, Comparison> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '==': '==',
  '!=': '!=',
}

export function isComparison(text: string): text is Comparison {
  return Object.hasOwn(MIRRORED, text)
}

/** Whether a text contains another, whatever the case of the letters. */
export function containsText(needle: string): (value: Value) => boolean {
  const lower = needle.toLowerCase()
  return (value) => String(value).toLowerCase().includes(lower)
}

export function matchesRegex(pattern: RegExp): (value: Value) => boolean {
  return (value) => pattern.test(String(value).slice(0, LONGEST_MATCHED))
}

/** RFC 3339, a day, or a time without zone (then UTC) in ms since the epoch; undefined when it is none of them. */
export function timeOf(text: string): number | undefined {
  const match = /^\d{4}-\d\d-\d\d(?:([T ])\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/i.exec(text)
  if (match === null) return undefined
  const time = Date.parse(match[1] === undefined || match[2] !== undefined ? text : `${text}Z`)
  return Number.isNaN(time) ? undefined : time
}
