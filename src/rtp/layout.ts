/**
 * One stream's running state: a stride of 1,216 bytes in one ArrayBuffer, seen through Int32, Float32, Float64 and
 * Uint16 views. Fields that each packet touches stand first, side by side: cache misses are the cost at 200,000
 * streams. `I_` fields index the 32-bit views from `slot * STRIDE_32`, `D_` fields the Float64 view from
 * `slot * STRIDE_64`, `H_` fields the Uint16 view from `slot * STRIDE_16`.
 */
export const STRIDE_BYTES = 1216
export const STRIDE_16 = STRIDE_BYTES / 2
export const STRIDE_32 = STRIDE_BYTES / 4
export const STRIDE_64 = STRIDE_BYTES / 8

/** 32-bit fields per cache line. */
export const LINE_32 = 16

// Cache line 0: who it is, where its sequence stands, when it was last seen.
export const I_SSRC = 0
/** Source port in the upper, destination port in the lower 16 bits. */
export const I_PORTS = 1
export const I_SOURCE0 = 2
export const I_DESTINATION0 = 3
export const I_FLAGS = 4
/** Highest extended sequence number of the segment (RFC 3550 A.1), starting in cycle 1. */
export const I_HIGHEST = 5
/** RTP timestamp of the last in-order media packet. */
export const I_TIMESTAMP = 6
/** Received bits of the 32-packet word that holds `I_HIGHEST`. */
export const I_HEAD_WORD = 7
export const D_ARRIVAL = 4
/** d of the last in-order media packet: arrival - timestamp/clock, ms, from 0 at the segment's start. */
export const D_TRANSIT = 5
/** End of the second (clock aligned) that is being watched. */
export const D_SECOND_END = 6
/** Last audio payload type (0..127), -1 before the first. */
export const I_PAYLOAD_TYPE = 14
export const I_PAYLOAD_MAP = 15

// Cache line 1: jitter and the base of the delay variation.
/** Milliseconds per RTP tick, 0 when the clock rate is unknown. */
export const D_MS_PER_TICK = 8
export const D_JITTER = 9
export const D_JITTER_SUM = 10
/** The lowest d so far and when it was seen; the base is carried from there along the skew line. */
export const D_BASE_TIME = 11
export const D_BASE = 12
/** Slope of d in ms per ms. */
export const D_SLOPE = 13
export const D_SECOND_MIN = 14
export const D_SECOND_MIN_TIME = 15

// Cache line 2: counters of the open interval, and the last packets' looks.
export const I_PACKETS = 32
export const I_BYTES = 33
export const I_JITTER_UPDATES = 34
/** Packets that were measured against the delay-variation base. */
export const I_MEASURED = 35
export const I_JITTER_MAX = 36
export const I_LONGEST_GAP = 37
export const I_SECOND_PDV_MAX = 38
/** Timestamp step between consecutive packets (two equal ones in a row), ticks. */
export const I_PTIME_TICKS = 39
export const I_BUFFERS_DIRTY = 40
/**
 * The last six packets, by extended sequence number modulo 6: a signature in the upper 16 bits (0: not known), the time
 * of arrival in ms modulo 65,536 in the lower.
 */
export const I_RECENT = 41
export const RECENT_PACKETS = 6
export const I_PDV_MAX = 47

// From here on a packet without loss, lateness or other news touches only a word of each 32 packets.
/** Depth of the adaptive jitter buffer, ms. */
export const I_DEPTH = 48
/** `I_MEASURED` when the depth last changed, and the sum of depth x packets before that. */
export const I_DEPTH_MARK = 49
export const I_DEPTH_SUM = 50
/** The last other step: low 15 bits of its extended sequence number in the upper, ticks in the lower 16 bits. */
export const I_LAST_STEP = 51
/** Audio packets of the open interval when the payload type last changed. */
export const I_PAYLOAD_MARK = 52
/** Packets with PDV over the burst threshold in the watched second. */
export const I_SECOND_BURSTS = 53

// Cache line 4: received and late bits, eight words of 32 packets each, by (extended sequence >> 5) & 7.
export const I_RECEIVED = 64
export const I_LATE = 72
export const WINDOW_WORDS = 8
/**
 * Where the received bits lie of the word that holds an extended sequence number, from the stride at `i`: those of the
 * word that holds the highest are kept apart.
 */
export function receivedAt(i: number, extended: number, highest: number): number {
  const word = extended >> 5
  return word === highest >> 5 ? i + I_HEAD_WORD : i + I_RECEIVED + (word & (WINDOW_WORDS - 1))
}

// From here on: touched per event or per interval only.
export const I_LOST = 80
export const I_LOST_BEFORE = 81
export const I_DUPLICATES = 82
export const I_SPAN_DUPLICATES = 83
export const I_REORDERED = 84
export const I_LATE_FIXED50 = 85
export const I_LATE_FIXED200 = 86
export const I_LATE_ADAPTIVE = 87
export const I_LATE_CONFIGURED = 88
export const I_TIMESTAMP_JUMPS = 89
export const I_DTMF_EVENTS = 90
export const I_EVENT_PACKETS = 91
export const I_NOISE_PACKETS = 92
export const I_BURST_SECONDS = 93
export const I_STRAY = 94
export const I_SEGMENTS = 95
/** Lowest extended sequence number of the segment. */
export const I_LOWEST = 96
/** Everything below this extended sequence number went through the burst machine. */
export const I_FINAL = 97
export const I_GOOD_RUN = 98
export const I_CLUSTER_LENGTH = 99
export const I_CLUSTER_BAD = 100
export const I_BAD_RUN = 101
export const I_LOST_RUN = 102
export const I_BURST_COUNT = 103
export const I_BURST_PACKETS = 104
export const I_BURST_BAD = 105
export const I_GAP_BAD = 106
export const I_BAD_TOTAL = 107
export const I_BAD_RUNS = 108
export const I_FINAL_PACKETS = 109
export const I_EDGE_BURSTS = 110
/** loss_runs[10] of the open interval. */
export const I_LOSS_RUNS = 111
// Jitter buffers: offset of the buffer's base above the stream's, lowest PDV of the running late stretch.
export const I_OFFSET_FIXED50 = 121
export const I_OFFSET_FIXED200 = 122
export const I_OFFSET_CONFIGURED = 123
export const I_RUN_MIN_FIXED50 = 124
export const I_RUN_MIN_FIXED200 = 125
export const I_RUN_MIN_CONFIGURED = 126
/** PDV maxima of the last ten seconds. */
export const I_SECOND_MAXIMA = 127
export const I_SECOND_MAXIMA_LENGTH = 10
export const I_SKEW_POINTS = 137
export const I_SKEW_SPAN = 138
export const I_SKEW_NEXT = 139
// A packet with an implausible sequence number, kept until the next one confirms or refutes it.
export const I_PENDING_SEQUENCE = 140
export const I_PENDING_TIMESTAMP = 141
/** Repeats in bits 24..30, length in bits 8..23, second header byte in the lower 8 bits. */
export const I_PENDING_TYPE = 142
/** Losses that earlier rows counted and that no late arrival took back. */
export const I_LOST_EARLIER = 143
export const I_SOURCE1 = 144
export const I_DESTINATION1 = 147
export const I_VLAN = 150
/** The last event and noise packets in a row: sequence steps in the upper, last sequence number in the lower 16 bits. */
export const I_OTHER_RUN = 151
export const I_LAST_EVENT_TIMESTAMP = 152
export const I_HASH = 153
/** Up to four (payload type, packets) pairs of the open interval. */
export const I_TYPE_COUNTS = 154
export const TYPE_COUNTS = 4
export const I_PROBATION = 162
/** Extended sequence number of the last packet before which d has no meaning: after a timestamp jump, a new clock. */
export const I_TIMED_FROM = 163
// Float64 fields of the cold part (byte 656 on).
export const D_RUN_START_FIXED50 = 82
export const D_RUN_START_FIXED200 = 83
export const D_RUN_START_CONFIGURED = 84
export const D_PENDING_ARRIVAL = 85
export const D_FIRST_ARRIVAL = 86
export const D_SEGMENT_START = 87
export const D_INTERVAL_START = 88
export const D_INTERVAL_END = 89
export const D_INTERVAL_FIRST = 90
/** Last event, noise or late packet. */
export const D_OTHER_ARRIVAL = 91

// Histograms of the open interval (Uint16, byte 736 to the stride's end). The low buckets of both share cache lines:
// 16 of PDV, 16 of jitter, and so on from byte 768; PDV's last ones stand around them. `histogram.ts` knows the places.
export const H_HISTOGRAMS = 368
/** The cache line of the lowest buckets. */
export const I_LOW_BUCKETS = 192
export const PDV_BUCKETS = 144
export const JITTER_BUCKETS = 96

// Bits of I_FLAGS.
export const FLAG_USED = 1
export const FLAG_VALID = 2
/** Its address and port were announced in SDP. */
export const FLAG_ANNOUNCED = 8
/** A call holds it: idle time alone does not end it. */
export const FLAG_BOUND = 16
export const FLAG_PENDING = 32
/** The last in-order packet was media whose timestamp and transit may be compared with. */
export const FLAG_TIMED = 64
/** The skew was estimated, and is a clock's. */
export const FLAG_SKEW_KNOWN = 256
export const FLAG_FIRST_INTERVAL = 512
/** An event, noise or late packet came after the last in-order media packet. */
export const FLAG_OTHER = 1024
export const FLAG_EVENT_SEEN = 2048
/** The listener sees the first packet of each second. */
export const FLAG_SAMPLED = 4096
/** The next packet begins a segment, whatever its sequence number. */
export const FLAG_ANEW = 8192
/** Above the length in `R_LENGTH_FLAGS` (packet-rows.ts), as the DSCP. */
export const FLAG_IPV6 = 65_536
/** The DSCP of the last packet stands in bits 24..29. */
export const DSCP_SHIFT = 24
