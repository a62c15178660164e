import type { ErrorObject, ValidateFunction } from 'ajv'
import { describeSchemaError, newAjv, readSchema } from '../calls/validate.js'
import { errorText } from '../errors.js'
import { alertsProblems } from './alert-problems.js'
import type { ConfigFile } from './config.js'
import { parseInfluxUrl } from './influx-url.js'
import { parseJitterBufferSpec } from './jitter-buffer.js'
import { didYouMean } from './nearest.js'
import { parseNetwork } from './networks.js'

/** One thing that is wrong in a configuration, at a path such as `['sites', 0, 'networks']`. */
export interface ConfigProblem {
  path: (string | number)[]
  /** True when the problem is the key itself rather than its value. */
  atKey: boolean
  message: string
}

let compiled: ValidateFunction<ConfigFile> | undefined

/** @returns the checked configuration, or everything that is wrong with it */
export function checkConfig(value: unknown): { file: ConfigFile } | { problems: ConfigProblem[] } {
  compiled ??= newAjv(true).compile<ConfigFile>(readSchema('config'))
  if (!compiled(value)) return { problems: (compiled.errors ?? []).map(problemOf) }
  const problems = [...meaningProblems(value)]
  return problems.length > 0 ? { problems } : { file: value }
}

function problemOf(error: ErrorObject): ConfigProblem {
  const path = error.instancePath.split('/').slice(1).map(pathPart)
  const params: Record<string, unknown> = error.params
  if (typeof params.additionalProperty === 'string') {
    const key = params.additionalProperty
    const known = Object.keys(propertiesOf(error.parentSchema))
    const near = didYouMean(key, known)
    const hint = near === '' ? `; known here: ${known.join(', ')}` : near
    return { path: [...path, key], atKey: true, message: `unknown key "${key}"${hint}` }
  }
  const name = path.length === 0 ? 'the configuration' : path.join('.')
  const sentence = describeSchemaError({ ...error, instancePath: '' })
  if (error.keyword === 'enum' && typeof error.data === 'string' && Array.isArray(params.allowedValues)) {
    const near = didYouMean(error.data, params.allowedValues.map(String))
    return { path, atKey: false, message: `${name} ${sentence}${near}` }
  }
  return { path, atKey: false, message: `${name} ${sentence}` }
}

/** What a JSON Schema cannot say. */
function* meaningProblems(file: ConfigFile): Generator<ConfigProblem> {
  if (file.jitter_buffer !== undefined) {
    try {
      parseJitterBufferSpec(file.jitter_buffer)
    } catch (error) {
      yield { path: ['jitter_buffer'], atKey: false, message: errorText(error) }
    }
  }
  if (file.influx?.url !== undefined) {
    try {
      parseInfluxUrl(file.influx.url)
    } catch (error) {
      yield { path: ['influx', 'url'], atKey: false, message: `influx.url: ${errorText(error)}` }
    }
  }
  const { good = 4, fair = 3.6 } = file.quality ?? {}
  if (fair >= good)
    yield {
      path: ['quality'],
      atKey: false,
      message: `quality.fair (${fair}) must be below quality.good (${good})`,
    }
  yield* duplicateNames('sites', file.sites ?? [])
  yield* duplicateNames('trunks', file.trunks ?? [])
  for (const [i, site] of (file.sites ?? []).entries()) {
    if (site.networks === undefined && site.vlans === undefined && site.realms === undefined)
      yield {
        path: ['sites', i],
        atKey: false,
        message: `site "${site.name}" needs networks, vlans or realms`,
      }
    yield* networkProblems(['sites', i, 'networks'], site.networks ?? [])
  }
  for (const [i, trunk] of (file.trunks ?? []).entries()) {
    if (trunk.addresses === undefined && trunk.vlans === undefined && trunk.realms === undefined)
      yield {
        path: ['trunks', i],
        atKey: false,
        message: `trunk "${trunk.name}" needs addresses, vlans or realms`,
      }
    yield* networkProblems(['trunks', i, 'addresses'], trunk.addresses ?? [])
  }
  for (const { path, message } of alertsProblems(file.alerts ?? {}))
    yield { path: ['alerts', ...path], atKey: false, message }
}

function* duplicateNames(key: string, entries: readonly { name: string }[]): Generator<ConfigProblem> {
  const seen = new Set<string>()
  for (const [i, { name }] of entries.entries()) {
    if (seen.has(name))
      yield {
        path: [key, i, 'name'],
        atKey: false,
        message: `${key} has two entries named "${name}": join them`,
      }
    seen.add(name)
  }
}

function* networkProblems(path: (string | number)[], networks: readonly string[]): Generator<ConfigProblem> {
  for (const [i, text] of networks.entries())
    if (parseNetwork(text) === undefined)
      yield {
        path: [...path, i],
        atKey: false,
        message: `"${text}" is neither an address nor a network (10.1.0.0/16, 2001:db8::/32; no bits past the prefix)`,
      }
}

function pathPart(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')
}

function propertiesOf(schema: unknown): object {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return {}
  return typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {}
}
