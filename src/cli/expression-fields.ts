import { readSchema } from '../calls/validate.js'

/** What the values of a field are. `open`: named freely (evidence); `group`: an object of other fields. */
export type FieldKind = 'number' | 'text' | 'time' | 'boolean' | 'open' | 'group'

export interface FieldInfo {
  kind: FieldKind
  /** Where to look: one path, or one for each direction. Arrays on the way are looked through. */
  paths: readonly (readonly string[])[]
  /** The only values there are. */
  values?: readonly string[]
  /** For a group: the names in it. */
  members?: readonly string[]
}

/**
 * Every field of a call record by its dotted path, from the published schema; and every field of a direction by its
 * bare name, meaning either direction, unless the call has a field of that name itself.
 */
export function callFields(): ReadonlyMap<string, FieldInfo> {
  if (cached === undefined) {
    const fields = new Map<string, FieldInfo>()
    collect({ schema: readSchema('call'), document: 'call' }, [], fields)
    for (const [path, info] of [...fields]) {
      const name = path.startsWith('media.from_caller.') ? path.slice('media.from_caller.'.length) : ''
      if (name === '' || fields.has(name)) continue
      const paths = ['from_caller', 'from_callee'].map((direction) => [
        'media',
        direction,
        ...name.split('.'),
      ])
      fields.set(name, { ...info, paths })
    }
    cached = fields
  }
  return cached
}

let cached: ReadonlyMap<string, FieldInfo> | undefined

interface Located {
  schema: Record<string, unknown>
  /** Which schema file it is in: `$ref` may be relative to it. */
  document: string
}

function collect(at: Located, path: readonly string[], fields: Map<string, FieldInfo>): void {
  const layers = withReferences(at)
  const find = (keyword: string): unknown => layers.find(({ schema }) => keyword in schema)?.schema[keyword]
  const type = find('type')
  if (type === 'array') {
    const owner = layers.find(({ schema }) => 'items' in schema)
    if (owner !== undefined)
      collect({ schema: objectOf(owner.schema.items), document: owner.document }, path, fields)
    return
  }
  const members: string[] = []
  for (const { schema, document } of layers)
    for (const [name, member] of Object.entries(objectOf(schema.properties))) {
      members.push(name)
      collect({ schema: objectOf(member), document }, [...path, name], fields)
    }
  if (path.length === 0) return
  const values = find('enum')
  fields.set(path.join('.'), {
    kind: members.length > 0 ? 'group' : kindOf(type, find('format')),
    paths: [path],
    values: Array.isArray(values) ? values.map(String) : undefined,
    members: members.length > 0 ? members : undefined,
  })
}

function kindOf(type: unknown, format: unknown): FieldKind {
  if (type === 'object') return 'open'
  if (type === 'boolean') return 'boolean'
  if (type === 'integer' || type === 'number') return 'number'
  return format === 'date-time' ? 'time' : 'text'
}

/** The schema itself and what its `$ref`s lead to, nearest first. */
function withReferences(at: Located): Located[] {
  const reference = at.schema.$ref
  if (typeof reference !== 'string') return [at]
  const [file, pointer] = reference.split('#/')
  const document = file === '' ? at.document : file.replace('.schema.json', '')
  let schema: Record<string, unknown> = readSchema(document)
  for (const part of pointer.split('/')) schema = objectOf(schema[part])
  return [at, ...withReferences({ schema, document })]
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Each kind as messages call it. */
export const KIND_TEXT: Record<FieldKind, string> = {
  number: 'a number',
  text: 'text',
  time: 'a time',
  boolean: 'true or false',
  open: 'a value',
  group: 'a group of fields',
}

/** A comparison with the field that makes sense, for messages. */
export function exampleFor(name: string, field: FieldInfo): string {
  if (field.values !== undefined) return `${name} == ${field.values[0]}`
  switch (field.kind) {
    case 'number':
      return `${name} > 1`
    case 'time':
      return `${name} >= "2026-03-02T09:00:00Z"`
    case 'boolean':
      return `${name} == true`
    default:
      return `${name} == "text"`
  }
}
