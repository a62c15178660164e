import * as cog from '@grafana/grafana-foundation-sdk/cog'
import { DATASOURCE, InfluxQuery, where } from './influxql.js'
import { navigation, UID } from './links.js'
import { dashboard, type PanelBuilder } from './panel.js'
import type { Variable } from './variables.js'

/**
 * Version of the dashboard's JSON: that of Grafana 11. Later versions read it and move it up themselves; an older version
 * of the format loses nothing that is used here.
 */
export const SCHEMA_VERSION = 39

export interface Page {
  name: keyof typeof UID
  title: string
  description: string
  from: string
  refresh?: string
  variables: readonly Variable[]
  /** Alerts of the probes as marks in each graph. */
  alerts?: string
  sections: readonly Section[]
}

/** A row: a heading and its panels. */
export interface Section {
  title: string
  panels: readonly PanelBuilder[]
}

/** Alerts that were raised, as far as the conditions go; the mark reaches to the alert's end when that is known. */
export function alertQuery(...conditions: readonly string[]): string {
  return `SELECT "message", "rule", "severity", "trunk", "end_ms" FROM "voip_alert" WHERE ${where('"state" = \'firing\'', ...conditions)} ORDER BY time DESC LIMIT 200`
}

/** The columns are named twice: Grafana before 11.3 reads them at the annotation, later ones at its target. */
function alertAnnotation(query: string): cog.Builder<dashboard.AnnotationQuery> {
  const columns = { textColumn: 'message', tagsColumn: 'rule,severity,trunk' }
  const target = new InfluxQuery('Alerts', query, 'table').build()
  const base = new dashboard.AnnotationQueryBuilder()
    .name('Alerts')
    .datasource({ ...DATASOURCE })
    .enable(true)
    .hide(false)
    .iconColor('red')
    .build()
  return {
    build: () => ({ ...base, query, ...columns, target: { ...target, fromAnnotations: true, ...columns } }),
  }
}

/** A dashboard as Grafana reads it. Ids follow the order, so that links to panels hold as long as the order does. */
export function buildPage(page: Page): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(page.title)
    .uid(UID[page.name])
    .description(page.description)
    .tags(['callprobe', 'voip'])
    .timezone('browser')
    .time({ from: page.from, to: 'now' })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .refresh(page.refresh ?? '')
    .editable()
    .version(1)
    .variables([...page.variables])
    // The other dashboards need InfluxDB.
    .links(page.name === 'victoria' ? [] : navigation(page.name))
    .annotations(page.alerts === undefined ? [] : [alertAnnotation(page.alerts)])
  for (const section of page.sections) {
    builder.withRow(new dashboard.RowBuilder(section.title).collapsed(false))
    for (const panel of section.panels) builder.withPanel(panel)
  }
  const built = builder.build()
  built.schemaVersion = SCHEMA_VERSION
  for (const [i, panel] of (built.panels ?? []).entries()) panel.id = i + 1
  return built
}
