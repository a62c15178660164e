import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import type { PanelBuilder } from './panel.js'

/**
 * MetricsQL for VictoriaMetrics, which takes the aggregates by line protocol: the field `mos_sum` of `voip_traffic_1m` is
 * the metric `voip_traffic_1m_mos_sum`, tags are labels. A sample is the sum of one minute, not a counter, so it is
 * `sum_over_time`, not `rate`.
 */
export const VICTORIA = { type: 'prometheus', uid: '${datasource}' } as const

export type Labels = Readonly<Record<string, string>>

/** As the variables have it; `$trunk` becomes a regular expression by itself. */
export function chosenLabels(...names: readonly string[]): Labels {
  return Object.fromEntries(names.map((name) => [name, `~$${name}`]))
}

function selector(metric: string, labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) =>
    value.startsWith('~') ? `${name}=~"${value.slice(1)}"` : `${name}="${value}"`,
  )
  return `${metric}{${parts.join(', ')}}`
}

/** Sum of a field over the step, over all series or by labels. */
export function total(metric: string, labels: Labels, by?: string): string {
  return `sum${by === undefined ? '' : ` by (${by})`} (sum_over_time(${selector(metric, labels)}[$__interval]))`
}

export function highest(metric: string, labels: Labels, by?: string): string {
  return `max${by === undefined ? '' : ` by (${by})`} (max_over_time(${selector(metric, labels)}[$__interval]))`
}

/** Nothing, rather than infinity, where there is nothing to divide by. */
export function quotient(part: string, whole: string, factor = 1): string {
  return `${factor === 1 ? '' : `${factor} * `}(${part}) / (${whole} > 0)`
}

export interface MetricsQuery {
  expr: string
  legend: string
}

/** Gives a panel that was made without queries those of a VictoriaMetrics, and a step of at least a minute. */
export function onVictoria(panel: PanelBuilder, queries: readonly MetricsQuery[]): PanelBuilder {
  const built = panel.build()
  built.datasource = { ...VICTORIA }
  built.interval = '1m'
  built.maxDataPoints = 300
  built.targets = queries.map(({ expr, legend }, i) =>
    new prometheus.DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .datasource({ ...VICTORIA })
      .expr(expr)
      .legendFormat(legend)
      .range()
      .build(),
  )
  return { build: () => built }
}
