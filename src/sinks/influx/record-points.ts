import type { MetricPoint } from '../../aggregates/point.js'
import {
  DIRECTIONS,
  type AlertRecord,
  type CallRecord,
  type Direction,
  type DirectionRecord,
  type Finding,
  type IntervalRecord,
  type ProbeRecord,
  type Severity,
} from '../../calls/records.js'
import { findingPoints } from '../../aggregates/finding-points.js'
import { codecTag, dscpClass } from '../../aggregates/tags.js'
import { UNKNOWN_TAG } from './line-protocol.js'
import { mediaPointFields, withXrFields, type MediaPointIdentity } from './media-point-fields.js'

type Fields = Record<string, number | string | boolean | undefined>

/**
 * A record as points: a call becomes `voip_call`, a `voip_media` per direction and a `voip_finding` per finding, an
 * interval `voip_interval`, an alert `voip_alert`; streams and the summary become none. Fields have the record's names,
 * those of inner objects with the object's name before them (`sip_status`, `validity_mirror_loss`); absent stays absent.
 * What only names or counts is a tag; Call-ID, numbers, addresses, ports and SSRCs are fields.
 *
 * Times: a call's and its media's is the call's end (without one, its start), an interval's its start.
 */
export function recordPoints(record: ProbeRecord): MetricPoint[] {
  switch (record.type) {
    case 'call':
      return [callPoint(record), ...mediaPoints(record), ...findingPoints(record)]
    case 'interval':
      return [intervalPoint(record)]
    case 'alert':
      return [alertPoint(record)]
    case 'stream':
    case 'summary':
      return []
  }
}

interface Places {
  caller_site?: string
  callee_site?: string
  trunk?: string
}

function siteTags({ caller_site, callee_site, trunk }: Places): Record<string, string> {
  return {
    caller_site: caller_site ?? UNKNOWN_TAG,
    callee_site: callee_site ?? UNKNOWN_TAG,
    trunk: trunk ?? UNKNOWN_TAG,
  }
}

function callKey(call: CallRecord): string {
  return [call.call_id, call.start, call.caller_address ?? '', call.callee_address ?? ''].join('\n')
}

/** Fields of a call that keep their name and value. The compiler demands a new one here, or among those apart. */
const PLAIN_CALL_FIELDS = Object.keys({
  emergency: true,
  leg: true,
  leg_of: true,
  leg_confidence: true,
  leg_evidence: true,
  mos_cq_min: true,
  rtt_p50_ms: true,
  rtt_p95_ms: true,
  rtt_max_ms: true,
  caller_leg_rtt_p50_ms: true,
  callee_leg_rtt_p50_ms: true,
  hold_ms: true,
  transferred_by: true,
} satisfies Record<PlainCallField, true>) as PlainCallField[]

type PlainCallField = Exclude<
  keyof CallRecord,
  | 'type'
  | 'schema'
  | 'probe'
  | 'state'
  | 'quality'
  | keyof Places
  | keyof MediaPointIdentity
  | 'sip'
  | 'media'
  | 'related_calls'
  | 'findings'
  | 'validity'
>

function callPoint(call: CallRecord): MetricPoint {
  const fields: Fields = { ...identity(call) }
  for (const name of PLAIN_CALL_FIELDS) fields[name] = call[name]
  Object.assign(fields, sipFields(call))
  for (const direction of DIRECTIONS) Object.assign(fields, briefly(direction, call.media[direction]))
  fields.related_calls = listText(call.related_calls)
  Object.assign(fields, findingFields(call.findings), validityFields(call))
  return {
    measurement: 'voip_call',
    tags: {
      probe: call.probe,
      ...siteTags(call),
      state: call.state,
      quality: call.quality,
      status_class: statusClass(call.sip?.status),
    },
    fields,
    timeMs: callTimeMs(call),
    key: callKey(call),
  }
}

function callTimeMs(call: CallRecord): number {
  return Date.parse(call.end ?? call.start)
}

/** What finds a call again, on each of its points; `start_ms` and `end_ms` (since the epoch) are for links. */
function identity(call: CallRecord): MediaPointIdentity {
  return {
    call_id: call.call_id,
    start: call.start,
    end: call.end,
    start_ms: Date.parse(call.start),
    end_ms: callTimeMs(call),
    duration_s: call.duration_s,
    caller: call.caller,
    callee: call.callee,
    caller_address: call.caller_address,
    callee_address: call.callee_address,
  }
}

function statusClass(status: number | undefined): string {
  return status === undefined || status < 100 || status > 699 ? 'none' : `${Math.floor(status / 100)}xx`
}

function sipFields({ sip }: CallRecord): Fields {
  if (sip === undefined) return {}
  const { user_agents, ...single } = sip
  const fields: Fields = {}
  for (const [name, value] of Object.entries(single)) fields[`sip_${name}`] = value
  fields.sip_user_agent_caller = user_agents?.caller
  fields.sip_user_agent_callee = user_agents?.callee
  return fields
}

/** Both directions in the call's own row, for lists of calls: a query cannot join `voip_media` to it. */
function briefly(direction: Direction, media: DirectionRecord | undefined): Fields {
  if (media === undefined) return {}
  return {
    [`${direction}_codec`]: media.codec,
    [`${direction}_mos_cq`]: media.mos_cq,
    [`${direction}_mos_cq_min`]: media.mos_cq_min,
    [`${direction}_loss_percent`]: media.loss_percent,
    [`${direction}_late_percent`]: media.late_percent,
    [`${direction}_jitter_p95_ms`]: media.jitter_p95_ms,
    [`${direction}_pdv_p99_ms`]: media.pdv_p99_ms,
  }
}

const SEVERITY_ORDER: readonly Severity[] = ['info', 'warning', 'critical']

/** `findings`: codes, separated by spaces, the worst first; `findings_text`: one sentence each. */
function findingFields(findings: readonly Finding[]): Fields {
  if (findings.length === 0) return { findings_count: 0 }
  const worstFirst = [...findings].sort(
    (a, b) => SEVERITY_ORDER.indexOf(b.severity) - SEVERITY_ORDER.indexOf(a.severity),
  )
  return {
    findings_count: findings.length,
    findings: [...new Set(worstFirst.map(({ code }) => code))].join(' '),
    findings_severity: worstFirst[0].severity,
    findings_text: worstFirst
      .map((f) => `${f.severity}: ${f.code} (${f.confidence}): ${f.message}`)
      .join(' | '),
  }
}

function validityFields({ validity }: CallRecord): Fields {
  const { directions_seen, directions_without_room, ...single } = validity
  const fields: Fields = {
    validity_directions_seen: listText(directions_seen),
    validity_directions_without_room: listText(directions_without_room),
  }
  for (const [name, value] of Object.entries(single)) fields[`validity_${name}`] = value
  return fields
}

function mediaPoints(call: CallRecord): MetricPoint[] {
  const points: MetricPoint[] = []
  const who = identity(call)
  for (const direction of DIRECTIONS) {
    const media = call.media[direction]
    if (media === undefined) continue
    points.push({
      measurement: 'voip_media',
      tags: {
        probe: call.probe,
        ...siteTags(call),
        direction,
        codec: codecTag(media.codec),
        dscp_class: dscpClass(media.dscp),
      },
      fields: withXrFields(mediaPointFields(media, who), media),
      timeMs: callTimeMs(call),
      key: `${callKey(call)}\n${direction}`,
    })
  }
  return points
}

function intervalPoint(interval: IntervalRecord): MetricPoint {
  const fields = mediaPointFields(interval, { call_id: interval.call_id, end_ms: Date.parse(interval.end) })
  // The same long text as in voip_media, in each of many intervals.
  fields.mos_model = undefined
  return {
    measurement: 'voip_interval',
    tags: {
      probe: interval.probe,
      ...siteTags(interval),
      direction: interval.direction,
      codec: codecTag(interval.codec),
    },
    fields,
    timeMs: Date.parse(interval.start),
    key: `${interval.call_id}\n${interval.direction}\n${interval.start}`,
  }
}

function alertPoint(alert: AlertRecord): MetricPoint {
  return {
    measurement: 'voip_alert',
    tags: {
      probe: alert.probe,
      ...siteTags(alert),
      direction: alert.direction ?? UNKNOWN_TAG,
      rule: alert.rule,
      state: alert.state,
      severity: alert.severity,
    },
    fields: {
      alert_id: alert.alert_id,
      start: alert.start,
      end: alert.end,
      start_ms: Date.parse(alert.start),
      end_ms: alert.end === undefined ? undefined : Date.parse(alert.end),
      call_id: alert.call_id,
      metric: alert.metric,
      value: alert.value,
      threshold: alert.threshold,
      baseline: alert.baseline,
      window_s: alert.window_s,
      path: alert.path,
      calls_affected: alert.calls_affected,
      streams_affected: alert.streams_affected,
      streams_active: alert.streams_active,
      shared_dimension: alert.shared?.[0]?.dimension,
      shared: alert.shared?.[0]?.value,
      shared_calls: alert.shared?.[0]?.calls,
      shared_of_calls: alert.shared?.[0]?.of_calls,
      call_ids: listText(alert.call_ids),
      jitter_p95_ms: alert.jitter_p95_ms,
      pdv_p95_ms: alert.pdv_p95_ms,
      pdv_max_ms: alert.pdv_max_ms,
      loss_percent: alert.loss_percent,
      late_percent: alert.late_percent,
      mos_cq: alert.mos_cq,
      mos_driver: alert.mos_driver,
      cause: alert.cause,
      confidence: alert.confidence,
      silenced: alert.silenced,
      message: alert.message,
    },
    timeMs: Date.parse(alert.time),
    key: `${alert.alert_id}\n${alert.state}`,
  }
}

/** Values separated by spaces, which none of them holds; absent when there are none. */
function listText(values: readonly string[] | undefined): string | undefined {
  return values === undefined || values.length === 0 ? undefined : values.join(' ')
}
