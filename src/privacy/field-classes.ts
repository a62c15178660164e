import {
  ALERT_FIELDS,
  CALL_FIELDS,
  DIRECTION_FIELDS,
  FINDING_FIELDS,
  FINDING_GROUP_FIELDS,
  FINDING_SUMMARY_FIELDS,
  INTERVAL_FIELDS,
  MEDIA_FIELDS,
  SIP_FIELDS,
  STREAM_FIELDS,
  SUMMARY_FIELDS,
  TRUNCATED_FILE_FIELDS,
  VALIDITY_FIELDS,
} from '../calls/record-fields.js'
import type { RecordType } from '../calls/records.js'
import { XR_FIELDS } from '../calls/xr-fields.js'

/**
 * What `--privacy` does with a field. `kept`: as it is (measurements, times, names from the configuration). `party`: a
 * number or user name. `address`, `call_id`: one or a list. `wire`: a phrase that a party sent. `message`: a sentence of
 * this program. `agent`: a product name. `file`: a path. `evidence`: an object whose texts go by their names. An object
 * of further fields has its own classes.
 */
export type FieldClass =
  'kept' | 'party' | 'address' | 'call_id' | 'wire' | 'message' | 'agent' | 'file' | 'evidence' | FieldClasses
export interface FieldClasses {
  readonly [field: string]: FieldClass
}

/** Everything kept but for what is named. */
function classesOf(kept: readonly string[], others: FieldClasses = {}): FieldClasses {
  return { ...Object.fromEntries(kept.map((field) => [field, 'kept' as const])), ...others }
}

/** Fields that hold measurements, choices from a fixed list, times or configured names, of every kind of record. */
const KEPT_MEDIA =
  `packets bytes lost loss_percent duplicates reordered late late_percent late_fixed50 late_fixed200
  late_adaptive jitter_mean_ms jitter_max_ms jitter_p95_ms jitter_p99_ms pdv_p50_ms pdv_p95_ms pdv_p99_ms pdv_max_ms
  delay_p50_ms delay_p95_ms delay_p99_ms delay_source buffer_delay_ms skew_ppm timestamp_jumps burst_seconds burst_count
  burst_density burst_duration_ms gap_density gap_duration_ms loss_runs burst_ratio mos_lq mos_cq mos_cq_min mos_cq_p5
  r_factor mos_fixed50 mos_fixed200 mos_adaptive mos_cq_receiver mos_scale mos_model mos_grounded mos_mixed_scale
  payload_type clock_rate_hz ptime_ms dscp ssrcs segments first_packet last_packet longest_gap_ms dtmf_events
  encrypted rtcp_loss_percent rtcp_lost rtcp_jitter_ms rtcp_mos_lq rtcp_mos_cq endpoint_loss_percent
  endpoint_discard_percent endpoint_burst_density_percent endpoint_burst_duration_ms endpoint_gap_density_percent
  endpoint_gap_duration_ms endpoint_rtt_ms endpoint_system_delay_ms endpoint_one_way_delay_ms endpoint_jitter_ms
  endpoint_mean_absolute_jitter_ms endpoint_buffer_delay_ms endpoint_r_lq endpoint_r_cq endpoint_mos_lq
  endpoint_mos_cq`.split(/\s+/)
const PLACES = ['caller_site', 'callee_site', 'trunk'] as const
const HEAD = ['type', 'schema', 'probe', 'start', 'end'] as const

const media = classesOf(KEPT_MEDIA, { codec: 'wire' })
const validity = classesOf(
  `complete_start complete_end directions_seen directions_without_room capture_drops capture_down_ms mirror_loss span_duplicates truncated
  evicted resumed timestamp_source encrypted_rtcp clock_synchronized`.split(/\s+/),
)
const direction: FieldClasses = {
  ...media,
  ...classesOf(['expected', 'lost_before_tap', 'lost_after_tap', 'burst_events', ...Object.keys(XR_FIELDS)]),
}
const finding = classesOf(['code', 'severity', 'confidence', 'direction'], {
  evidence: 'evidence',
  message: 'message',
})
const sip = classesOf(
  ['transport', 'status', 'pdd_ms', 'setup_ms', 'ring_ms', 'ended_by', 'retransmissions'],
  {
    session_id: 'call_id',
    reason: 'wire',
    user_agents: { caller: 'agent', callee: 'agent' },
    release_cause: 'wire',
  },
)
const findingGroup = classesOf(
  ['dimension', 'calls', 'of_calls', 'calls_elsewhere', 'of_calls_elsewhere', 'since'],
  // A trunk, a codec, a product, an address: what is an address in it is treated as one.
  { value: 'message' },
)
const findingSummary = classesOf(['code', 'severity', 'confidence', 'calls', 'of_calls', 'since', 'until'], {
  groups: findingGroup,
  call_ids: 'call_id',
  message: 'message',
})
const truncatedFile: FieldClasses = { file: 'file', offset: 'kept', message: 'message' }

export const RECORD_CLASSES: Record<RecordType, FieldClasses> = {
  call: classesOf(
    `duration_s state quality mos_cq_min rtt_p50_ms rtt_p95_ms rtt_max_ms caller_leg_rtt_p50_ms
    callee_leg_rtt_p50_ms hold_ms emergency leg leg_confidence leg_evidence transferred_by`
      .split(/\s+/)
      .concat(HEAD, PLACES),
    {
      call_id: 'call_id',
      caller: 'party',
      callee: 'party',
      caller_address: 'address',
      callee_address: 'address',
      sip,
      media: { from_caller: direction, from_callee: direction },
      leg_of: 'call_id',
      related_calls: 'call_id',
      findings: finding,
      validity,
    },
  ),
  stream: {
    ...media,
    ...classesOf(['direction', 'source_port', 'destination_port', 'vlan', 'ssrc', 'stray', ...HEAD]),
    call_id: 'call_id',
    source_address: 'address',
    destination_address: 'address',
    validity,
  },
  interval: { ...media, ...classesOf(['direction', ...HEAD, ...PLACES]), call_id: 'call_id' },
  alert: classesOf(
    `alert_id rule state severity time direction metric value threshold baseline window_s calls_affected
    streams_affected streams_active jitter_p95_ms pdv_p95_ms pdv_max_ms loss_percent late_percent mos_cq mos_driver
    confidence silenced`
      .split(/\s+/)
      .concat(HEAD, PLACES),
    {
      call_id: 'call_id',
      call_ids: 'call_id',
      path: 'message',
      shared: findingGroup,
      cause: 'message',
      message: 'message',
    },
  ),
  summary: classesOf(
    `duration_ms processing_ms packets bytes packets_per_s files calls calls_by_state calls_by_quality streams
    rtp_packets rtcp_packets sip_messages sip_requests sip_responses sip_retransmissions sip_malformed sip_unreadable
    registrations options tunnels skipped rtcp_discarded evictions time_steps_back time_step_back_max_ms reported_drops capture_drops jitter_buffer`
      .split(/\s+/)
      .concat(HEAD),
    {
      truncated_files: truncatedFile,
      warnings: 'message',
      findings: findingSummary,
      bad_calls: findingSummary,
    },
  ),
}

/** The fields of each part of a record as the vocabulary lists them: what a test holds the classes to. */
export const CLASSIFIED_PARTS: readonly (readonly [string, readonly string[], FieldClasses])[] = [
  ['media', MEDIA_FIELDS, media],
  ['call', CALL_FIELDS, RECORD_CLASSES.call],
  ['sip', SIP_FIELDS, sip],
  ['direction', DIRECTION_FIELDS, direction],
  ['finding', FINDING_FIELDS, finding],
  ['finding_group', FINDING_GROUP_FIELDS, findingGroup],
  ['finding_summary', FINDING_SUMMARY_FIELDS, findingSummary],
  ['validity', VALIDITY_FIELDS, validity],
  ['stream', STREAM_FIELDS, RECORD_CLASSES.stream],
  ['interval', INTERVAL_FIELDS, RECORD_CLASSES.interval],
  ['alert', ALERT_FIELDS, RECORD_CLASSES.alert],
  ['summary', SUMMARY_FIELDS, RECORD_CLASSES.summary],
  ['truncated_file', TRUNCATED_FILE_FIELDS, truncatedFile],
]
