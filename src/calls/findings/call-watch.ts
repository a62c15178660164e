import { PDV_BUCKETS } from '../../rtp/layout.js'
import { bucketOf, HISTOGRAM_LIMIT_MS } from '../../rtp/histogram.js'
import type { MediaCounts } from '../../rtp/row.js'
import type { UnreachableDatagram } from '../../decode/icmp.js'
import { mainCodec } from '../media-codecs.js'
import type { Direction } from '../records.js'
import type { StreamEntry } from '../stream-entry.js'
import type { StreamNote, TimingNote, UnreachableNote } from './evidence.js'
import { QUEUE_PDV_MS, QUEUEING_MS } from './thresholds.js'

/** Streams that a call's addresses and legs are judged by; of more, the first ones are. */
const MOST_STREAMS = 16
/** In fewer packets than this the packet time may be that of pauses. */
const LEAST_PTIME_PACKETS = 25
/** Packet times that differ by less are one, measured twice. */
const PTIME_STEP_MS = 5
/** What nearly everybody sends: an interval of it with little delay variation needs no note. */
const USUAL_PTIME_MS = 20
/**
 * A queue holds packets up one behind the other, so that neighbours differ little; what is late by chance differs from
 * its neighbour by a good part of the delay. Mean jitter over the mean delay of the held-up packets tells them apart.
 */
const QUEUE_JITTER_RATIO = 0.12
/** A queue keeps the order. */
const MOST_REORDERED = 0.02
/** More than this part of an interval: then it is long whatever its burst seconds say. */
const MOSTLY = 0.5

/** A delay that stands for each PDV bucket, ms. */
const BUCKET_MS = bucketMiddles()
const FIRST_QUEUE_BUCKET = bucketOf(QUEUE_PDV_MS + 0.1)
/** About where packets make a burst second. */
const FIRST_BURST_BUCKET = bucketOf(60.1)

function bucketMiddles(): Float64Array {
  const sums = new Float64Array(PDV_BUCKETS)
  const counts = new Float64Array(PDV_BUCKETS)
  for (let tenths = 0; tenths < HISTOGRAM_LIMIT_MS * 10; tenths++) {
    const bucket = bucketOf((tenths + 0.5) / 10)
    sums[bucket] += (tenths + 0.5) / 10
    counts[bucket]++
  }
  return sums.map((sum, bucket) => (counts[bucket] > 0 ? sum / counts[bucket] : HISTOGRAM_LIMIT_MS))
}

/** Nothing in it to note. */
export function isOrdinary({ ptimeMs, pdvMax }: MediaCounts): boolean {
  return pdvMax <= QUEUE_PDV_MS && (ptimeMs === 0 || ptimeMs === USUAL_PTIME_MS)
}

const NO_STREAMS: readonly StreamNote[] = []

/**
 * What is noted of one call while it runs, beyond its record: per interval, per stream and per ICMP message. Lean, as there
 * is one for each open call: notes are made when there is something to note.
 */
export class CallWatch {
  streams: readonly StreamNote[] = NO_STREAMS
  timing: Partial<Record<Direction, TimingNote>> | undefined = undefined
  unreachable: Partial<Record<Direction, UnreachableNote>> | undefined = undefined
  // Packet time of the last interval, 0 before the first.
  private callerPtimeMs = 0
  private calleePtimeMs = 0

  /** A stream leaves the call; its totals are those of its time there. */
  onStreamLeft(stream: StreamEntry): void {
    const { totals, direction } = stream
    if (!totals || !direction || totals.packets === 0 || this.streams.length >= MOST_STREAMS) return
    const note: StreamNote = {
      direction,
      audio: stream.audio,
      leg: stream.leg,
      ssrc: stream.ssrc,
      sourceAddress: stream.sourceAddress,
      sourcePort: stream.sourcePort,
      destinationAddress: stream.destinationAddress,
      destinationPort: stream.destinationPort,
      packets: totals.packets,
      firstMs: totals.firstPacket,
      lastMs: totals.lastPacket,
      dscp: totals.dscp,
      codec: mainCodec(stream.codecs)?.encoding,
    }
    this.streams = [...this.streams, note]
  }

  knowsPtime(direction: Direction): boolean {
    return (direction === 'from_caller' ? this.callerPtimeMs : this.calleePtimeMs) > 0
  }

  /** Intervals before this one were ordinary, and so not noted. */
  afterOrdinary(direction: Direction): void {
    if (direction === 'from_caller') this.callerPtimeMs = USUAL_PTIME_MS
    else this.calleePtimeMs = USUAL_PTIME_MS
  }

  onInterval(direction: Direction, counts: MediaCounts, startMs: number): void {
    this.notePtime(direction, counts, startMs)
    if (counts.pdvMax <= QUEUE_PDV_MS) return
    const heldMs = heldUpMs(counts)
    if (heldMs === 0) return
    const timing = this.timingOf(direction)
    if (counts.pdvMax > timing.peakPdvMs) {
      timing.peakPdvMs = counts.pdvMax
      timing.newPeaks++
    }
    if (timing.queueingIntervals === 0) timing.queueingSinceMs = Math.max(startMs, counts.firstPacket)
    timing.queueingIntervals++
    timing.queueingMs += heldMs
    timing.lostWhileQueueing += counts.lost
    timing.burstsWhileQueueing += counts.burstSeconds
  }

  private notePtime(direction: Direction, counts: MediaCounts, startMs: number): void {
    const { ptimeMs, packets } = counts
    if (ptimeMs <= 0 || packets < LEAST_PTIME_PACKETS) return
    const before = direction === 'from_caller' ? this.callerPtimeMs : this.calleePtimeMs
    if (direction === 'from_caller') this.callerPtimeMs = ptimeMs
    else this.calleePtimeMs = ptimeMs
    if (before === 0 || Math.abs(ptimeMs - before) < PTIME_STEP_MS) return
    const timing = this.timingOf(direction)
    timing.ptime ??= { fromMs: before, toMs: ptimeMs, changedMs: startMs }
  }

  private timingOf(direction: Direction): TimingNote {
    this.timing ??= {}
    return (this.timing[direction] ??= {
      queueingIntervals: 0,
      queueingMs: 0,
      queueingSinceMs: NaN,
      lostWhileQueueing: 0,
      burstsWhileQueueing: 0,
      peakPdvMs: 0,
      newPeaks: 0,
    })
  }

  onUnreachable(direction: Direction, icmp: UnreachableDatagram, timeMs: number): void {
    this.unreachable ??= {}
    const known = this.unreachable[direction]
    if (known) {
      known.count++
      known.lastMs = timeMs
      return
    }
    this.unreachable[direction] = {
      count: 1,
      firstMs: timeMs,
      lastMs: timeMs,
      type: icmp.type,
      code: icmp.code,
      portUnreachable: icmp.portUnreachable,
      reporterAddress: icmp.reporterAddress,
      address: icmp.destinationAddress,
      port: icmp.destinationPort,
    }
  }
}

/**
 * Media that a queue held up by more than QUEUE_PDV_MS in one interval, ms; 0 when it was not a queue that stood for
 * QUEUEING_MS. The histogram has no order, so three things stand for it: enough such packets, enough of them in each
 * second that had any burst, and neighbours that are late alike and in order.
 */
function heldUpMs(counts: MediaCounts): number {
  let packets = 0
  let delays = 0
  let bursting = 0
  for (let bucket = FIRST_QUEUE_BUCKET; bucket < PDV_BUCKETS; bucket++) {
    packets += counts.pdv[bucket]
    delays += counts.pdv[bucket] * Math.min(BUCKET_MS[bucket], counts.pdvMax)
    if (bucket >= FIRST_BURST_BUCKET) bursting += counts.pdv[bucket]
  }
  const ptimeMs = counts.ptimeMs > 0 ? counts.ptimeMs : 20
  const heldMs = packets * ptimeMs
  if (heldMs < QUEUEING_MS || counts.reordered > MOST_REORDERED * counts.packets) return 0
  // Two seconds may share one stretch of QUEUEING_MS.
  const perBurstMs = counts.burstSeconds > 0 ? (bursting * ptimeMs) / counts.burstSeconds : 0
  if (perBurstMs < QUEUEING_MS / 2 && packets < MOSTLY * counts.measured) return 0
  const jitterMs = counts.jitterUpdates > 0 ? counts.jitterSum / counts.jitterUpdates : 0
  return jitterMs < (QUEUE_JITTER_RATIO * delays) / packets ? heldMs : 0
}
