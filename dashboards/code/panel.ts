import type * as cog from '@grafana/grafana-foundation-sdk/cog'
import * as common from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import { DATASOURCE, InfluxQuery, type QuerySpec, type ResultFormat } from './influxql.js'

/** A panel with its query texts, before it has a place and an id. */
export type PanelBuilder = cog.Builder<dashboard.Panel>

/** Units by Grafana's names. `none` is a plain number: a MOS, a ratio. */
export type Unit =
  | 'none'
  | 'short'
  | 'ms'
  | 's'
  | 'dtdurations'
  | 'percent'
  | 'bytes'
  | 'pps'
  | 'dateTimeAsIso'
  | 'bool'
  | 'string'

export interface Step {
  /** From this value on; the first step has none. */
  from?: number
  color: string
}

/** What every panel has: nothing is shown without a unit, nor without a text that says what the number means. */
export interface PanelSpec {
  title: string
  /** What the number means, what is good, and what it does not say. */
  description: string
  unit: Unit
  queries: readonly QuerySpec[]
  /** Of 24 columns. */
  width: number
  /** Of 30 pixels; the default is 8. */
  height?: number
  decimals?: number
  min?: number
  max?: number
  steps?: readonly Step[]
  /** Shown where there is no value. */
  noValue?: string
  links?: readonly dashboard.DashboardLinkBuilder[]
  /** A range of its own, such as `5m`, whenever the dashboard shows a range that ends now. */
  lastTime?: string
}

/** The setters that all panel builders of the SDK share. */
export interface CommonSetters {
  title(title: string): unknown
  description(description: string): unknown
  datasource(datasource: common.DataSourceRef): unknown
  unit(unit: string): unknown
  decimals(decimals: number): unknown
  min(min: number): unknown
  max(max: number): unknown
  noValue(text: string): unknown
  height(rows: number): unknown
  span(columns: number): unknown
  thresholds(thresholds: cog.Builder<dashboard.ThresholdsConfig>): unknown
  colorScheme(color: cog.Builder<dashboard.FieldColor>): unknown
  dataLinks(links: cog.Builder<dashboard.DashboardLink>[]): unknown
  timeFrom(range: string): unknown
  withTarget(target: cog.Builder<cog.Dataquery>): unknown
}

export function thresholds(steps: readonly Step[]): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(({ from, color }) => ({ value: from ?? null, color })))
}

export function colorBy(mode: dashboard.FieldColorModeId, fixed?: string): dashboard.FieldColorBuilder {
  const color = new dashboard.FieldColorBuilder().mode(mode)
  return fixed === undefined ? color : color.fixedColor(fixed)
}

export function applyCommon(panel: CommonSetters, spec: PanelSpec, format: ResultFormat): void {
  panel.title(spec.title)
  panel.description(spec.description)
  panel.datasource({ ...DATASOURCE })
  panel.unit(spec.unit)
  panel.span(spec.width)
  panel.height(spec.height ?? 8)
  if (spec.decimals !== undefined) panel.decimals(spec.decimals)
  if (spec.min !== undefined) panel.min(spec.min)
  if (spec.max !== undefined) panel.max(spec.max)
  if (spec.noValue !== undefined) panel.noValue(spec.noValue)
  if (spec.steps !== undefined) panel.thresholds(thresholds(spec.steps))
  if (spec.links !== undefined) panel.dataLinks([...spec.links])
  if (spec.lastTime !== undefined) panel.timeFrom(spec.lastTime)
  for (const [i, { query, alias, format: own }] of spec.queries.entries())
    panel.withTarget(new InfluxQuery(String.fromCharCode(65 + i), query, own ?? format, alias))
}

export { common, dashboard }
