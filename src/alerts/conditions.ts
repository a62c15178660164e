import type { CallRecord, Confidence, IntervalRecord, MediaFields } from '../calls/records.js'
import { CALL_SIP_METRICS } from '../config/alert-metrics.js'
import type { SampleCondition } from '../config/alerts.js'

const CONFIDENCES: readonly Confidence[] = ['low', 'medium', 'high']

/** Reads a metric of a sample; undefined when it is not known. */
export type MetricReader = (name: string) => number | undefined

/** Whether all conditions hold. One about a metric that is not known does not. */
export function allHold(
  conditions: readonly SampleCondition[],
  metric: MetricReader,
  call?: CallRecord,
): boolean {
  return conditions.every((condition) => holds(condition, metric, call))
}

function holds(condition: SampleCondition, metric: MetricReader, call: CallRecord | undefined): boolean {
  if (condition.metric !== undefined) {
    const value = metric(condition.metric)
    if (value === undefined || Number.isNaN(value)) return false
    return condition.above !== undefined
      ? value > condition.above
      : condition.below !== undefined && value < condition.below
  }
  if (!call) return false
  if (condition.state) return condition.state.includes(call.state)
  if (condition.quality) return condition.quality.includes(call.quality)
  const least = CONFIDENCES.indexOf(condition.confidence ?? 'medium')
  return call.findings.some(
    ({ code, confidence }) =>
      [condition.finding].flat().includes(code) && CONFIDENCES.indexOf(confidence) >= least,
  )
}

export function intervalMetric(record: IntervalRecord): MetricReader {
  return (name) => numberOf(record, name)
}

/** A call's own number, one of `sip.*`, or the worse one of its directions. */
export function callMetric(record: CallRecord): MetricReader {
  return (name) => {
    if (name.startsWith('sip.')) {
      const part = CALL_SIP_METRICS.find((known) => `sip.${known}` === name)
      return part === undefined ? undefined : record.sip?.[part]
    }
    const own = numberOf(record, name)
    if (own !== undefined) return own
    const { from_caller, from_callee } = record.media
    return worse(name, from_caller, from_callee)
  }
}

function worse(name: string, a: MediaFields | undefined, b: MediaFields | undefined): number | undefined {
  const one = a && numberOf(a, name)
  const other = b && numberOf(b, name)
  if (one === undefined || other === undefined) return one ?? other
  if (name === 'skew_ppm') return Math.abs(one) > Math.abs(other) ? one : other
  return lessIsWorse(name) ? Math.min(one, other) : Math.max(one, other)
}

function lessIsWorse(name: string): boolean {
  return (
    /(^|_)mos(_|$)/.test(name) ||
    /(^|_)r_(factor|lq|cq)$/.test(name) ||
    name === 'packets' ||
    name === 'bytes'
  )
}

function numberOf(record: object, name: string): number | undefined {
  const value: unknown = Reflect.get(record, name)
  return typeof value === 'number' ? value : undefined
}
