/** A time-series point before it has a line: what records and aggregates become on their way to a database. */
export interface MetricPoint {
  /** `voip_call`, `voip_media`, `voip_interval`, `voip_traffic`, `voip_signalling`, `voip_alert`, `voip_probe`, and roll-ups. */
  measurement: string
  /** Values that are few and known beforehand; never a number, address, Call-ID or SSRC. */
  tags: Readonly<Record<string, string>>
  /** Absent when unknown: undefined and NaN are left out. */
  fields: Readonly<Record<string, number | string | boolean | undefined>>
  /** Packet time of the record, ms since the epoch; the database's time adds a hash of `key` within the second. */
  timeMs: number
  /** What makes the record itself, stable over replays: for a call its Call-ID and start, for an interval also the direction. */
  key: string
}
