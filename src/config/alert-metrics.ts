import { MEDIA_FIELDS } from '../calls/record-fields.js'

/** Of a second of one stream. `burst` is 1 in a burst second; `mos_*`, `r_factor` and `delay_ms` are of the last ten seconds;
 * `network_mos_drop` is how much lower `mos_cq` is than the same codec's without loss, late packets and delay. */
export const SECOND_METRICS = [
  'packets',
  'lost',
  'loss_percent',
  'late',
  'late_percent',
  'jitter_mean_ms',
  'jitter_p95_ms',
  'pdv_p95_ms',
  'pdv_max_ms',
  'burst',
  'delay_ms',
  'mos_cq',
  'mos_lq',
  'r_factor',
  'network_mos_drop',
] as const
export type SecondMetric = (typeof SECOND_METRICS)[number]

const NO_NUMBERS = new Set([
  'delay_source',
  'loss_runs',
  'mos_scale',
  'mos_model',
  'mos_grounded',
  'mos_mixed_scale',
  'codec',
  'payload_type',
  'ssrcs',
  'first_packet',
  'last_packet',
  'encrypted',
])

/** Of an interval record: every field of media that is a measured number. */
export const INTERVAL_METRICS: readonly string[] = MEDIA_FIELDS.filter((name) => !NO_NUMBERS.has(name))

export const CALL_OWN_METRICS = [
  'duration_s',
  'mos_cq_min',
  'rtt_p50_ms',
  'rtt_p95_ms',
  'rtt_max_ms',
  'caller_leg_rtt_p50_ms',
  'callee_leg_rtt_p50_ms',
  'hold_ms',
] as const
export const CALL_SIP_METRICS = ['pdd_ms', 'setup_ms', 'ring_ms', 'retransmissions'] as const

/** Of a call record: its own, `sip.*`, and those of its directions (the worse of both). */
export const CALL_METRICS: readonly string[] = [
  ...CALL_OWN_METRICS,
  ...CALL_SIP_METRICS.map((name) => `sip.${name}`),
  ...INTERVAL_METRICS.filter((name) => name !== 'mos_cq_min'),
]

/** Of the probe itself. */
export const PROBE_METRICS = [
  'packets_per_s',
  'drop_percent',
  'capture_drops',
  'spool_bytes',
  'spool_percent',
  'spool_age_s',
  'quiet_s',
] as const
export type ProbeMetric = (typeof PROBE_METRICS)[number]
