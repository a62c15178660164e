import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { CallprobeError, systemErrorCode } from '../errors.js'
import { packagePath } from '../places.js'
import { writeError } from '../sinks/ndjson.js'

/** `dashboards/` of the package. */
const KIT = packagePath('dashboards/')

/** What belongs to the kit; the rest of the folder is source code. */
const FOLDERS = ['json', 'provisioning', 'victoriametrics']
const FILES = ['docker-compose.yml', 'env.example']

/** Paths below `dashboards/`, sorted. */
function kitFiles(): string[] {
  const files = [...FILES]
  for (const folder of FOLDERS)
    for (const entry of readdirSync(join(KIT, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name).slice(KIT.length))
  return files.sort()
}

/**
 * Copies the kit. Without `force` a file that exists with another content stops it before anything is written.
 * @throws CallprobeError OUTPUT_EXISTS, WRITE_FAILED
 */
export function copyKit(folder: string, force: boolean): { written: number; unchanged: number } {
  const files = kitFiles().map((path) => ({ path, text: readFileSync(join(KIT, path), 'utf8') }))
  const different = files.filter(({ path, text }) => existing(join(folder, path)) !== text)
  const clash = different.filter(({ path }) => existsSync(join(folder, path)))
  if (clash.length > 0 && !force)
    throw new CallprobeError(
      'OUTPUT_EXISTS',
      `${join(folder, clash[0].path)} exists and differs${clash.length > 1 ? `, as do ${clash.length - 1} more files` : ''}`,
      { hint: 'another folder, or --force to write over it' },
    )
  for (const { path, text } of different) write(join(folder, path), text)
  return { written: different.length, unchanged: files.length - different.length }
}

function existing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Readable for all, unlike other outputs: there is nothing of a call in it, and Grafana runs as another user. */
function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, text, { mode: 0o644 })
  } catch (error) {
    const reason = systemErrorCode(error)
    if (reason === 'EEXIST' || reason === 'ENOTDIR')
      throw new CallprobeError('WRITE_FAILED', `cannot write ${path}: a file is where a folder has to be`, {
        cause: error,
      })
    throw writeError(path, error)
  }
}

export interface BundledDashboard {
  title: string
  dashboard: Record<string, unknown>
}

/** The dashboards of the package, with this data source chosen. */
export function bundledDashboards(datasourceUid: string): BundledDashboard[] {
  const names = readdirSync(join(KIT, 'json')).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => {
    const dashboard = record(JSON.parse(readFileSync(join(KIT, 'json', name), 'utf8')), name)
    chooseDatasource(dashboard, datasourceUid)
    return { title: String(dashboard.title), dashboard }
  })
}

function chooseDatasource(dashboard: Record<string, unknown>, uid: string): void {
  const { list } = record(dashboard.templating, 'templating')
  if (!Array.isArray(list)) return
  for (const variable of list) {
    const { type, query } = record(variable, 'variable')
    if (type === 'datasource' && query === 'influxdb')
      variable.current = { text: uid, value: uid, selected: true }
  }
}

export interface RuleGroup {
  name: string
  intervalS: number
  rules: { title: string; rule: Record<string, unknown> }[]
}

/** The alert rules of the package, on this data source. */
export function bundledRuleGroups(datasourceUid: string): RuleGroup[] {
  const name = 'provisioning/alerting/callprobe.yaml'
  const { groups } = record(parse(readFileSync(join(KIT, name), 'utf8')), name)
  if (!Array.isArray(groups)) throw new Error(`${name}: no groups`)
  return groups.map((group: unknown) => {
    const { name: title, interval, rules } = record(group, name)
    if (!Array.isArray(rules)) throw new Error(`${name}: no rules`)
    return {
      name: String(title),
      intervalS: Number.parseInt(String(interval), 10),
      rules: rules.map((text: unknown) => {
        const rule = record(onDatasource(text, datasourceUid), name)
        return { title: String(rule.title), rule }
      }),
    }
  })
}

const BUNDLED_UID = 'callprobe'

/** The same with every `datasourceUid` and `uid` of a data source replaced. */
function onDatasource(value: unknown, uid: string): unknown {
  if (Array.isArray(value)) return value.map((one) => onDatasource(one, uid))
  if (value === null || typeof value !== 'object') return value
  const result: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value))
    result[key] =
      (key === 'datasourceUid' || key === 'uid') && inner === BUNDLED_UID ? uid : onDatasource(inner, uid)
  return result
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error(`${where} of the package is damaged: install it again`)
  return Object.fromEntries(Object.entries(value))
}
