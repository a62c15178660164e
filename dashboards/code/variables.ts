import type * as cog from '@grafana/grafana-foundation-sdk/cog'
import { DATASOURCE, type Tag } from './influxql.js'
import { dashboard } from './panel.js'

export type Variable = cog.Builder<dashboard.VariableModel>

/** "All" for a tag: a regular expression that any value matches. */
const ANY = '.*'

export function datasourceVariable(type: 'influxdb' | 'prometheus' = 'influxdb'): Variable {
  return new dashboard.DatasourceVariableBuilder('datasource')
    .label('Data source')
    .description('The database that the probes write to.')
    .type(type)
    .current({ text: 'callprobe', value: 'callprobe', selected: true })
}

/**
 * Width of a step in graphs, which also chooses the roll-up (influxql.ts). A 200th of the range, so 24 hours are drawn in
 * minutes and 30 days in hours.
 */
export function stepVariable(): Variable {
  const steps = ['1m', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '3h', '6h', '12h']
  return new dashboard.IntervalVariableBuilder('step')
    .label('Step')
    .description(
      'Width of one point. Steps of minutes read the one-minute roll-up, steps of hours the one-hour roll-up. For more than five months choose 12h.',
    )
    .values(steps.join(','))
    .auto(true)
    .stepCount(200)
    .minInterval('1m')
    .current({ text: 'auto', value: '$__auto_interval_step', selected: true })
    .options([
      { text: 'auto', value: '$__auto_interval_step', selected: true },
      ...steps.map((step) => ({ text: step, value: step, selected: false })),
    ])
}

const TAG_TEXT: Record<Tag, readonly [label: string, description: string]> = {
  probe: ['Probe', 'Which probe measured.'],
  caller_site: ['Caller site', 'Site of the caller, from the configuration.'],
  callee_site: ['Called site', 'Site of the callee, from the configuration.'],
  trunk: ['Trunk', 'Trunk or carrier, from the configuration.'],
  codec: ['Codec', 'Codec by its SDP name.'],
  direction: ['Direction', 'Media by who sent it.'],
  quality: ['Quality', 'Verdict on a call; the edges of the MOS are in docs/metrics.md.'],
  state: ['State', 'How a call ended.'],
}

/** The values of a tag as the database knows them. */
export function tagVariable(
  tag: Tag,
  measurement: 'voip_traffic' | 'voip_signalling' | 'voip_probe' | 'voip_call',
): Variable {
  const query = `SHOW TAG VALUES FROM "${measurement}" WITH KEY = "${tag}"`
  const [label, description] = TAG_TEXT[tag]
  return new dashboard.QueryVariableBuilder(tag)
    .label(label)
    .description(description)
    .datasource({ ...DATASOURCE })
    .query(query)
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnDashboardLoad)
    .sort(dashboard.VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(true)
    .includeAll(true)
    .allValue(ANY)
    .current({ text: ['All'], value: ['$__all'], selected: true })
}

/** A fixed list; the value is matched as it stands. */
export function listVariable(
  name: string,
  label: string,
  description: string,
  values: readonly string[],
  chosen?: string,
): Variable {
  return new dashboard.CustomVariableBuilder(name)
    .label(label)
    .description(description)
    .values(values.join(','))
    .multi(true)
    .includeAll(true)
    .allValue(ANY)
    .current({ text: [chosen ?? 'All'], value: [chosen ?? '$__all'], selected: true })
    .options([
      { text: 'All', value: '$__all', selected: chosen === undefined },
      ...values.map((value) => ({ text: value, value, selected: value === chosen })),
    ])
}

export function textVariable(name: string, label: string, description: string): Variable {
  return new dashboard.TextBoxVariableBuilder(name)
    .label(label)
    .description(description)
    .defaultValue('')
    .current({ text: '', value: '', selected: true })
    .options([{ text: '', value: '', selected: true }])
}
