import type { CallState, Party } from '../sip/call.js'
import type { SipTransport } from '../sip/message.js'
import type { LegEvidence } from './legs/leg.js'
import type { XrFields } from './xr-fields.js'

/**
 * The records that the probe writes: one vocabulary for NDJSON, InfluxDB, the report and the dashboards. Names carry
 * their unit (`_ms`, `_percent`, `_ppm`). A field is absent when its value is not known: never 0, -1, null or NaN.
 * `schemas/*.schema.json` define every field; `record-fields.ts` fixes their order. Names are public: add, never rename.
 */
export const RECORD_SCHEMA = 1

/** Media by who sent it. Caller and callee are fixed by the initial INVITE (without signalling: the first sender). */
export type Direction = 'from_caller' | 'from_callee'
export type RecordState = CallState | 'media_only'
export type Quality = 'good' | 'fair' | 'poor' | 'broken' | 'unknown'
/** R scale of the model: narrowband 0..100, wideband 0..129, fullband 0..148. */
export type MosScale = 'nb' | 'wb' | 'fb'
/** Where the network part of `delay_*` comes from: RTCP on both legs, SIP round trips, or the configured assumption. */
export type DelaySource = 'rtcp' | 'sip' | 'assumed'
export type TimestampSource = 'hardware' | 'kernel' | 'userspace' | 'file'
export type Severity = 'info' | 'warning' | 'critical'
export type Confidence = 'low' | 'medium' | 'high'
export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical']
export const CONFIDENCES: readonly Confidence[] = ['low', 'medium', 'high']

export const DIRECTIONS: readonly Direction[] = ['from_caller', 'from_callee']
export const RECORD_STATES: readonly RecordState[] = [
  'completed',
  'failed',
  'cancelled',
  'timeout',
  'in_progress',
  'media_only',
]
/** Best first. */
export const QUALITIES: readonly Quality[] = ['good', 'fair', 'poor', 'broken', 'unknown']

export const FINDING_CODES = [
  'no_media',
  'one_way_audio',
  'media_stopped',
  'burst_loss',
  'random_loss',
  'capture_unreliable',
  'loss_after_tap',
  'loss_before_tap',
  'burst_jitter',
  'queueing',
  'clock_skew',
  'timestamp_jump',
  'media_not_at_sdp_address',
  'private_address_in_sdp',
  'port_unreachable',
  'sip_alg_suspected',
  'payload_type_mismatch',
  'codec_changed',
  'ptime_changed',
  'transcoding_suspected',
  'dscp_rewritten',
  'dscp_unmarked',
  'high_delay',
  'setup_failed',
  'slow_setup',
  'short_call',
  'registration_failed',
  'retransmissions',
  'mirror_one_direction',
] as const
export type FindingCode = (typeof FINDING_CODES)[number]

/** A named cause with what it rests on. `message` is one sentence for a person. */
export interface Finding {
  code: FindingCode
  severity: Severity
  confidence: Confidence
  direction?: Direction
  /** Numbers by record-style names (unit in the name); a codec name or address where that is the evidence. */
  evidence: Record<string, number | string | boolean>
  message: string
}

/** By what calls with a finding are compared with others. `host`: an address that signals. */
export const FINDING_DIMENSIONS = [
  'trunk',
  'site_pair',
  'codec',
  'user_agent',
  'dscp',
  'host',
  'time',
] as const
export type FindingDimension = (typeof FINDING_DIMENSIONS)[number]

/** A trait that most calls with a finding have, and other calls mostly not. */
export interface FindingGroup {
  dimension: FindingDimension
  value: string
  /** Calls with the finding among those with the trait. */
  calls: number
  of_calls: number
  calls_elsewhere: number
  of_calls_elsewhere: number
  /** Start of the first call with both. */
  since?: string
}

/** One finding over all calls of a run, or of a window. */
export interface FindingSummary {
  /** Absent: poor and broken calls, whatever their findings. */
  code?: FindingCode
  /** The worst and the surest of the run. */
  severity?: Severity
  confidence?: Confidence
  /** For registrations: attempts. */
  calls: number
  of_calls: number
  /** Starts of the first and the last call. */
  since?: string
  until?: string
  /** The most telling first. */
  groups: FindingGroup[]
  call_ids?: string[]
  message: string
}

/** What limits a record: what the probe could not see, or cannot vouch for. */
export interface Validity {
  complete_start?: boolean
  complete_end?: boolean
  directions_seen?: Direction[]
  directions_without_room?: Direction[]
  capture_drops?: number
  capture_down_ms?: number
  mirror_loss?: number
  span_duplicates?: number
  truncated?: boolean
  evicted?: boolean
  resumed?: boolean
  timestamp_source?: TimestampSource
  encrypted_rtcp?: boolean
  clock_synchronized?: boolean
}

/** What is measured of media in one direction, over a call, a stream or an interval. */
export interface MediaFields {
  packets: number
  bytes: number
  lost?: number
  loss_percent?: number
  duplicates?: number
  reordered?: number
  late?: number
  late_percent?: number
  late_fixed50?: number
  late_fixed200?: number
  late_adaptive?: number
  jitter_mean_ms?: number
  jitter_max_ms?: number
  jitter_p95_ms?: number
  jitter_p99_ms?: number
  pdv_p50_ms?: number
  pdv_p95_ms?: number
  pdv_p99_ms?: number
  pdv_max_ms?: number
  delay_p50_ms?: number
  delay_p95_ms?: number
  delay_p99_ms?: number
  delay_source?: DelaySource
  buffer_delay_ms?: number
  skew_ppm?: number
  timestamp_jumps?: number
  burst_seconds?: number
  burst_count?: number
  burst_density?: number
  burst_duration_ms?: number
  gap_density?: number
  gap_duration_ms?: number
  /** Ten counts: runs of exactly 1..9 lost packets, then of 10 and more. */
  loss_runs?: number[]
  burst_ratio?: number
  mos_lq?: number
  mos_cq?: number
  mos_cq_min?: number
  mos_cq_p5?: number
  r_factor?: number
  mos_fixed50?: number
  mos_fixed200?: number
  mos_adaptive?: number
  mos_cq_receiver?: number
  mos_scale?: MosScale
  mos_model?: string
  mos_grounded?: boolean
  mos_mixed_scale?: boolean
  codec?: string
  payload_type?: number
  clock_rate_hz?: number
  ptime_ms?: number
  dscp?: number
  ssrcs?: string[]
  segments?: number
  first_packet?: string
  last_packet?: string
  longest_gap_ms?: number
  dtmf_events?: number
  encrypted?: boolean
  rtcp_loss_percent?: number
  rtcp_lost?: number
  rtcp_jitter_ms?: number
  rtcp_mos_lq?: number
  rtcp_mos_cq?: number
  endpoint_loss_percent?: number
  endpoint_discard_percent?: number
  endpoint_burst_density_percent?: number
  endpoint_burst_duration_ms?: number
  endpoint_gap_density_percent?: number
  endpoint_gap_duration_ms?: number
  endpoint_rtt_ms?: number
  endpoint_system_delay_ms?: number
  endpoint_one_way_delay_ms?: number
  endpoint_jitter_ms?: number
  endpoint_mean_absolute_jitter_ms?: number
  endpoint_buffer_delay_ms?: number
  endpoint_r_lq?: number
  endpoint_r_cq?: number
  endpoint_mos_lq?: number
  endpoint_mos_cq?: number
}

/** A stretch of burst seconds (`burst_second` in the configuration), clock aligned. */
export interface BurstEvent {
  start: string
  end: string
  peak_ms: number
}

/** One direction of a call. */
export interface DirectionRecord extends MediaFields, XrFields {
  /** By RTCP, at its last report: of `lost` what the receiver missed too, and what only the receiver missed. */
  lost_before_tap?: number
  lost_after_tap?: number
  /** Burst jitter: stretches of seconds with several packets of high delay variation, and the highest in each. */
  burst_events?: BurstEvent[]
  /** False when signalling asked for no media this way (hold, recvonly), so that its absence is no fault. */
  expected?: boolean
}

export interface SipRecord {
  transport?: SipTransport
  status?: number
  reason?: string
  pdd_ms?: number
  setup_ms?: number
  ring_ms?: number
  ended_by?: Party
  retransmissions?: number
  user_agents?: { caller?: string; callee?: string }
  session_id?: string
  release_cause?: string
}

export interface CallRecord {
  type: 'call'
  schema: typeof RECORD_SCHEMA
  call_id: string
  probe: string
  /** RFC 3339, UTC. */
  start: string
  end?: string
  duration_s?: number
  state: RecordState
  quality: Quality
  caller?: string
  callee?: string
  caller_address?: string
  callee_address?: string
  caller_site?: string
  callee_site?: string
  trunk?: string
  /** To a configured emergency number. */
  emergency?: boolean
  /** Place among the legs of one call through a B2BUA or SBC; absent when no other leg was seen. */
  leg?: 'first' | 'further'
  leg_of?: string
  leg_confidence?: Confidence
  leg_evidence?: LegEvidence
  sip?: SipRecord
  media: { from_caller?: DirectionRecord; from_callee?: DirectionRecord }
  mos_cq_min?: number
  rtt_p50_ms?: number
  rtt_p95_ms?: number
  rtt_max_ms?: number
  caller_leg_rtt_p50_ms?: number
  callee_leg_rtt_p50_ms?: number
  hold_ms?: number
  /** Who sent a REFER. */
  transferred_by?: Party
  related_calls?: string[]
  findings: Finding[]
  validity: Validity
}

/** One RTP stream: addresses, ports, SSRC. */
export interface StreamRecord extends MediaFields {
  type: 'stream'
  schema: typeof RECORD_SCHEMA
  probe: string
  call_id?: string
  direction?: Direction
  start: string
  end: string
  source_address: string
  source_port: number
  destination_address: string
  destination_port: number
  vlan?: number
  /** Eight hexadecimal digits, lower case: "0x1234abcd". */
  ssrc: string
  /** Packets whose sequence number fits nothing: in no other count. */
  stray?: number
  validity?: Validity
}

/** One direction of a call over one interval. */
export interface IntervalRecord extends MediaFields {
  type: 'interval'
  schema: typeof RECORD_SCHEMA
  probe: string
  call_id: string
  direction: Direction
  start: string
  end: string
  caller_site?: string
  callee_site?: string
  trunk?: string
}

/** Impairment that lowers a MOS the most. */
export type MosDriver = 'loss' | 'late' | 'delay' | 'codec'
export const MOS_DRIVERS: readonly MosDriver[] = ['loss', 'late', 'delay', 'codec']

export interface AlertRecord {
  type: 'alert'
  schema: typeof RECORD_SCHEMA
  probe: string
  /** Stays the same from the first `firing` to the `resolved` of one episode. */
  alert_id: string
  rule: string
  state: 'firing' | 'resolved'
  severity: Severity
  time: string
  start: string
  end?: string
  caller_site?: string
  callee_site?: string
  trunk?: string
  direction?: Direction
  call_id?: string
  metric?: string
  value?: number
  threshold?: number
  baseline?: number
  window_s?: number
  /** Where the media flows, or the group that the rule looks at: "berlin → hamburg via carrier-a". */
  path?: string
  calls_affected?: number
  streams_affected?: number
  /** Streams that were active on the path in the window, affected ones included. */
  streams_active?: number
  /** What the bad calls of the window have in common and other calls mostly have not, the most telling first. */
  shared?: FindingGroup[]
  call_ids?: string[]
  /** Over the bad seconds of the affected streams. */
  jitter_p95_ms?: number
  pdv_p95_ms?: number
  pdv_max_ms?: number
  loss_percent?: number
  late_percent?: number
  /** Mean over the affected streams' last ten seconds. */
  mos_cq?: number
  /** What costs the most of it. */
  mos_driver?: MosDriver
  /** What is most likely behind it. */
  cause?: string
  confidence?: Confidence
  /** A silence covers it: nobody is told. */
  silenced?: boolean
  message: string
}

export interface TruncatedFile {
  file: string
  /** Byte offset in the uncompressed file where the damage was noticed. */
  offset?: number
  message: string
}

/** The last line of a run. Times are of packets; `processing_ms` is measured by the command. */
export interface SummaryRecord {
  type: 'summary'
  schema: typeof RECORD_SCHEMA
  probe: string
  start?: string
  end?: string
  duration_ms?: number
  processing_ms?: number
  packets: number
  bytes: number
  packets_per_s?: number
  files?: number
  calls: number
  calls_by_state: Partial<Record<RecordState, number>>
  calls_by_quality: Partial<Record<Quality, number>>
  streams: number
  rtp_packets?: number
  rtcp_packets?: number
  sip_messages?: number
  sip_requests?: Record<string, number>
  sip_responses?: Record<string, number>
  sip_retransmissions?: number
  sip_malformed?: number
  /** SIP that is there and cannot be read: encrypted, packed or too long, by reason (sip/unreadable.ts). */
  sip_unreadable?: Record<string, number>
  registrations?: { attempts: number; successful: number; failed: number; challenged: number }
  options?: { requests: number; answered: number }
  /** Findings over all calls, and what those calls have in common. */
  findings?: FindingSummary[]
  /** The same of poor and broken calls. */
  bad_calls?: FindingSummary
  tunnels?: Record<string, number>
  /** Packets (or messages) skipped, by reason. */
  skipped: Record<string, number>
  /** RTCP and quality reports from which nothing followed, by reason (calls/rtcp-discards.ts). */
  rtcp_discarded?: Record<string, number>
  /** Every bound that was reached, with how often it cost something. */
  evictions: Record<string, number>
  /** How often packet times went back by more than a second, and by how much at most. */
  time_steps_back?: number
  time_step_back_max_ms?: number
  reported_drops?: number
  capture_drops?: number
  truncated_files: TruncatedFile[]
  warnings?: string[]
  jitter_buffer?: string
}

export type ProbeRecord = CallRecord | StreamRecord | IntervalRecord | AlertRecord | SummaryRecord
export type RecordType = ProbeRecord['type']
