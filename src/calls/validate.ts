import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Ajv2020, AnySchemaObject, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'
import { packageFile } from '../places.js'
import type { RecordType } from './records.js'

const require = createRequire(import.meta.url)

export const RECORD_TYPES: readonly RecordType[] = ['call', 'stream', 'interval', 'alert', 'summary']

/** Reads one of the published schemas; `name` is its file name without `.schema.json`. */
export function readSchema(name: string): AnySchemaObject {
  return JSON.parse(readFileSync(packageFile(`schemas/${name}.schema.json`), 'utf8'))
}

/**
 * An ajv instance for draft 2020-12 with formats that are checked in full (`2026-02-30` is no date).
 * @param verbose errors carry the schema and the value that they are about
 */
export function newAjv(verbose = false): Ajv2020 {
  // Loaded here: most runs check nothing, and loading takes longer than a small capture.
  const { Ajv2020: Ajv }: typeof import('ajv/dist/2020.js') = require('ajv/dist/2020.js')
  const { default: formats }: typeof import('ajv-formats') = require('ajv-formats')
  // strictRequired would refuse `required` beside `$ref`, which is how streams and intervals include media fields.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    verbose,
  })
  formats.default(ajv)
  return ajv
}

let compiled: Map<string, ValidateFunction> | undefined

function validators(): Map<string, ValidateFunction> {
  if (compiled === undefined) {
    const ajv = newAjv().addSchema(readSchema('definitions'))
    compiled = new Map(RECORD_TYPES.map((type) => [type, ajv.compile(readSchema(type))]))
  }
  return compiled
}

/**
 * Checks one record against its published schema.
 * @returns what is wrong, one sentence each with the path of the field; empty when the record is valid
 */
export function validateRecord(record: unknown): string[] {
  const type = typeof record === 'object' && record !== null && 'type' in record ? record.type : undefined
  const validate = typeof type === 'string' ? validators().get(type) : undefined
  if (validate === undefined)
    return [`type: must be one of ${RECORD_TYPES.join(', ')}, is ${JSON.stringify(type)}`]
  if (validate(record)) return []
  return (validate.errors ?? []).map(describeSchemaError)
}

/** One ajv error as a sentence, e.g. `media.from_caller.lost: must be >= 0`. */
export function describeSchemaError(error: ErrorObject): string {
  const path = error.instancePath.slice(1).replaceAll('/', '.')
  const where = path === '' ? '' : `${path}: `
  const params: Record<string, unknown> = error.params
  const extra = params.additionalProperty ?? params.unevaluatedProperty
  if (typeof extra === 'string') return `${where}unknown field "${extra}"`
  if (Array.isArray(params.allowedValues)) return `${where}must be one of ${params.allowedValues.join(', ')}`
  if ('allowedValue' in params) return `${where}must be ${JSON.stringify(params.allowedValue)}`
  return `${where}${error.message ?? error.keyword}`
}
