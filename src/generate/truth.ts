import type { Side } from './scenario.js'

/** Names, units and meanings are those of the probe's records where both have a field. Absent = does not apply. */
export interface SegmentTruth {
  /** "0x1234abcd" */
  ssrc: string
  sent: number
  packets: number
  lost: number
}

/** One direction of a call, or one stream: what was sent, what was done to it, and what a tap must find. */
export interface DirectionTruth {
  /** In capitals, as in the probe's records. */
  codec: string
  payload_type: number
  ptime_ms: number
  /** Every codec used, in order. */
  codecs: string[]
  payload_types: number[]
  dscp: number
  ssrcs: string[]
  source_address: string
  source_port: number
  destination_address: string
  destination_port: number
  /** sent = packets + lost_before_tap + mirror_dropped + after_call */
  sent: number
  /** Distinct packets in the capture, those after_call not counted. */
  packets: number
  /** Over segments: highest - lowest + 1 - distinct. A missing head or tail is not loss. */
  lost: number
  loss_percent: number
  lost_before_tap: number
  lost_after_tap: number
  mirror_dropped: number
  /** Seen more than 2 s after BYE. */
  after_call: number
  duplicates: number
  /** Duplicates that followed within 50 ms. */
  span_duplicates: number
  reordered: number
  /** Captured packets that `jitter.late` delayed. */
  made_late: number
  timestamp_jumps: number
  dtmf_events: number
  skew_ppm: number
  /** Run lengths of loss within segments: 1..9, 10 and more. */
  loss_runs: number[]
  /** RFC 3550 A.8 over distinct in-order audio packets. */
  jitter_mean_ms?: number
  jitter_max_ms?: number
  jitter_p95_ms?: number
  jitter_p99_ms?: number
  /** Delay above the segment's lowest so far, sender's skew removed; nearest rank over distinct audio packets. */
  pdv_p50_ms?: number
  pdv_p95_ms?: number
  pdv_p99_ms?: number
  pdv_max_ms?: number
  /** Packets whose delay variation exceeds so many ms. */
  pdv_over: Record<string, number>
  /** Clock seconds with 3 or more packets over 60 ms. */
  burst_seconds: number
  /** RFC 3339 with microseconds. */
  first_packet?: string
  last_packet?: string
  longest_gap_ms?: number
  /** What the receiver's VoIP metrics say (RFC 3611 4.7), where the capture shows them. */
  rtcp_xr_r_factor?: number
  rtcp_mos_lq?: number
  rtcp_mos_cq?: number
  segments: SegmentTruth[]
}

export interface RttTruth {
  samples: number
  rtt_p50_ms: number
  rtt_p95_ms: number
  rtt_max_ms: number
}

export interface CallTruth {
  call_id: string
  state: string
  start: string
  end: string
  answer?: string
  duration_s?: number
  status?: number
  reason?: string
  caller: string
  callee: string
  caller_address: string
  /** Where the caller's INVITE goes: the callee, or the proxy. */
  callee_address: string
  transport: string
  /** INVITE to the first response that is neither 100 nor a challenge (RFC 6076 4.3). */
  pdd_ms?: number
  /** INVITE to 2xx. */
  setup_ms?: number
  /** 180 to 2xx. */
  ring_ms?: number
  ended_by?: Side
  auth_challenges: number
  retransmissions: number
  hold_ms: number
  encrypted: boolean
  caller_leg?: RttTruth
  callee_leg?: RttTruth
  /** Sums of a sample and the other leg's latest, at most 15 s old. */
  end_to_end?: RttTruth
  media: { from_caller?: DirectionTruth; from_callee?: DirectionTruth }
  /** Early media of losing branches. */
  branches: DirectionTruth[]
}

export interface RequestTruth {
  method: 'REGISTER' | 'OPTIONS'
  call_id: string
  time: string
  status?: number
  auth_challenges: number
}

export interface ScenarioTruth {
  type: 'callprobe-truth'
  schema: 1
  seed: number
  start: string
  frames: number
  first_frame?: string
  last_frame?: string
  calls: CallTruth[]
  streams: DirectionTruth[]
  requests: RequestTruth[]
  /** Frames of background traffic by kind. */
  noise: Record<string, number>
}

/** RFC 3339 in UTC with microseconds. */
export function timeText(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000)
  const micros = Math.round((timeMs - seconds * 1000) * 1000)
  const whole = new Date((seconds + (micros === 1e6 ? 1 : 0)) * 1000).toISOString().slice(0, 19)
  return `${whole}.${String(micros % 1e6).padStart(6, '0')}Z`
}

/** Nearest rank: the value at position ceil(p/100 x n), counted from 1, of the sorted values. */
export function nearestRank(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1]
}
