import type { MosDriver } from '../calls/records.js'
import type { AlertFacts } from './open-alert.js'
import type { Reading } from './reading.js'
import { sharedText } from './shared-text.js'

const DRIVER_TEXT: Record<MosDriver, string> = {
  loss: 'loss',
  late: 'late packets',
  delay: 'delay',
  codec: 'the codec',
}

/** One sentence for the person on call: what, where, since when, how many, how bad. Times are UTC. */
export function messageOf(facts: AlertFacts, reading: Reading | undefined): string {
  const { rule, place, paths, state } = facts
  const what = rule.description === '' ? `Rule ${rule.name}` : rule.description
  const where =
    paths > 0
      ? ` (${paths === 1 ? 'one more group' : `${paths} more groups`})`
      : place === ''
        ? ''
        : ` (${place})`
  const common = facts.shared === undefined ? '' : sharedText(facts.shared)
  const parts = [scaleOf(facts, reading), common, ...evidenceOf(reading)].filter((part) => part !== '')
  const detail = parts.length > 0 ? `: ${parts.join('; ')}` : ''
  if (state === 'resolved') {
    const { startMs, endMs } = facts
    return `Over: ${what}${where}, ${clock(startMs)} to ${clock(endMs)} UTC (${lengthOf(endMs - startMs)})${detail}`
  }
  return `${what}${where} since ${clock(facts.startMs)} UTC${detail}`
}

function scaleOf({ rule, callsAffected, threshold }: AlertFacts, reading: Reading | undefined): string {
  if (!reading) return ''
  const { value, streamsAffected, streamsActive } = reading
  if (streamsAffected !== undefined)
    return `${streamsAffected} of ${streamsActive} streams, ${count(callsAffected, 'call')}`
  if (value === undefined) return ''
  const limit = threshold?.above ?? threshold?.below
  const usual = threshold?.usual === undefined ? '' : `, usual ${number(threshold.usual)}`
  const compared = limit === undefined ? '' : ` (threshold ${number(limit)}${usual})`
  const named = rule.metric === undefined ? '' : `${rule.metric} `
  const unit = rule.measure.endsWith('_percent') ? ' %' : ''
  const calls = callsAffected > 0 ? `, ${count(callsAffected, 'call')}` : ''
  return `${named}${number(value)}${unit}${compared} in ${lengthOf(rule.window_s * 1000)}${calls}`
}

function evidenceOf(reading: Reading | undefined): string[] {
  const evidence = reading?.evidence
  if (!evidence) return []
  const { pdvMaxMs, lossPercent, latePercent, mosCq, mosDriver } = evidence
  const parts: string[] = []
  if (pdvMaxMs !== undefined) parts.push(`delay variation up to ${pdvMaxMs.toFixed(0)} ms`)
  const missing = [
    lossPercent !== undefined && lossPercent >= 0.05 ? `${number(lossPercent)} % lost` : '',
    latePercent !== undefined && latePercent >= 0.05 ? `${number(latePercent)} % late` : '',
  ].filter((part) => part !== '')
  if (missing.length > 0) parts.push(missing.join(', '))
  if (mosCq !== undefined)
    parts.push(
      `MOS ${mosCq.toFixed(2)}${mosDriver === undefined ? '' : `, driven by ${DRIVER_TEXT[mosDriver]}`}`,
    )
  return parts
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function number(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3)
}

function clock(timeMs: number): string {
  return Number.isNaN(timeMs) ? '?' : new Date(timeMs).toISOString().slice(11, 19)
}

/** 45 s, 3 min, 2 h 5 min. */
export function lengthOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const rest = minutes % 60
  return `${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ''}`
}
