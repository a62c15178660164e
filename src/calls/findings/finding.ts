import type { Confidence, Direction, Finding, FindingCode, Severity } from '../records.js'

type Evidence = Record<string, number | string | boolean | undefined>

export interface FindingDraft {
  code: FindingCode
  severity: Severity
  confidence: Confidence
  direction?: Direction
  evidence: Evidence
  message: string
}

/** A finding without what is not known; numbers to three decimals. */
export function finding({ code, severity, confidence, direction, evidence, message }: FindingDraft): Finding {
  const known: Finding['evidence'] = {}
  for (const [name, value] of Object.entries(evidence)) {
    if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) continue
    known[name] = typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
  }
  if (direction === undefined) return { code, severity, confidence, evidence: known, message }
  return { code, severity, confidence, direction, evidence: known, message }
}

const RANK: Record<Confidence, number> = { low: 0, medium: 1, high: 2 }

/** The lower of two. */
export function atMost(confidence: Confidence, limit: Confidence): Confidence {
  return RANK[confidence] <= RANK[limit] ? confidence : limit
}

/** `1.4 %`, `0.05 %`. */
export function percentText(value: number): string {
  return `${value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(1)} %`
}

/** `850 ms`, `4.2 s`, `35 s`, `12 min`. */
export function timeText(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  return ms < 599_500 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

export function countText(count: number, thing: string): string {
  return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`
}
