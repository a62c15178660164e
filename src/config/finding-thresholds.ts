/** Where a number becomes a finding; `findings` in the configuration. */
export interface FindingThresholds {
  /** Loss in percent from which it is named. */
  loss_percent: number
  /** Post-dial delay, ms. */
  slow_setup_ms: number
  /** Answered calls shorter than this, s. */
  short_call_s: number
  /** Mouth to ear, one way, ms. */
  one_way_delay_ms: number
  /** End to end and back, ms. */
  rtt_ms: number
  clock_skew_ppm: number
  /** Repeated SIP messages in one call. */
  retransmissions: number
}

/**
 * 1 %: G.711 with concealment loses about a tenth of a MOS point there (G.107). 8 s: ITU-T E.721, 95 % of long-distance
 * set-ups. 400 ms: G.114, the most that planning should allow.
 */
export const DEFAULT_THRESHOLDS: Readonly<FindingThresholds> = {
  loss_percent: 1,
  slow_setup_ms: 8000,
  short_call_s: 5,
  one_way_delay_ms: 250,
  rtt_ms: 400,
  clock_skew_ppm: 100,
  retransmissions: 3,
}
