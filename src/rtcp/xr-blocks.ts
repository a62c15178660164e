/** RFC 6776 and later blocks: what the values cover. */
export type XrInterval = 'sampled' | 'interval' | 'cumulative' | 'reserved'

/** A run of packets, `step` (2^thinning) apart; both ends belong to it. Sequence numbers are 16 bits and wrap. */
export interface SequenceRange {
  first: number
  last: number
  count: number
}

/** 1 Loss RLE, 2 Duplicate RLE. */
export interface RleBlock {
  type: 'loss_rle' | 'duplicate_rle'
  ssrc: number
  /** T: only sequence numbers that are multiples of 2^thinning are reported. */
  thinning: number
  beginSequence: number
  /** One behind the last sequence number covered. */
  endSequence: number
  /** Packets told of. */
  reported: number
  /** Of these, lost (loss_rle) or received more than once (duplicate_rle). */
  marked: number
  /** The marked ones in order, at most 256 runs. */
  ranges: SequenceRange[]
}

/** 3 Packet receipt times: the header only. */
export interface ReceiptTimesBlock {
  type: 'receipt_times'
  ssrc: number
  thinning: number
  beginSequence: number
  endSequence: number
  /** Receipt times that follow. */
  count: number
}

/** 4 Receiver reference time. */
export interface ReceiverReferenceTimeBlock {
  type: 'receiver_reference_time'
  ntpSeconds: number
  ntpFraction: number
  /** What the answering DLRR repeats as LRR. */
  ntpMiddle32: number
}

/** 5 DLRR: answers to the reference times of receivers. */
export interface DlrrBlock {
  type: 'dlrr'
  reports: DlrrReport[]
}

export interface DlrrReport {
  /** The receiver whose reference time is answered. */
  ssrc: number
  /** Middle 32 bits of its NTP time; 0 = none received. */
  lrr: number
  /** 1/65536 s. */
  dlrr: number
}

/** 6 Statistics summary. Fields whose flag is not set are absent. Jitter in timestamp units. */
export interface StatisticsSummaryBlock {
  type: 'statistics_summary'
  ssrc: number
  beginSequence: number
  endSequence: number
  lost?: number
  duplicates?: number
  jitter?: { min: number; max: number; mean: number; deviation: number }
  /** IPv4 TTL or IPv6 hop limit. */
  ttl?: { min: number; max: number; mean: number; deviation: number; ipv6: boolean }
}

/** 7 VoIP metrics (RFC 3611 4.7). Absent = said to be unavailable (127), or outside its range. */
export interface VoipMetricsBlock {
  type: 'voip_metrics'
  ssrc: number
  /** Of the packets expected. */
  lossPercent: number
  discardPercent: number
  burstDensityPercent: number
  gapDensityPercent: number
  burstDurationMs: number
  gapDurationMs: number
  roundTripMs: number
  endSystemDelayMs: number
  signalLevelDbm?: number
  noiseLevelDbm?: number
  echoReturnLossDb?: number
  gmin: number
  rFactor?: number
  externalRFactor?: number
  mosLq?: number
  mosCq?: number
  concealment: 'unspecified' | 'disabled' | 'enhanced' | 'standard'
  buffer: 'unknown' | 'reserved' | 'fixed' | 'adaptive'
  /** J: the adjustment time is 2 x J x frame. */
  bufferRate: number
  bufferNominalMs?: number
  bufferMaxMs?: number
  bufferAbsoluteMaxMs?: number
}

/** 14 Measurement information (RFC 6776 4). */
export interface MeasurementInformationBlock {
  type: 'measurement_information'
  ssrc: number
  firstSequence: number
  intervalFirstExtended: number
  intervalLastExtended: number
  intervalMs: number
  cumulativeMs: number
}

/** 15 Packet delay variation (RFC 6798). */
export interface PdvBlock {
  type: 'pdv'
  ssrc: number
  interval: XrInterval
  /** pdvtyp: 0 mean absolute (MAPDV2), 1 two-point (Y.1540). */
  metric: number
  positiveThresholdMs?: number
  positivePercentile?: number
  negativeThresholdMs?: number
  negativePercentile?: number
  meanMs?: number
}

/** 16 Delay (RFC 6843). */
export interface DelayBlock {
  type: 'delay'
  ssrc: number
  interval: XrInterval
  meanRoundTripMs?: number
  minRoundTripMs?: number
  maxRoundTripMs?: number
  endSystemDelayMs?: number
}

/** 20 Burst/gap loss (RFC 6958). */
export interface BurstGapLossBlock {
  type: 'burst_gap_loss'
  ssrc: number
  interval: XrInterval
  /** Lost and discarded packets together, not lost ones alone. */
  includesDiscards: boolean
  /** Gmin. */
  threshold: number
  burstDurationSumMs?: number
  packetsLostInBursts?: number
  packetsExpectedInBursts?: number
  bursts?: number
  /** ms^2. */
  burstDurationSquaresSum?: number
}

/** 21 Burst/gap discard (RFC 7003). */
export interface BurstGapDiscardBlock {
  type: 'burst_gap_discard'
  ssrc: number
  interval: XrInterval
  threshold: number
  packetsDiscardedInBursts?: number
  packetsExpectedInBursts?: number
}

/** 23 De-jitter buffer (RFC 7005). */
export interface JitterBufferBlock {
  type: 'jitter_buffer'
  ssrc: number
  interval: XrInterval
  adaptive: boolean
  nominalMs?: number
  maximumMs?: number
  highWaterMs?: number
  lowWaterMs?: number
}

/** 24 Discard count (RFC 7002). */
export interface DiscardCountBlock {
  type: 'discard_count'
  ssrc: number
  interval: XrInterval
  reason: 'duplicate' | 'early' | 'late' | 'reserved'
  packets?: number
}

/** 26 Bytes discarded (RFC 7243). */
export interface BytesDiscardedBlock {
  type: 'bytes_discarded'
  ssrc: number
  interval: XrInterval
  early: boolean
  bytes: number
}

/** 29 MOS (RFC 7266). */
export interface MosBlock {
  type: 'mos'
  ssrc: number
  interval: XrInterval
  segments: MosSegment[]
}

export interface MosSegment {
  /** CAID: which algorithm made the score, as the SDP maps it. */
  algorithm: number
  payloadType: number
  /** Absent for one channel. */
  channel?: number
  /** 1..5; absent when unavailable. */
  mos?: number
}

/** 30 Loss concealment (RFC 7294 3). Durations in ms. */
export interface LossConcealmentBlock {
  type: 'loss_concealment'
  ssrc: number
  interval: XrInterval
  /** plc: 0 silence, 1 replay, 2 replay that fades, 3 enhanced. */
  method: number
  onTimeMs?: number
  lossConcealedMs?: number
  bufferConcealedMs?: number
  interruptions?: number
  meanInterruptionMs?: number
}

/** 31 Concealed seconds (RFC 7294 4). */
export interface ConcealedSecondsBlock {
  type: 'concealed_seconds'
  ssrc: number
  interval: XrInterval
  method: number
  unimpairedSeconds?: number
  concealedSeconds?: number
  severelyConcealedSeconds?: number
  /** ms of concealment in a second that make it severe. */
  severeThresholdMs: number
}

/** A block type that is not read, or one shorter than its type needs. */
export interface OtherBlock {
  type: 'other'
  blockType: number
  /** Bytes, first word included. */
  length: number
}

export type XrBlock =
  | RleBlock
  | ReceiptTimesBlock
  | ReceiverReferenceTimeBlock
  | DlrrBlock
  | StatisticsSummaryBlock
  | VoipMetricsBlock
  | MeasurementInformationBlock
  | PdvBlock
  | DelayBlock
  | BurstGapLossBlock
  | BurstGapDiscardBlock
  | JitterBufferBlock
  | DiscardCountBlock
  | BytesDiscardedBlock
  | MosBlock
  | LossConcealmentBlock
  | ConcealedSecondsBlock
  | OtherBlock
