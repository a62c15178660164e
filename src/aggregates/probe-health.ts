import type { Config } from '../config/config.js'
import { PROBE } from './fields.js'
import type { MetricPoint } from './point.js'

/** What the probe counts of itself. Totals since the start of the run, and values of now; absent when not known. */
export interface ProbeCounters {
  packets: number
  bytes: number
  rtpPackets?: number
  rtcpPackets?: number
  sipMessages?: number
  skipped?: number
  evictions?: number
  captureDrops?: number
  interfaceDrops?: number
  spoolLost?: number
  pointsSent?: number
  pointsRejected?: number
  seriesOther?: number
  /** Now. */
  streams?: number
  calls?: number
  spoolBytes?: number
  memoryBytes?: number
  /** CPU time spent, ms; with `clockMs` it gives the load. */
  cpuMs?: number
  /** The clock, ms since the epoch; only live. */
  clockMs?: number
}

const TOTALS = {
  packets: 'packets',
  bytes: 'bytes',
  rtp_packets: 'rtpPackets',
  rtcp_packets: 'rtcpPackets',
  sip_messages: 'sipMessages',
  skipped: 'skipped',
  evictions: 'evictions',
  capture_drops: 'captureDrops',
  interface_drops: 'interfaceDrops',
  spool_lost: 'spoolLost',
  points_sent: 'pointsSent',
  points_rejected: 'pointsRejected',
  series_other: 'seriesOther',
} as const satisfies Record<string, keyof ProbeCounters>

/** The probe's own health, one point per interval: `voip_probe`. */
export class ProbeHealth {
  private before: ProbeCounters | undefined
  private beforeMs = NaN
  private runKey = ''

  constructor(private readonly config: Config) {}

  /**
   * What happened since the call before. The first call only remembers.
   * @param timeMs packet time
   */
  sample(timeMs: number, now: ProbeCounters): MetricPoint | undefined {
    const { before, beforeMs } = this
    this.beforeMs = timeMs
    if (!before) {
      this.runKey = String(timeMs)
      this.before = { ...now }
      return undefined
    }
    const passedMs = timeMs - beforeMs
    // A clock that was set back: what came since is in the next point.
    if (!(passedMs > 0)) return undefined
    this.before = { ...now }
    const fields: Record<string, number | undefined> = {}
    for (const [name, counter] of Object.entries(TOTALS))
      fields[name] = increase(before[counter], now[counter])
    fields.packets_per_s = (1000 * (now.packets - before.packets)) / passedMs
    fields.streams = now.streams
    fields.calls = now.calls
    fields.spool_bytes = now.spoolBytes
    fields.memory_bytes = now.memoryBytes
    fields.load_percent = loadPercent(before, now)
    fields.lag_ms = now.clockMs === undefined ? undefined : now.clockMs - timeMs
    const { probe } = this.config
    return { measurement: PROBE, tags: { probe }, fields, timeMs, key: `${PROBE} ${timeMs} ${this.runKey}` }
  }
}

function increase(before: number | undefined, now: number | undefined): number | undefined {
  if (now === undefined) return undefined
  return now - (before ?? 0)
}

function loadPercent(before: ProbeCounters, now: ProbeCounters): number | undefined {
  if (now.cpuMs === undefined || before.cpuMs === undefined) return undefined
  if (now.clockMs === undefined || before.clockMs === undefined) return undefined
  const passedMs = now.clockMs - before.clockMs
  return passedMs > 0 ? (100 * (now.cpuMs - before.cpuMs)) / passedMs : undefined
}
