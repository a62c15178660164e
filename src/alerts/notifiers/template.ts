import { traitText } from '../../aggregates/finding-traits.js'
import type { AlertRecord, FindingGroup } from '../../calls/records.js'

/** What placeholders stand for. */
export type TemplateValues = Readonly<Record<string, unknown>>

const PLACEHOLDER = /\{\{\s*([a-z_]+)\s*\}\}/g
const WHOLE = /^\{\{\s*([a-z_]+)\s*\}\}$/

/**
 * A JSON value with its placeholders filled in. A string that is nothing but one placeholder takes the value as it is
 * (a number stays a number; what is not known takes its key away); elsewhere the value becomes text. Values are put into
 * parsed JSON, so that nothing in them can break out of their place.
 */
export function fill(template: unknown, values: TemplateValues): unknown {
  if (typeof template === 'string') {
    const whole = WHOLE.exec(template)
    if (whole) return values[whole[1]]
    return template.replace(PLACEHOLDER, (_, name: string) => textOf(values[name]))
  }
  if (Array.isArray(template))
    return template.map((item) => fill(item, values)).filter((item) => item !== undefined)
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(
    Object.entries(template)
      .map(([key, value]) => [key, fill(value, values)] as const)
      .filter(([, value]) => value !== undefined),
  )
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Names of placeholders in a template that stand for nothing. */
export function unknownPlaceholders(template: unknown, known: ReadonlySet<string>): string[] {
  const names = [...JSON.stringify(template ?? null).matchAll(PLACEHOLDER)].map(([, name]) => name)
  return [...new Set(names)].filter((name) => !known.has(name))
}

/** The record's fields, and what receivers like to have beside them. */
export function templateValues(record: AlertRecord, secret: string | undefined): TemplateValues {
  const isOver = record.state === 'resolved'
  return {
    ...record,
    alert: record,
    secret,
    title: titleOf(record),
    facts: factsOf(record)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    action: isOver ? 'resolve' : 'trigger',
    slack_text: slackText(record),
    teams_facts: factsOf(record).map(([title, value]) => ({ title, value })),
    pagerduty_summary: record.message.slice(0, 1024),
    pagerduty_details: isOver ? undefined : record,
  }
}

/** Every name that a template may use. */
export const PLACEHOLDERS: ReadonlySet<string> = new Set([
  'secret',
  'alert',
  'title',
  'facts',
  'action',
  'slack_text',
  'teams_facts',
  'pagerduty_summary',
  'pagerduty_details',
])

/** "CRITICAL burst_jitter: berlin → carrier-a" */
export function titleOf({ state, severity, rule, path, probe }: AlertRecord): string {
  const head = state === 'resolved' ? 'RESOLVED' : severity.toUpperCase()
  return `${head} ${rule}: ${path ?? `probe ${probe}`}`
}

/** What a responder wants to see at a glance. */
export function factsOf(record: AlertRecord): [string, string][] {
  const facts: [string, string | undefined][] = [
    ['Path', record.path],
    ['Since', record.start],
    ['Until', record.end],
    ['Calls', record.calls_affected?.toString()],
    ['Streams', streamsText(record)],
    [
      'Value',
      record.value === undefined ? undefined : `${round(record.value)} (${record.metric ?? 'value'})`,
    ],
    ['Threshold', record.threshold?.toString()],
    ['Usual', record.baseline === undefined ? undefined : round(record.baseline)],
    ['Delay variation p95', ms(record.pdv_p95_ms)],
    ['Jitter p95', ms(record.jitter_p95_ms)],
    ['Lost', percent(record.loss_percent)],
    ['Late', percent(record.late_percent)],
    [
      'MOS',
      record.mos_cq === undefined
        ? undefined
        : `${record.mos_cq.toFixed(2)}${record.mos_driver ? ` by ${record.mos_driver}` : ''}`,
    ],
    ['In common', record.shared?.map(sharedFact).join('; ')],
    ['Likely cause', record.cause && `${record.cause} (confidence ${record.confidence ?? 'low'})`],
    ['Example calls', record.call_ids?.join(', ')],
    ['Probe', record.probe],
  ]
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '')
}

function sharedFact(group: FindingGroup): string {
  return `${group.calls} of ${group.calls + group.calls_elsewhere} bad calls ${traitText(group)}`
}

function streamsText({ streams_affected, streams_active }: AlertRecord): string | undefined {
  return streams_affected === undefined ? undefined : `${streams_affected} of ${streams_active ?? '?'}`
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function ms(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value.toFixed(1)} ms`
}

function percent(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${round(value)} %`
}

/** Slack's mrkdwn takes three characters as its own. */
function slackText(record: AlertRecord): string {
  const escaped = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const cause = record.cause === undefined ? '' : `\nLikely: ${escaped(record.cause)}`
  return `*${escaped(titleOf(record))}*\n${escaped(record.message)}${cause}`
}
