import type { Confidence, Finding, FindingCode, Severity } from '../records.js'

/** What makes the rest doubtful, then what broke the call, then causes, then degradations, then remarks. */
const CODES_IN_ORDER: readonly FindingCode[] = [
  'mirror_one_direction',
  'capture_unreliable',
  'setup_failed',
  'no_media',
  'one_way_audio',
  'media_stopped',
  'port_unreachable',
  'sip_alg_suspected',
  'private_address_in_sdp',
  'payload_type_mismatch',
  'media_not_at_sdp_address',
  'queueing',
  'burst_loss',
  'random_loss',
  'loss_before_tap',
  'loss_after_tap',
  'burst_jitter',
  'high_delay',
  'retransmissions',
  'slow_setup',
  'registration_failed',
  'timestamp_jump',
  'clock_skew',
  'transcoding_suspected',
  'dscp_rewritten',
  'codec_changed',
  'ptime_changed',
  'short_call',
  'dscp_unmarked',
]

const CODE_RANK = new Map(CODES_IN_ORDER.map((code, place) => [code, place]))
const SEVERITY_RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 }
const CONFIDENCE_RANK: Record<Confidence, number> = { high: 0, medium: 1, low: 2 }

/**
 * What to look at first: faults of the capture (they make the others doubtful), then by severity. Of equals, the surer one
 * unless it is only low against the other; then by code.
 */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      captureRank(a) - captureRank(b) ||
      SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity] ||
      Number(a.confidence === 'low') - Number(b.confidence === 'low') ||
      codeRank(a) - codeRank(b) ||
      CONFIDENCE_RANK[a.confidence] - CONFIDENCE_RANK[b.confidence] ||
      (a.direction ?? '').localeCompare(b.direction ?? ''),
  )
}

function captureRank({ code }: Finding): number {
  return code === 'mirror_one_direction' || code === 'capture_unreliable' ? 0 : 1
}

function codeRank({ code }: Finding): number {
  return CODE_RANK.get(code) ?? CODES_IN_ORDER.length
}
