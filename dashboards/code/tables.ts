import * as table from '@grafana/grafana-foundation-sdk/table'
import {
  applyCommon,
  colorBy,
  common,
  dashboard,
  type PanelBuilder,
  type PanelSpec,
  type Step,
  type Unit,
} from './panel.js'

export interface Column {
  label: string
  unit?: Unit
  decimals?: number
  width?: number
  steps?: readonly Step[]
  /** How the steps show: the text's colour, the cell's, or a bar. */
  show?: 'text' | 'cell' | 'bar'
  max?: number
  min?: number
  /** Only links use it. */
  hidden?: boolean
  /** Long text goes on in the next line instead of being cut. */
  wrap?: boolean
  link?: { title: string; url: string }
  /** Colours of text values. */
  values?: Readonly<Record<string, string>>
}

export interface TableSpec extends PanelSpec {
  /** By the name in the query; columns that are not named are not shown. */
  columns: Readonly<Record<string, Column>>
  sort?: { column: string; descending: boolean }
  /** Rows of several queries with the same value here become one row. */
  joinBy?: string
  /** The same where several columns tell rows apart. */
  merge?: boolean
  /** Counts rows by these columns instead of showing them. */
  countBy?: readonly string[]
}

/** Rows. The queries' columns are shown in the order of `columns`. */
export function rows(spec: TableSpec): PanelBuilder {
  const panel = new table.PanelBuilder()
  applyCommon(panel, spec, 'table')
  panel.colorScheme(colorBy(dashboard.FieldColorModeId.Thresholds)).showHeader(true).filterable(true)
  if (spec.joinBy !== undefined)
    panel.withTransformation({ id: 'joinByField', options: { byField: spec.joinBy, mode: 'outer' } })
  if (spec.merge) panel.withTransformation({ id: 'merge', options: {} })
  if (spec.countBy !== undefined) panel.withTransformation(counting(spec.countBy))
  panel.withTransformation(inOrder(spec))
  for (const [name, column] of Object.entries(spec.columns)) panel.overrideByName(name, properties(column))
  if (spec.sort !== undefined) {
    const { column, descending } = spec.sort
    panel.sortBy([sortField(spec.columns[column].label, descending)])
  }
  return panel
}

function sortField(displayName: string, desc: boolean) {
  return { build: () => ({ displayName, desc }) }
}

/** What "Group by" gives: the columns themselves, and `<first> (count)` of the first. */
function counting(columns: readonly string[]): dashboard.DataTransformerConfig {
  const fields: Record<string, { operation: string; aggregations: string[] }> = {}
  for (const name of columns) fields[name] = { operation: 'groupby', aggregations: [] }
  fields.call_id = { operation: 'aggregate', aggregations: ['count'] }
  return { id: 'groupBy', options: { fields } }
}

function inOrder(spec: TableSpec): dashboard.DataTransformerConfig {
  const names = Object.keys(spec.columns)
  return {
    id: 'organize',
    options: {
      includeByName: Object.fromEntries(names.map((name) => [name, true])),
      indexByName: Object.fromEntries(names.map((name, i) => [name, i])),
      excludeByName: {},
      renameByName: {},
    },
  }
}

const CELL = { text: 'color-text', cell: 'color-background', bar: 'gauge' } as const

function properties(column: Column): dashboard.DynamicConfigValue[] {
  const list: dashboard.DynamicConfigValue[] = []
  const add = (id: string, value: unknown) => list.push({ id, value })
  if (column.label !== '') add('displayName', column.label)
  add('unit', column.unit ?? 'string')
  if (column.decimals !== undefined) add('decimals', column.decimals)
  if (column.width !== undefined) add('custom.width', column.width)
  if (column.min !== undefined) add('min', column.min)
  if (column.max !== undefined) add('max', column.max)
  if (column.hidden) add('custom.hidden', true)
  if (column.wrap) {
    add('custom.cellOptions', { type: 'auto', wrapText: true })
    add('custom.inspect', true)
  }
  if (column.link) add('links', [{ ...column.link, targetBlank: false }])
  if (column.steps) {
    add('thresholds', {
      mode: 'absolute',
      steps: column.steps.map(({ from, color }) => ({ value: from ?? null, color })),
    })
    const show = column.show ?? 'text'
    add('custom.cellOptions', {
      type: CELL[show],
      ...(show === 'bar' ? { mode: 'basic' } : show === 'cell' ? { mode: 'basic' } : {}),
    })
  }
  if (column.values) {
    const options = Object.entries(column.values).map(([text, color], index) => [
      text,
      { text, color, index },
    ])
    add('mappings', [{ type: 'value', options: Object.fromEntries(options) }])
    add('custom.cellOptions', { type: 'color-text' })
  }
  return list
}

export interface MatrixSpec extends PanelSpec {
  row: string
  column: string
  value: string
  steps: readonly Step[]
}

/** Rows by one tag, columns by another, cells coloured by their steps. */
export function matrix(spec: MatrixSpec): PanelBuilder {
  const panel = new table.PanelBuilder()
  applyCommon(panel, spec, 'table')
  panel
    .colorScheme(colorBy(dashboard.FieldColorModeId.Thresholds))
    .showHeader(true)
    .cellOptions({
      type: common.TableCellDisplayMode.ColorBackground,
      mode: common.TableCellBackgroundDisplayMode.Basic,
    })
    .withTransformation({
      id: 'groupingToMatrix',
      options: { columnField: spec.column, rowField: spec.row, valueField: spec.value, emptyValue: 'null' },
    })
    .overrideByName(`${spec.row}\\${spec.column}`, [
      { id: 'displayName', value: 'from \\ to' },
      { id: 'custom.cellOptions', value: { type: 'auto' } },
      { id: 'custom.width', value: 140 },
      { id: 'links', value: [] },
      { id: 'unit', value: 'string' },
    ])
  return panel
}
