import type { CallRecord, FindingSummary } from '../calls/records.js'
import type { MetricPoint } from './point.js'
import { codecTag, dscpClass, UNKNOWN } from './tags.js'

export const FINDING = 'voip_finding'
export const FINDING_GROUP = 'voip_finding_group'

/**
 * A call's findings as points of `voip_finding`: one each, at the call's end, tagged by what a finding is grouped by. Call-ID,
 * evidence and sentence are fields; `count` is 1, to be summed.
 */
export function findingPoints(call: CallRecord): MetricPoint[] {
  const timeMs = Date.parse(call.end ?? call.start)
  return call.findings.map(({ code, severity, confidence, direction, message }): MetricPoint => {
    const media = direction ? call.media[direction] : (call.media.from_caller ?? call.media.from_callee)
    return {
      measurement: FINDING,
      tags: {
        probe: call.probe,
        code,
        severity,
        confidence,
        direction: direction ?? UNKNOWN,
        caller_site: call.caller_site ?? UNKNOWN,
        callee_site: call.callee_site ?? UNKNOWN,
        trunk: call.trunk ?? UNKNOWN,
        codec: codecTag(media?.codec),
        dscp_class: dscpClass(media?.dscp),
      },
      fields: {
        count: 1,
        call_id: call.call_id,
        start_ms: Date.parse(call.start),
        end_ms: timeMs,
        caller: call.caller,
        callee: call.callee,
        sip_user_agent_caller: call.sip?.user_agents?.caller,
        sip_user_agent_callee: call.sip?.user_agents?.callee,
        message,
      },
      timeMs,
      key: [call.call_id, call.start, code, direction ?? ''].join('\n'),
    }
  })
}

/** Grouped findings of a window as points: one for each finding, `code: bad_call` for bad calls. */
export function findingGroupPoints(
  summaries: readonly FindingSummary[],
  probe: string,
  timeMs: number,
): MetricPoint[] {
  return summaries.map(({ code = 'bad_call', severity, calls, of_calls, groups, call_ids, message }) => ({
    measurement: FINDING_GROUP,
    tags: { probe, code, severity: severity ?? UNKNOWN, dimension: groups[0]?.dimension ?? 'none' },
    fields: {
      calls,
      of_calls,
      shared: groups[0]?.value,
      shared_calls: groups[0]?.calls,
      shared_of_calls: groups[0]?.of_calls,
      call_ids: call_ids?.join(' '),
      message,
    },
    timeMs,
    key: code,
  }))
}
