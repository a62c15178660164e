/** Why nothing followed from RTCP, or from a quality report (RFC 6035). Names are public: add, do not rename. */
export type RtcpDiscard =
  | 'packets_of_no_call'
  | 'reports_about_others'
  | 'round_trips_negative'
  | 'round_trips_implausible'
  | 'round_trips_without_reference'
  | 'round_trips_of_unknown_reference'
  | 'round_trips_too_old'
  | 'round_trips_repeated'
  | 'quality_reports_of_no_call'

/** Counts of a run by reason; only those that occurred. */
export class RtcpDiscards {
  private readonly counts = new Map<RtcpDiscard, number>()

  note(reason: RtcpDiscard, times = 1): void {
    if (times > 0) this.counts.set(reason, (this.counts.get(reason) ?? 0) + times)
  }

  /** What a call's own counts were. */
  add(discards: Partial<Record<RtcpDiscard, number>>): void {
    for (const [reason, times] of Object.entries(discards) as [RtcpDiscard, number][])
      this.note(reason, times)
  }

  /** undefined when there were none. */
  get byReason(): Partial<Record<RtcpDiscard, number>> | undefined {
    return this.counts.size > 0 ? Object.fromEntries(this.counts) : undefined
  }
}
