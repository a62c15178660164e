import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Influx, Series } from './influx.js'

/**
 * What Grafana does between a dashboard's JSON and the database, as far as these dashboards use it: variables with their
 * formats, `$timeFilter`, steps, aliases. Written from Grafana's documentation, not from dashboards/code:
 * https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/
 * https://grafana.com/docs/grafana/latest/datasources/influxdb/query-editor/
 */
export interface Target {
  refId: string
  query: string
  /** Of a Prometheus data source. */
  expr?: string
  legendFormat?: string
  resultFormat: 'time_series' | 'table'
  alias?: string
  rawQuery?: boolean
}

export interface Panel {
  id: number
  type: string
  title: string
  description?: string
  timeFrom?: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: Target[]
  transformations?: { id: string; options: Record<string, unknown> }[]
  fieldConfig?: {
    defaults: { unit?: string; links?: { title: string; url: string }[]; thresholds?: unknown }
    overrides: {
      matcher: { id: string; options: string }
      properties: { id: string; value?: unknown }[]
    }[]
  }
}

export interface VariableModel {
  type: string
  name: string
  query?: string
  allValue?: string
  includeAll?: boolean
  auto?: boolean
  auto_count?: number
  auto_min?: string
  current?: { text: string | string[]; value: string | string[] }
}

export interface Dashboard {
  uid: string
  title: string
  schemaVersion: number
  time: { from: string; to: string }
  panels: Panel[]
  templating: { list: VariableModel[] }
  annotations: { list?: { query?: string; target?: { query?: string } }[] }
  links: { url: string; keepTime: boolean; includeVars: boolean }[]
}

/** Tests and scripts run in the project's root. */
const JSON_FOLDER = 'dashboards/json'

/** The committed dashboards for InfluxDB by the name of their file. */
export function committedDashboards(): Map<string, Dashboard> {
  const names = readdirSync(JSON_FOLDER).filter((name) => name.endsWith('.json'))
  return new Map(names.map((name) => [name, JSON.parse(readFileSync(join(JSON_FOLDER, name), 'utf8'))]))
}

/** The one for VictoriaMetrics. */
export function victoriaDashboard(): Dashboard {
  return JSON.parse(readFileSync('dashboards/victoriametrics/overview.json', 'utf8'))
}

export function dataPanels(dashboard: Dashboard): Panel[] {
  return dashboard.panels.filter(({ type }) => type !== 'row')
}

export interface Range {
  fromMs: number
  toMs: number
}

/** Chosen values by variable; what is not named has its default. */
export type Choices = Readonly<Record<string, string | readonly string[]>>

const STEPS: readonly [limitMs: number, text: string][] = [
  [90_000, '1m'],
  [210_000, '2m'],
  [450_000, '5m'],
  [750_000, '10m'],
  [1_050_000, '15m'],
  [1_500_000, '20m'],
  [2_700_000, '30m'],
  [5_400_000, '1h'],
  [9_000_000, '2h'],
  [16_200_000, '3h'],
  [32_400_000, '6h'],
  [86_400_000, '12h'],
  [604_800_000, '1d'],
]

/** Grafana's rounding of an interval: the next of its round ones. */
export function roundInterval(milliseconds: number): string {
  for (const [limit, text] of STEPS) if (milliseconds < limit) return text
  return '7d'
}

function escapeRegex(value: string): string {
  return value.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&')
}

function formatted(value: string | readonly string[], format: string): string {
  const values = typeof value === 'string' ? [value] : value
  switch (format) {
    case 'regex':
      return values.length === 1 ? escapeRegex(values[0]) : `(${values.map(escapeRegex).join('|')})`
    case 'raw':
    case '':
      return values.join(',')
    default:
      throw new Error(`format ${format}`)
  }
}

function valueOf(variable: VariableModel, choices: Choices, range: Range, format: string): string {
  const chosen = choices[variable.name] ?? variable.current?.value ?? ''
  const first = typeof chosen === 'string' ? chosen : chosen[0]
  // "All" with a value of its own is put in as it stands, whatever the format.
  if (first === '$__all') return variable.allValue ?? '.*'
  if (first.startsWith('$__auto_interval'))
    return roundInterval(Math.max(60_000, (range.toMs - range.fromMs) / (variable.auto_count ?? 30)))
  return formatted(chosen, format)
}

/** A query as it goes to the database. */
export function fillIn(query: string, dashboard: Dashboard, range: Range, choices: Choices = {}): string {
  const variables = new Map(dashboard.templating.list.map((variable) => [variable.name, variable]))
  const text = query
    .replaceAll('$timeFilter', `time >= ${range.fromMs}ms and time <= ${range.toMs}ms`)
    .replaceAll('$__interval', roundInterval((range.toMs - range.fromMs) / 1000))
    .replace(/\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g, (whole, braced: string, format = '', bare: string) => {
      const variable = variables.get(braced ?? bare)
      if (variable === undefined) throw new Error(`nothing fills in ${whole}: ${query}`)
      return valueOf(variable, choices, range, format)
    })
  return text
}

export interface Frame {
  refId: string
  /** Of a time series: its name by alias. */
  name: string
  tags: Record<string, string>
  columns: string[]
  rows: (string | number | boolean | null)[][]
}

function aliasOf(alias: string | undefined, series: Series, column: string): string {
  if (alias === undefined) return `${series.name ?? ''}.${column}`
  return alias
    .replace(/\$tag_(\w+)/g, (_, tag: string) => series.tags?.[tag] ?? '')
    .replaceAll('$col', column)
    .replaceAll('$m', series.name ?? '')
}

/** One panel's data: time series one frame each, tables one frame per query with tags as columns. */
export async function panelFrames(
  influx: Influx,
  dashboard: Dashboard,
  panel: Panel,
  range: Range,
  choices: Choices = {},
): Promise<Frame[]> {
  const frames: Frame[] = []
  for (const target of panel.targets ?? []) {
    const series = await influx.query(fillIn(target.query, dashboard, range, choices))
    if (target.resultFormat === 'table') frames.push(...tableOf(target.refId, series))
    else frames.push(...series.flatMap((one) => timeSeriesOf(target, one)))
  }
  return frames
}

function timeSeriesOf({ refId, alias }: Target, series: Series): Frame[] {
  return series.columns.slice(1).map((column, i) => ({
    refId,
    name: aliasOf(alias, series, column),
    tags: series.tags ?? {},
    columns: ['Time', column],
    rows: series.values.map((row) => [row[0], row[i + 1]]),
  }))
}

function tableOf(refId: string, series: Series[]): Frame[] {
  if (series.length === 0) return []
  const tags = Object.keys(series[0].tags ?? {})
  const columns = ['Time', ...tags, ...series[0].columns.slice(1)]
  const rows = series.flatMap((one) =>
    one.values.map((row) => [row[0], ...tags.map((tag) => one.tags?.[tag] ?? ''), ...row.slice(1)]),
  )
  return [{ refId, name: refId, tags: {}, columns, rows }]
}
