import type { DirectionRecord, IntervalRecord, StreamRecord } from './records.js'

/** Every field that a record of media may have, those of its head included. */
export type MediaDraft = Omit<Partial<IntervalRecord> & Partial<StreamRecord> & DirectionRecord, 'type'> & {
  type?: 'interval' | 'stream'
}

/**
 * An empty record of media. All of them are made here, with every field there from the start, so that they share one
 * hidden class: filling a record that grew field by field costs more than all measuring of its interval.
 */
export function newDraft(): MediaDraft {
  const u = undefined
  return {
    type: u, schema: u, probe: u, call_id: u, direction: u, start: u, end: u,
    caller_site: u, callee_site: u, trunk: u,
    source_address: u, source_port: u, destination_address: u, destination_port: u, vlan: u, ssrc: u, stray: u,
    expected: u, lost_before_tap: u, lost_after_tap: u, burst_events: u,
    packets: 0, bytes: 0, lost: u, loss_percent: u, duplicates: u, reordered: u,
    late: u, late_percent: u, late_fixed50: u, late_fixed200: u, late_adaptive: u,
    jitter_mean_ms: u, jitter_max_ms: u, jitter_p95_ms: u, jitter_p99_ms: u,
    pdv_p50_ms: u, pdv_p95_ms: u, pdv_p99_ms: u, pdv_max_ms: u,
    delay_p50_ms: u, delay_p95_ms: u, delay_p99_ms: u, delay_source: u, buffer_delay_ms: u,
    skew_ppm: u, timestamp_jumps: u, burst_seconds: u,
    burst_count: u, burst_density: u, burst_duration_ms: u, gap_density: u, gap_duration_ms: u,
    loss_runs: u, burst_ratio: u,
    mos_lq: u, mos_cq: u, mos_cq_min: u, mos_cq_p5: u, r_factor: u,
    mos_fixed50: u, mos_fixed200: u, mos_adaptive: u, mos_cq_receiver: u,
    mos_scale: u, mos_model: u, mos_grounded: u, mos_mixed_scale: u,
    codec: u, payload_type: u, clock_rate_hz: u, ptime_ms: u, dscp: u, ssrcs: u, segments: u,
    first_packet: u, last_packet: u, longest_gap_ms: u, dtmf_events: u, encrypted: u, validity: u,
  } // prettier-ignore
}
