import type { Direction, IntervalRecord } from '../calls/records.js'
import type { Config } from '../config/config.js'
import type { MediaCounts } from '../rtp/row.js'
import { TRAFFIC } from './fields.js'
import { Levels } from './levels.js'
import type { MetricPoint } from './point.js'
import { SeriesTable } from './series.js'
import { codecTag, UNKNOWN } from './tags.js'
import { TrafficSums } from './traffic-sums.js'

/** Media of all calls, merged by site pair, trunk, codec and direction: `voip_traffic` and its roll-ups. */
export class TrafficAggregator {
  readonly levels: Levels<TrafficSums>
  readonly series: SeriesTable
  /** Intervals that begin together come together. */
  private lastStart = ''
  private lastStartMs = NaN

  constructor(config: Config, emit: (points: MetricPoint[]) => void, onOverflow?: () => void) {
    this.levels = new Levels(TRAFFIC, config.interval_s * 1000, () => new TrafficSums(), emit)
    const names = ['direction', 'caller_site', 'callee_site', 'trunk', 'codec']
    const budget = config.aggregates.series_budget
    this.series = new SeriesTable(config.probe, names, 1, 2, budget, onOverflow)
  }

  onInterval(direction: Direction, record: IntervalRecord, counts: MediaCounts): void {
    const { caller_site: caller = UNKNOWN, callee_site: callee = UNKNOWN, trunk = UNKNOWN } = record
    const series = this.series.get(direction, caller, callee, trunk, codecTag(record.codec))
    if (record.start !== this.lastStart) {
      this.lastStart = record.start
      this.lastStartMs = Date.parse(record.start)
    }
    this.levels.at(this.lastStartMs, series).addInterval(record, counts)
  }
}
