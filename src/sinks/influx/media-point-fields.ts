import type { DirectionRecord, MediaFields } from '../../calls/records.js'
import { XR_FIELDS, type XrField, type XrFields } from '../../calls/xr-fields.js'

/**
 * The fields of `voip_media` and `voip_interval`: those of a direction under their own names, and beside them what says
 * whose they are. One literal, so that all have one hidden class: an object of so many fields that grows field by field,
 * or is spread from others, costs ten times as much.
 */
export function mediaPointFields(
  m: Readonly<MediaFields> &
    Partial<Pick<DirectionRecord, 'expected' | 'lost_before_tap' | 'lost_after_tap' | 'burst_events'>>,
  who: MediaPointIdentity,
) {
  // All ten absent when nothing was lost: zeros in each of many intervals.
  const runs = m.loss_runs?.some((count) => count > 0) === true ? m.loss_runs : NO_RUNS
  return {
    call_id: who.call_id,
    start: who.start,
    end: who.end,
    start_ms: who.start_ms,
    end_ms: who.end_ms,
    duration_s: who.duration_s,
    caller: who.caller,
    callee: who.callee,
    caller_address: who.caller_address,
    callee_address: who.callee_address,
    // `codec` is a tag, and a tag and a field must not share a name.
    codec_name: m.codec,
    packets: m.packets,
    bytes: m.bytes,
    lost: m.lost,
    loss_percent: m.loss_percent,
    duplicates: m.duplicates,
    reordered: m.reordered,
    late: m.late,
    late_percent: m.late_percent,
    late_fixed50: m.late_fixed50,
    late_fixed200: m.late_fixed200,
    late_adaptive: m.late_adaptive,
    jitter_mean_ms: m.jitter_mean_ms,
    jitter_max_ms: m.jitter_max_ms,
    jitter_p95_ms: m.jitter_p95_ms,
    jitter_p99_ms: m.jitter_p99_ms,
    pdv_p50_ms: m.pdv_p50_ms,
    pdv_p95_ms: m.pdv_p95_ms,
    pdv_p99_ms: m.pdv_p99_ms,
    pdv_max_ms: m.pdv_max_ms,
    delay_p50_ms: m.delay_p50_ms,
    delay_p95_ms: m.delay_p95_ms,
    delay_p99_ms: m.delay_p99_ms,
    delay_source: m.delay_source,
    buffer_delay_ms: m.buffer_delay_ms,
    skew_ppm: m.skew_ppm,
    timestamp_jumps: m.timestamp_jumps,
    burst_seconds: m.burst_seconds,
    burst_count: m.burst_count,
    burst_density: m.burst_density,
    burst_duration_ms: m.burst_duration_ms,
    gap_density: m.gap_density,
    gap_duration_ms: m.gap_duration_ms,
    burst_ratio: m.burst_ratio,
    mos_lq: m.mos_lq,
    mos_cq: m.mos_cq,
    mos_cq_min: m.mos_cq_min,
    mos_cq_p5: m.mos_cq_p5,
    r_factor: m.r_factor,
    mos_fixed50: m.mos_fixed50,
    mos_fixed200: m.mos_fixed200,
    mos_adaptive: m.mos_adaptive,
    mos_cq_receiver: m.mos_cq_receiver,
    mos_scale: m.mos_scale,
    mos_model: m.mos_model,
    mos_grounded: m.mos_grounded,
    mos_mixed_scale: m.mos_mixed_scale,
    payload_type: m.payload_type,
    clock_rate_hz: m.clock_rate_hz,
    ptime_ms: m.ptime_ms,
    dscp: m.dscp,
    segments: m.segments,
    first_packet: m.first_packet,
    last_packet: m.last_packet,
    longest_gap_ms: m.longest_gap_ms,
    dtmf_events: m.dtmf_events,
    encrypted: m.encrypted,
    rtcp_loss_percent: m.rtcp_loss_percent,
    rtcp_lost: m.rtcp_lost,
    rtcp_jitter_ms: m.rtcp_jitter_ms,
    rtcp_mos_lq: m.rtcp_mos_lq,
    rtcp_mos_cq: m.rtcp_mos_cq,
    endpoint_loss_percent: m.endpoint_loss_percent,
    endpoint_discard_percent: m.endpoint_discard_percent,
    endpoint_burst_density_percent: m.endpoint_burst_density_percent,
    endpoint_burst_duration_ms: m.endpoint_burst_duration_ms,
    endpoint_gap_density_percent: m.endpoint_gap_density_percent,
    endpoint_gap_duration_ms: m.endpoint_gap_duration_ms,
    endpoint_rtt_ms: m.endpoint_rtt_ms,
    endpoint_system_delay_ms: m.endpoint_system_delay_ms,
    endpoint_one_way_delay_ms: m.endpoint_one_way_delay_ms,
    endpoint_jitter_ms: m.endpoint_jitter_ms,
    endpoint_mean_absolute_jitter_ms: m.endpoint_mean_absolute_jitter_ms,
    endpoint_buffer_delay_ms: m.endpoint_buffer_delay_ms,
    endpoint_r_lq: m.endpoint_r_lq,
    endpoint_r_cq: m.endpoint_r_cq,
    endpoint_mos_lq: m.endpoint_mos_lq,
    endpoint_mos_cq: m.endpoint_mos_cq,
    ssrcs: m.ssrcs === undefined || m.ssrcs.length === 0 ? undefined : m.ssrcs.join(' '),
    loss_runs_1: runs[0],
    loss_runs_2: runs[1],
    loss_runs_3: runs[2],
    loss_runs_4: runs[3],
    loss_runs_5: runs[4],
    loss_runs_6: runs[5],
    loss_runs_7: runs[6],
    loss_runs_8: runs[7],
    loss_runs_9: runs[8],
    loss_runs_10: runs[9],
    expected: m.expected,
    lost_before_tap: m.lost_before_tap,
    lost_after_tap: m.lost_after_tap,
    burst_events_count: m.burst_events?.length,
    burst_events_peak_ms: m.burst_events?.reduce((most, { peak_ms }) => Math.max(most, peak_ms), 0),
  } satisfies Record<PlainMediaField, unknown> & Record<string, number | string | boolean | undefined>
}

/** Every field of a direction but its lists and its codec keeps its name: the compiler demands a new one here. */
type PlainMediaField = Exclude<keyof MediaFields, 'loss_runs' | 'codec'>

const XR_NAMES = Object.keys(XR_FIELDS) as XrField[]

/** With the fields that XR blocks filled; most calls have none. */
export function withXrFields<F extends object>(fields: F, media: Readonly<XrFields>): F & XrFields {
  const told: Record<string, number | string> = {}
  let some = false
  for (const name of XR_NAMES) {
    const value = media[name]
    if (value === undefined) continue
    told[name] = value
    some = true
  }
  return some ? { ...fields, ...told } : fields
}

export interface MediaPointIdentity {
  call_id: string
  start?: string
  end?: string
  start_ms?: number
  end_ms?: number
  duration_s?: number
  caller?: string
  callee?: string
  caller_address?: string
  callee_address?: string
}

const NO_RUNS: readonly (number | undefined)[] = []
