import { arrivalOrder, type ArrivalOrder, sightingMs } from './impairments.js'
import { DEFAULT_DSCP } from './link.js'
import {
  AFTER_JUMP,
  KIND_AUDIO,
  LOST_AFTER_TAP,
  LOST_BEFORE_TAP,
  MADE_LATE,
  MIRROR_DROPPED,
} from './packet-list.js'
import type { DirectionSpec } from './scenario.js'
import type { Sender } from './sender.js'
import { type DirectionTruth, nearestRank, type SegmentTruth, timeText } from './truth.js'

const SPAN_WINDOW_MS = 50
const BURST_PDV_MS = 60
const BURST_PACKETS = 3
const PDV_LIMITS = [20, 40, 50, 60, 100, 200]

const round = (value: number): number => Math.round(value * 1e6) / 1e6

/** Sees the capture packet by packet, in time order, with the generator's own knowledge of each. */
class Observer {
  reordered = 0
  madeLate = 0
  duplicates = 0
  spanDuplicates = 0
  firstMs = Infinity
  lastMs = -Infinity
  longestGapMs = 0
  packets = 0
  readonly pdv: number[] = []
  readonly jitter: number[] = []
  readonly seenBySegment: number[][]
  private readonly burst = new Map<number, number>()
  private readonly highest: number[]
  private readonly lowestDelay: number[]
  private readonly transit: (number | null)[]
  private readonly running: number[]
  private readonly rate: number

  constructor(
    private readonly sender: Sender,
    spec: DirectionSpec,
  ) {
    const n = sender.segments.length
    this.seenBySegment = sender.segments.map(() => [])
    this.highest = new Array<number>(n).fill(-Infinity)
    this.lowestDelay = new Array<number>(n).fill(Infinity)
    this.transit = new Array<number | null>(n).fill(null)
    this.running = new Array<number>(n).fill(0)
    this.rate = 1 + (spec.skew_ppm ?? 0) * 1e-6
  }

  see(index: number, timeMs: number): void {
    const list = this.sender.packets
    const segment = list.segment[index]
    const extended = list.extended[index]
    this.seenBySegment[segment].push(extended)
    this.packets++
    if (this.lastMs > -Infinity) this.longestGapMs = Math.max(this.longestGapMs, timeMs - this.lastMs)
    this.firstMs = Math.min(this.firstMs, timeMs)
    this.lastMs = timeMs
    if (list.has(index, MADE_LATE)) this.madeLate++
    const inOrder = extended > this.highest[segment]
    if (inOrder) this.highest[segment] = extended
    else this.reordered++
    if (list.kind[index] !== KIND_AUDIO) return
    this.delay(segment, timeMs - list.mediaMs[index] / this.rate, timeMs)
    if (inOrder) this.interarrival(segment, index, timeMs)
  }

  private delay(segment: number, delayMs: number, timeMs: number): void {
    this.lowestDelay[segment] = Math.min(this.lowestDelay[segment], delayMs)
    const pdv = delayMs - this.lowestDelay[segment]
    this.pdv.push(pdv)
    if (pdv <= BURST_PDV_MS) return
    const second = Math.floor(timeMs / 1000)
    this.burst.set(second, (this.burst.get(second) ?? 0) + 1)
  }

  /** RFC 3550 A.8 in ms: timestamps count in the sender's nominal clock, jumps do not update. */
  private interarrival(segment: number, index: number, timeMs: number): void {
    const list = this.sender.packets
    const transit = timeMs - list.mediaMs[index]
    const before = this.transit[segment]
    this.transit[segment] = transit
    if (before === null || list.has(index, AFTER_JUMP)) return
    this.running[segment] += (Math.abs(transit - before) - this.running[segment]) / 16
    this.jitter.push(this.running[segment])
  }

  burstSeconds(): number {
    return [...this.burst.values()].filter((packets) => packets >= BURST_PACKETS).length
  }
}

function runsOfLoss(seen: number[][]): { lost: number[]; runs: number[] } {
  const runs = new Array<number>(10).fill(0)
  const lost = seen.map((numbers) => {
    const sorted = Float64Array.from(numbers).sort()
    let missing = 0
    for (let i = 1; i < sorted.length; i++) {
      const run = sorted[i] - sorted[i - 1] - 1
      if (run === 0) continue
      missing += run
      runs[Math.min(run, 10) - 1]++
    }
    return missing
  })
  return { lost, runs }
}

export function ssrcText(ssrc: number): string {
  return `0x${ssrc.toString(16).padStart(8, '0')}`
}

function unique<T>(values: T[]): T[] {
  return [...new Set(values)]
}

function distribution(observer: Observer): Partial<DirectionTruth> {
  const fields: Partial<DirectionTruth> = {}
  if (observer.jitter.length > 0) {
    const sorted = Float64Array.from(observer.jitter).sort()
    fields.jitter_mean_ms = round(observer.jitter.reduce((sum, j) => sum + j, 0) / observer.jitter.length)
    fields.jitter_max_ms = round(sorted[sorted.length - 1])
    fields.jitter_p95_ms = round(nearestRank(sorted, 95))
    fields.jitter_p99_ms = round(nearestRank(sorted, 99))
  }
  if (observer.pdv.length > 0) {
    const sorted = Float64Array.from(observer.pdv).sort()
    fields.pdv_p50_ms = round(nearestRank(sorted, 50))
    fields.pdv_p95_ms = round(nearestRank(sorted, 95))
    fields.pdv_p99_ms = round(nearestRank(sorted, 99))
    fields.pdv_max_ms = round(sorted[sorted.length - 1])
  }
  return fields
}

export interface MeasureOptions {
  spec: DirectionSpec
  /** Packets after this are not the call's; Infinity for a stream. */
  untilMs: number
  /** False when the mirror shows nothing of this direction. */
  visible: boolean
  destination: { address: { text: string }; port: number }
}

/** Everything a tap should find about one sender, from the generator's own list of packets. */
export function measureDirection(sender: Sender, options: MeasureOptions): DirectionTruth {
  const { spec, untilMs, visible, destination } = options
  const { packets: list, segments, formats, sources } = sender
  const observer = new Observer(sender, spec)
  const order: ArrivalOrder = arrivalOrder(
    list,
    LOST_BEFORE_TAP | MIRROR_DROPPED,
    true,
    spec.duplicates?.after_ms ?? 0,
  )
  let afterCall = 0
  if (visible) {
    for (const code of order.codes) {
      const timeMs = sightingMs(list, order, code)
      const copy = (code & 1) === 1
      if (timeMs > untilMs) {
        if (!copy) afterCall++
      } else if (copy) {
        observer.duplicates++
        if ((spec.duplicates?.after_ms ?? 0) <= SPAN_WINDOW_MS) observer.spanDuplicates++
      } else observer.see(code >>> 1, timeMs)
    }
  }
  let lostBefore = 0
  let lostAfter = 0
  let mirrorDropped = 0
  const sentBySegment = new Array<number>(segments.length).fill(0)
  for (let i = 0; i < list.length; i++) {
    sentBySegment[list.segment[i]]++
    if (list.has(i, LOST_BEFORE_TAP)) lostBefore++
    else if (!visible || list.has(i, MIRROR_DROPPED)) mirrorDropped++
    if (list.has(i, LOST_AFTER_TAP)) lostAfter++
  }
  const { lost, runs } = runsOfLoss(observer.seenBySegment)
  const lostTotal = lost.reduce((sum, n) => sum + n, 0)
  const { packets } = observer
  const bySegment: SegmentTruth[] = segments.map((segment, i) => ({
    ssrc: ssrcText(segment.ssrc),
    sent: sentBySegment[i],
    packets: observer.seenBySegment[i].length,
    lost: lost[i],
  }))
  return {
    codec: formats[0].codec.name.toUpperCase(),
    payload_type: formats[0].payloadType,
    ptime_ms: formats[0].ptimeMs,
    codecs: unique(formats.map((format) => format.codec.name.toUpperCase())),
    payload_types: unique([...list.payloadType.subarray(0, list.length)]),
    dscp: spec.dscp ?? DEFAULT_DSCP,
    ssrcs: unique(bySegment.filter((segment) => segment.sent > 0).map((segment) => segment.ssrc)),
    source_address: sources[0].address.text,
    source_port: sources[0].port,
    destination_address: destination.address.text,
    destination_port: destination.port,
    sent: list.length,
    packets,
    lost: lostTotal,
    loss_percent: packets > 0 ? round((100 * lostTotal) / (packets + lostTotal)) : 0,
    lost_before_tap: lostBefore,
    lost_after_tap: lostAfter,
    mirror_dropped: mirrorDropped,
    after_call: afterCall,
    duplicates: observer.duplicates,
    span_duplicates: observer.spanDuplicates,
    reordered: observer.reordered,
    made_late: observer.madeLate,
    timestamp_jumps: sender.timestampJumps,
    dtmf_events: sender.events,
    skew_ppm: spec.skew_ppm ?? 0,
    loss_runs: runs,
    ...distribution(observer),
    pdv_over: Object.fromEntries(
      PDV_LIMITS.map((limit) => [String(limit), observer.pdv.filter((pdv) => pdv > limit).length]),
    ),
    burst_seconds: observer.burstSeconds(),
    ...(packets > 0 && {
      first_packet: timeText(observer.firstMs),
      last_packet: timeText(observer.lastMs),
      longest_gap_ms: round(observer.longestGapMs),
    }),
    segments: bySegment.filter((segment) => segment.sent > 0),
  }
}
