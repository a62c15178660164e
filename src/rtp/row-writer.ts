import { jitterPlaceOf, pdvPlaceOf } from './histogram.js'
import * as L from './layout.js'
import type { IntervalRow } from './row.js'

const PDV_PLACES = Uint16Array.from({ length: L.PDV_BUCKETS }, (_, bucket) => pdvPlaceOf(bucket))
const JITTER_PLACES = Uint16Array.from({ length: L.JITTER_BUCKETS }, (_, bucket) => jitterPlaceOf(bucket))

/**
 * Copies a stream's open interval into the row.
 * @param ends of the row's histograms, as `fillSecond` has them
 */
export function fillRow(
  row: IntervalRow,
  ends: Int32Array,
  slot: number,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u16: Uint16Array,
  depthSum: number,
  last: boolean,
): void {
  const i = slot * L.STRIDE_32
  const f = slot * L.STRIDE_64
  const flags = i32[i + L.I_FLAGS]
  fillSecond(row, ends, slot, i32, f32, f64, u16)
  row.first = (flags & L.FLAG_FIRST_INTERVAL) !== 0
  row.intervalStart = f64[f + L.D_INTERVAL_START]
  row.intervalEnd = f64[f + L.D_INTERVAL_END]
  row.firstPacket =
    row.packets > 0 ? Math.max(f64[f + L.D_INTERVAL_FIRST], row.first ? 0 : row.intervalStart) : NaN
  // Not before the first, also where the capture's clock was set back.
  row.lastPacket = Math.max(row.firstPacket, row.lastPacket)
  row.bytes = i32[i + L.I_BYTES]
  row.duplicates = i32[i + L.I_DUPLICATES]
  row.spanDuplicates = i32[i + L.I_SPAN_DUPLICATES]
  row.reordered = i32[i + L.I_REORDERED]
  row.lateFixed50 = i32[i + L.I_LATE_FIXED50]
  row.lateFixed200 = i32[i + L.I_LATE_FIXED200]
  row.lateAdaptive = i32[i + L.I_LATE_ADAPTIVE]
  row.eventPackets = i32[i + L.I_EVENT_PACKETS]
  row.noisePackets = i32[i + L.I_NOISE_PACKETS]
  row.burstSeconds = i32[i + L.I_BURST_SECONDS]
  row.stray = i32[i + L.I_STRAY]
  row.segments = i32[i + L.I_SEGMENTS]
  row.jitterMax = f32[i + L.I_JITTER_MAX]
  row.pdvMax = f32[i + L.I_PDV_MAX]
  row.longestGap = f32[i + L.I_LONGEST_GAP]
  row.depthSum = depthSum
  const slope = f64[f + L.D_SLOPE]
  row.skewPpm = flags & L.FLAG_SKEW_KNOWN ? -slope * 1e6 : NaN
  const msPerTick = f64[f + L.D_MS_PER_TICK]
  row.clockRateHz = msPerTick > 0 ? Math.round(1000 / msPerTick) : 0
  row.burstCount = i32[i + L.I_BURST_COUNT]
  row.burstPackets = i32[i + L.I_BURST_PACKETS]
  row.burstBad = i32[i + L.I_BURST_BAD]
  row.gapBad = i32[i + L.I_GAP_BAD]
  row.badTotal = i32[i + L.I_BAD_TOTAL]
  row.badRuns = i32[i + L.I_BAD_RUNS]
  row.finalPackets = i32[i + L.I_FINAL_PACKETS]
  row.edgeBursts = i32[i + L.I_EDGE_BURSTS]
  row.segmentLowest = i32[i + L.I_LOWEST]
  row.segmentHighest = i32[i + L.I_HIGHEST]
  row.last = last
  for (let k = 0; k < 10; k++) row.lossRuns[k] = i32[i + L.I_LOSS_RUNS + k]
  row.payloadTypes = 0
  for (let k = 0; k < L.TYPE_COUNTS; k++) {
    const payloadType = i32[i + L.I_TYPE_COUNTS + 2 * k]
    if (payloadType < 0) break
    row.typeCounts[k].payloadType = payloadType
    row.typeCounts[k].packets = i32[i + L.I_TYPE_COUNTS + 2 * k + 1]
    row.payloadTypes++
  }
}

/**
 * What a second needs of the open interval (`RtpMeter.peek`): counts, times and histograms. The rest of the row is left as
 * it was.
 * @param ends of the row's histograms, [0, 0] for a new one: from there on they are zero. The next call needs them
 */
export function fillSecond(
  row: IntervalRow,
  ends: Int32Array,
  slot: number,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u16: Uint16Array,
): void {
  const i = slot * L.STRIDE_32
  const f = slot * L.STRIDE_64
  const h = slot * L.STRIDE_16
  row.slot = slot
  row.packets = i32[i + L.I_PACKETS]
  row.lastPacket = row.packets > 0 ? Math.max(f64[f + L.D_ARRIVAL], f64[f + L.D_OTHER_ARRIVAL]) : NaN
  row.lost = i32[i + L.I_LOST]
  row.lostBefore = i32[i + L.I_LOST_BEFORE]
  row.lateConfigured = i32[i + L.I_LATE_CONFIGURED]
  row.timestampJumps = i32[i + L.I_TIMESTAMP_JUMPS]
  row.dtmfEvents = i32[i + L.I_DTMF_EVENTS]
  row.jitterUpdates = i32[i + L.I_JITTER_UPDATES]
  row.jitterSum = f64[f + L.D_JITTER_SUM]
  row.measured = i32[i + L.I_MEASURED]
  // As if the depth had never changed.
  row.depthSum = f32[i + L.I_DEPTH] * row.measured
  row.ptimeMs = i32[i + L.I_PTIME_TICKS] * f64[f + L.D_MS_PER_TICK]
  row.payloadType = i32[i + L.I_PAYLOAD_TYPE]
  row.dscp = i32[i + L.I_FLAGS] >>> L.DSCP_SHIFT
  ends[0] = fillHistogram(row.pdv, ends[0], u16, h, PDV_PLACES, row.measured)
  ends[1] = fillHistogram(row.jitter, ends[1], u16, h, JITTER_PLACES, row.jitterUpdates)
}

/**
 * Touches no more buckets than needed.
 * @param end from here on there is nothing in `to`
 * @param entries how many were counted; buckets that are full may hold fewer
 * @returns the same, now
 */
function fillHistogram(
  to: Uint16Array,
  end: number,
  from: Uint16Array,
  at: number,
  places: Uint16Array,
  entries: number,
): number {
  let left = entries
  let k = 0
  for (; k < places.length && left > 0; k++) {
    const here = from[at + places[k]]
    to[k] = here
    left -= here
  }
  for (let rest = k; rest < end; rest++) to[rest] = 0
  return k
}

/** Clears what belongs to one interval; running state stays. */
export function resetInterval(
  slot: number,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u16: Uint16Array,
): void {
  const i = slot * L.STRIDE_32
  const h = slot * L.STRIDE_16
  i32[i + L.I_PACKETS] = 0
  i32[i + L.I_BYTES] = 0
  i32[i + L.I_JITTER_UPDATES] = 0
  i32[i + L.I_MEASURED] = 0
  f32[i + L.I_JITTER_MAX] = 0
  f32[i + L.I_PDV_MAX] = 0
  f32[i + L.I_LONGEST_GAP] = 0
  i32[i + L.I_PAYLOAD_MARK] = 0
  f64[slot * L.STRIDE_64 + L.D_JITTER_SUM] = 0
  for (let k = L.I_LOST; k <= L.I_SEGMENTS; k++) i32[i + k] = 0
  for (let k = L.I_BURST_COUNT; k <= L.I_EDGE_BURSTS; k++) i32[i + k] = 0
  for (let k = 0; k < 10; k++) i32[i + L.I_LOSS_RUNS + k] = 0
  for (let k = 0; k < L.TYPE_COUNTS; k++) {
    i32[i + L.I_TYPE_COUNTS + 2 * k] = -1
    i32[i + L.I_TYPE_COUNTS + 2 * k + 1] = 0
  }
  i32[i + L.I_FLAGS] &= ~L.FLAG_FIRST_INTERVAL
  u16.fill(0, h + L.H_HISTOGRAMS, h + L.STRIDE_16)
}
