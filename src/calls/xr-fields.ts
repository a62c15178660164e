import type {
  BurstGapLossBlock,
  RleBlock,
  StatisticsSummaryBlock,
  VoipMetricsBlock,
  XrBlock,
  XrInterval,
} from '../rtcp/xr-blocks.js'

/** Fields of a direction from the XR blocks of its receiver, and what each holds. */
export const XR_FIELDS = {
  rtcp_xr_loss_percent: 'float',
  rtcp_xr_discard_percent: 'float',
  rtcp_xr_burst_density_percent: 'float',
  rtcp_xr_gap_density_percent: 'float',
  rtcp_xr_burst_duration_ms: 'float',
  rtcp_xr_gap_duration_ms: 'float',
  rtcp_xr_gmin: 'integer',
  rtcp_xr_rtt_ms: 'float',
  rtcp_xr_rtt_min_ms: 'float',
  rtcp_xr_rtt_max_ms: 'float',
  rtcp_xr_system_delay_ms: 'float',
  rtcp_xr_signal_level_dbm: 'float',
  rtcp_xr_noise_level_dbm: 'float',
  rtcp_xr_echo_return_loss_db: 'float',
  rtcp_xr_r_factor: 'float',
  rtcp_xr_external_r_factor: 'float',
  rtcp_xr_concealment: 'string',
  rtcp_xr_buffer: 'string',
  rtcp_xr_buffer_nominal_ms: 'float',
  rtcp_xr_buffer_max_ms: 'float',
  rtcp_xr_buffer_absolute_max_ms: 'float',
  rtcp_xr_buffer_high_water_ms: 'float',
  rtcp_xr_buffer_low_water_ms: 'float',
  rtcp_xr_lost: 'integer',
  rtcp_xr_duplicates: 'integer',
  rtcp_xr_jitter_min_ms: 'float',
  rtcp_xr_jitter_max_ms: 'float',
  rtcp_xr_jitter_mean_ms: 'float',
  rtcp_xr_jitter_deviation_ms: 'float',
  rtcp_xr_ttl_min: 'integer',
  rtcp_xr_ttl_max: 'integer',
  rtcp_xr_ttl_mean: 'integer',
  rtcp_xr_ttl_deviation: 'integer',
  rtcp_xr_rle_reported: 'integer',
  rtcp_xr_rle_lost: 'integer',
  rtcp_xr_rle_longest_loss: 'integer',
  rtcp_xr_rle_duplicates: 'integer',
  rtcp_xr_receipt_times: 'integer',
  rtcp_xr_pdv_metric: 'string',
  rtcp_xr_pdv_mean_ms: 'float',
  rtcp_xr_pdv_positive_ms: 'float',
  rtcp_xr_pdv_positive_percent: 'float',
  rtcp_xr_pdv_negative_ms: 'float',
  rtcp_xr_pdv_negative_percent: 'float',
  rtcp_xr_burst_count: 'integer',
  rtcp_xr_burst_lost: 'integer',
  rtcp_xr_burst_expected: 'integer',
  rtcp_xr_burst_discarded: 'integer',
  rtcp_xr_burst_discard_expected: 'integer',
  rtcp_xr_discarded_early: 'integer',
  rtcp_xr_discarded_late: 'integer',
  rtcp_xr_discarded_duplicates: 'integer',
  rtcp_xr_discarded_early_bytes: 'integer',
  rtcp_xr_discarded_late_bytes: 'integer',
  rtcp_xr_mos: 'float',
  rtcp_xr_mos_algorithm: 'integer',
  rtcp_xr_playout_ms: 'float',
  rtcp_xr_concealed_ms: 'float',
  rtcp_xr_buffer_concealed_ms: 'float',
  rtcp_xr_interruptions: 'integer',
  rtcp_xr_interruption_mean_ms: 'float',
  rtcp_xr_unimpaired_s: 'integer',
  rtcp_xr_concealed_s: 'integer',
  rtcp_xr_severely_concealed_s: 'integer',
  rtcp_xr_severe_threshold_ms: 'float',
  rtcp_xr_measured_ms: 'float',
} as const

type XrKinds = typeof XR_FIELDS
export type XrField = keyof XrKinds
export type XrFields = {
  -readonly [F in XrField]?: XrKinds[F] extends 'string' ? string : number
}
type Numeric = { [F in XrField]: XrKinds[F] extends 'string' ? never : F }[XrField]

/** How reports of one field are put together: the latest, the extreme, or the sum over spans, intervals and SSRCs. */
type Rule = 'latest' | 'min' | 'max' | 'sum'
type Said = [field: XrField, value: number | string | undefined, rule?: Rule][]

/** Copies of a report that a mirror makes come within this time. */
const COPY_MS = 50
const MOST_RECENT = 64
/** Sums of one field and SSRC. */
const MOST_TALLIES = 512

interface Kept {
  value: number | string
  cumulative: boolean
}

/** What a receiver counted in one SSRC: over its whole session when it says so, else interval by interval. */
interface Tally {
  cumulative?: number
  intervals: number
}

/** The last span of sequence numbers told of. */
interface Span {
  begin: number
  end: number
  said: readonly [Numeric, number][]
}

/**
 * Gathers the XR blocks about one direction. Cumulative values (RFC 6776 4) replace each other and outweigh those of
 * intervals; spans of sequence numbers (RFC 3611 4.1 to 4.6) add up, and one that grew replaces its former self.
 */
export class XrReports {
  private readonly kept = new Map<XrField, Kept>()
  private readonly tallies = new Map<string, Tally>()
  private readonly spans = new Map<string, Span>()
  private readonly recent = new Map<string, number>()

  /** @param clockRateHz of the stream; 0 when unknown, then there is no jitter in ms */
  onBlock(block: XrBlock, timeMs: number, clockRateHz: number): void {
    if (!('ssrc' in block) || this.isCopy(block, timeMs)) return
    if (block.type === 'statistics_summary') this.onStatistics(block, clockRateHz)
    else if (block.type === 'loss_rle' || block.type === 'duplicate_rle') this.onRle(block)
    else if (block.type === 'receipt_times') {
      this.onSpan(`3 ${block.ssrc}`, block.beginSequence, block.endSequence, [
        ['rtcp_xr_receipt_times', block.count],
      ])
    } else {
      const interval = 'interval' in block ? block.interval : 'cumulative'
      for (const [field, value, rule] of saidBy(block)) this.note(field, value, rule, interval, block.ssrc)
    }
  }

  fields(): XrFields {
    const fields: Record<string, number | string> = {}
    for (const [key, { cumulative, intervals }] of this.tallies) {
      const field = key.slice(0, key.indexOf(' '))
      fields[field] = ((fields[field] as number | undefined) ?? 0) + (cumulative ?? intervals)
    }
    for (const [field, { value }] of this.kept) fields[field] = value
    return fields as XrFields
  }

  private isCopy(block: XrBlock, timeMs: number): boolean {
    const key = JSON.stringify(block)
    const before = this.recent.get(key)
    if (before !== undefined && Math.abs(timeMs - before) <= COPY_MS) return true
    if (this.recent.size >= MOST_RECENT) this.recent.clear()
    this.recent.set(key, timeMs)
    return false
  }

  private note(
    field: XrField,
    value: number | string | undefined,
    rule: Rule | undefined,
    interval: XrInterval,
    ssrc: number,
  ): void {
    if (value === undefined) return
    const cumulative = interval === 'cumulative'
    if (rule === 'sum' && typeof value === 'number') {
      const tally = this.tally(field, ssrc)
      if (tally === undefined) return
      if (cumulative) tally.cumulative = value
      else if (interval === 'interval') tally.intervals += value
      return
    }
    const known = this.kept.get(field)
    if (known?.cumulative && !cumulative) return
    let kept = value
    if (known && known.cumulative === cumulative && !cumulative && typeof value === 'number') {
      if (rule === 'min') kept = Math.min(value, known.value as number)
      if (rule === 'max') kept = Math.max(value, known.value as number)
    }
    this.kept.set(field, { value: kept, cumulative })
  }

  private tally(field: XrField, ssrc: number): Tally | undefined {
    const key = `${field} ${ssrc}`
    const known = this.tallies.get(key)
    if (known || this.tallies.size >= MOST_TALLIES) return known
    const tally: Tally = { intervals: 0 }
    this.tallies.set(key, tally)
    return tally
  }

  private onStatistics(block: StatisticsSummaryBlock, clockRateHz: number): void {
    const counts: [Numeric, number][] = []
    if (block.lost !== undefined) counts.push(['rtcp_xr_lost', block.lost])
    if (block.duplicates !== undefined) counts.push(['rtcp_xr_duplicates', block.duplicates])
    if (!this.onSpan(`6 ${block.ssrc}`, block.beginSequence, block.endSequence, counts)) return
    const note = (field: XrField, value: number, rule?: Rule): void =>
      this.note(field, value, rule, 'interval', block.ssrc)
    if (block.jitter && clockRateHz > 0) {
      const perTick = 1000 / clockRateHz
      note('rtcp_xr_jitter_min_ms', block.jitter.min * perTick, 'min')
      note('rtcp_xr_jitter_max_ms', block.jitter.max * perTick, 'max')
      note('rtcp_xr_jitter_mean_ms', block.jitter.mean * perTick)
      note('rtcp_xr_jitter_deviation_ms', block.jitter.deviation * perTick)
    }
    if (block.ttl) {
      note('rtcp_xr_ttl_min', block.ttl.min, 'min')
      note('rtcp_xr_ttl_max', block.ttl.max, 'max')
      note('rtcp_xr_ttl_mean', block.ttl.mean)
      note('rtcp_xr_ttl_deviation', block.ttl.deviation)
    }
  }

  private onRle(block: RleBlock): void {
    const { ssrc, beginSequence, endSequence } = block
    if (block.type === 'duplicate_rle') {
      this.onSpan(`2 ${ssrc}`, beginSequence, endSequence, [['rtcp_xr_rle_duplicates', block.marked]])
      return
    }
    const told = this.onSpan(`1 ${ssrc}`, beginSequence, endSequence, [
      ['rtcp_xr_rle_reported', block.reported],
      ['rtcp_xr_rle_lost', block.marked],
    ])
    if (!told) return
    const longest = block.ranges.reduce((most, { count }) => Math.max(most, count), 0)
    this.note('rtcp_xr_rle_longest_loss', longest, 'max', 'interval', ssrc)
  }

  /** @returns false for a span that was told of before, in whole or in part: it cannot be added */
  private onSpan(key: string, begin: number, end: number, said: readonly [Numeric, number][]): boolean {
    const ssrc = Number(key.slice(2))
    const before = this.spans.get(key)
    let known: readonly [Numeric, number][] = []
    if (before) {
      const grown = begin === before.begin && ((end - begin) & 0xffff) >= ((before.end - begin) & 0xffff)
      const further = ((begin - before.end) & 0xffff) < 0x8000
      if (grown) known = before.said
      else if (!further) return false
    } else if (this.spans.size >= MOST_TALLIES) return false
    this.spans.set(key, { begin, end, said })
    for (const [field, value] of said) {
      const counted = known.find(([name]) => name === field)?.[1] ?? 0
      const tally = this.tally(field, ssrc)
      if (tally) tally.intervals += value - counted
    }
    return true
  }
}

function saidBy(block: XrBlock): Said {
  switch (block.type) {
    case 'voip_metrics':
      return voipMetrics(block)
    case 'measurement_information':
      return [['rtcp_xr_measured_ms', block.cumulativeMs]]
    case 'pdv':
      return [
        ['rtcp_xr_pdv_metric', PDV_METRICS[block.metric]],
        ['rtcp_xr_pdv_mean_ms', block.meanMs],
        ['rtcp_xr_pdv_positive_ms', block.positiveThresholdMs],
        ['rtcp_xr_pdv_positive_percent', percentile(block.positivePercentile)],
        ['rtcp_xr_pdv_negative_ms', block.negativeThresholdMs],
        ['rtcp_xr_pdv_negative_percent', percentile(block.negativePercentile)],
      ]
    case 'delay':
      return [
        ['rtcp_xr_rtt_ms', block.meanRoundTripMs],
        ['rtcp_xr_rtt_min_ms', block.minRoundTripMs, 'min'],
        ['rtcp_xr_rtt_max_ms', block.maxRoundTripMs, 'max'],
        ['rtcp_xr_system_delay_ms', block.endSystemDelayMs],
      ]
    case 'burst_gap_loss':
      return burstGapLoss(block)
    case 'burst_gap_discard':
      return [
        ['rtcp_xr_gmin', block.threshold],
        ['rtcp_xr_burst_discarded', block.packetsDiscardedInBursts, 'sum'],
        ['rtcp_xr_burst_discard_expected', block.packetsExpectedInBursts, 'sum'],
      ]
    case 'jitter_buffer':
      return [
        ['rtcp_xr_buffer', block.adaptive ? 'adaptive' : 'fixed'],
        ['rtcp_xr_buffer_nominal_ms', block.nominalMs],
        ['rtcp_xr_buffer_max_ms', block.maximumMs],
        ['rtcp_xr_buffer_high_water_ms', block.highWaterMs],
        ['rtcp_xr_buffer_low_water_ms', block.lowWaterMs],
      ]
    case 'discard_count': {
      if (block.reason === 'reserved') return []
      const fields = {
        duplicate: 'rtcp_xr_discarded_duplicates',
        early: 'rtcp_xr_discarded_early',
        late: 'rtcp_xr_discarded_late',
      } as const
      return [[fields[block.reason], block.packets, 'sum']]
    }
    case 'bytes_discarded':
      return [
        [block.early ? 'rtcp_xr_discarded_early_bytes' : 'rtcp_xr_discarded_late_bytes', block.bytes, 'sum'],
      ]
    case 'mos': {
      const scored = block.segments.filter(({ mos }) => mos !== undefined)
      if (scored.length === 0) return []
      // Several algorithms cannot be averaged: the first, over its channels.
      const [{ algorithm }] = scored
      const scores = scored.filter((segment) => segment.algorithm === algorithm).map(({ mos }) => mos ?? 0)
      return [
        ['rtcp_xr_mos', scores.reduce((sum, mos) => sum + mos, 0) / scores.length],
        ['rtcp_xr_mos_algorithm', algorithm],
      ]
    }
    case 'loss_concealment':
      return [
        ['rtcp_xr_playout_ms', block.onTimeMs, 'sum'],
        ['rtcp_xr_concealed_ms', block.lossConcealedMs, 'sum'],
        ['rtcp_xr_buffer_concealed_ms', block.bufferConcealedMs, 'sum'],
        ['rtcp_xr_interruptions', block.interruptions, 'sum'],
        ['rtcp_xr_interruption_mean_ms', block.meanInterruptionMs],
      ]
    case 'concealed_seconds':
      return [
        ['rtcp_xr_unimpaired_s', block.unimpairedSeconds, 'sum'],
        ['rtcp_xr_concealed_s', block.concealedSeconds, 'sum'],
        ['rtcp_xr_severely_concealed_s', block.severelyConcealedSeconds, 'sum'],
        ['rtcp_xr_severe_threshold_ms', block.severeThresholdMs],
      ]
    default:
      return []
  }
}

/** RFC 6798 3.1, pdvtyp. */
const PDV_METRICS: readonly (string | undefined)[] = ['mapdv2', '2-point']

function percentile(value: number | undefined): number | undefined {
  return value !== undefined && value <= 100 ? value : undefined
}

function burstGapLoss(block: BurstGapLossBlock): Said {
  const { bursts, burstDurationSumMs } = block
  return [
    ['rtcp_xr_gmin', block.threshold],
    ['rtcp_xr_burst_count', bursts, 'sum'],
    ['rtcp_xr_burst_lost', block.packetsLostInBursts, 'sum'],
    ['rtcp_xr_burst_expected', block.packetsExpectedInBursts, 'sum'],
    [
      'rtcp_xr_burst_duration_ms',
      bursts && burstDurationSumMs !== undefined ? burstDurationSumMs / bursts : undefined,
    ],
  ]
}

function voipMetrics(block: VoipMetricsBlock): Said {
  return [
    ['rtcp_xr_loss_percent', block.lossPercent],
    ['rtcp_xr_discard_percent', block.discardPercent],
    ['rtcp_xr_burst_density_percent', block.burstDensityPercent],
    ['rtcp_xr_gap_density_percent', block.gapDensityPercent],
    ['rtcp_xr_burst_duration_ms', block.burstDurationMs],
    ['rtcp_xr_gap_duration_ms', block.gapDurationMs],
    ['rtcp_xr_gmin', block.gmin || undefined],
    // Both are 0 where they were not measured: no way back takes no time, no phone plays out without delay.
    ['rtcp_xr_rtt_ms', block.roundTripMs || undefined],
    ['rtcp_xr_system_delay_ms', block.endSystemDelayMs || undefined],
    ['rtcp_xr_signal_level_dbm', block.signalLevelDbm],
    ['rtcp_xr_noise_level_dbm', block.noiseLevelDbm],
    ['rtcp_xr_echo_return_loss_db', block.echoReturnLossDb],
    ['rtcp_xr_r_factor', block.rFactor],
    ['rtcp_xr_external_r_factor', block.externalRFactor],
    ['rtcp_xr_concealment', block.concealment === 'unspecified' ? undefined : block.concealment],
    ['rtcp_xr_buffer', block.buffer === 'fixed' || block.buffer === 'adaptive' ? block.buffer : undefined],
    // All 0 of a receiver that does not fill them.
    ['rtcp_xr_buffer_nominal_ms', block.bufferNominalMs || undefined],
    ['rtcp_xr_buffer_max_ms', block.bufferMaxMs || undefined],
    ['rtcp_xr_buffer_absolute_max_ms', block.bufferAbsoluteMaxMs || undefined],
  ]
}
