import type { ProbeMetric } from '../config/alert-metrics.js'
import type { AlertRule } from '../config/alerts.js'
import { NOTHING, type Reading, type RuleGroup } from './reading.js'

/** How the probe itself is doing; counters since its start. Live capture tells it once a second. */
export interface ProbeHealth {
  packets: number
  /** Packets that the kernel dropped before we saw them. */
  captureDrops?: number
  /** What waits on disk for the database. */
  spoolBytes?: number
  spoolLimitBytes?: number
  /** How long the oldest of it waits, seconds. */
  spoolAgeS?: number
}

interface Moment extends ProbeHealth {
  timeMs: number
  quietS: number
}

/** Moments kept per window. */
const MOST_MOMENTS = 120

/** A rule about the probe: its own counters and gauges over the window. */
export class ProbeGroup implements RuleGroup {
  private readonly moments: Moment[] = []
  private readonly spacingMs: number
  private latest: Moment | undefined

  constructor(private readonly rule: AlertRule) {
    this.spacingMs = Math.max(1000, (rule.window_s * 1000) / MOST_MOMENTS)
  }

  note(moment: Moment): void {
    this.latest = moment
    const last = this.moments.at(-1)
    if (!last || moment.timeMs - last.timeMs >= this.spacingMs) this.moments.push(moment)
    const oldest = moment.timeMs - this.rule.window_s * 1000
    let gone = 0
    // The last one before the window stays: increases are counted from it.
    while (gone + 1 < this.moments.length && this.moments[gone + 1].timeMs <= oldest) gone++
    if (gone > 0) this.moments.splice(0, gone)
  }

  isEmpty(): boolean {
    return false
  }

  read(): Reading {
    const value = this.value()
    return { ...NOTHING, value, isEnough: value !== undefined }
  }

  private value(): number | undefined {
    const { latest, moments, rule } = this
    const first = moments[0]
    if (!latest || !first || rule.metric === undefined) return undefined
    if (rule.metric === 'drop_percent') return dropPercent(first, latest)
    if (rule.metric === 'packets_per_s' && rule.measure !== 'last')
      return perSecond(latest.packets - first.packets, first, latest)
    const values = [...moments, latest]
      .map((moment, i, all) => gauge(rule.metric, moment, all[i - 1]))
      .filter((gauged): gauged is number => gauged !== undefined)
    if (values.length === 0) return undefined
    switch (rule.measure) {
      case 'last':
        return values.at(-1)
      case 'increase':
        return values[values.length - 1] - values[0]
      case 'min':
        return Math.min(...values)
      case 'max':
        return Math.max(...values)
      case 'sum':
        return values.reduce((sum, one) => sum + one, 0)
      case 'mean':
        return values.reduce((sum, one) => sum + one, 0) / values.length
      default: {
        const sorted = values.sort((a, b) => a - b)
        const percent = Number(rule.measure.slice(1))
        return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
      }
    }
  }
}

function dropPercent(first: Moment, last: Moment): number | undefined {
  if (first.captureDrops === undefined || last.captureDrops === undefined) return undefined
  const drops = last.captureDrops - first.captureDrops
  const all = last.packets - first.packets + drops
  return all > 0 ? (100 * drops) / all : 0
}

function perSecond(count: number, first: Moment, last: Moment): number | undefined {
  const seconds = (last.timeMs - first.timeMs) / 1000
  return seconds > 0 ? count / seconds : undefined
}

function gauge(metric: string | undefined, moment: Moment, before: Moment | undefined): number | undefined {
  switch (metric as ProbeMetric) {
    case 'packets_per_s':
      return before && perSecond(moment.packets - before.packets, before, moment)
    case 'capture_drops':
      return moment.captureDrops
    case 'spool_bytes':
      return moment.spoolBytes
    case 'spool_percent':
      return moment.spoolBytes !== undefined && moment.spoolLimitBytes
        ? (100 * moment.spoolBytes) / moment.spoolLimitBytes
        : undefined
    case 'spool_age_s':
      return moment.spoolAgeS
    case 'quiet_s':
      return moment.quietS
    default:
      return undefined
  }
}
