/**
 * Reference measurement of one direction of RTP: slow and plain (arrays, exact sorting), written from the metric
 * definitions and RFC 3550/3611 alone and sharing no code with src/. Tests compare the product's streaming meter
 * with it. Where the definitions leave room, this is how it reads them:
 *
 * - Packets are taken apart by SSRC; each SSRC has segments of its own, and a direction's numbers are their sums.
 * - A packet that jumps in sequence without the next one confirming it belongs to nothing (`strays`). Repeats and
 *   packets that come late are not that next one: a mirror that shows every packet twice hides no restart.
 * - Another packet under a sequence number that was used belongs to nothing either.
 * - A late packet's d is compared with the latest in-order packet's, unless it was sent before d was rebased.
 * - Only audio has delay variation, lateness and jitter; comfort noise and telephone-events count as received.
 * - Jitter and delay restart with each segment; a change of clock rate rebases d like a jump, without counting as one.
 * - Each fixed buffer has its own base. The packet that completes 2 s of lateness is itself still late.
 * - The adaptive depth falls at clock-aligned seconds, before the first packet of the new second is judged. Its mean is
 *   over packets, of the depth each was judged by.
 * - `longestGapMs` is between distinct packets of one SSRC.
 */
import { analyseBursts, type PacketState } from './bursts.js'
import { splitIntoSegments, type Segment } from './segments.js'
import { countBurstSeconds, measureTiming, nearestRank, type SegmentTiming } from './timing.js'

export type PayloadClass = 'audio' | 'cn' | 'telephone-event'

export interface ReferencePacket {
  /** Arrival, ms. */
  timeMs: number
  seq: number
  /** RTP timestamp, 0..2^32-1. */
  ts: number
  ssrc: number
  pt: number
  marker: boolean
  payloadLength: number
}

export interface ReferenceOptions {
  /** Hz by payload type; a payload type that is missing has an unknown clock. */
  clockRates: Record<number, number>
  /** By payload type; missing means audio. */
  classes?: Record<number, PayloadClass>
  /** Packet time; taken from the stream when absent. */
  ptimeMs?: number
}

export interface ReferenceResult {
  packets: number
  bytes: number
  lost: number
  duplicates: number
  reordered: number
  strays: number
  segments: number
  timestampJumps: number
  ptimeMs: number
  jitterMeanMs?: number
  jitterMaxMs?: number
  jitterP95Ms?: number
  jitterP99Ms?: number
  pdvP50Ms?: number
  pdvP95Ms?: number
  pdvP99Ms?: number
  pdvMaxMs?: number
  /** Of the segment with most packets; positive: the sender's clock is fast. */
  skewPpm?: number
  lateFixed50: number
  lateFixed200: number
  lateAdaptive: number
  meanAdaptiveDepthMs?: number
  burstCount: number
  burstDensity: number
  burstDurationMs: number
  gapDensity: number
  gapDurationMs: number
  /** Runs of loss by length 1..9, and 10 or more. */
  lossRuns: number[]
  /** Within 1..2 from 2 % on, else 1..8; undefined without loss. */
  burstRatio?: number
  burstRatioUnclamped?: number
  burstSeconds: number
  longestGapMs: number
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values) / values.length
}

/** Most frequent timestamp step between neighbours in sequence, in ms; 20 when there is none. */
export function commonPtime(packets: ReferencePacket[], options: ReferenceOptions): number {
  const counts = new Map<number, number>()
  const previous = new Map<number, ReferencePacket>()
  for (const packet of packets) {
    const before = previous.get(packet.ssrc)
    previous.set(packet.ssrc, packet)
    const clock = options.clockRates[packet.pt]
    if (before === undefined || clock === undefined || before.pt !== packet.pt) continue
    if ((options.classes?.[packet.pt] ?? 'audio') !== 'audio') continue
    const step = (packet.ts - before.ts) | 0
    if (((packet.seq - before.seq) & 0xffff) !== 1 || step <= 0) continue
    const ms = (step * 1000) / clock
    counts.set(ms, (counts.get(ms) ?? 0) + 1)
  }
  let best = 20
  for (const [ms, count] of counts) {
    const held = counts.get(best) ?? 0
    if (count > held || (count === held && ms < best)) best = ms
  }
  return best
}

function longestGap(packets: ReferencePacket[]): number {
  let longest = 0
  for (let i = 1; i < packets.length; i++)
    longest = Math.max(longest, packets[i].timeMs - packets[i - 1].timeMs)
  return longest
}

/** What became of each sequence number of a segment, lowest to highest, under the adaptive buffer. */
function statesOf(segment: Segment, timing: SegmentTiming): PacketState[] {
  const states: PacketState[] = new Array<PacketState>(segment.highest - segment.lowest + 1).fill('lost')
  for (const { extended } of segment.distinct) states[extended - segment.lowest] = 'received'
  for (const extended of timing.lateAdaptive) states[extended - segment.lowest] = 'late'
  return states
}

function clampBurstRatio(ratio: number, lossPercent: number): number {
  const highest = lossPercent >= 2 ? 2 : 8
  return ratio < 1 ? 1 : ratio > highest ? highest : ratio
}

/** Measures packets in arrival order. */
export function measureReference(packets: ReferencePacket[], options: ReferenceOptions): ReferenceResult {
  const ptimeMs = options.ptimeMs ?? commonPtime(packets, options)
  const ssrcs = [...new Set(packets.map(({ ssrc }) => ssrc))]
  const split = ssrcs.map((ssrc) =>
    splitIntoSegments(
      packets.filter((packet) => packet.ssrc === ssrc),
      options,
      ptimeMs,
    ),
  )
  const segments = split.flatMap((stream) => stream.segments)
  const timingsBySsrc = split.map((stream) =>
    stream.segments.map((segment) => measureTiming(segment, options, ptimeMs)),
  )
  const timings = timingsBySsrc.flat()
  const states = segments.map((segment, i) => statesOf(segment, timings[i]))
  const bursts = analyseBursts(states, ptimeMs)

  const distinct = sum(segments.map((segment) => segment.distinct.length))
  const lost = sum(segments.map(({ highest, lowest, distinct: seen }) => highest - lowest + 1 - seen.length))
  const jitters = timings.flatMap((timing) => timing.jitters).sort((a, b) => a - b)
  const pdvs = timings.flatMap((timing) => timing.pdvs).sort((a, b) => a - b)
  const lossPercent = distinct + lost === 0 ? 0 : (100 * bursts.impaired) / (distinct + lost)
  const main = segments.reduce(
    (best, segment, i) => (segment.distinct.length > segments[best].distinct.length ? i : best),
    0,
  )

  return {
    packets: distinct,
    bytes: sum(segments.flatMap((segment) => segment.distinct.map(({ packet }) => packet.payloadLength))),
    lost,
    duplicates: sum(segments.map((segment) => segment.duplicates)),
    reordered: sum(segments.map((segment) => segment.reordered)),
    strays: sum(split.map((stream) => stream.strays)),
    segments: segments.length,
    timestampJumps: sum(timings.map((timing) => timing.timestampJumps)),
    ptimeMs,
    jitterMeanMs: mean(jitters),
    jitterMaxMs: jitters.at(-1),
    jitterP95Ms: nearestRank(jitters, 95),
    jitterP99Ms: nearestRank(jitters, 99),
    pdvP50Ms: nearestRank(pdvs, 50),
    pdvP95Ms: nearestRank(pdvs, 95),
    pdvP99Ms: nearestRank(pdvs, 99),
    pdvMaxMs: pdvs.at(-1),
    skewPpm: timings[main]?.skewPpm,
    lateFixed50: sum(timings.map((timing) => timing.lateFixed50)),
    lateFixed200: sum(timings.map((timing) => timing.lateFixed200)),
    lateAdaptive: sum(timings.map((timing) => timing.lateAdaptive.length)),
    meanAdaptiveDepthMs: mean(timings.flatMap((timing) => timing.depths)),
    burstCount: bursts.burstCount,
    burstDensity: bursts.burstDensity,
    burstDurationMs: bursts.burstDurationMs,
    gapDensity: bursts.gapDensity,
    gapDurationMs: bursts.gapDurationMs,
    lossRuns: bursts.lossRuns,
    burstRatio: bursts.burstRatio === undefined ? undefined : clampBurstRatio(bursts.burstRatio, lossPercent),
    burstRatioUnclamped: bursts.burstRatio,
    burstSeconds: sum(timingsBySsrc.map(countBurstSeconds)),
    longestGapMs: Math.max(
      0,
      ...split.map(({ segments: own }) =>
        longestGap(own.flatMap((s) => s.distinct.map(({ packet }) => packet))),
      ),
    ),
  }
}
