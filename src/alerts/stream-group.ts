import type { MediaSecond } from '../calls/second-watch.js'
import type { MosDriver } from '../calls/records.js'
import type { AlertRule } from '../config/alerts.js'
import { percentile } from '../rtp/histogram.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import { mostFrequent, partiesOf, type AffectedCall, type Evidence } from './bad-sample.js'
import type { Reading, RuleGroup } from './reading.js'
import {
  affectedCall,
  jitterP95,
  type SecondMetrics,
  type StreamOwner,
  type WatchedStream,
} from './stream-watch.js'

/** Streams with bad seconds that are followed at once in one group. */
const MOST_TROUBLED = 4096
const SECOND_MS = 1000
const GOOD_MOS = 4
/** A bad stretch that goes on counts once more after so long, while packets keep moving about. */
const STRETCH_MS = 5000
/**
 * Sum of the running jitter over a second, which is about the sum of |D|, that tells movement from a delay that has
 * become longer once and for all (a new route): one excursion of 60 ms up and down makes 120.
 */
const MOVEMENT_MS = 60

/** A stream with bad seconds in the window. */
interface Trouble {
  /** Starts of what counts, oldest first: bad stretches, or bad seconds. */
  marks: number[]
  lastBadMs: number
  packets: number
  lost: number
  late: number
  pdvMaxMs: number
  readonly pdv: Uint32Array
  readonly jitter: Uint32Array
  mosCq: number | undefined
  mosDriver: MosDriver | undefined
}

/** A rule over seconds: streams are affected by repeated bad stretches, or by enough bad seconds. */
export class StreamGroup implements RuleGroup {
  private readonly windowMs: number
  private readonly needed: number
  /** For delay variation: a delay that became longer once and for all is no burst. */
  private readonly needsMovement: boolean
  private readonly members = new Set<WatchedStream>()
  private readonly troubled = new Map<WatchedStream, Trouble>()
  /** Whose streams were bad in which second (its start, ms): to see what was bad together. */
  private readonly badAt = new Map<number, Set<StreamOwner>>()
  private affected: ReadonlySet<WatchedStream> = new Set()
  private prunedAt = -Infinity
  private lastBadMs = NaN
  /** Bad seconds beyond the bound. */
  overflow = 0

  constructor(private readonly rule: AlertRule) {
    this.windowMs = rule.window_s * 1000
    this.needed = rule.repeats ?? rule.bad_seconds ?? 1
    this.needsMovement = rule.bad.some(({ metric }) => metric === 'burst')
  }

  /** A second of this stream is over; `stream.lastSecondMs` says which. */
  seen(stream: WatchedStream): void {
    this.members.add(stream)
  }

  bad(stream: WatchedStream, second: MediaSecond, metrics: SecondMetrics): void {
    let trouble = this.troubled.get(stream)
    if (!trouble) {
      if (this.troubled.size >= MOST_TROUBLED) {
        this.overflow++
        return
      }
      this.troubled.set(stream, (trouble = newTrouble()))
    }
    if (this.counts(trouble, second)) trouble.marks.push(second.startMs)
    if (this.rule.together > 1) this.noteTogether(stream.owner, second.startMs)
    trouble.lastBadMs = Math.max(trouble.lastBadMs, second.startMs)
    if (!(this.lastBadMs >= second.startMs)) this.lastBadMs = second.startMs
    trouble.packets += second.packets
    trouble.lost += second.lost
    trouble.late += second.late
    trouble.pdvMaxMs = Math.max(trouble.pdvMaxMs, second.pdvMax)
    for (let k = 0; k < PDV_BUCKETS; k++) trouble.pdv[k] += second.pdv[k]
    for (let k = 0; k < JITTER_BUCKETS; k++) trouble.jitter[k] += second.jitter[k]
    trouble.mosCq = metrics.read('mos_cq') ?? trouble.mosCq
    trouble.mosDriver = metrics.driver() ?? trouble.mosDriver
  }

  /** Whether a bad second is one more: with `repeats`, only the first of a stretch is, and one in five seconds of a
   * stretch that goes on. */
  private counts({ marks, lastBadMs }: Trouble, second: MediaSecond): boolean {
    if (this.rule.repeats === undefined) return true
    if (second.startMs - lastBadMs > SECOND_MS) return true
    const lastMark = marks.at(-1) ?? -Infinity
    if (second.startMs - lastMark < STRETCH_MS) return false
    return !this.needsMovement || second.jitterSum >= MOVEMENT_MS
  }

  private noteTogether(owner: StreamOwner, startMs: number): void {
    const owners = this.badAt.get(startMs)
    if (owners) owners.add(owner)
    else this.badAt.set(startMs, new Set([owner]))
  }

  /** Whether enough calls were bad about then: in this second, the one before or the one after. */
  private isShared(markMs: number): boolean {
    const { together } = this.rule
    if (together <= 1) return true
    const owners = new Set<StreamOwner>()
    for (const startMs of [markMs, markMs - SECOND_MS, markMs + SECOND_MS]) {
      for (const owner of this.badAt.get(startMs) ?? []) owners.add(owner)
      if (owners.size >= together) return true
    }
    return false
  }

  isEmpty(nowMs: number): boolean {
    this.prune(nowMs)
    return this.members.size === 0 && this.troubled.size === 0
  }

  private prune(nowMs: number): void {
    if (nowMs - this.prunedAt < SECOND_MS && nowMs >= this.prunedAt) return
    this.prunedAt = nowMs
    const oldest = nowMs - this.windowMs
    for (const startMs of this.badAt.keys()) if (startMs + 2 * SECOND_MS <= oldest) this.badAt.delete(startMs)
    for (const stream of this.members)
      if (stream.lastSecondMs + SECOND_MS <= oldest) this.members.delete(stream)
  }

  /** Its active streams, and which are affected as of the last reading. */
  get streams(): { stream: WatchedStream; isBad: boolean }[] {
    return [...this.members].map((stream) => ({ stream, isBad: this.affected.has(stream) }))
  }

  read(nowMs: number): Reading {
    this.prune(nowMs)
    const oldest = nowMs - this.windowMs
    const affected: [WatchedStream, Trouble][] = []
    const shared = new Map<number, boolean>()
    const isShared = (markMs: number): boolean => {
      const known = shared.get(markMs) ?? this.isShared(markMs)
      shared.set(markMs, known)
      return known
    }
    let firstBadMs = NaN
    for (const entry of this.troubled) {
      const [stream, trouble] = entry
      const { marks } = trouble
      while (marks.length > 0 && marks[0] + SECOND_MS <= oldest) marks.shift()
      if (marks.length === 0 && trouble.lastBadMs + SECOND_MS <= oldest) {
        this.troubled.delete(stream)
        continue
      }
      const counted = marks.filter(isShared)
      if (counted.length < this.needed) continue
      affected.push(entry)
      if (!(firstBadMs <= counted[0])) firstBadMs = counted[0]
    }
    this.affected = new Set(affected.map(([stream]) => stream))
    const active = Math.max(this.members.size, affected.length)
    const calls = callsOf(affected.map(([stream]) => stream))
    const { rule } = this
    return {
      value:
        rule.measure === 'count'
          ? affected.length
          : active > 0
            ? (100 * affected.length) / active
            : undefined,
      isEnough:
        active >= rule.min_samples && calls.length >= rule.min_calls && partiesOf(calls) >= rule.min_parties,
      firstBadMs,
      lastBadMs: this.lastBadMs + SECOND_MS,
      affected: calls,
      streamsAffected: affected.length,
      streamsActive: active,
      evidence: evidenceOf(affected.map(([, trouble]) => trouble)),
    }
  }
}

function newTrouble(): Trouble {
  return {
    marks: [],
    lastBadMs: -Infinity,
    packets: 0,
    lost: 0,
    late: 0,
    pdvMaxMs: 0,
    pdv: new Uint32Array(PDV_BUCKETS),
    jitter: new Uint32Array(JITTER_BUCKETS),
    mosCq: undefined,
    mosDriver: undefined,
  }
}

function callsOf(streams: readonly WatchedStream[]): AffectedCall[] {
  const calls = new Map<string, AffectedCall>()
  for (const stream of streams) {
    const { callId } = stream.owner
    if (!calls.has(callId)) calls.set(callId, affectedCall(stream))
  }
  return [...calls.values()]
}

/** All affected streams' bad seconds as one. */
function evidenceOf(troubles: readonly Trouble[]): Evidence | undefined {
  if (troubles.length === 0) return undefined
  const pdv = new Uint32Array(PDV_BUCKETS)
  const jitter = new Uint32Array(JITTER_BUCKETS)
  let packets = 0
  let lost = 0
  let late = 0
  let pdvMaxMs = 0
  for (const trouble of troubles) {
    packets += trouble.packets
    lost += trouble.lost
    late += trouble.late
    pdvMaxMs = Math.max(pdvMaxMs, trouble.pdvMaxMs)
    for (let k = 0; k < PDV_BUCKETS; k++) pdv[k] += trouble.pdv[k]
    for (let k = 0; k < JITTER_BUCKETS; k++) jitter[k] += trouble.jitter[k]
  }
  const scores = troubles.map(({ mosCq }) => mosCq).filter((mos) => mos !== undefined)
  const expected = packets + Math.max(0, lost)
  const mosCq = scores.length > 0 ? scores.reduce((sum, mos) => sum + mos, 0) / scores.length : undefined
  return {
    jitterP95Ms: jitterP95(jitter),
    pdvP95Ms: percentile(pdv, PDV_BUCKETS, 95, pdvMaxMs),
    pdvMaxMs: pdvMaxMs > 0 ? pdvMaxMs : undefined,
    lossPercent: expected > 0 ? (100 * Math.max(0, lost)) / expected : undefined,
    latePercent: expected > 0 ? (100 * late) / expected : undefined,
    mosCq,
    // What lowers a score that is good is of no interest.
    mosDriver:
      mosCq !== undefined && mosCq < GOOD_MOS
        ? mostFrequent(troubles.map(({ mosDriver }) => mosDriver).filter((d) => d !== undefined))
        : undefined,
  }
}
