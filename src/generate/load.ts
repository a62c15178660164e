import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { parse as parseYaml, YAMLParseError } from 'yaml'
import addFormats from 'ajv-formats'
import { didYouMean } from '../config/nearest.js'
import { packageFile } from '../places.js'
import { ScenarioError } from './errors.js'
import type { Scenario } from './scenario.js'

/** `/calls/0/media/both` as `calls[0].media.both`. */
function placeOf(pointer: string): string {
  const text = pointer.replace(/\/(\d+)/g, '[$1]').replace(/\//g, '.')
  return text.startsWith('.') ? text.slice(1) : text || 'the scenario'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function explain(error: ErrorObject): string {
  const place = placeOf(error.instancePath)
  const { parentSchema } = error
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty)
    const properties: unknown = parentSchema?.properties
    const known = isRecord(properties) ? Object.keys(properties) : []
    return `${place}: unknown key "${key}"${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`
  }
  if (error.keyword === 'enum' && Array.isArray(error.params.allowedValues)) {
    const allowed = error.params.allowedValues.map(String)
    return `${place} must be one of ${allowed.join(', ')}${didYouMean(String(error.data), allowed)}`
  }
  return `${place} ${error.message ?? 'is wrong'}`
}

function makeValidator() {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true })
  addFormats.default(ajv)
  const schema: unknown = JSON.parse(readFileSync(packageFile('schemas/scenario.schema.json'), 'utf8'))
  if (!isRecord(schema)) throw new Error('schemas/scenario.schema.json is damaged')
  return ajv.compile<Scenario>(schema)
}

let validate: ReturnType<typeof makeValidator> | undefined

/** Checks a scenario against its schema. @throws ScenarioError that lists every mistake with its place */
export function checkScenario(value: unknown): Scenario {
  validate ??= makeValidator()
  if (validate(value)) return value
  const mistakes = [...new Set((validate.errors ?? []).map(explain))]
  throw new ScenarioError(mistakes.join('\n'), { hint: 'docs/generate.md lists the keys' })
}

/** Reads YAML (or JSON, which YAML contains). @throws ScenarioError */
export function parseScenario(text: string): Scenario {
  let value: unknown
  try {
    value = parseYaml(text)
  } catch (error) {
    if (error instanceof YAMLParseError) throw new ScenarioError(error.message)
    throw error
  }
  return checkScenario(value)
}
