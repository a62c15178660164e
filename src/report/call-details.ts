import type { CallRecord } from '../calls/records.js'
import { jsonLine } from '../sinks/json-line.js'
import { LIMITS } from './limits.js'
import type { CallDetail, DirectionName, IntervalView, SecondsPlace } from './page/data.js'
import type { SeenCall } from './seen-call.js'
import { verdictOf } from './verdict.js'

/**
 * A call's details as the file has them, but for its SIP texts.
 * @param seconds where its seconds are
 * @param whole false: only the record, its intervals and events, without messages and seconds
 */
export function detailJson(
  record: CallRecord,
  seen: SeenCall,
  seconds: Partial<Record<DirectionName, SecondsPlace>>,
  whole: boolean,
): string {
  const { from_caller, from_callee } = seen
  const detail: Omit<CallDetail, 'record'> = {
    verdict: verdictOf(record),
    intervals: { from_caller: rounded(from_caller.intervals), from_callee: rounded(from_callee.intervals) },
    seconds,
    ...inTime(record, seen),
    reports: { from_caller: from_caller.reports, from_callee: from_callee.reports },
    roundTrips: seen.roundTrips,
    messages: whole ? seen.messages.views : [],
    cut: cutTexts(seen, whole),
  }
  // The record as NDJSON has it: rounded, nothing unknown.
  return `{"record":${jsonLine(record)},${JSON.stringify(detail).slice(1)}`
}

/**
 * Events and streams, none before its direction's first packet: what happens within a second is noted with its begin, and a
 * stream may have begun in an earlier call on the same ports.
 */
function inTime({ media }: CallRecord, seen: SeenCall): Pick<CallDetail, 'events' | 'streams'> {
  const firstMs = (direction: DirectionName): number => Date.parse(media[direction]?.first_packet ?? '')
  const [fromCaller, fromCallee] = [firstMs('from_caller'), firstMs('from_callee')]
  const notBefore = (timeMs: number, direction: DirectionName): number => {
    const least = direction === 'from_caller' ? fromCaller : fromCallee
    return least > timeMs ? least : timeMs
  }
  for (const event of seen.events)
    if (event.direction) event.timeMs = notBefore(event.timeMs, event.direction)
  for (const stream of seen.streams)
    if (stream.audio) stream.firstMs = notBefore(stream.firstMs, stream.direction)
  seen.events.sort((a, b) => a.timeMs - b.timeMs)
  return { events: seen.events, streams: seen.streams }
}

/** Figures to four decimals; times and counts are whole. */
function rounded(intervals: readonly IntervalView[]): IntervalView[] {
  return intervals.map((interval) =>
    interval.map((value) => (value === null ? null : Math.round(value * 1e4) / 1e4)),
  )
}

function cutTexts({ messages, leftOut }: SeenCall, whole: boolean): string[] {
  const cut: string[] = []
  if (!whole)
    cut.push(
      'The report was over half of its size when this call ended: of good calls it keeps no SIP messages and no seconds.',
    )
  if (messages.leftOut > 0)
    cut.push(
      `${messages.leftOut} SIP messages beyond the first ${LIMITS.messages} of this call are not shown.`,
    )
  if (leftOut > 0) cut.push(`${leftOut} more events, RTCP reports or streams of this call are not shown.`)
  return cut
}
