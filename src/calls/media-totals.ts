import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import type { MediaCounts } from '../rtp/row.js'

const LOSS_RUNS = 10
const PDV_AT = LOSS_RUNS * 8
const JITTER_AT = PDV_AT + PDV_BUCKETS * 4
const HISTOGRAM_BYTES = JITTER_AT + JITTER_BUCKETS * 4
/** So many totals' histograms share a buffer: a buffer costs the engine several microseconds, here and in each collection. */
const SLAB_TOTALS = 32
let slab = new ArrayBuffer(0)
/** How many totals it has room for yet. */
let left = 0

/** Sum of interval rows: of a stream, a direction, or a direction's interval. Additive, so that it merges exactly. */
export class MediaTotals implements MediaCounts {
  packets = 0
  bytes = 0
  lost = 0
  duplicates = 0
  spanDuplicates = 0
  reordered = 0
  lateFixed50 = 0
  lateFixed200 = 0
  lateAdaptive = 0
  lateConfigured = 0
  timestampJumps = 0
  dtmfEvents = 0
  eventPackets = 0
  noisePackets = 0
  burstSeconds = 0
  stray = 0
  segments = 0
  jitterUpdates = 0
  jitterSum = 0
  jitterMax = 0
  measured = 0
  pdvMax = 0
  longestGap = 0
  depthSum = 0
  /** Of the latest row that knew it. */
  skewPpm = NaN
  ptimeMs = 0
  clockRateHz = 0
  payloadType = -1
  burstCount = 0
  burstPackets = 0
  burstBad = 0
  gapBad = 0
  badTotal = 0
  badRuns = 0
  finalPackets = 0
  edgeBursts = 0
  dscp = 0
  /** NaN before the first packet. */
  firstPacket = NaN
  lastPacket = NaN
  readonly lossRuns: Float64Array
  readonly pdv: Uint32Array
  readonly jitter: Uint32Array

  constructor() {
    if (left === 0) {
      slab = new ArrayBuffer(SLAB_TOTALS * HISTOGRAM_BYTES)
      left = SLAB_TOTALS
    }
    const at = --left * HISTOGRAM_BYTES
    this.lossRuns = new Float64Array(slab, at, LOSS_RUNS)
    this.pdv = new Uint32Array(slab, at + PDV_AT, PDV_BUCKETS)
    this.jitter = new Uint32Array(slab, at + JITTER_AT, JITTER_BUCKETS)
  }

  /** Adds a row or other totals. `lostBefore` corrects losses that were counted earlier (`IntervalRow`). */
  add(counts: MediaCounts, lostBefore = 0): void {
    this.packets += counts.packets
    this.bytes += counts.bytes
    this.lost = Math.max(0, this.lost - lostBefore) + counts.lost
    this.duplicates += counts.duplicates
    this.spanDuplicates += counts.spanDuplicates
    this.reordered += counts.reordered
    this.lateFixed50 += counts.lateFixed50
    this.lateFixed200 += counts.lateFixed200
    this.lateAdaptive += counts.lateAdaptive
    this.lateConfigured += counts.lateConfigured
    this.timestampJumps += counts.timestampJumps
    this.dtmfEvents += counts.dtmfEvents
    this.eventPackets += counts.eventPackets
    this.noisePackets += counts.noisePackets
    this.burstSeconds += counts.burstSeconds
    this.stray += counts.stray
    this.segments += counts.segments
    this.addTiming(counts)
    this.addBursts(counts)
    if (counts.packets > 0) {
      this.dscp = counts.dscp
      if (!(this.firstPacket <= counts.firstPacket)) this.firstPacket = counts.firstPacket
      if (!(this.lastPacket >= counts.lastPacket)) this.lastPacket = counts.lastPacket
    }
  }

  private addTiming(counts: MediaCounts): void {
    this.jitterUpdates += counts.jitterUpdates
    this.jitterSum += counts.jitterSum
    this.jitterMax = Math.max(this.jitterMax, counts.jitterMax)
    this.measured += counts.measured
    this.pdvMax = Math.max(this.pdvMax, counts.pdvMax)
    this.longestGap = Math.max(this.longestGap, counts.longestGap)
    this.depthSum += counts.depthSum
    if (!Number.isNaN(counts.skewPpm)) this.skewPpm = counts.skewPpm
    if (counts.ptimeMs > 0) this.ptimeMs = counts.ptimeMs
    if (counts.clockRateHz > 0) this.clockRateHz = counts.clockRateHz
    if (counts.payloadType >= 0) this.payloadType = counts.payloadType
    addHistogram(this.pdv, counts.pdv, counts.measured)
    addHistogram(this.jitter, counts.jitter, counts.jitterUpdates)
  }

  private addBursts(counts: MediaCounts): void {
    this.burstCount += counts.burstCount
    this.burstPackets += counts.burstPackets
    this.burstBad += counts.burstBad
    this.gapBad += counts.gapBad
    this.badTotal += counts.badTotal
    this.badRuns += counts.badRuns
    this.finalPackets += counts.finalPackets
    this.edgeBursts += counts.edgeBursts
    for (let k = 0; k < LOSS_RUNS; k++) this.lossRuns[k] += counts.lossRuns[k]
  }

  /** Back to nothing. */
  clear(): void {
    this.packets = this.bytes = this.lost = this.duplicates = this.spanDuplicates = this.reordered = 0
    this.lateFixed50 = this.lateFixed200 = this.lateAdaptive = this.lateConfigured = 0
    this.timestampJumps = this.dtmfEvents = this.eventPackets = this.noisePackets = 0
    this.burstSeconds = this.stray = this.segments = 0
    this.jitterUpdates = this.jitterSum = this.jitterMax = 0
    this.measured = this.pdvMax = this.longestGap = this.depthSum = 0
    this.skewPpm = NaN
    this.ptimeMs = this.clockRateHz = 0
    this.payloadType = -1
    this.burstCount = this.burstPackets = this.burstBad = this.gapBad = 0
    this.badTotal = this.badRuns = this.finalPackets = this.edgeBursts = 0
    this.dscp = 0
    this.firstPacket = this.lastPacket = NaN
    this.lossRuns.fill(0)
    this.pdv.fill(0)
    this.jitter.fill(0)
  }
}

/** @param entries how many there are in all: behind the last of them nothing is left to add */
function addHistogram(to: Uint32Array, from: ArrayLike<number>, entries: number): void {
  let more = entries
  for (let k = 0; k < to.length && more > 0; k++) {
    const here = from[k]
    to[k] += here
    more -= here
  }
}

/** Totals that were given back: a call's open interval needs one for ten seconds, tens of thousands of times. */
const spare: MediaTotals[] = []
const MOST_SPARE = 4096

export function takeTotals(): MediaTotals {
  return spare.pop() ?? new MediaTotals()
}

export function giveBack(totals: MediaTotals): void {
  if (spare.length >= MOST_SPARE) return
  totals.clear()
  spare.push(totals)
}
