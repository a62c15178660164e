import type * as cog from '@grafana/grafana-foundation-sdk/cog'

/**
 * InfluxQL, for it is what InfluxDB 1.x, 2.x (v1 compatibility) and 3.x all read. What 3.x lacks stays out: `SLIMIT`,
 * `SOFFSET`, `integral()`, `sample()`, `SHOW SERIES`.
 * https://docs.influxdata.com/influxdb3/core/reference/influxql/feature-support/
 */
export const DATASOURCE = { type: 'influxdb', uid: '${datasource}' } as const

export interface QuerySpec {
  query: string
  /** Series name: text and `$tag_trunk`, `$col`. */
  alias?: string
  format?: ResultFormat
}

export type ResultFormat = 'time_series' | 'table'

/** A query as Grafana's InfluxDB data source stores it. */
export interface InfluxTarget extends cog.Dataquery {
  refId: string
  datasource: { type: string; uid: string }
  query: string
  rawQuery: true
  resultFormat: ResultFormat
  alias?: string
}

/** A raw InfluxQL query for the panels of the Foundation SDK, which has no InfluxDB query of its own. */
export class InfluxQuery implements cog.Builder<cog.Dataquery> {
  private readonly target: InfluxTarget

  constructor(refId: string, query: string, resultFormat: ResultFormat, alias?: string) {
    const target: Omit<InfluxTarget, '_implementsDataqueryVariant'> = {
      refId,
      datasource: { ...DATASOURCE },
      query,
      rawQuery: true,
      resultFormat,
      ...(alias === undefined ? {} : { alias }),
    }
    // A marker that only the type has; it never reaches the JSON.
    this.target = target as InfluxTarget
  }

  build(): InfluxTarget {
    return this.target
  }
}

export type Tag =
  'probe' | 'caller_site' | 'callee_site' | 'trunk' | 'codec' | 'direction' | 'quality' | 'state'

/**
 * The roll-up that fits the step: of `5m` the character class is `[5m]`, which leaves `voip_traffic_1m`; of `2h`
 * `voip_traffic_1h`. So a graph of an hour reads minutes and a graph of a month reads hours, and nobody has to choose.
 * The variable `step` is never under a minute; steps of days would match nothing (docs/grafana.md).
 */
export function rollUp(measurement: 'voip_traffic' | 'voip_signalling'): string {
  return `/^${measurement}_1[\${step}]$/`
}

export const TRAFFIC = rollUp('voip_traffic')
export const SIGNALLING = rollUp('voip_signalling')

/** A tag as its variable has it. `:regex` escapes what was chosen or typed; "All" is `.*`. */
export function chosen(tag: Tag): string {
  return `"${tag}" =~ /^\${${tag}:regex}$/`
}

/** `$timeFilter` and what else has to be true. */
export function where(...conditions: readonly string[]): string {
  return ['$timeFilter', ...conditions].join(' AND ')
}

/** Points per step; `null` draws a gap where there was nothing, `none` leaves it out. */
export function perStep(tags: readonly string[] = [], fill: 'null' | 'none' | '0' = 'null'): string {
  return `GROUP BY time($step)${tags.map((tag) => `, "${tag}"`).join('')} fill(${fill})`
}

/** Something to show: an expression, its name, and what has to be there for it to mean anything. */
export interface Value {
  expression: string
  name: string
  /** Sum that it is divided by: `field`, `a+b` or `a-b`. */
  dividedBy?: string
}

export function show(expression: string, name: string): Value {
  return { expression, name }
}

/** `100 * sum(part) / sum(whole)`: shares are worked out from sums, never averaged. */
export function percentOf(part: string, whole: string, name: string): Value {
  return { expression: `100.0 * ${sums(part)} / ${sums(whole)}`, name, dividedBy: whole }
}

export function ratioOf(part: string, whole: string, name: string): Value {
  return { expression: `1.0 * ${sums(part)} / ${sums(whole)}`, name, dividedBy: whole }
}

/** Never 0: a point of voip_traffic is written only where packets were due. A condition less is a quicker query. */
const ALWAYS_THERE = new Set(['expected_packets', 'stream_intervals'])

export interface Question {
  /** Measurement, quoted, or a roll-up. */
  from: string
  where: readonly string[]
  select: readonly Value[]
  /** `GROUP BY ...` */
  group?: string
  alias?: string
}

/**
 * Queries for these values, as few as can be. InfluxQL makes 0 of a division by 0, which would draw a MOS of 0 where
 * nobody spoke. So a ratio asks only for points where what it is divided by is not 0: its part is 0 there too, for every
 * part counts some of its whole. Then a step without any is a gap.
 */
export function ask({ from, where: conditions, select, group, alias }: Question): QuerySpec[] {
  const byWhole = new Map<string | undefined, Value[]>()
  for (const value of select) {
    const whole = ALWAYS_THERE.has(value.dividedBy ?? '') ? undefined : value.dividedBy
    const together = byWhole.get(whole)
    if (together === undefined) byWhole.set(whole, [value])
    else together.push(value)
  }
  return [...byWhole].map(([whole, values]) => {
    const shown = values.map(({ expression, name }) => `${expression} AS "${name}"`).join(', ')
    const present = whole === undefined ? [] : [`${terms(whole, (field) => `"${field}"`)} > 0`]
    const query = `SELECT ${shown} FROM ${from} WHERE ${where(...conditions, ...present)}`
    return {
      query: group === undefined ? query : `${query} ${group}`,
      ...(alias === undefined ? {} : { alias }),
    }
  })
}

function sums(expression: string): string {
  const text = terms(expression, (field) => `sum("${field}")`)
  return text.includes(' ') ? `(${text})` : text
}

/** `a`, `a+b` or `a-b` with each field written by `write`. */
function terms(expression: string, write: (field: string) => string): string {
  return expression.replace(/\w+/g, write).replace(/[+-]/g, ' $& ')
}
