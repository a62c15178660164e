import type { CallRecord } from '../calls/records.js'
import { jsonLine } from '../sinks/json-line.js'
import type { CallLog } from './call-log.js'
import { LIMITS } from './limits.js'
import type { CallDetail, DirectionName, IntervalView, SecondsPlace } from './page/data.js'
import type { ReportText } from './report-text.js'
import { verdictOf } from './verdict.js'

/**
 * A call's details as the file has them, but for its SIP texts.
 * @param seconds where its seconds are
 * @param whole false: only the record, its intervals and events, without messages and seconds
 */
export function detailJson(
  record: CallRecord,
  log: CallLog,
  seconds: Partial<Record<DirectionName, SecondsPlace>>,
  shown: ReportText,
  whole: boolean,
): string {
  const { from_caller, from_callee } = log.directions
  const detail: Omit<CallDetail, 'record'> = {
    verdict: verdictOf(record),
    intervals: { from_caller: rounded(from_caller.intervals), from_callee: rounded(from_callee.intervals) },
    seconds,
    events: log.events(),
    streams: log.streamViews(shown),
    reports: { from_caller: from_caller.reports, from_callee: from_callee.reports },
    roundTrips: log.roundTrips,
    messages: whole ? log.messages.views(shown) : [],
    cut: cutTexts(log, whole),
  }
  // The record as NDJSON has it: rounded, nothing unknown.
  return `{"record":${jsonLine(record)},${JSON.stringify(detail).slice(1)}`
}

/** Figures to four decimals; times and counts are whole. */
function rounded(intervals: readonly IntervalView[]): IntervalView[] {
  return intervals.map((interval) =>
    interval.map((value) => (value === null ? null : Math.round(value * 1e4) / 1e4)),
  )
}

function cutTexts({ messages, directions, leftOut }: CallLog, whole: boolean): string[] {
  const cut: string[] = []
  if (!whole)
    cut.push(
      'The report was over half of its size when this call ended: of good calls it keeps no SIP messages and no seconds.',
    )
  if (messages.leftOut > 0)
    cut.push(
      `${messages.leftOut} SIP messages beyond the first ${LIMITS.messages} of this call are not shown.`,
    )
  const rest = leftOut + directions.from_caller.leftOut + directions.from_callee.leftOut
  if (rest > 0) cut.push(`${rest} more events, RTCP reports or streams of this call are not shown.`)
  return cut
}
