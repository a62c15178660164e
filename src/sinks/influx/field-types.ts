import { MEASUREMENTS } from '../../aggregates/fields.js'
import type { MediaFields, SipRecord, Validity } from '../../calls/records.js'
import { XR_FIELDS } from '../../calls/xr-fields.js'

/**
 * The type of every field, once and for all: a database fixes a field's type at its first value and refuses any other
 * (per measurement; InfluxDB 1.x also per shard), so a type never depends on the value at hand. A name has the same type
 * in every measurement.
 *
 * Names that are not listed: a number is written as float, a string as string, a boolean as boolean. A new counter that
 * should be an integer is added to MORE_FIELDS before it is first written, and never moved afterwards.
 */
export type FieldType = 'float' | 'integer' | 'string' | 'boolean'

/** Fields of a direction. `loss_runs` and `ssrcs` are lists and become other fields; see record-points.ts. */
const MEDIA: Record<Exclude<keyof MediaFields, 'loss_runs' | 'codec'>, FieldType> = {
  packets: 'integer',
  bytes: 'integer',
  lost: 'integer',
  loss_percent: 'float',
  duplicates: 'integer',
  reordered: 'integer',
  late: 'integer',
  late_percent: 'float',
  late_fixed50: 'integer',
  late_fixed200: 'integer',
  late_adaptive: 'integer',
  jitter_mean_ms: 'float',
  jitter_max_ms: 'float',
  jitter_p95_ms: 'float',
  jitter_p99_ms: 'float',
  pdv_p50_ms: 'float',
  pdv_p95_ms: 'float',
  pdv_p99_ms: 'float',
  pdv_max_ms: 'float',
  delay_p50_ms: 'float',
  delay_p95_ms: 'float',
  delay_p99_ms: 'float',
  delay_source: 'string',
  buffer_delay_ms: 'float',
  skew_ppm: 'float',
  timestamp_jumps: 'integer',
  burst_seconds: 'integer',
  burst_count: 'integer',
  burst_density: 'float',
  burst_duration_ms: 'float',
  gap_density: 'float',
  gap_duration_ms: 'float',
  burst_ratio: 'float',
  mos_lq: 'float',
  mos_cq: 'float',
  mos_cq_min: 'float',
  mos_cq_p5: 'float',
  r_factor: 'float',
  mos_fixed50: 'float',
  mos_fixed200: 'float',
  mos_adaptive: 'float',
  mos_cq_receiver: 'float',
  mos_scale: 'string',
  mos_model: 'string',
  mos_grounded: 'boolean',
  mos_mixed_scale: 'boolean',
  payload_type: 'integer',
  clock_rate_hz: 'integer',
  ptime_ms: 'float',
  dscp: 'integer',
  ssrcs: 'string',
  segments: 'integer',
  first_packet: 'string',
  last_packet: 'string',
  longest_gap_ms: 'float',
  dtmf_events: 'integer',
  encrypted: 'boolean',
  rtcp_loss_percent: 'float',
  rtcp_lost: 'integer',
  rtcp_jitter_ms: 'float',
  rtcp_mos_lq: 'float',
  rtcp_mos_cq: 'float',
  endpoint_loss_percent: 'float',
  endpoint_discard_percent: 'float',
  endpoint_burst_density_percent: 'float',
  endpoint_burst_duration_ms: 'float',
  endpoint_gap_density_percent: 'float',
  endpoint_gap_duration_ms: 'float',
  endpoint_rtt_ms: 'float',
  endpoint_system_delay_ms: 'float',
  endpoint_one_way_delay_ms: 'float',
  endpoint_jitter_ms: 'float',
  endpoint_mean_absolute_jitter_ms: 'float',
  endpoint_buffer_delay_ms: 'float',
  endpoint_r_lq: 'float',
  endpoint_r_cq: 'float',
  endpoint_mos_lq: 'float',
  endpoint_mos_cq: 'float',
}

type Prefixed<P extends string, K> = K extends string ? `${P}_${K}` : never

const SIP: Record<Prefixed<'sip', Exclude<keyof SipRecord, 'user_agents'>>, FieldType> = {
  sip_transport: 'string',
  sip_status: 'integer',
  sip_reason: 'string',
  sip_pdd_ms: 'float',
  sip_setup_ms: 'float',
  sip_ring_ms: 'float',
  sip_ended_by: 'string',
  sip_retransmissions: 'integer',
  sip_session_id: 'string',
  sip_release_cause: 'string',
}

const VALIDITY: Record<Prefixed<'validity', keyof Validity>, FieldType> = {
  validity_complete_start: 'boolean',
  validity_complete_end: 'boolean',
  validity_directions_seen: 'string',
  validity_directions_without_room: 'string',
  validity_capture_drops: 'integer',
  validity_capture_down_ms: 'float',
  validity_mirror_loss: 'integer',
  validity_span_duplicates: 'integer',
  validity_truncated: 'boolean',
  validity_evicted: 'boolean',
  validity_resumed: 'boolean',
  validity_timestamp_source: 'string',
  validity_encrypted_rtcp: 'boolean',
  validity_clock_synchronized: 'boolean',
}

/** Fields of single measurements, and of aggregates. Add here what is to be an integer. */
const MORE_FIELDS: Record<string, FieldType> = {
  ...XR_FIELDS,
  emergency: 'boolean',
  start_ms: 'integer',
  end_ms: 'integer',
  findings_count: 'integer',
  count: 'integer',
  of_calls: 'integer',
  shared: 'string',
  shared_calls: 'integer',
  shared_of_calls: 'integer',
  burst_events_count: 'integer',
  expected: 'boolean',
  lost_before_tap: 'integer',
  lost_after_tap: 'integer',
  calls_affected: 'integer',
  streams_affected: 'integer',
  streams_active: 'integer',
  silenced: 'boolean',
  value: 'float',
  threshold: 'float',
  baseline: 'float',
  window_s: 'float',
  loss_runs_1: 'integer',
  loss_runs_2: 'integer',
  loss_runs_3: 'integer',
  loss_runs_4: 'integer',
  loss_runs_5: 'integer',
  loss_runs_6: 'integer',
  loss_runs_7: 'integer',
  loss_runs_8: 'integer',
  loss_runs_9: 'integer',
  loss_runs_10: 'integer',
}

function aggregateTypes(): Record<string, FieldType> {
  const tables = Object.values(MEASUREMENTS).flatMap(({ fields }) => Object.entries(fields))
  return Object.fromEntries(tables.map(([name, { type }]) => [name, type]))
}

export const FIELD_TYPES: ReadonlyMap<string, FieldType> = new Map(
  Object.entries({ ...aggregateTypes(), ...MEDIA, ...SIP, ...VALIDITY, ...MORE_FIELDS }),
)
