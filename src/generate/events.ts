import { ScenarioError } from './errors.js'
import type { DirectionSpec } from './scenario.js'

/** Codes of RFC 4733 table 3. */
const EVENT_DIGITS = '0123456789*#ABCD'

/** A telephone event: so many packets, one per tick. */
export interface PlannedEvent {
  startMs: number
  code: number
  ticks: number
}

/** The events of a direction by time. */
export function plannedEvents(spec: DirectionSpec, zeroMs: number, ptimeMs: number): PlannedEvent[] {
  const events = (spec.dtmf ?? []).map(({ at_s, digit, duration_ms }) => {
    const code = EVENT_DIGITS.indexOf(digit.toUpperCase())
    if (digit.length !== 1 || code < 0)
      throw new ScenarioError(`dtmf: digit "${digit}" is none of ${EVENT_DIGITS}`)
    return {
      startMs: zeroMs + at_s * 1000,
      code,
      ticks: Math.max(1, Math.round((duration_ms ?? 100) / ptimeMs)),
    }
  })
  return events.sort((a, b) => a.startMs - b.startMs)
}
