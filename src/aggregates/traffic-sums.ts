import type { IntervalRecord } from '../calls/records.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import { percentiles, upperEdgeOf } from '../rtp/histogram.js'
import type { MediaCounts } from '../rtp/row.js'
import { bucketName, DELAY_GT_MS, JITTER_LE_MS, LOSS_GT_PERCENT, MOS_LT, PDV_LE_MS } from './fields.js'
import type { MetricPoint } from './point.js'

/** MOS 1..5 in steps of 0.01. */
const MOS_STEPS = 401
const MOS_PER_UNIT = 100
const P50_P95_P99 = [50, 95, 99]
/** Packet time where the stream does not tell. */
const DEFAULT_PTIME_MS = 20

interface LeEdge {
  name: string
  /** Buckets from 0 to this one count. */
  last: number
}

/** The histogram's edge next to each named one. */
function leEdges(prefix: string, edges: readonly number[], buckets: number): LeEdge[] {
  return edges.map((edge) => {
    let last = 0
    for (let k = 1; k < buckets - 1; k++)
      if (Math.abs(upperEdgeOf(k) - edge) < Math.abs(upperEdgeOf(last) - edge)) last = k
    return { name: bucketName(prefix, edge, '_ms'), last }
  })
}

const JITTER_EDGES = leEdges('jitter_le_', JITTER_LE_MS, JITTER_BUCKETS)
const PDV_EDGES = leEdges('pdv_le_', PDV_LE_MS, PDV_BUCKETS)
const MOS_NAMES = MOS_LT.map((edge) => bucketName('mos_lt_', edge))
const LOSS_NAMES = LOSS_GT_PERCENT.map((edge) => bucketName('loss_gt_', edge, '_percent'))
const DELAY_NAMES = DELAY_GT_MS.map((edge) => bucketName('delay_gt_', edge, '_ms'))

/** What the intervals of many directions add up to. Sums and histograms only, so that merging is exact. */
export class TrafficSums {
  private intervals = 0
  private streamsPeak = 0
  private mediaMs = 0
  private packets = 0
  private bytes = 0
  private lost = 0
  private duplicates = 0
  private reordered = 0
  private late = 0
  private lateFixed50 = 0
  private lateFixed200 = 0
  private lateAdaptive = 0
  private timestampJumps = 0
  private burstSeconds = 0
  private lossBursts = 0
  private jitterCount = 0
  private jitterSum = 0
  private jitterMax = 0
  private measured = 0
  private pdvMax = 0
  private mosCount = 0
  private mosSum = 0
  private mosMin = Infinity
  private mosMax = -Infinity
  private mosLqSum = 0
  private delayCount = 0
  private delaySum = 0
  private delayMax = 0
  private readonly jitter = new Uint32Array(JITTER_BUCKETS)
  private readonly pdv = new Uint32Array(PDV_BUCKETS)
  private readonly mos = new Uint32Array(MOS_STEPS)
  private readonly mosLt = new Uint32Array(MOS_LT.length)
  private readonly lossGt = new Uint32Array(LOSS_GT_PERCENT.length)
  private readonly delayGt = new Uint32Array(DELAY_GT_MS.length)

  addInterval(record: IntervalRecord, counts: MediaCounts): void {
    this.intervals++
    this.streamsPeak++
    const media = counts.packets - counts.eventPackets - counts.noisePackets + counts.lost
    this.mediaMs += media * (counts.ptimeMs > 0 ? counts.ptimeMs : DEFAULT_PTIME_MS)
    this.packets += counts.packets
    this.bytes += counts.bytes
    this.lost += counts.lost
    this.duplicates += counts.duplicates
    this.reordered += counts.reordered
    this.late += counts.lateConfigured
    this.lateFixed50 += counts.lateFixed50
    this.lateFixed200 += counts.lateFixed200
    this.lateAdaptive += counts.lateAdaptive
    this.timestampJumps += counts.timestampJumps
    this.burstSeconds += counts.burstSeconds
    this.lossBursts += counts.burstCount
    this.jitterCount += counts.jitterUpdates
    this.jitterSum += counts.jitterSum
    this.jitterMax = Math.max(this.jitterMax, counts.jitterMax)
    this.measured += counts.measured
    this.pdvMax = Math.max(this.pdvMax, counts.pdvMax)
    if (counts.jitterUpdates > 0) addAll(this.jitter, counts.jitter)
    if (counts.measured > 0) addAll(this.pdv, counts.pdv)
    this.addScores(record)
  }

  private addScores(record: IntervalRecord): void {
    const { mos_cq: mos, mos_lq: mosLq, loss_percent: loss, delay_p50_ms: delay } = record
    if (mos !== undefined) {
      this.mosCount++
      this.mosSum += mos
      this.mosLqSum += mosLq ?? mos
      this.mosMin = Math.min(this.mosMin, mos)
      this.mosMax = Math.max(this.mosMax, mos)
      this.mos[Math.min(MOS_STEPS - 1, Math.max(0, Math.round((mos - 1) * MOS_PER_UNIT)))]++
      for (let k = 0; k < MOS_LT.length; k++) if (mos < MOS_LT[k]) this.mosLt[k]++
    }
    if (loss !== undefined)
      for (let k = 0; k < LOSS_GT_PERCENT.length; k++) if (loss > LOSS_GT_PERCENT[k]) this.lossGt[k]++
    if (delay !== undefined) {
      this.delayCount++
      this.delaySum += delay
      this.delayMax = Math.max(this.delayMax, delay)
      for (let k = 0; k < DELAY_GT_MS.length; k++) if (delay > DELAY_GT_MS[k]) this.delayGt[k]++
    }
  }

  /** Adds another stretch of time of the same series. */
  merge(other: TrafficSums): void {
    this.intervals += other.intervals
    this.streamsPeak = Math.max(this.streamsPeak, other.streamsPeak)
    this.mediaMs += other.mediaMs
    this.packets += other.packets
    this.bytes += other.bytes
    this.lost += other.lost
    this.duplicates += other.duplicates
    this.reordered += other.reordered
    this.late += other.late
    this.lateFixed50 += other.lateFixed50
    this.lateFixed200 += other.lateFixed200
    this.lateAdaptive += other.lateAdaptive
    this.timestampJumps += other.timestampJumps
    this.burstSeconds += other.burstSeconds
    this.lossBursts += other.lossBursts
    this.jitterCount += other.jitterCount
    this.jitterSum += other.jitterSum
    this.jitterMax = Math.max(this.jitterMax, other.jitterMax)
    this.measured += other.measured
    this.pdvMax = Math.max(this.pdvMax, other.pdvMax)
    this.mosCount += other.mosCount
    this.mosSum += other.mosSum
    this.mosMin = Math.min(this.mosMin, other.mosMin)
    this.mosMax = Math.max(this.mosMax, other.mosMax)
    this.mosLqSum += other.mosLqSum
    this.delayCount += other.delayCount
    this.delaySum += other.delaySum
    this.delayMax = Math.max(this.delayMax, other.delayMax)
    addAll(this.jitter, other.jitter)
    addAll(this.pdv, other.pdv)
    addAll(this.mos, other.mos)
    addAll(this.mosLt, other.mosLt)
    addAll(this.lossGt, other.lossGt)
    addAll(this.delayGt, other.delayGt)
  }

  /** @param whole false: only what can be added to the point that was written before */
  fields(whole: boolean): MetricPoint['fields'] {
    const fields: Record<string, number | undefined> = {
      stream_intervals: this.intervals,
      streams_peak: whole ? this.streamsPeak : undefined,
      media_s: this.mediaMs / 1000,
      packets: this.packets,
      bytes: this.bytes,
      lost: this.lost,
      expected_packets: this.packets + this.lost,
      duplicates: this.duplicates,
      reordered: this.reordered,
      late: this.late,
      late_fixed50: this.lateFixed50,
      late_fixed200: this.lateFixed200,
      late_adaptive: this.lateAdaptive,
      timestamp_jumps: this.timestampJumps,
      burst_seconds: this.burstSeconds,
      loss_bursts: this.lossBursts,
      jitter_count: this.jitterCount,
      jitter_sum_ms: this.jitterSum,
      jitter_max_ms: this.jitterCount > 0 ? this.jitterMax : undefined,
      pdv_count: this.measured,
      pdv_max_ms: this.measured > 0 ? this.pdvMax : undefined,
      mos_count: this.mosCount,
      mos_sum: this.mosSum,
      mos_min: this.mosCount > 0 ? this.mosMin : undefined,
      mos_lq_sum: this.mosLqSum,
      delay_count: this.delayCount,
      delay_sum_ms: this.delaySum,
      delay_max_ms: this.delayCount > 0 ? this.delayMax : undefined,
    }
    fillBelow(fields, JITTER_EDGES, this.jitter)
    fillBelow(fields, PDV_EDGES, this.pdv)
    for (let k = 0; k < MOS_NAMES.length; k++) fields[MOS_NAMES[k]] = this.mosLt[k]
    for (let k = 0; k < LOSS_NAMES.length; k++) fields[LOSS_NAMES[k]] = this.lossGt[k]
    for (let k = 0; k < DELAY_NAMES.length; k++) fields[DELAY_NAMES[k]] = this.delayGt[k]
    if (whole) this.fillDerived(fields)
    return fields
  }

  private fillDerived(fields: Record<string, number | undefined>): void {
    const expected = this.packets + this.lost
    if (expected > 0) {
      fields.loss_percent = (100 * this.lost) / expected
      fields.late_percent = (100 * this.late) / expected
    }
    if (this.jitterCount > 0) {
      const [p50, p95, p99] = percentiles(this.jitter, JITTER_BUCKETS, P50_P95_P99, this.jitterMax)
      fields.jitter_mean_ms = this.jitterSum / this.jitterCount
      fields.jitter_p50_ms = p50
      fields.jitter_p95_ms = p95
      fields.jitter_p99_ms = p99
    }
    if (this.measured > 0) {
      const [p50, p95, p99] = percentiles(this.pdv, PDV_BUCKETS, P50_P95_P99, this.pdvMax)
      fields.pdv_p50_ms = p50
      fields.pdv_p95_ms = p95
      fields.pdv_p99_ms = p99
    }
    if (this.mosCount > 0) {
      fields.mos_mean = this.mosSum / this.mosCount
      fields.mos_p5 = this.mosPercentile(5)
      fields.mos_p50 = this.mosPercentile(50)
    }
    if (this.delayCount > 0) fields.delay_mean_ms = this.delaySum / this.delayCount
  }

  /** By nearest rank, to 0.005. */
  private mosPercentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.mosCount - 1e-9))
    let seen = 0
    let step = -1
    while (seen < rank && step < MOS_STEPS - 1) seen += this.mos[++step]
    return Math.min(this.mosMax, Math.max(this.mosMin, 1 + step / MOS_PER_UNIT))
  }
}

function addAll(to: Uint32Array, from: ArrayLike<number>): void {
  for (let k = 0; k < to.length; k++) to[k] += from[k]
}

function fillBelow(
  fields: Record<string, number | undefined>,
  edges: readonly LeEdge[],
  buckets: Uint32Array,
): void {
  let sum = 0
  let next = 0
  for (const { name, last } of edges) {
    while (next <= last) sum += buckets[next++]
    fields[name] = sum
  }
}
