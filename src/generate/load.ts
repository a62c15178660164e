import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject } from 'ajv'
import { parse as parseYaml, YAMLParseError } from 'yaml'
import addFormats from 'ajv-formats'
import { ScenarioError } from './errors.js'
import type { Scenario } from './scenario.js'

/** Single-character edits between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]
}

function nearest(word: string, known: string[]): string | undefined {
  return known
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .sort((a, b) => a.edits - b.edits)[0]?.candidate
}

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
    const guess = nearest(key, known)
    return `${place}: unknown key "${key}"${guess === undefined ? '' : `; did you mean "${guess}"?`}`
  }
  if (error.keyword === 'enum') return `${place} must be one of ${String(error.params.allowedValues)}`
  return `${place} ${error.message ?? 'is wrong'}`
}

const SCHEMA = new URL('../../schemas/scenario.schema.json', import.meta.url)

function makeValidator() {
  const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true })
  addFormats.default(ajv)
  const schema: unknown = JSON.parse(readFileSync(SCHEMA, 'utf8'))
  if (!isRecord(schema)) throw new Error('schemas/scenario.schema.json is damaged')
  return ajv.compile<Scenario>(schema)
}

let validate: ReturnType<typeof makeValidator> | undefined

/** Checks a scenario against its schema. @throws ScenarioError that lists every mistake with its place */
export function checkScenario(value: unknown): Scenario {
  validate ??= makeValidator()
  if (validate(value)) return value
  const mistakes = [...new Set((validate.errors ?? []).map(explain))]
  throw new ScenarioError(mistakes.join('\n'))
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
