import { dashboard } from './panel.js'

/** Addresses of the dashboards; links rest on them, so they stay. */
export const UID = {
  overview: 'callprobe-overview',
  sites: 'callprobe-sites',
  trunks: 'callprobe-trunks',
  finder: 'callprobe-calls',
  call: 'callprobe-call',
  signalling: 'callprobe-signalling',
  probes: 'callprobe-probes',
  victoria: 'callprobe-victoria',
} as const

const TIME = '${__url_time_range}'
const SAME_DATASOURCE = '${datasource:queryparam}'

function address(uid: string, ...parameters: readonly string[]): string {
  return `/d/${uid}?${[SAME_DATASOURCE, ...parameters].join('&')}`
}

/** The value of another column of the same row, safe in an address. */
function cell(column: string): string {
  return `\${__data.fields["${column}"]:percentencode}`
}

/** Milliseconds out of a column: the number itself, not as the column would show it. */
function milliseconds(column: string): string {
  return `\${__data.fields["${column}"].numeric}`
}

/**
 * To one call. `from` and `to` are the call's own start and end (with a margin, added in the query: CALL_RANGE), so its
 * page reads that stretch alone however many calls the day had.
 */
export const TO_CALL = {
  title: 'Open the call',
  url: `/d/${UID.call}?${SAME_DATASOURCE}&var-call_id=${cell('call_id')}&from=${milliseconds('from_ms')}&to=${milliseconds('to_ms')}`,
}

/** Columns that TO_CALL needs. Intervals begin before the call does: they are aligned to the clock, at most 60 s long. */
export const CALL_RANGE = '"start_ms" - 60000 AS "from_ms", "end_ms" + 10000 AS "to_ms"'

/** Calls of a site pair; the row is the caller's site, the column that of the callee. */
export const CELL_TO_PAIR = {
  title: 'Only this pair',
  url: address(
    UID.sites,
    TIME,
    'var-caller_site=${__data.fields[0]:percentencode}',
    'var-callee_site=${__field.name:percentencode}',
    'var-trunk=$__all',
  ),
}

export const CELL_TO_CALLS = {
  title: 'Calls of this pair',
  url: address(
    UID.finder,
    TIME,
    'var-caller_site=${__data.fields[0]:percentencode}',
    'var-callee_site=${__field.name:percentencode}',
  ),
}

export const TO_TRUNK = {
  title: 'Scorecard of this trunk',
  url: address(UID.trunks, TIME, `var-trunk=${cell('trunk')}`),
}

export const TO_CALLS_OF_TRUNK = {
  title: 'Calls over this trunk',
  url: address(UID.finder, TIME, `var-trunk=${cell('trunk')}`),
}

export function dataLink(link: { title: string; url: string }): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(link.title).url(link.url).targetBlank(false)
}

const NAVIGATION: readonly (readonly [keyof typeof UID, string, string])[] = [
  ['overview', 'NOC overview', 'Calls, quality and alerts at a glance'],
  ['sites', 'Site x site', 'Quality between sites'],
  ['trunks', 'Trunks', 'Scorecard of each trunk and carrier'],
  ['finder', 'Find a call', 'Worst calls; by number, address or finding'],
  ['signalling', 'Signalling', 'Set-up ratios, delays, failures, registrations'],
  ['probes', 'Probes', 'What the probes could not see'],
]

/** Links at the top of each dashboard. Time range and what was chosen go along. */
export function navigation(self: keyof typeof UID): dashboard.DashboardLinkBuilder[] {
  return NAVIGATION.filter(([name]) => name !== self).map(([name, title, tooltip]) =>
    new dashboard.DashboardLinkBuilder(title)
      .type(dashboard.DashboardLinkType.Link)
      .url(`/d/${UID[name]}`)
      .icon('dashboard')
      .tooltip(tooltip)
      .keepTime(true)
      .includeVars(true)
      .targetBlank(false),
  )
}
