import type { GroupValue } from '../aggregates/finding-calls.js'
import type { MediaSecond } from '../calls/second-watch.js'
import type { CodecUse } from '../calls/media-codecs.js'
import { percentile, upperEdgeOf } from '../rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import type { MosDriver } from '../calls/records.js'
import type { AffectedCall } from './bad-sample.js'
import type { MetricReader } from './conditions.js'
import { driverOf, networkDropOf, scoreOf, type Impairments, type StreamScore } from './mos-driver.js'
import type { Group } from './rule-group.js'
import type { RuleState } from './rule-state.js'
import type { AlertTags } from './tags.js'

/** A stream is scored over this many seconds. */
const SCORED_SECONDS = 10
/** With less expected media in them it is not. */
const LEAST_SCORED_MS = 5000
const DEFAULT_PTIME_MS = 20
/** Scores kept of each codec. */
const MOST_DELAYS = 512

/** Who a stream belongs to, as far as alerts care. */
export interface StreamOwner {
  /** Made when it is first asked for: media without signalling has it hashed. */
  readonly callId: string
  readonly caller: string
  readonly callee: string
  readonly startMs: number
  readonly isOver: boolean
  readonly endMs: number
  /** Made when asked for; `media` of its directions that the asker saw. */
  traits(media: readonly { codec?: string; dscp?: number }[]): readonly GroupValue[]
}

/** In `WatchedStream.seconds`: its start in s, packets, lost, late. */
const FIELDS = 4

/** The group of a rule that a stream is in; null: in none. */
export interface Place {
  readonly rule: RuleState
  group: Group | null
}

/** More rules than this have to look a stream's group up again. */
const MOST_PLACES = 16

/**
 * One direction of a call as its seconds come: the last ten of them, and who it is. There are as many as streams: small,
 * without a typed array or an entry in a weak map of their own, which cost the garbage collection more than they hold.
 */
export class WatchedStream {
  /** Start of the last second with packets. */
  lastSecondMs = -Infinity
  dscp: number | undefined = undefined
  private readonly places: Place[] = []
  private readonly seconds: number[] = new Array<number>(SCORED_SECONDS * FIELDS).fill(0)

  constructor(
    readonly owner: StreamOwner,
    readonly tags: AlertTags,
  ) {}

  /** Where `rule` put it, if it did. */
  placeIn(rule: RuleState): Place | undefined {
    for (const place of this.places) if (place.rule === rule) return place
    return undefined
  }

  put(rule: RuleState, group: Group | null): void {
    const place = this.placeIn(rule)
    if (place) place.group = group
    else {
      // Of rules that were changed meanwhile.
      if (this.places.length >= MOST_PLACES) this.places.length = 0
      this.places.push({ rule, group })
    }
  }

  note(second: MediaSecond): void {
    this.dscp = second.dscp
    const { seconds } = this
    const startS = Math.round(second.startMs / 1000)
    const at = placeOf(startS)
    if (seconds[at] !== startS) {
      seconds[at] = startS
      seconds[at + 1] = seconds[at + 2] = seconds[at + 3] = 0
    }
    seconds[at + 1] += second.packets
    seconds[at + 2] += second.lost
    seconds[at + 3] += second.late
    if (second.startMs > this.lastSecondMs) this.lastSecondMs = second.startMs
  }

  /** Loss and lateness of the last ten seconds; undefined when they had too little media. */
  recent(nowMs: number, ptimeMs: number, delayMs: number): Impairments | undefined {
    const { seconds } = this
    const earliestS = nowMs / 1000 - SCORED_SECONDS
    let packets = 0
    let lost = 0
    let late = 0
    for (let at = 0; at < seconds.length; at += FIELDS) {
      if (seconds[at] <= earliestS) continue
      packets += seconds[at + 1]
      lost += seconds[at + 2]
      late += seconds[at + 3]
    }
    lost = Math.max(0, lost)
    const expected = packets + lost
    if (expected * ptimeMs < LEAST_SCORED_MS) return undefined
    return { lossPercent: (100 * lost) / expected, latePercent: (100 * late) / expected, delayMs }
  }
}

function placeOf(startS: number): number {
  return Math.abs(startS % SCORED_SECONDS) * FIELDS
}

/** The call that a stream belongs to. */
export function affectedCall({ owner, tags }: WatchedStream): AffectedCall {
  const { callId, caller, callee, startMs, isOver, endMs } = owner
  return { callId, caller, callee, startMs, endMs: isOver ? endMs : Infinity, tags }
}

/** 95th percentile of a jitter histogram, whose maximum is known to its bucket only, ms. */
export function jitterP95(histogram: ArrayLike<number>): number | undefined {
  let last = JITTER_BUCKETS - 1
  while (last >= 0 && histogram[last] === 0) last--
  return last < 0 ? undefined : percentile(histogram, JITTER_BUCKETS, 95, upperEdgeOf(last))
}

/** What a second of a stream says by name. Computed when asked for: most rules ask for little. */
export class SecondMetrics {
  private stream!: WatchedStream
  private second!: MediaSecond
  private codec: CodecUse | undefined
  private networkDelayMs = 0
  private isBurst = false
  private scored = false
  private score: StreamScore | undefined
  private impairments: Impairments | undefined
  /** Last scores without loss by codec row and delay: most streams have no loss and much the same delay. */
  private readonly lossless = new Map<string, Map<number, StreamScore>>()

  /** Reads `name` of the second that was set. */
  readonly read: MetricReader = (name) => this.value(name)

  /** @param networkDelayMs one way, without packet time, codec and buffer */
  set(
    stream: WatchedStream,
    second: MediaSecond,
    codec: CodecUse | undefined,
    networkDelayMs: number,
    isBurst: boolean,
  ): void {
    this.stream = stream
    this.second = second
    this.codec = codec
    this.networkDelayMs = networkDelayMs
    this.isBurst = isBurst
    this.scored = false
  }

  private value(name: string): number | undefined {
    const { second } = this
    const expected = second.packets + Math.max(0, second.lost)
    switch (name) {
      case 'packets':
        return second.packets
      case 'lost':
        return Math.max(0, second.lost)
      case 'loss_percent':
        return expected > 0 ? (100 * Math.max(0, second.lost)) / expected : undefined
      case 'late':
        return second.measured > 0 ? second.late : undefined
      case 'late_percent':
        return second.measured > 0 && expected > 0 ? (100 * second.late) / expected : undefined
      case 'jitter_mean_ms':
        return second.jitterUpdates > 0 ? second.jitterSum / second.jitterUpdates : undefined
      case 'jitter_p95_ms':
        return jitterP95(second.jitter)
      case 'pdv_p95_ms':
        return second.measured > 0 ? percentile(second.pdv, PDV_BUCKETS, 95, second.pdvMax) : undefined
      case 'pdv_max_ms':
        return second.measured > 0 ? second.pdvMax : undefined
      case 'burst':
        return this.isBurst ? 1 : 0
      case 'delay_ms':
        return this.delayMs()
      case 'mos_cq':
        return this.scores()?.mosCq
      case 'mos_lq':
        return this.scores()?.mosLq
      case 'r_factor':
        return this.scores()?.rFactor
      case 'network_mos_drop':
        return this.networkDrop()
      default:
        return undefined
    }
  }

  private ptimeMs(): number {
    return this.second.ptimeMs > 0 ? this.second.ptimeMs : (this.codec?.row?.ptimeMs ?? DEFAULT_PTIME_MS)
  }

  private delayMs(): number {
    return this.ptimeMs() + (this.codec?.row?.lookaheadMs ?? 0) + this.second.depthMs + this.networkDelayMs
  }

  private scores(): StreamScore | undefined {
    if (this.scored) return this.score
    this.scored = true
    this.score = undefined
    const row = this.codec?.row
    if (!row) return undefined
    // Whole milliseconds, so that calm streams share their score.
    const delayMs = Math.round(this.delayMs())
    this.impairments = this.stream.recent(this.second.startMs, this.ptimeMs(), delayMs)
    if (!this.impairments) return undefined
    const { lossPercent, latePercent } = this.impairments
    if (lossPercent > 0 || latePercent > 0) return (this.score = scoreOf(row, this.impairments))
    let known = this.lossless.get(row.id)
    if (!known || known.size >= MOST_DELAYS) this.lossless.set(row.id, (known = new Map()))
    this.score = known.get(delayMs)
    if (!this.score) known.set(delayMs, (this.score = scoreOf(row, this.impairments)))
    return this.score
  }

  private networkDrop(): number | undefined {
    const score = this.scores()
    const row = this.codec?.row
    return score && row && networkDropOf(row, score)
  }

  /** What lowers the score of this second's stream the most. */
  driver(): MosDriver | undefined {
    const row = this.codec?.row
    return this.scores() && row && this.impairments ? driverOf(row, this.impairments) : undefined
  }
}
