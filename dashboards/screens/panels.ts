import type { Frame, Panel } from '../../test/dashboards/grafana.js'
import { chart, legend, reduce, type Line } from './chart.js'
import { colorOf, stepColor, type Step } from './colors.js'
import { escapeHtml, formatValue } from './format.js'

/** What a panel's JSON says beyond what the tests read. */
interface Defaults {
  unit?: string
  decimals?: number
  min?: number
  max?: number
  noValue?: string
  thresholds?: { steps: Step[] }
  mappings?: unknown[]
  custom?: Record<string, unknown>
}

export interface Drawing {
  /** Pixels inside the panel. */
  width: number
  height: number
  fromMs: number
  toMs: number
  marks: readonly number[]
}

function defaultsOf(panel: Panel): Defaults {
  return Object(panel.fieldConfig).defaults ?? {}
}

/** A property that an override gives a field; the last one holds. */
function override(panel: Panel, field: string, id: string): unknown {
  return panel.fieldConfig?.overrides
    .filter(({ matcher }) => matcher.options === field)
    .flatMap(({ properties }) => properties)
    .filter((property) => property.id === id)
    .at(-1)?.value
}

export function drawPanel(panel: Panel, frames: readonly Frame[], drawing: Drawing): string {
  switch (panel.type) {
    case 'timeseries':
      return graph(panel, frames, drawing)
    case 'stat':
      return stat(panel, frames, drawing)
    case 'bargauge':
      return bars(panel, frames)
    case 'table':
      return table(panel, frames, drawing)
    default:
      throw new Error(`no drawing for ${panel.type}`)
  }
}

function numbersOf(frame: Frame): [number, number | null][] {
  return frame.rows.map(([timeMs, value]) => [Number(timeMs), typeof value === 'number' ? value : null])
}

const NO_DATA = '<div class="empty">No data</div>'

function graph(panel: Panel, frames: readonly Frame[], drawing: Drawing): string {
  const lines: Line[] = frames
    .map((frame): Line => {
      const fixed = Object(override(panel, frame.name, 'color')).fixedColor
      return {
        name: frame.name,
        points: numbersOf(frame),
        color: typeof fixed === 'string' ? colorOf(fixed) : undefined,
        dashed: override(panel, frame.name, 'custom.lineStyle') !== undefined,
      }
    })
    .filter(({ points }) => points.some(([, value]) => value !== null))
  if (lines.length === 0) return NO_DATA
  const { unit = 'short', decimals, min, max, thresholds, custom = {} } = defaultsOf(panel)
  const calcs: string[] = Object(Object(panel).options?.legend).calcs ?? []
  const isTable = Object(Object(panel).options?.legend).displayMode === 'table'
  const legendHeight = 8 + 20 * legendRows(lines, isTable ? calcs.length : 0, drawing.width)
  const svg = chart(lines, {
    ...drawing,
    height: drawing.height - legendHeight,
    unit,
    decimals,
    min,
    max,
    stacked: Object(custom.stacking).mode === 'normal' || Object(custom.stacking).mode === 'percent',
    bars: custom.drawStyle === 'bars',
    filled: custom.fillOpacity !== 0,
    points: custom.showPoints === 'always',
    steps: Object(custom.thresholdsStyle).mode === 'dashed' ? thresholds?.steps : undefined,
  })
  return svg + legend(lines, unit, decimals, isTable ? calcs : [])
}

/** How many rows the names and numbers will need. */
function legendRows(lines: readonly Line[], numbers: number, width: number): number {
  let rows = 1
  let used = 12
  for (const { name } of lines) {
    const needed = 44 + name.length * 6.6 + numbers * 86
    if (used + needed > width) {
      rows++
      used = 12
    }
    used += needed
  }
  return rows
}

function stat(panel: Panel, frames: readonly Frame[], drawing: Drawing): string {
  const { unit, decimals, noValue, thresholds, mappings } = defaultsOf(panel)
  const calc: string = Object(Object(panel).options?.reduceOptions).calcs?.[0] ?? 'lastNotNull'
  const frame = frames[0]
  const last = frame?.rows.at(-1)?.[1]
  const value =
    typeof last === 'string' || frame === undefined
      ? last
      : reduce(
          numbersOf(frame)
            .map(([, number]) => number)
            .filter((number) => number !== null),
          calc,
        )
  const text =
    value === null || value === undefined ? (noValue ?? 'No data') : formatValue(value, unit, decimals)
  const mapped = Object(Object(Object(mappings?.[0]).options)[String(value)]).color
  const stepped = typeof value === 'number' ? stepColor(thresholds?.steps, value) : undefined
  const color = typeof mapped === 'string' ? colorOf(mapped) : stepped
  const filled = Object(Object(panel).options).colorMode === 'background_solid' && color !== undefined
  const size = Math.min(44, drawing.height * 0.55, (drawing.width / Math.max(4, text.length)) * 1.25)
  return `<div class="stat${filled ? ' filled' : ''}" style="${filled ? `background:${color}` : `color:${color ?? '#e4e7eb'}`};font-size:${size.toFixed(0)}px">${escapeHtml(text)}</div>`
}

function bars(panel: Panel, frames: readonly Frame[]): string {
  const { unit, decimals } = defaultsOf(panel)
  const values = frames.map((frame) => ({
    name: frame.name,
    value:
      reduce(
        numbersOf(frame).map(([, v]) => v ?? 0),
        'sum',
      ) ?? 0,
  }))
  const most = Math.max(...values.map(({ value }) => value), 1)
  const rows = values.map(
    ({ name, value }) =>
      `<tr><td>${escapeHtml(name)}</td><td class="bar"><div style="width:${(100 * value) / most}%"></div></td><td class="number">${formatValue(value, unit, decimals)}</td></tr>`,
  )
  return `<table class="bars">${rows.join('')}</table>`
}

interface Grid {
  columns: string[]
  rows: unknown[][]
}

/** The transformations that the dashboards use: join, matrix, and columns in order. */
function transformed(panel: Panel, frames: readonly Frame[]): Grid {
  let grid: Grid = { columns: frames[0]?.columns ?? [], rows: (frames[0]?.rows ?? []).map((row) => [...row]) }
  for (const { id, options } of panel.transformations ?? []) {
    if (id === 'joinByField') grid = joined(frames, [String(options.byField)])
    if (id === 'merge') grid = joined(frames, sharedColumns(frames))
    if (id === 'groupingToMatrix') grid = asMatrix(grid, options)
    if (id === 'organize') grid = chosen(grid, Object.keys(Object(options.includeByName)))
  }
  return grid
}

function sharedColumns(frames: readonly Frame[]): string[] {
  const [first, ...others] = frames
  return (first?.columns ?? []).filter((name) => others.every(({ columns }) => columns.includes(name)))
}

function joined(frames: readonly Frame[], by: readonly string[]): Grid {
  const columns = [...new Set(frames.flatMap((frame) => frame.columns))]
  const rows = new Map<string, Record<string, unknown>>()
  for (const frame of frames)
    for (const row of frame.rows) {
      const one = Object.fromEntries(frame.columns.map((name, i) => [name, row[i]]))
      const key = JSON.stringify(by.map((name) => one[name]))
      rows.set(key, { ...rows.get(key), ...one })
    }
  return { columns, rows: [...rows.values()].map((one) => columns.map((name) => one[name])) }
}

function asMatrix({ columns, rows }: Grid, options: Record<string, unknown>): Grid {
  const [rowAt, columnAt, valueAt] = [options.rowField, options.columnField, options.valueField].map((name) =>
    columns.indexOf(String(name)),
  )
  const names = [...new Set(rows.map((row) => String(row[columnAt])))]
  const lines = [...new Set(rows.map((row) => String(row[rowAt])))]
  const cell = (line: string, name: string) =>
    rows.find((row) => row[rowAt] === line && row[columnAt] === name)?.[valueAt] ?? null
  return {
    columns: [`${String(options.rowField)}\\${String(options.columnField)}`, ...names],
    rows: lines.map((line) => [line, ...names.map((name) => cell(line, name))]),
  }
}

function chosen({ columns, rows }: Grid, names: readonly string[]): Grid {
  const at = names.map((name) => columns.indexOf(name))
  return { columns: [...names], rows: rows.map((row) => at.map((i) => row[i])) }
}

function table(panel: Panel, frames: readonly Frame[], drawing: Drawing): string {
  const grid = transformed(panel, frames)
  if (grid.rows.length === 0) return NO_DATA
  const defaults = defaultsOf(panel)
  const visible = grid.columns
    .map((name, i) => ({ name, i }))
    .filter(({ name }) => override(panel, name, 'custom.hidden') !== true)
  sort(panel, grid)
  const most = Math.max(1, Math.floor((drawing.height - 30) / 27))
  const head = visible.map(
    ({ name }) => `<th>${escapeHtml(String(override(panel, name, 'displayName') ?? name))}</th>`,
  )
  const body = grid.rows
    .slice(0, most)
    .map((row) => `<tr>${visible.map(({ name, i }) => cell(panel, defaults, name, row[i])).join('')}</tr>`)
  return `<table class="rows"><tr>${head.join('')}</tr>${body.join('')}</table>`
}

function sort(panel: Panel, { columns, rows }: Grid): void {
  const [order] = Object(Object(panel).options).sortBy ?? []
  if (order === undefined) return
  const at = columns.findIndex((name) => (override(panel, name, 'displayName') ?? name) === order.displayName)
  rows.sort((a, b) => (Number(a[at]) - Number(b[at])) * (order.desc ? -1 : 1))
}

function cell(panel: Panel, defaults: Defaults, name: string, value: unknown): string {
  const unit = override(panel, name, 'unit') ?? defaults.unit
  const decimals = override(panel, name, 'decimals') ?? defaults.decimals
  const text = formatValue(value, String(unit), typeof decimals === 'number' ? decimals : undefined)
  const options = Object(override(panel, name, 'custom.cellOptions') ?? Object(defaults.custom).cellOptions)
  const own: unknown = override(panel, name, 'thresholds')
  const steps: Step[] | undefined = Object(own ?? defaults.thresholds).steps
  const mapped = Object(Object(Object(override(panel, name, 'mappings'))[0]).options)[String(value)]
  let style = ''
  if (mapped !== undefined) style = `color:${colorOf(String(Object(mapped).color))}`
  else if (
    typeof value === 'number' &&
    (options.type === 'color-text' || options.type === 'color-background')
  ) {
    const color = stepColor(steps, value)
    style = options.type === 'color-text' ? `color:${color}` : `background:${color};color:#111`
  }
  const classes = [typeof value === 'number' ? 'number' : '', options.wrapText ? 'wrap' : ''].join(' ')
  const link = override(panel, name, 'links') !== undefined && text !== ''
  return `<td class="${classes}" style="${style}">${link ? `<u>${escapeHtml(text)}</u>` : escapeHtml(text)}</td>`
}
