import type { DecodedPacket } from '../decode/packet.js'
import { JITTER_BUCKETS, PDV_BUCKETS } from './layout.js'

/** Packets of one payload type in an interval. */
export interface PayloadTypeCount {
  payloadType: number
  packets: number
}

/** Additive counters and histograms of a stretch of media: an interval, a stream, a direction. Times in ms. */
export interface MediaCounts {
  packets: number
  bytes: number
  lost: number
  duplicates: number
  spanDuplicates: number
  reordered: number
  lateFixed50: number
  lateFixed200: number
  lateAdaptive: number
  lateConfigured: number
  timestampJumps: number
  dtmfEvents: number
  eventPackets: number
  noisePackets: number
  burstSeconds: number
  stray: number
  segments: number
  jitterUpdates: number
  jitterSum: number
  jitterMax: number
  measured: number
  pdvMax: number
  longestGap: number
  depthSum: number
  skewPpm: number
  ptimeMs: number
  clockRateHz: number
  payloadType: number
  burstCount: number
  burstPackets: number
  burstBad: number
  gapBad: number
  badTotal: number
  badRuns: number
  finalPackets: number
  edgeBursts: number
  dscp: number
  firstPacket: number
  lastPacket: number
  readonly lossRuns: ArrayLike<number>
  readonly pdv: ArrayLike<number>
  readonly jitter: ArrayLike<number>
}

/**
 * What one stream did in one interval: additive counters and histograms, from which intervals, directions, streams and
 * calls are built. The meter reuses one row: listeners copy what they keep.
 */
export class IntervalRow implements MediaCounts {
  slot = 0
  /** Clock-aligned interval, ms since the epoch. */
  intervalStart = 0
  intervalEnd = 0
  /** First and last packet within it (equal to each other when there is one packet; NaN when none). */
  firstPacket = 0
  lastPacket = 0
  /** Distinct packets, and their RTP bytes (header and payload as in the UDP datagram). */
  packets = 0
  bytes = 0
  lost = 0
  /**
   * Losses counted in the row before that turned out to be late arrivals; less those of its time that are known only now,
   * since it had waited for 30 s.
   */
  lostBefore = 0
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
  /** Packets with an implausible sequence number that no other confirmed: in no other count. */
  stray = 0
  segments = 0
  jitterUpdates = 0
  /** Sum of the running jitter after each update, ms. */
  jitterSum = 0
  jitterMax = 0
  /** Packets measured against the delay-variation base, and their largest PDV, ms. */
  measured = 0
  pdvMax = 0
  longestGap = 0
  /** Sum over measured packets of the adaptive buffer's depth, ms. */
  depthSum = 0
  /** Clock skew, ppm, positive = sender fast; NaN when not known yet. */
  skewPpm = NaN
  /** Milliseconds per packet, 0 when unknown. */
  ptimeMs = 0
  clockRateHz = 0
  payloadType = -1
  /** RFC 3611 bursts that ended here: their packets, and bad packets within; isolated bad packets. */
  burstCount = 0
  burstPackets = 0
  burstBad = 0
  gapBad = 0
  /** Lost and late packets, and the runs they came in. */
  badTotal = 0
  badRuns = 0
  /** Packets (received and lost) that the burst counters cover. */
  finalPackets = 0
  /** Bursts that ran to the very end of the stream (no gap after). */
  edgeBursts = 0
  dscp = 0
  /** Extended sequence numbers of the running segment (cycles count from 1). */
  segmentLowest = 0
  segmentHighest = 0
  /** The stream's first row, and its last. */
  first = false
  last = false
  readonly lossRuns = new Int32Array(10)
  readonly pdv = new Uint16Array(PDV_BUCKETS)
  readonly jitter = new Uint16Array(JITTER_BUCKETS)
  /** Valid entries: `payloadTypes` of them. */
  readonly typeCounts: PayloadTypeCount[] = [0, 1, 2, 3].map(() => ({ payloadType: -1, packets: 0 }))
  payloadTypes = 0
}

/** Between which ends packets flow. Addresses as int32 words, as in DecodedPacket. */
export interface FlowEnds {
  ipVersion: number
  source: readonly [number, number, number, number]
  destination: readonly [number, number, number, number]
  sourcePort: number
  destinationPort: number
  vlan: number
  /** ms since the epoch. */
  firstArrival: number
}

/** A stream's key as the correlation side sees it. */
export interface StreamIdentity extends FlowEnds {
  ssrc: number
  /** Sequence number of its first packet (the lowest so far). */
  firstSequence: number
}

export interface StreamListener {
  /** A stream was announced, or passed probation. */
  onStreamStart(slot: number): void
  onRow(row: IntervalRow): void
  /** A stream goes on after `beginSegment`. */
  onResume?(slot: number): void
  /** A second (clock aligned, `startMs`) had a burst of late packets, the worst with a PDV of `peakMs`. */
  onBurstSecond?(slot: number, startMs: number, peakMs: number): void
  /** A second (clock aligned, `startMs`) with packets is over, its highest PDV `peakMs`; `RtpMeter.peek` has the counts. */
  onSecond?(slot: number, startMs: number, peakMs: number): void
  /** The first packet of each second of a stream for which `setSampled` asked for it; valid during the call. */
  onPayloadSample?(slot: number, p: DecodedPacket): void
  /** Packets of an announced flow found no room in the table. Told of again and again while they go on. */
  onNoRoom?(flow: FlowEnds): void
  /** After the last row. The slot is used again afterwards. */
  onStreamEnd(slot: number): void
}
