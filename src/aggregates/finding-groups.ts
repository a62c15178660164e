import type { CallObserver } from '../calls/observer.js'
import {
  FINDING_CODES,
  SEVERITIES,
  type CallRecord,
  type FindingCode,
  type FindingGroup,
  type FindingSummary,
} from '../calls/records.js'
import { BAD_BIT, FindingCalls } from './finding-calls.js'
import {
  clockText,
  LEAST_CALLS,
  LEAST_ELSEWHERE,
  LEAST_LIFT,
  LEAST_SHARE,
  MOST_GROUPS,
  tellingOf,
  traitText,
} from './finding-traits.js'

/** Calls named as examples. */
const EXAMPLES = 3
/** A stretch of time is a trait when it is at most this part of the whole and the whole is at least this long. */
const TIME_SHARE = 0.25
const LEAST_SPAN_MS = 20 * 60_000

/** What is not further away than so many mean distances belongs to the stretch. */
const ADJOINING_GAPS = 3

const COLUMNS = FINDING_CODES.length + 1

/** What was counted of all calls in a window. */
interface Tally {
  calls: number
  /** Calls per code (and bad ones), per value and per value and code. */
  byCode: Int32Array
  byValue: Int32Array
  byBoth: Int32Array
  /** Start of the first call of each value and code. */
  since: Float64Array
  firstOf: Float64Array
  lastOf: Float64Array
  examples: string[][]
  firstMs: number
  lastMs: number
}

/**
 * Findings over calls: how many have each, and what those calls have in common that others have not: a trunk, a pair of
 * sites, a codec, a user agent, a DSCP class, a host, a time. Hand it to the probe as an observer.
 */
export class FindingGroups implements CallObserver {
  private readonly calls = new FindingCalls()
  private nowMs = 0

  onTime(timeMs: number): void {
    this.nowMs = timeMs
  }

  onCallClosed(_call: unknown, record: CallRecord): void {
    this.calls.add(record, this.nowMs)
  }

  /** Values that found no room (see finding-calls.ts). */
  get overflow(): number {
    return this.calls.overflow
  }

  /** Calls of the whole run (of the last 100,000), most severe and most frequent findings first. */
  summary(): FindingSummary[] {
    return this.within(-Infinity, Infinity)
  }

  /** Calls that closed within [fromMs, untilMs), packet time: what alerts and intervals ask for. */
  within(fromMs: number, untilMs: number): FindingSummary[] {
    const tally = this.tallyOf(fromMs, untilMs)
    return FINDING_CODES.map((code, place) => this.summaryOf(tally, place, code))
      .filter((summary) => summary !== undefined)
      .sort(
        (a, b) =>
          SEVERITIES.indexOf(b.severity ?? 'info') - SEVERITIES.indexOf(a.severity ?? 'info') ||
          b.calls - a.calls,
      )
  }

  /** Poor and broken calls, whatever their findings; undefined when there are none. */
  badCalls(fromMs = -Infinity, untilMs = Infinity): FindingSummary | undefined {
    return this.summaryOf(this.tallyOf(fromMs, untilMs), BAD_BIT, undefined)
  }

  private tallyOf(fromMs: number, untilMs: number): Tally {
    const values = this.calls.values.length
    const tally: Tally = {
      calls: 0,
      byCode: new Int32Array(COLUMNS),
      byValue: new Int32Array(values),
      byBoth: new Int32Array(values * COLUMNS),
      since: new Float64Array(values * COLUMNS).fill(Infinity),
      firstOf: new Float64Array(COLUMNS).fill(Infinity),
      lastOf: new Float64Array(COLUMNS).fill(-Infinity),
      examples: Array.from({ length: COLUMNS }, () => []),
      firstMs: Infinity,
      lastMs: -Infinity,
    }
    this.calls.forEach((startMs, closedMs, bits, valueIds, callId) => {
      if (closedMs < fromMs || closedMs >= untilMs) return
      tally.calls++
      tally.firstMs = Math.min(tally.firstMs, startMs)
      tally.lastMs = Math.max(tally.lastMs, startMs)
      for (const value of valueIds) if (value >= 0) tally.byValue[value]++
      for (let code = 0; bits !== 0 && code < COLUMNS; code++)
        if ((bits & (1 << code)) !== 0) noteCode(tally, code, startMs, valueIds, callId)
    })
    return tally
  }

  private summaryOf(tally: Tally, place: number, code: FindingCode | undefined): FindingSummary | undefined {
    const calls = tally.byCode[place]
    if (calls === 0) return undefined
    const groups = [...this.groupsOf(tally, place), ...this.timeGroup(tally, place)].slice(0, MOST_GROUPS)
    const summary: FindingSummary = {
      code,
      severity: code && this.calls.severityOf(code),
      confidence: code && this.calls.confidenceOf(code),
      calls,
      of_calls: tally.calls,
      since: timeText(tally.firstOf[place]),
      until: timeText(tally.lastOf[place]),
      groups,
      call_ids: tally.examples[place],
      message: '',
    }
    summary.message = messageOf(summary)
    return summary
  }

  /** Traits that most of these calls have, and other calls mostly not, the most telling first. */
  private groupsOf(tally: Tally, place: number): FindingGroup[] {
    const affected = tally.byCode[place]
    const found: { group: FindingGroup; score: number }[] = []
    this.calls.values.forEach(({ dimension, value }, id) => {
      const calls = tally.byBoth[id * COLUMNS + place]
      const ofCalls = tally.byValue[id]
      const score = tellingOf({ calls, ofCalls, affected, total: tally.calls })
      if (score === undefined) return
      const group: FindingGroup = {
        dimension,
        value,
        calls,
        of_calls: ofCalls,
        calls_elsewhere: affected - calls,
        of_calls_elsewhere: tally.calls - ofCalls,
        since: timeText(tally.since[id * COLUMNS + place]),
      }
      found.push({ group, score })
    })
    // Of traits that tell as much, the configured places come first: values are in that order within a call.
    return found.sort((a, b) => b.score - a.score).map(({ group }) => group)
  }

  /** The shortest stretch of minutes with most of the calls, when it is short against the whole. */
  private timeGroup(tally: Tally, place: number): FindingGroup[] {
    const spanMs = tally.lastMs - tally.firstMs
    const affected = tally.byCode[place]
    if (affected < LEAST_CALLS || spanMs < LEAST_SPAN_MS) return []
    const starts: number[] = []
    const all: number[] = []
    this.calls.forEach((startMs, _closedMs, bits) => {
      if (startMs < tally.firstMs || startMs > tally.lastMs) return
      all.push(startMs)
      if ((bits & (1 << place)) !== 0) starts.push(startMs)
    })
    starts.sort((a, b) => a - b)
    const needed = Math.max(LEAST_CALLS, Math.ceil(LEAST_SHARE * starts.length))
    const best = densest(starts, needed)
    if (best === undefined || best.to - best.from > TIME_SHARE * spanMs) return []
    const { from, to } = best
    const within = (time: number): boolean => time >= from && time <= to
    const calls = starts.filter(within).length
    const ofCalls = all.filter(within).length
    const elsewhere = all.length - ofCalls
    if (elsewhere < LEAST_ELSEWHERE) return []
    if (calls / ofCalls < (LEAST_LIFT * (affected - calls)) / elsewhere) return []
    return [
      {
        dimension: 'time',
        value: `${clockText(from)}–${clockText(to)}`,
        calls,
        of_calls: ofCalls,
        calls_elsewhere: affected - calls,
        of_calls_elsewhere: elsewhere,
        since: timeText(from),
      },
    ]
  }
}

/** The shortest stretch with so many of the ascending times, and what adjoins it as densely. */
function densest(times: readonly number[], needed: number): { from: number; to: number } | undefined {
  let first = -1
  for (let k = 0; k + needed <= times.length; k++)
    if (first < 0 || times[k + needed - 1] - times[k] < times[first + needed - 1] - times[first]) first = k
  if (first < 0) return undefined
  let last = first + needed - 1
  const mostGapMs = (ADJOINING_GAPS * (times[last] - times[first])) / (needed - 1)
  while (first > 0 && times[first] - times[first - 1] <= mostGapMs) first--
  while (last + 1 < times.length && times[last + 1] - times[last] <= mostGapMs) last++
  return { from: times[first], to: times[last] }
}

function noteCode(
  tally: Tally,
  code: number,
  startMs: number,
  valueIds: Int16Array,
  callId: string | undefined,
): void {
  tally.byCode[code]++
  tally.firstOf[code] = Math.min(tally.firstOf[code], startMs)
  tally.lastOf[code] = Math.max(tally.lastOf[code], startMs)
  const examples = tally.examples[code]
  if (callId !== undefined && examples.length < EXAMPLES) examples.push(callId)
  for (const value of valueIds) {
    if (value < 0) continue
    const cell = value * COLUMNS + code
    tally.byBoth[cell]++
    tally.since[cell] = Math.min(tally.since[cell], startMs)
  }
}

/** "14 of 15 bad calls cross trunk A since 18:02 (14 of its 20 calls, 1 of 80 elsewhere)." */
function messageOf({ code, calls, of_calls: ofCalls, groups, since }: FindingSummary): string {
  const what =
    code === undefined ? `bad call${calls === 1 ? '' : 's'}` : `call${calls === 1 ? '' : 's'} with ${code}`
  if (groups.length === 0)
    return `${calls} of ${ofCalls} calls ${code === undefined ? (calls === 1 ? 'is bad' : 'are bad') : `${calls === 1 ? 'has' : 'have'} ${code}`}.`
  const [group] = groups
  return `${group.calls} of ${calls} ${what} ${traitText(group, group.since ?? since)}.`
}

function timeText(timeMs: number): string | undefined {
  return Number.isFinite(timeMs) ? new Date(timeMs).toISOString() : undefined
}
