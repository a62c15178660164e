import type { DecodedPacket } from '../decode/packet.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import { AnnouncedEndpoints } from './announced.js'
import { BurstMachine } from './burst.js'
import { CandidateTable } from './candidates.js'
import { FORESIGHT, LONE_ROW, NEXT_ROW, threadRows as rows } from './described-batch.js'
import { EarlyPackets } from './early-packets.js'
import { JUMP_MS, makeFastPath, SIGNATURE_MASK, type FastPath, type FastPathEvents } from './fast-path.js'
import { jitterPlace, pdvPlace } from './histogram.js'
import { ADAPTIVE_MAX_MS, ADAPTIVE_MIN_MS, JitterBuffers, type ConfiguredBuffer } from './jitter-buffers.js'
import * as L from './layout.js'
import {
  checksumSignature,
  payloadSignature,
  R_DESTINATION,
  R_LENGTH_FLAGS,
  R_RTP,
  R_SIGNATURE,
  R_SOURCE,
  R_SSRC,
  R_TIMESTAMP,
  ROW_32,
} from './packet-rows.js'
import { CLASS_AUDIO, CLASS_EVENT, CLASS_NOISE, PayloadMaps, classOf, clockOf } from './payload-map.js'
import { flowEndsOf, RefusedFlows } from './refused-flows.js'
import { IntervalRow, type StreamIdentity, type StreamListener } from './row.js'
import { fillRow, fillSecond, resetInterval } from './row-writer.js'
import { SkewEstimator } from './skew.js'
import { StreamIndex, hashKey } from './stream-index.js'
import type { StreamControl } from './stream-control.js'
import { StreamKeys } from './stream-keys.js'
import { StreamStates, type SequenceState } from './stream-states.js'

/** What `onPacket` made of a UDP payload that looks like RTP version 2. */
export const PACKET_RTP = 0
/** RTCP by its packet type (RFC 5761: second byte 192..223). */
export const PACKET_RTCP = 1
/** Not (yet) known to belong to a stream. */
export const PACKET_CANDIDATE = 2
/** A stream for which the table had no room. */
export const PACKET_NO_ROOM = 3

// RFC 3550 A.1
const MAX_DROPOUT = 3000
const MAX_MISORDER = 100
/** A packet of before this long ago may still arrive when its source has moved. */
const STRAGGLER_MS = 1000
/** In-order packets that a stream without signalling must show before it counts. */
const PROBATION_PACKETS = 5
const PROBATION_MS = 5_000
/** A pause during which the sender's timestamp stood still, announced by the marker bit. */
const PAUSED_TIMESTAMP_MS = 500
const SPAN_DUPLICATE_MS = 50
/** Packets of unknown clock rate are kept for this long after the stream's first. */
const EARLY_MS = 5_000
/** An interval waits this long for the stream's next packet. */
const INTERVAL_WAIT_MS = 30_000
/** Every slot is looked at this often, but no more than so many at a time. */
const SWEEP_ROUND_MS = 5_000
const MOST_SWEPT_SLOTS = 4096
/** So many slots are looked at for a stream that can make room. */
const DISPLACEABLE_SLOTS = 64
/** So many slots at most are on their way to streams of calls. */
const MOST_PROMISED = 256
const DEFAULT_PTIME_MS = 20
const STANDARD_BUFFER: ConfiguredBuffer = {
  kind: 'adaptive',
  minimumMs: ADAPTIVE_MIN_MS,
  maximumMs: ADAPTIVE_MAX_MS,
}
const SPECIAL = L.FLAG_VALID | L.FLAG_PENDING | L.FLAG_OTHER | L.FLAG_ANEW

export interface MeterOptions {
  /** Most streams at once. */
  maxStreams?: number
  intervalMs?: number
  /** A burst second has at least `burstPackets` packets with PDV over `burstPdvMs`. */
  burstPdvMs?: number
  burstPackets?: number
  jitterBuffer?: ConfiguredBuffer
  /** A stream that no call holds ends after this much silence. */
  idleMs?: number
  /** Places for announced addresses, a power of two; half of them are used. */
  announcedPlaces?: number
  /** Packets of unknown clock rate whose timing is kept at most. */
  earlyPackets?: number
  /** Most distinct negotiations of payload types at once. */
  payloadMaps?: number
  /** Where the state lies when threads share it. */
  shared?: SharedMeterState
}

/** State that another thread looks at: it owns the announced addresses and the payload maps. */
export interface SharedMeterState {
  states: StreamStates
  announced: AnnouncedEndpoints
  payloadMaps: PayloadMaps
}

export interface MeterCounters {
  streams: number
  active: number
  rejectedCandidates: number
  /** Packets of streams for which the table had no room. */
  noRoomPackets: number
  /** Streams that were ended early to make room for those of calls. */
  displaced: number
  payloadMapOverflow: number
  announcedOverflow: number
  /** First packets of unannounced flows that found no place on probation. */
  candidatesTurnedAway: number
  /** Packets of unknown clock rate whose timing found no room. */
  earlyPacketsDropped: number
}

/**
 * The hot path: follows every RTP stream packet by packet. No allocation, closure, string or exception per packet;
 * state lies in one stride per stream (layout.ts). Definitions: DESIGN section 2 and docs/metrics.md.
 */
export class RtpMeter implements StreamControl, FastPathEvents {
  readonly announced: AnnouncedEndpoints
  readonly payloadMaps: PayloadMaps
  readonly keys: StreamKeys
  private readonly states: StreamStates
  /** Slots of streams that ended are used again once `recycle` says so: another thread may still look at their keys. */
  private readonly holdsEnded: boolean
  private readonly i32: Int32Array
  private readonly f32: Float32Array
  private readonly f64: Float64Array
  private readonly u16: Uint16Array
  private readonly index: StreamIndex
  private readonly candidates: CandidateTable
  private readonly burst: BurstMachine
  private readonly early: EarlyPackets
  private readonly buffers: JitterBuffers
  private readonly skew: SkewEstimator
  private readonly row = new IntervalRow()
  private peeked?: IntervalRow
  private readonly rowEnds = new Int32Array(2)
  private readonly peekedEnds = new Int32Array(2)
  private readonly freeSlots: Int32Array
  /** Doubles handed to a function that is too large to be inlined would be allocated. */
  readonly noted = new Float64Array(2)
  private readonly time1 = new Float64Array(1)
  /** Measures most packets, before `onPacket` sees them. */
  readonly fastPath: FastPath
  private freeCount = 0
  private highWater = 0
  private sweepAt = 0
  private sweptMs = -Infinity
  private readonly maxStreams: number
  private readonly intervalMs: number
  private readonly burstPdvMs: number
  private readonly burstPackets: number
  private readonly calmMs: number
  private readonly idleMs: number
  private measuringEarly = false
  private validStreams = 0
  private active = 0
  private rejected = 0
  private noRoom = 0
  private readonly refused = new RefusedFlows()
  private displaced = 0
  /** Where to look next for a stream that makes room. */
  private displaceAt = 0
  /** Slots that streams ended for, and that no stream of a call has taken yet. */
  private promised = 0

  constructor(
    private readonly listener: StreamListener,
    options: MeterOptions = {},
  ) {
    this.maxStreams = options.maxStreams ?? 262_144
    this.intervalMs = options.intervalMs ?? 10_000
    this.burstPdvMs = options.burstPdvMs ?? 60
    this.burstPackets = options.burstPackets ?? 3
    this.idleMs = options.idleMs ?? 60_000
    const { shared } = options
    this.holdsEnded = shared !== undefined
    this.states = shared?.states ?? new StreamStates(StreamStates.memory(this.maxStreams), 0, this.maxStreams)
    this.i32 = this.states.i32
    this.f32 = this.states.f32
    this.f64 = this.states.f64
    this.u16 = this.states.u16
    this.keys = new StreamKeys(this.i32, this.f64)
    this.announced = shared?.announced ?? new AnnouncedEndpoints(options.announcedPlaces)
    this.payloadMaps = shared?.payloadMaps ?? new PayloadMaps(options.payloadMaps)
    this.index = new StreamIndex(this.maxStreams)
    this.candidates = new CandidateTable(this.maxStreams)
    this.burst = new BurstMachine(this.i32)
    this.early = new EarlyPackets(options.earlyPackets ?? 1_000_000, this.maxStreams)
    this.buffers = new JitterBuffers(this.i32, this.f32, this.f64, options.jitterBuffer ?? STANDARD_BUFFER)
    this.skew = new SkewEstimator(this.i32, this.f64, this.maxStreams)
    this.freeSlots = new Int32Array(this.maxStreams)
    this.calmMs = Math.min(this.buffers.calmMs, this.burstPdvMs)
    this.fastPath = makeFastPath(this, this.states, this.index, this.calmMs)
  }

  get counters(): MeterCounters {
    return {
      streams: this.validStreams,
      active: this.active,
      rejectedCandidates: this.rejected,
      noRoomPackets: this.noRoom,
      displaced: this.displaced,
      payloadMapOverflow: this.payloadMaps.overflow,
      announcedOverflow: this.announced.overflow,
      candidatesTurnedAway: this.candidates.turnedAway,
      earlyPacketsDropped: this.early.dropped,
    }
  }

  /**
   * A UDP payload whose first byte says RTP version 2 and of which at least 12 bytes were captured.
   * @returns PACKET_*
   */
  onPacket(p: DecodedPacket): number {
    this.time1[0] = p.timeMs
    const view = p.view
    const at = p.payloadOffset
    const word = view.getInt32(at)
    const type = (word >>> 16) & 0xff
    if (type >= 192 && type <= 223) return PACKET_RTCP
    const ssrc = view.getInt32(at + 8)
    const ports = (p.sourcePort << 16) | p.destinationPort
    const source0 = p.source0
    const destination0 = p.destination0
    let hash: number
    if (p.ipVersion === 4) {
      hash = hashKey(source0, destination0, ports, ssrc)
    } else {
      hash = hashKey(
        source0 ^ Math.imul(p.source1 ^ p.source2, 0x01000193) ^ p.source3,
        destination0 ^ Math.imul(p.destination1 ^ p.destination2, 0x01000193) ^ p.destination3,
        ports,
        ssrc,
      )
    }
    const { pairs, mask } = this.index
    const i32 = this.i32
    let cell = hash & mask
    for (;;) {
      const occupant = pairs[cell * 2 + 1]
      if (occupant === 0) return this.admit(p, hash, word, ssrc, ports)
      if (pairs[cell * 2] === hash) {
        const i = (occupant - 1) * L.STRIDE_32
        if (
          i32[i + L.I_SSRC] === ssrc &&
          i32[i + L.I_PORTS] === ports &&
          i32[i + L.I_SOURCE0] === source0 &&
          i32[i + L.I_DESTINATION0] === destination0 &&
          (p.ipVersion === 4 || this.sameIpv6(i, p))
        ) {
          const length = p.payloadLength
          const signature =
            p.udpChecksum !== 0 || p.payloadCaptured < 20
              ? checksumSignature(p.udpChecksum, length, word)
              : payloadSignature(view.getInt32(at + 12), view.getInt32(at + 16), length, word)
          const timestamp = view.getInt32(at + 4)
          const r = LONE_ROW * ROW_32
          this.fastPath.slots[FORESIGHT] = occupant - 1
          rows[r + R_LENGTH_FLAGS] = length | (p.ipVersion === 4 ? 0 : L.FLAG_IPV6) | (p.dscp << L.DSCP_SHIFT)
          rows[r + R_SOURCE] = source0
          rows[r + R_DESTINATION] = destination0
          rows[r + R_SSRC] = ssrc
          rows[r + R_RTP] = word
          rows[r + R_TIMESTAMP] = timestamp
          rows[r + R_SIGNATURE] = signature
          if (
            this.fastPath.follow(NEXT_ROW, this.time1, -FORESIGHT, FORESIGHT, FORESIGHT + 1) === FORESIGHT
          ) {
            if (i32[i + L.I_FLAGS] & L.FLAG_SAMPLED) this.sample(occupant - 1, p)
            this.ingest(occupant - 1, p.timeMs, word & 0xffff, timestamp, type, length, signature, p.dscp)
          }
          return PACKET_RTP
        }
      }
      cell = (cell + 1) & mask
    }
  }

  nextSecond(slot: number): void {
    this.rollSecond(slot, this.noted[1])
  }

  playNoted(slot: number, extended: number): void {
    this.play(slot, this.noted[0], this.noted[1], extended)
  }

  private sameIpv6(i: number, p: DecodedPacket): boolean {
    const { i32 } = this
    return (
      i32[i + L.I_SOURCE1] === p.source1 &&
      i32[i + L.I_SOURCE1 + 1] === p.source2 &&
      i32[i + L.I_SOURCE1 + 2] === p.source3 &&
      i32[i + L.I_DESTINATION1] === p.destination1 &&
      i32[i + L.I_DESTINATION1 + 1] === p.destination2 &&
      i32[i + L.I_DESTINATION1 + 2] === p.destination3
    )
  }

  /** A packet of a flow that has no slot: SDP announced it, or it becomes a candidate, or the candidate's second. */
  private admit(p: DecodedPacket, hash: number, word: number, ssrc: number, ports: number): number {
    const type = (word >>> 16) & 0xff
    const sequence = word & 0xffff
    const timestamp = p.view.getInt32(p.payloadOffset + 4)
    const payloadType = type & 0x7f
    // RFC 3551: 72..76 would read as RTCP.
    if (payloadType >= 72 && payloadType <= 76) return PACKET_CANDIDATE
    const announced =
      this.announced.has(p.destination0, p.destination1, p.destination2, p.destination3, p.destinationPort) ||
      this.announced.has(p.source0, p.source1, p.source2, p.source3, p.sourcePort)
    const c = this.candidates
    const { payloadLength, timeMs, udpChecksum } = p
    // What announces a flow may come after its first packet.
    const isSecond = c.match(hash, sequence, timestamp, type, payloadLength, timeMs, udpChecksum, !announced)
    if (!announced && !isSecond) return PACKET_CANDIDATE
    const mayTake = announced || this.freeCount > this.promised || this.highWater < this.maxStreams
    let slot = mayTake ? this.allocate(p, hash, ssrc, ports) : -1
    if (slot < 0 && announced && this.makeRoom()) slot = this.allocate(p, hash, ssrc, ports)
    if (slot < 0) {
      this.noRoom++
      if (announced && this.refused.isNew(hash)) this.listener.onNoRoom?.(flowEndsOf(p))
      return PACKET_NO_ROOM
    }
    if (announced && this.promised > 0) this.promised--
    const i = slot * L.STRIDE_32
    this.start(slot, isSecond ? c.timeMs : timeMs, isSecond ? c.sequence : sequence)
    if (announced) {
      this.i32[i + L.I_FLAGS] |= L.FLAG_ANNOUNCED
      // First the listener binds the stream: the SDP that announced it gives the clock rate of this packet.
      this.validate(slot)
    } else {
      this.i32[i + L.I_PROBATION] = PROBATION_PACKETS - 1
    }
    if (isSecond) {
      this.firstPacket(slot, c.timeMs, c.timestamp, c.type, c.length, 0)
      this.i32[i + L.I_DUPLICATES] = c.duplicates
      this.i32[i + L.I_SPAN_DUPLICATES] = c.spanDuplicates
      this.ingest(slot, timeMs, sequence, timestamp, type, payloadLength, 0, p.dscp)
    } else {
      this.firstPacket(slot, timeMs, timestamp, type, payloadLength, 0)
    }
    return PACKET_RTP
  }

  /**
   * A flood of streams that belong to no call keeps no call from being measured: of the next few of them, the one that
   * has been silent the longest ends. Where its slot is not free at once, it is kept for a stream of a call: this one, when
   * its next packet comes.
   */
  private makeRoom(): boolean {
    const { i32 } = this
    if (this.promised >= Math.min(MOST_PROMISED, Math.ceil(this.maxStreams / 8))) return false
    let oldest = -1
    for (let n = Math.min(DISPLACEABLE_SLOTS, this.highWater); n > 0; n--) {
      const slot = this.displaceAt
      this.displaceAt = slot + 1 >= this.highWater ? 0 : slot + 1
      const flags = i32[slot * L.STRIDE_32 + L.I_FLAGS]
      if ((flags & L.FLAG_USED) === 0 || (flags & (L.FLAG_ANNOUNCED | L.FLAG_BOUND)) !== 0) continue
      if (oldest < 0 || this.lastSeen(slot) < this.lastSeen(oldest)) oldest = slot
    }
    if (oldest < 0) return false
    this.displaced++
    this.close(oldest)
    if (this.freeCount > 0) return true
    this.promised++
    return false
  }

  private allocate(p: DecodedPacket, hash: number, ssrc: number, ports: number): number {
    let slot: number
    if (this.freeCount > 0) slot = this.freeSlots[--this.freeCount]
    else if (this.highWater < this.maxStreams) slot = this.highWater++
    else return -1
    const { i32 } = this
    const i = slot * L.STRIDE_32
    i32[i + L.I_SSRC] = ssrc
    i32[i + L.I_PORTS] = ports
    i32[i + L.I_SOURCE0] = p.source0
    i32[i + L.I_DESTINATION0] = p.destination0
    i32[i + L.I_SOURCE1] = p.source1
    i32[i + L.I_SOURCE1 + 1] = p.source2
    i32[i + L.I_SOURCE1 + 2] = p.source3
    i32[i + L.I_DESTINATION1] = p.destination1
    i32[i + L.I_DESTINATION1 + 1] = p.destination2
    i32[i + L.I_DESTINATION1 + 2] = p.destination3
    i32[i + L.I_FLAGS] =
      L.FLAG_USED | L.FLAG_FIRST_INTERVAL | (p.ipVersion === 6 ? L.FLAG_IPV6 : 0) | (p.dscp << L.DSCP_SHIFT)
    i32[i + L.I_VLAN] = p.vlan
    i32[i + L.I_HASH] = hash
    i32[i + L.I_PAYLOAD_TYPE] = -1
    for (let k = 0; k < L.TYPE_COUNTS; k++) i32[i + L.I_TYPE_COUNTS + 2 * k] = -1
    this.index.insert(hash, slot)
    this.active++
    return slot
  }

  /** Interval and second bookkeeping of a new stream. */
  private start(slot: number, timeMs: number, sequence: number): void {
    const f = slot * L.STRIDE_64
    const { f64 } = this
    f64[f + L.D_FIRST_ARRIVAL] = timeMs
    f64[f + L.D_INTERVAL_FIRST] = timeMs
    f64[f + L.D_INTERVAL_START] = Math.floor(timeMs / this.intervalMs) * this.intervalMs
    f64[f + L.D_INTERVAL_END] = f64[f + L.D_INTERVAL_START] + this.intervalMs
    f64[f + L.D_SECOND_END] = Math.floor(timeMs / 1000) * 1000 + 1000
    this.startSegment(slot, sequence)
  }

  /** Sequence state for a segment that begins with this sequence number. */
  private startSegment(slot: number, sequence: number): void {
    const i = slot * L.STRIDE_32
    const { i32 } = this
    const extended = 65_536 + sequence
    i32[i + L.I_HIGHEST] = extended
    i32[i + L.I_LOWEST] = extended
    i32[i + L.I_SEGMENTS]++
    i32[i + L.I_TIMED_FROM] = extended - MAX_MISORDER
    i32[i + L.I_OTHER_RUN] = 0
    for (let k = 0; k < L.WINDOW_WORDS; k++) {
      i32[i + L.I_RECEIVED + k] = 0
      i32[i + L.I_LATE + k] = 0
    }
    i32[i + L.I_HEAD_WORD] = 1 << (extended & 31)
    i32[i + L.I_FLAGS] &= ~L.FLAG_TIMED
    this.early.discard(slot)
    this.burst.restart(slot, extended)
  }

  /** The first packet of a segment: counted, and the origin of its timing. */
  private firstPacket(
    slot: number,
    timeMs: number,
    timestamp: number,
    type: number,
    length: number,
    signature: number,
  ): void {
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    this.i32[i + L.I_PACKETS]++
    this.i32[i + L.I_BYTES] += length
    this.remember(i, this.i32[i + L.I_HIGHEST], signature, timeMs)
    this.f64[f + L.D_ARRIVAL] = timeMs
    const extended = this.i32[i + L.I_HIGHEST]
    if (
      (type & 0x7f) !== this.i32[i + L.I_PAYLOAD_TYPE] &&
      !this.switchPayload(slot, timeMs, timestamp, type, length, extended)
    ) {
      return
    }
    this.time(slot, timeMs, timestamp, type, 1, extended)
  }

  private remember(i: number, extended: number, signature: number, timeMs: number): void {
    this.i32[i + L.I_RECENT + (extended % L.RECENT_PACKETS)] =
      (signature & SIGNATURE_MASK) | ((timeMs | 0) & 0xffff)
  }

  /** One packet of a known stream. `type` is the second header byte (marker and payload type). */
  private ingest(
    slot: number,
    timeMs: number,
    sequence: number,
    timestamp: number,
    type: number,
    length: number,
    signature: number,
    dscp: number,
  ): void {
    const { i32, f32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const flags = i32[i + L.I_FLAGS]
    let crossed = false
    if (timeMs >= f64[f + L.D_SECOND_END]) crossed = this.rollSecond(slot, timeMs)

    const highest = i32[i + L.I_HIGHEST]
    const step = ((sequence - highest) << 16) >> 16
    if (step <= 0 || step >= MAX_DROPOUT) {
      this.outOfLine(slot, timeMs, sequence, timestamp, type, length, signature, step, dscp, crossed)
      return
    }
    if ((flags & SPECIAL) !== L.FLAG_VALID) {
      if (flags & L.FLAG_ANEW) {
        this.beginAnew(slot, timeMs, sequence, timestamp, type, length, signature, dscp, crossed)
        return
      }
      if (!this.special(slot, flags, step)) return
    }
    if (crossed) this.closeIntervals(slot, timeMs, step - 1)
    else if (step > 1) i32[i + L.I_LOST] += step - 1

    const gap = timeMs - f64[f + L.D_ARRIVAL]
    if (gap > f32[i + L.I_LONGEST_GAP]) this.noteGap(slot, timeMs)
    this.advance(slot, highest, step)
    i32[i + L.I_PACKETS]++
    i32[i + L.I_BYTES] += length
    this.remember(i, highest + step, signature, timeMs)
    if (flags >>> L.DSCP_SHIFT !== dscp) this.changeDscp(i, dscp)
    if ((type & 0x7f) !== i32[i + L.I_PAYLOAD_TYPE]) {
      if (!this.switchPayload(slot, timeMs, timestamp, type, length, highest)) return
    }
    this.time(slot, timeMs, timestamp, type, step, highest + step)
  }

  private advance(slot: number, highest: number, step: number): void {
    const { i32 } = this
    const i = slot * L.STRIDE_32
    const extended = highest + step
    if (extended >> 5 === highest >> 5) {
      i32[i + L.I_HEAD_WORD] |= 1 << (extended & 31)
    } else {
      this.nextWord(slot, highest, extended)
    }
    i32[i + L.I_HIGHEST] = extended
  }

  /** The highest sequence number enters a new 32-packet word: older words go to the burst machine. */
  nextWord(slot: number, highest: number, extended: number): void {
    const { i32 } = this
    const i = slot * L.STRIDE_32
    const oldWord = highest >> 5
    const newWord = extended >> 5
    i32[i + L.I_RECEIVED + (oldWord & (L.WINDOW_WORDS - 1))] = i32[i + L.I_HEAD_WORD]
    const final = (newWord - 4) << 5
    if (newWord - oldWord > 3) {
      // Words that leave the window unseen. What lies after `final` may still come late.
      this.burst.finalize(slot, Math.min(highest + 1, final))
      if (final > highest + 1) this.burst.lostRun(slot, final - highest - 1, final)
    }
    for (let word = Math.max(oldWord + 1, newWord - L.WINDOW_WORDS + 1); word <= newWord; word++) {
      i32[i + L.I_RECEIVED + (word & (L.WINDOW_WORDS - 1))] = 0
      i32[i + L.I_LATE + (word & (L.WINDOW_WORDS - 1))] = 0
    }
    i32[i + L.I_HEAD_WORD] = 1 << (extended & 31)
    // The burst machine reads the head word at its own place: I_HIGHEST must already be the new one.
    i32[i + L.I_HIGHEST] = extended
    this.burst.finalize(slot, final)
  }

  /** Jitter (RFC 3550 A.8), delay variation, jitter buffers. */
  private time(
    slot: number,
    timeMs: number,
    timestamp: number,
    type: number,
    step: number,
    extended: number,
  ): void {
    const { i32, f32, f64, u16 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const h = slot * L.STRIDE_16
    const msPerTick = f64[f + L.D_MS_PER_TICK]
    if (msPerTick === 0) {
      f64[f + L.D_ARRIVAL] = timeMs
      this.keepEarly(slot, timeMs, timestamp, extended, type)
      return
    }
    const ticks = (timestamp - i32[i + L.I_TIMESTAMP]) | 0
    const deviation = timeMs - f64[f + L.D_ARRIVAL] - ticks * msPerTick
    i32[i + L.I_TIMESTAMP] = timestamp
    f64[f + L.D_ARRIVAL] = timeMs
    let transit = f64[f + L.D_TRANSIT]
    if ((i32[i + L.I_FLAGS] & L.FLAG_TIMED) === 0) {
      this.startTiming(slot, timeMs)
      transit = 0
    } else if (
      (deviation > JUMP_MS || deviation < -JUMP_MS) &&
      this.isTimestampJump(i, ticks, msPerTick, deviation, step, extended, type)
    ) {
      i32[i + L.I_TIMESTAMP_JUMPS]++
      i32[i + L.I_TIMED_FROM] = extended
    } else {
      if (step === 1 && ticks !== i32[i + L.I_PTIME_TICKS]) this.learnStep(i, ticks, msPerTick, extended)
      transit += deviation
      f64[f + L.D_TRANSIT] = transit
      let jitter = f64[f + L.D_JITTER]
      jitter += ((deviation < 0 ? -deviation : deviation) - jitter) * 0.0625
      f64[f + L.D_JITTER] = jitter
      f64[f + L.D_JITTER_SUM] += jitter
      i32[i + L.I_JITTER_UPDATES]++
      if (jitter > f32[i + L.I_JITTER_MAX]) f32[i + L.I_JITTER_MAX] = jitter
      const j = h + jitterPlace(jitter)
      const jitterCount = u16[j] + 1
      u16[j] = jitterCount - (jitterCount >> 16)
    }
    let pdv = transit - f64[f + L.D_BASE] - f64[f + L.D_SLOPE] * (timeMs - f64[f + L.D_BASE_TIME])
    if (pdv < 0) {
      pdv = 0
      f64[f + L.D_BASE] = transit
      f64[f + L.D_BASE_TIME] = timeMs
    }
    if (transit < f64[f + L.D_SECOND_MIN]) {
      f64[f + L.D_SECOND_MIN] = transit
      f64[f + L.D_SECOND_MIN_TIME] = timeMs
    }
    const b = h + pdvPlace(pdv)
    const count = u16[b] + 1
    u16[b] = count - (count >> 16)
    i32[i + L.I_MEASURED]++
    if (pdv > f32[i + L.I_SECOND_PDV_MAX]) f32[i + L.I_SECOND_PDV_MAX] = pdv
    if (pdv > this.calmMs || i32[i + L.I_BUFFERS_DIRTY] !== 0) {
      this.play(slot, pdv, timeMs, extended)
    }
  }

  /** Its clock rate may be known soon: SDP can come after the media. */
  private keepEarly(slot: number, timeMs: number, timestamp: number, extended: number, type: number): void {
    if (this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_TIMED) return
    if (timeMs - this.f64[slot * L.STRIDE_64 + L.D_FIRST_ARRIVAL] < EARLY_MS)
      this.early.add(slot, timeMs, timestamp, extended, (type & 0x80) !== 0)
    else this.early.discard(slot)
  }

  /**
   * The clock rate has become known with the packet at hand: measures those before it, as far back as the window of
   * late packets reaches. They count in the interval that is open now.
   */
  private measureEarly(slot: number, timeMs: number): void {
    const { i32, f32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const oldest = ((i32[i + L.I_HIGHEST] >> 5) - L.WINDOW_WORDS + 1) << 5
    const lowest = Math.max(oldest, i32[i + L.I_LOWEST])
    const secondEnd = f64[f + L.D_SECOND_END]
    const arrival = f64[f + L.D_ARRIVAL]
    let before = -1
    this.measuringEarly = true
    this.early.take(slot, (atMs, timestamp, extended, marker) => {
      if (extended < lowest) return
      if (before < 0) {
        f64[f + L.D_SECOND_END] = Math.floor(atMs / 1000) * 1000 + 1000
        i32[i + L.I_SECOND_BURSTS] = 0
        f32[i + L.I_SECOND_PDV_MAX] = 0
      } else if (atMs >= f64[f + L.D_SECOND_END]) {
        this.rollSecond(slot, atMs)
      }
      this.time(slot, atMs, timestamp, marker ? 0x80 : 0, before < 0 ? 1 : extended - before, extended)
      before = extended
    })
    if (before >= 0 && timeMs >= f64[f + L.D_SECOND_END]) this.rollSecond(slot, timeMs)
    this.measuringEarly = false
    if (before < 0) f64[f + L.D_ARRIVAL] = arrival
    f64[f + L.D_SECOND_END] = secondEnd
  }

  private play(slot: number, pdv: number, timeMs: number, extended: number): void {
    const i = slot * L.STRIDE_32
    if (pdv > this.f32[i + L.I_PDV_MAX]) this.f32[i + L.I_PDV_MAX] = pdv
    if (pdv > this.burstPdvMs) this.i32[i + L.I_SECOND_BURSTS]++
    this.buffers.play(slot, pdv, timeMs, extended, this.ptimeMs(slot))
  }

  private ptimeMs(slot: number): number {
    const ticks = this.i32[slot * L.STRIDE_32 + L.I_PTIME_TICKS]
    return ticks > 0 ? ticks * this.f64[slot * L.STRIDE_64 + L.D_MS_PER_TICK] : DEFAULT_PTIME_MS
  }

  /** The first packet with a known clock in a segment: d counts from here. */
  private startTiming(slot: number, timeMs: number): void {
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const { f64 } = this
    this.i32[i + L.I_FLAGS] |= L.FLAG_TIMED
    f64[f + L.D_TRANSIT] = 0
    f64[f + L.D_BASE] = 0
    f64[f + L.D_BASE_TIME] = timeMs
    f64[f + L.D_SLOPE] = 0
    f64[f + L.D_SEGMENT_START] = timeMs
    f64[f + L.D_SECOND_MIN] = 0
    f64[f + L.D_SECOND_MIN_TIME] = timeMs
    f64[f + L.D_JITTER] = 0
    this.skew.restart(slot)
    this.buffers.restart(slot)
  }

  /**
   * Whether a step of the RTP timestamp that neither the elapsed time nor the sequence explains happened (then d is
   * continued, not raised), or a pause in which the sender's clock stood still (in step with the sequence, marked).
   */
  private isTimestampJump(
    i: number,
    ticks: number,
    msPerTick: number,
    deviation: number,
    step: number,
    extended: number,
    type: number,
  ): boolean {
    const ptime = this.i32[i + L.I_PTIME_TICKS]
    // Events and noise may stand between this packet and the one whose timestamp it is compared with.
    const expected =
      (step + this.otherSteps(i, extended - step)) * (ptime > 0 ? ptime : DEFAULT_PTIME_MS / msPerTick)
    const inStep = Math.abs(ticks - expected) <= 0.2 * expected
    if (!inStep) return true
    return (type & 0x80) !== 0 && deviation > PAUSED_TIMESTAMP_MS
  }

  /** The packet time is the timestamp step seen twice in a row. */
  private learnStep(i: number, ticks: number, msPerTick: number, extended: number): void {
    if (ticks <= 0 || ticks > 0xffff) return
    const before = (((extended - 1) & 0x7fff) << 16) | ticks
    if (this.i32[i + L.I_LAST_STEP] === before && ticks * msPerTick <= 400)
      this.i32[i + L.I_PTIME_TICKS] = ticks
    this.i32[i + L.I_LAST_STEP] = ((extended & 0x7fff) << 16) | ticks
  }

  private noteGap(slot: number, timeMs: number): void {
    const gap = timeMs - this.lastSeen(slot)
    const i = slot * L.STRIDE_32
    if (gap > this.f32[i + L.I_LONGEST_GAP]) this.f32[i + L.I_LONGEST_GAP] = gap
  }

  private changeDscp(i: number, dscp: number): void {
    this.i32[i + L.I_FLAGS] = (this.i32[i + L.I_FLAGS] & ~(63 << L.DSCP_SHIFT)) | (dscp << L.DSCP_SHIFT)
  }

  /** In-order packet of a stream with something pending. False: the stream was given up. */
  private special(slot: number, flags: number, step: number): boolean {
    const i = slot * L.STRIDE_32
    if (flags & L.FLAG_PENDING) {
      this.dropPending(i)
    }
    this.i32[i + L.I_FLAGS] &= ~L.FLAG_OTHER
    if ((flags & L.FLAG_VALID) === 0) {
      if (step > 16) {
        this.reject(slot)
        return false
      }
      if (--this.i32[i + L.I_PROBATION] <= 0) this.validate(slot)
    }
    return true
  }

  private validate(slot: number): void {
    this.i32[slot * L.STRIDE_32 + L.I_FLAGS] |= L.FLAG_VALID
    // An interval that ended during probation is closed by the next packet.
    const f = slot * L.STRIDE_64
    this.f64[f + L.D_SECOND_END] = Math.min(this.f64[f + L.D_SECOND_END], this.f64[f + L.D_INTERVAL_END])
    this.validStreams++
    this.listener.onStreamStart(slot)
  }

  private reject(slot: number): void {
    this.rejected++
    this.release(slot)
  }

  /** Another payload type than that of the packet before (`before`). False: nothing left to time. */
  private switchPayload(
    slot: number,
    timeMs: number,
    timestamp: number,
    type: number,
    length: number,
    before: number,
  ): boolean {
    const { i32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const payloadType = type & 0x7f
    const entry = this.payloadMaps.entries[i32[i + L.I_PAYLOAD_MAP] * 128 + payloadType]
    const payloadClass = this.classFor(i, entry, payloadType, length)
    if (payloadClass !== CLASS_AUDIO) {
      this.otherPacket(i, timestamp, payloadClass)
      const highest = i32[i + L.I_HIGHEST]
      const steps = highest - before + this.otherSteps(i, before)
      i32[i + L.I_OTHER_RUN] = (Math.min(steps, 0xffff) << 16) | (highest & 0xffff)
      this.interrupt(slot, timeMs)
      return false
    }
    this.countTypes(i, 1)
    i32[i + L.I_PAYLOAD_TYPE] = payloadType
    const clock = clockOf(entry)
    const msPerTick = clock > 0 ? 1000 / clock : 0
    if (msPerTick !== f64[f + L.D_MS_PER_TICK]) {
      f64[f + L.D_MS_PER_TICK] = msPerTick
      i32[i + L.I_PTIME_TICKS] = 0
      i32[i + L.I_LAST_STEP] = 0
      if (msPerTick > 0 && this.early.has(slot)) {
        this.measureEarly(slot, timeMs)
        return true
      }
      // Another clock: d continues, and this packet's timestamp cannot be compared with the last one's.
      if (msPerTick > 0 && i32[i + L.I_FLAGS] & L.FLAG_TIMED) {
        i32[i + L.I_TIMESTAMP] = timestamp
        f64[f + L.D_ARRIVAL] = timeMs
        i32[i + L.I_TIMED_FROM] = i32[i + L.I_HIGHEST]
        this.measure(slot, timeMs, f64[f + L.D_TRANSIT], i32[i + L.I_HIGHEST])
        return false
      }
    }
    return true
  }

  private classFor(i: number, entry: number, payloadType: number, length: number): number {
    // A dynamic type that was never negotiated beside other media, with the four bytes of RFC 4733.
    if (entry === 0 && payloadType >= 96 && length === 16 && this.i32[i + L.I_PAYLOAD_TYPE] >= 0)
      return CLASS_EVENT
    return classOf(entry)
  }

  /** Sequence steps of the events and noise that end with the packet numbered `extended`. */
  private otherSteps(i: number, extended: number): number {
    const run = this.i32[i + L.I_OTHER_RUN]
    return run !== 0 && ((run ^ extended) & 0xffff) === 0 ? run >>> 16 : 0
  }

  /** A packet that the next media packet's timestamp and arrival are not compared with. */
  private interrupt(slot: number, timeMs: number): void {
    this.f64[slot * L.STRIDE_64 + L.D_OTHER_ARRIVAL] = timeMs
    this.i32[slot * L.STRIDE_32 + L.I_FLAGS] |= L.FLAG_OTHER
  }

  /** Counts an event or comfort noise packet. */
  private otherPacket(i: number, timestamp: number, payloadClass: number): void {
    const { i32 } = this
    if (payloadClass === CLASS_NOISE) {
      i32[i + L.I_NOISE_PACKETS]++
    } else {
      // RFC 4733 2.5.1.2: all packets of one event carry the timestamp of its start.
      if (i32[i + L.I_LAST_EVENT_TIMESTAMP] !== timestamp || (i32[i + L.I_FLAGS] & L.FLAG_EVENT_SEEN) === 0) {
        i32[i + L.I_DTMF_EVENTS]++
        i32[i + L.I_LAST_EVENT_TIMESTAMP] = timestamp
        i32[i + L.I_FLAGS] |= L.FLAG_EVENT_SEEN
      }
      i32[i + L.I_EVENT_PACKETS]++
    }
  }

  /**
   * Books the audio packets since the last change of payload type on the type they had, but for the last `others`, which
   * had another.
   */
  private countTypes(i: number, others: number): void {
    const { i32 } = this
    const payloadType = i32[i + L.I_PAYLOAD_TYPE]
    const audio = i32[i + L.I_PACKETS] - i32[i + L.I_EVENT_PACKETS] - i32[i + L.I_NOISE_PACKETS] - others
    const packets = audio - i32[i + L.I_PAYLOAD_MARK]
    i32[i + L.I_PAYLOAD_MARK] = audio
    if (payloadType < 0 || packets <= 0) return
    for (let k = 0; k < L.TYPE_COUNTS; k++) {
      const c = i + L.I_TYPE_COUNTS + 2 * k
      if (i32[c] === payloadType || i32[c] === -1) {
        i32[c] = payloadType
        i32[c + 1] += packets
        return
      }
    }
  }

  /** Duplicates, reordered packets, and sequence numbers out of all proportion. */
  private outOfLine(
    slot: number,
    timeMs: number,
    sequence: number,
    timestamp: number,
    type: number,
    length: number,
    signature: number,
    step: number,
    dscp: number,
    crossed: boolean,
  ): void {
    const i = slot * L.STRIDE_32
    const near = step <= 0 && step > -MAX_MISORDER
    if (this.i32[i + L.I_FLAGS] & L.FLAG_ANEW && !(near && timeMs - this.lastSeen(slot) < STRAGGLER_MS)) {
      this.beginAnew(slot, timeMs, sequence, timestamp, type, length, signature, dscp, crossed)
      return
    }
    if (near) {
      if (crossed) this.closeIntervals(slot, timeMs, 0)
      this.behind(slot, timeMs, timestamp, type, length, signature, this.i32[i + L.I_HIGHEST] + step)
      return
    }
    if ((this.i32[i + L.I_FLAGS] & L.FLAG_VALID) === 0) {
      this.reject(slot)
      return
    }
    // Over half of the sequence space reads as a step back.
    const forward = step & 0xffff
    if (this.isLongOutage(i, timestamp, type, forward)) {
      this.special(slot, this.i32[i + L.I_FLAGS], forward)
      if (crossed) this.closeIntervals(slot, timeMs, forward - 1)
      else this.i32[i + L.I_LOST] += forward - 1
      this.noteGap(slot, timeMs)
      const highest = this.i32[i + L.I_HIGHEST]
      this.advance(slot, highest, forward)
      this.i32[i + L.I_PACKETS]++
      this.i32[i + L.I_BYTES] += length
      this.remember(i, highest + forward, signature, timeMs)
      if (this.i32[i + L.I_FLAGS] >>> L.DSCP_SHIFT !== dscp) this.changeDscp(i, dscp)
      if (
        (type & 0x7f) === this.i32[i + L.I_PAYLOAD_TYPE] ||
        this.switchPayload(slot, timeMs, timestamp, type, length, highest)
      ) {
        this.time(slot, timeMs, timestamp, type, forward, highest + forward)
      }
      return
    }
    if (crossed) this.closeIntervals(slot, timeMs, 0)
    this.restartSequence(slot, timeMs, sequence, timestamp, type, length, signature, dscp)
  }

  /** RFC 3550 A.1 would call it a restart, but the timestamp advanced with the sequence (within 20 %): loss. */
  private isLongOutage(i: number, timestamp: number, type: number, step: number): boolean {
    const ptime = this.i32[i + L.I_PTIME_TICKS]
    const map = this.i32[i + L.I_PAYLOAD_MAP] * 128
    const { entries } = this.payloadMaps
    const clock = clockOf(entries[map + (type & 0x7f)])
    if (ptime <= 0 || clock !== clockOf(entries[map + this.i32[i + L.I_PAYLOAD_TYPE]])) return false
    const expected = step * ptime
    return Math.abs(((timestamp - this.i32[i + L.I_TIMESTAMP]) >>> 0) - expected) <= 0.2 * expected
  }

  /** A sequence number at or below the highest: a repeat, or a late arrival that un-counts its loss. */
  private behind(
    slot: number,
    timeMs: number,
    timestamp: number,
    type: number,
    length: number,
    signature: number,
    extended: number,
  ): void {
    const { i32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const lowest = i32[i + L.I_LOWEST]
    const w = L.receivedAt(i, extended, i32[i + L.I_HIGHEST])
    const bit = 1 << (extended & 31)
    const isRecent = i32[i + L.I_HIGHEST] - extended < L.RECENT_PACKETS
    if (extended >= lowest && (i32[w] & bit) !== 0) {
      if (!isRecent) {
        i32[i + L.I_DUPLICATES]++
        return
      }
      // Something else under the same number: no repeat, and no packet of its own.
      const recent = i32[i + L.I_RECENT + (extended % L.RECENT_PACKETS)]
      const known = recent & SIGNATURE_MASK
      if (known !== 0 && signature !== 0 && known !== (signature & SIGNATURE_MASK)) {
        i32[i + L.I_STRAY]++
        return
      }
      i32[i + L.I_DUPLICATES]++
      const age = ((timeMs | 0) - recent) & 0xffff
      if (age <= SPAN_DUPLICATE_MS) i32[i + L.I_SPAN_DUPLICATES]++
      return
    }
    if (extended < lowest) {
      i32[i + L.I_LOST] += lowest - extended - 1
      i32[i + L.I_LOWEST] = extended
      if (i32[i + L.I_FINAL] === lowest) i32[i + L.I_FINAL] = extended
    } else {
      // Taken back from the row that counted it, which holds at least one loss.
      const expected = timeMs - (i32[i + L.I_HIGHEST] - extended) * this.ptimeMs(slot)
      const isEarlier = i32[i + L.I_LOST_EARLIER] > i32[i + L.I_LOST_BEFORE]
      const isOpen = i32[i + L.I_LOST] > 0
      if (isOpen && (!isEarlier || expected >= f64[f + L.D_INTERVAL_START])) i32[i + L.I_LOST]--
      else if (isEarlier) i32[i + L.I_LOST_BEFORE]++
    }
    i32[w] |= bit
    i32[i + L.I_REORDERED]++
    i32[i + L.I_PACKETS]++
    i32[i + L.I_BYTES] += length
    this.noteGap(slot, timeMs)
    if (isRecent) this.remember(i, extended, signature, timeMs)
    const payloadType = type & 0x7f
    const entry = this.payloadMaps.entries[i32[i + L.I_PAYLOAD_MAP] * 128 + payloadType]
    const payloadClass = this.classFor(i, entry, payloadType, length)
    if (payloadClass !== CLASS_AUDIO) this.otherPacket(i, timestamp, payloadClass)
    else if (clockOf(entry) > 0 && 1000 / clockOf(entry) === f64[f + L.D_MS_PER_TICK])
      this.timeBehind(slot, timeMs, timestamp, extended)
    this.interrupt(slot, timeMs)
  }

  /** A late arrival has a delay like any other packet, but feeds no jitter (DESIGN: section 2). */
  private timeBehind(slot: number, timeMs: number, timestamp: number, extended: number): void {
    const { i32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    if ((i32[i + L.I_FLAGS] & L.FLAG_TIMED) === 0 || extended < i32[i + L.I_TIMED_FROM]) return
    const ticks = (timestamp - i32[i + L.I_TIMESTAMP]) | 0
    const elapsed = timeMs - f64[f + L.D_ARRIVAL]
    this.measure(slot, timeMs, f64[f + L.D_TRANSIT] + elapsed - ticks * f64[f + L.D_MS_PER_TICK], extended)
  }

  /** Delay variation and jitter buffers of a packet whose d is known: what `time` does for the mass of packets. */
  private measure(slot: number, timeMs: number, transit: number, extended: number): void {
    const { i32, f32, f64, u16 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    let pdv = transit - f64[f + L.D_BASE] - f64[f + L.D_SLOPE] * (timeMs - f64[f + L.D_BASE_TIME])
    if (pdv < 0) {
      pdv = 0
      f64[f + L.D_BASE] = transit
      f64[f + L.D_BASE_TIME] = timeMs
    }
    if (transit < f64[f + L.D_SECOND_MIN]) {
      f64[f + L.D_SECOND_MIN] = transit
      f64[f + L.D_SECOND_MIN_TIME] = timeMs
    }
    const b = slot * L.STRIDE_16 + pdvPlace(pdv)
    const count = u16[b] + 1
    u16[b] = count - (count >> 16)
    i32[i + L.I_MEASURED]++
    if (pdv > f32[i + L.I_SECOND_PDV_MAX]) f32[i + L.I_SECOND_PDV_MAX] = pdv
    if (pdv > this.calmMs || i32[i + L.I_BUFFERS_DIRTY] !== 0) this.play(slot, pdv, timeMs, extended)
  }

  /** The first packet after `beginSegment`. */
  private beginAnew(
    slot: number,
    timeMs: number,
    sequence: number,
    timestamp: number,
    type: number,
    length: number,
    signature: number,
    dscp: number,
    crossed: boolean,
  ): void {
    const i = slot * L.STRIDE_32
    const flags = this.i32[i + L.I_FLAGS]
    if (flags & L.FLAG_PENDING) this.dropPending(i)
    this.i32[i + L.I_FLAGS] &= ~(L.FLAG_ANEW | L.FLAG_OTHER)
    if (crossed) this.closeIntervals(slot, timeMs, 0)
    this.burst.finish(slot)
    this.startSegment(slot, sequence)
    if (flags >>> L.DSCP_SHIFT !== dscp) this.changeDscp(i, dscp)
    this.firstPacket(slot, timeMs, timestamp, type, length, signature)
    this.listener.onResume?.(slot)
  }

  /** An implausible jump waits for the next packet; when that follows on, a new segment began. */
  private restartSequence(
    slot: number,
    timeMs: number,
    sequence: number,
    timestamp: number,
    type: number,
    length: number,
    signature: number,
    dscp: number,
  ): void {
    const { i32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    if (i32[i + L.I_FLAGS] & L.FLAG_PENDING) {
      const pending = i32[i + L.I_PENDING_SEQUENCE]
      if (sequence === pending) {
        if (i32[i + L.I_PENDING_TYPE] >>> 24 < 0x7f) i32[i + L.I_PENDING_TYPE] += 1 << 24
        return
      }
      if (sequence === ((pending + 1) & 0xffff)) {
        i32[i + L.I_FLAGS] &= ~L.FLAG_PENDING
        this.burst.finish(slot)
        this.noteGap(slot, f64[f + L.D_PENDING_ARRIVAL])
        this.startSegment(slot, pending)
        this.firstPacket(
          slot,
          f64[f + L.D_PENDING_ARRIVAL],
          i32[i + L.I_PENDING_TIMESTAMP],
          i32[i + L.I_PENDING_TYPE] & 0xff,
          (i32[i + L.I_PENDING_TYPE] >>> 8) & 0xffff,
          0,
        )
        i32[i + L.I_DUPLICATES] += i32[i + L.I_PENDING_TYPE] >>> 24
        this.ingest(slot, timeMs, sequence, timestamp, type, length, signature, dscp)
        return
      }
      this.dropPending(i)
    }
    i32[i + L.I_FLAGS] |= L.FLAG_PENDING
    i32[i + L.I_PENDING_SEQUENCE] = sequence
    i32[i + L.I_PENDING_TIMESTAMP] = timestamp
    i32[i + L.I_PENDING_TYPE] = ((length & 0xffff) << 8) | type
    f64[f + L.D_PENDING_ARRIVAL] = timeMs
  }

  /** Nothing confirmed the implausible sequence number: it and its repeats belong to nothing. */
  private dropPending(i: number): void {
    this.i32[i + L.I_FLAGS] &= ~L.FLAG_PENDING
    this.i32[i + L.I_STRAY] += 1 + (this.i32[i + L.I_PENDING_TYPE] >>> 24)
  }

  /** Closes the watched second. True when the packet also lies beyond the open interval. */
  private rollSecond(slot: number, timeMs: number): boolean {
    const { i32, f32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    const end = f64[f + L.D_SECOND_END]
    if (f64[f + L.D_SECOND_MIN] !== Infinity && i32[i + L.I_FLAGS] & L.FLAG_TIMED) {
      this.skew.add(slot, f64[f + L.D_SECOND_MIN_TIME], f64[f + L.D_SECOND_MIN], timeMs)
    }
    f64[f + L.D_SECOND_MIN] = Infinity
    const second = Math.round(end / 1000)
    const next = Math.floor(timeMs / 1000) + 1
    const ptimeMs = this.ptimeMs(slot)
    const maximum = f32[i + L.I_SECOND_PDV_MAX]
    if (maximum > f32[i + L.I_PDV_MAX]) f32[i + L.I_PDV_MAX] = maximum
    f32[i + L.I_SECOND_PDV_MAX] = 0
    if (!this.measuringEarly) this.listener.onSecond?.(slot, end - 1000, maximum)
    // After a long silence only the seconds that could lower a buffer's depth.
    const last = Math.min(next, second + L.I_SECOND_MAXIMA_LENGTH + this.buffers.secondsToFall(i, ptimeMs))
    for (let s = second; s < last; s++) {
      f32[i + L.I_SECOND_MAXIMA + (s % L.I_SECOND_MAXIMA_LENGTH)] = s === second ? maximum : 0
      this.buffers.second(slot, ptimeMs)
    }
    if (i32[i + L.I_SECOND_BURSTS] !== 0) {
      if (i32[i + L.I_SECOND_BURSTS] >= this.burstPackets) {
        i32[i + L.I_BURST_SECONDS]++
        this.listener.onBurstSecond?.(slot, end - 1000, maximum)
      }
      i32[i + L.I_SECOND_BURSTS] = 0
    }
    f64[f + L.D_SECOND_END] = next * 1000
    if (i32[i + L.I_PACKETS] === 0) f64[f + L.D_INTERVAL_FIRST] = timeMs
    return timeMs >= f64[f + L.D_INTERVAL_END]
  }

  /**
   * The stream's next packet lies beyond its open interval: closes that, and one for each interval of an outage.
   * `lost` packets were due one packet time after another until now, or closer where they would not fit behind the
   * last arrival: losses at the end of a pause belong to where the media resumes.
   */
  private closeIntervals(slot: number, timeMs: number, lost: number): void {
    const { i32, f64 } = this
    const i = slot * L.STRIDE_32
    const f = slot * L.STRIDE_64
    if ((i32[i + L.I_FLAGS] & L.FLAG_VALID) === 0) {
      i32[i + L.I_LOST] += lost
      return
    }
    const from = Math.max(this.lastSeen(slot), timeMs - (lost + 1) * this.ptimeMs(slot))
    let booked = 0
    const beganMs = f64[f + L.D_INTERVAL_START]
    if (lost > 0 && from < beganMs) {
      // Due in an interval that waited no longer and was handed out.
      booked = Math.min(lost, dueBefore(beganMs, from, timeMs, lost))
      i32[i + L.I_LOST_BEFORE] -= booked
    }
    while (timeMs >= f64[f + L.D_INTERVAL_END]) {
      const end = f64[f + L.D_INTERVAL_END]
      if (lost > 0 && timeMs > from) {
        const due = dueBefore(end, from, timeMs, lost)
        const share = Math.min(lost, Math.max(booked, due)) - booked
        i32[i + L.I_LOST] += share
        booked += share
      }
      this.emit(slot, false)
      f64[f + L.D_INTERVAL_START] = end
      f64[f + L.D_INTERVAL_END] = end + this.intervalMs
      const goesOn = booked === lost ? timeMs : from
      if (goesOn >= end + this.intervalMs) {
        f64[f + L.D_INTERVAL_START] = Math.floor(goesOn / this.intervalMs) * this.intervalMs
        f64[f + L.D_INTERVAL_END] = f64[f + L.D_INTERVAL_START] + this.intervalMs
      }
    }
    i32[i + L.I_LOST] += lost - booked
    f64[f + L.D_INTERVAL_FIRST] = timeMs
  }

  /** Hands out the open interval and clears it. Empty ones are not handed out, but for a stream's last. */
  private emit(slot: number, last: boolean): void {
    const i = slot * L.STRIDE_32
    const { i32, f32 } = this
    if (!last && this.isEmpty(i)) return
    if (f32[i + L.I_SECOND_PDV_MAX] > f32[i + L.I_PDV_MAX]) f32[i + L.I_PDV_MAX] = f32[i + L.I_SECOND_PDV_MAX]
    if (last) this.burst.finish(slot)
    else this.burst.finalize(slot, this.burst.settled(slot, MAX_MISORDER, i32[i + L.I_LOWEST]))
    this.countTypes(i, 0)
    const depthSum = this.buffers.takeDepthSum(i)
    fillRow(this.row, this.rowEnds, slot, i32, f32, this.f64, this.u16, depthSum, last)
    // Another thread may look at the sum of the two: one goes up right before the other goes down.
    i32[i + L.I_LOST_EARLIER] += i32[i + L.I_LOST] - i32[i + L.I_LOST_BEFORE]
    resetInterval(slot, i32, f32, this.f64, this.u16)
    this.listener.onRow(this.row)
  }

  private isEmpty(i: number): boolean {
    const { i32 } = this
    return (
      i32[i + L.I_PACKETS] === 0 &&
      i32[i + L.I_LOST] === 0 &&
      i32[i + L.I_DUPLICATES] === 0 &&
      i32[i + L.I_LOST_BEFORE] === 0
    )
  }

  /** Hands out what there is of the open interval, so that what follows (another codec) is kept apart. */
  cut(slot: number): void {
    if (this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_VALID) this.emit(slot, false)
  }

  /** As `cut`, at the end of a call: losses and bursts up to here are counted, whatever the stream does next. */
  conclude(slot: number): void {
    if ((this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_VALID) === 0) return
    this.burst.finish(slot)
    this.settleSecond(slot)
    this.emit(slot, false)
  }

  /**
   * What comes next is counted from its own first packet on: another call took the stream over, or its source moved
   * elsewhere and may come back. Neither the time nor the sequence numbers in between are missing from it.
   */
  beginSegment(slot: number): void {
    if (this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_VALID)
      this.i32[slot * L.STRIDE_32 + L.I_FLAGS] |= L.FLAG_ANEW
  }

  /** The watched second ends early, with its stream or its call. */
  private settleSecond(slot: number): void {
    const i = slot * L.STRIDE_32
    const endMs = this.f64[slot * L.STRIDE_64 + L.D_SECOND_END]
    this.listener.onSecond?.(slot, endMs - 1000, this.f32[i + L.I_SECOND_PDV_MAX])
    if (this.i32[i + L.I_SECOND_BURSTS] >= this.burstPackets) {
      this.i32[i + L.I_BURST_SECONDS]++
      const startMs = this.f64[slot * L.STRIDE_64 + L.D_SECOND_END] - 1000
      this.listener.onBurstSecond?.(slot, startMs, this.f32[i + L.I_SECOND_PDV_MAX])
    }
    this.i32[i + L.I_SECOND_BURSTS] = 0
  }

  /** Ends a stream: last row, end event, slot free. */
  close(slot: number): void {
    const i = slot * L.STRIDE_32
    const flags = this.i32[i + L.I_FLAGS]
    if ((flags & L.FLAG_USED) === 0) return
    if (flags & L.FLAG_VALID) {
      if (flags & L.FLAG_PENDING) this.dropPending(i)
      this.settleSecond(slot)
      this.emit(slot, true)
      this.listener.onStreamEnd(slot)
    } else {
      this.rejected++
    }
    this.release(slot)
  }

  private release(slot: number): void {
    const i = slot * L.STRIDE_32
    const wasValid = (this.i32[i + L.I_FLAGS] & L.FLAG_VALID) !== 0
    this.index.remove(this.i32[i + L.I_HASH], slot)
    this.early.discard(slot)
    this.active--
    if (this.holdsEnded && wasValid) this.i32[i + L.I_FLAGS] &= L.FLAG_IPV6
    else this.recycle(slot)
  }

  /** Whether a stream that was started has not ended. */
  isFollowed(slot: number): boolean {
    return (this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_VALID) !== 0
  }

  /** The slot of a stream that ended may be used again. */
  recycle(slot: number): void {
    const i = slot * L.STRIDE_32
    this.i32.fill(0, i, i + L.STRIDE_32)
    this.freeSlots[this.freeCount++] = slot
  }

  /** Takes over the streams that another meter left in the memory, to end them (`finish`). */
  adopt(): void {
    this.highWater = this.maxStreams
    for (let slot = 0; slot < this.maxStreams; slot++)
      if (this.i32[slot * L.STRIDE_32 + L.I_FLAGS] & L.FLAG_USED) this.active++
  }

  /**
   * As `sweep`, over as many slots as bring each one's turn about every five seconds of packet time. Called once per
   * batch, so that no sweep stalls the loop.
   */
  sweepFor(nowMs: number): void {
    const elapsed = nowMs - this.sweptMs
    if (elapsed > 0 && elapsed < SWEEP_ROUND_MS) {
      const share = Math.ceil((this.highWater * elapsed) / SWEEP_ROUND_MS)
      this.sweep(nowMs, Math.min(share, MOST_SWEPT_SLOTS))
    } else if (elapsed !== 0) {
      this.sweep(nowMs, MOST_SWEPT_SLOTS)
    }
    this.sweptMs = nowMs
  }

  /**
   * Looks at the next `slots` slots: closes intervals that waited 30 s, ends streams that fell silent. Called once per
   * batch, so that no sweep stalls the loop.
   */
  sweep(nowMs: number, slots: number): void {
    const { i32, f64 } = this
    for (let n = Math.min(slots, this.highWater); n > 0; n--) {
      const slot = this.sweepAt
      this.sweepAt = slot + 1 >= this.highWater ? 0 : slot + 1
      const i = slot * L.STRIDE_32
      const f = slot * L.STRIDE_64
      const flags = i32[i + L.I_FLAGS]
      if ((flags & L.FLAG_USED) === 0) continue
      const silent = nowMs - this.lastSeen(slot)
      if ((flags & L.FLAG_VALID) === 0) {
        if (silent > PROBATION_MS) this.close(slot)
      } else if (silent > this.idleMs && (flags & L.FLAG_BOUND) === 0) {
        this.close(slot)
      } else if (nowMs >= f64[f + L.D_INTERVAL_END] + INTERVAL_WAIT_MS && !this.isEmpty(i)) {
        // An interval without anything stays open: the next packet tells whether something was lost in it.
        const end = f64[f + L.D_INTERVAL_END]
        if (f64[f + L.D_SECOND_END] <= end) this.rollSecond(slot, end)
        this.emit(slot, false)
        f64[f + L.D_INTERVAL_START] = end
        f64[f + L.D_INTERVAL_END] = end + this.intervalMs
      }
    }
  }

  /** End of the capture: ends every stream, pausing after each `pauseEvery` slots (for slow outputs). */
  *finish(pauseEvery = 512): Generator<void> {
    for (let slot = 0; slot < this.highWater; slot++) {
      this.close(slot)
      if (slot % pauseEvery === pauseEvery - 1) yield
    }
  }

  /** Arrival of the stream's last packet of any kind. */
  lastSeen(slot: number): number {
    const f = slot * L.STRIDE_64
    return Math.max(this.f64[f + L.D_ARRIVAL], this.f64[f + L.D_OTHER_ARRIVAL])
  }

  identity(slot: number): StreamIdentity {
    return this.states.identity(slot)
  }

  /** What the open interval has so far, for a listener's `onSecond` (`fillSecond`). */
  peek(slot: number): IntervalRow {
    this.peeked ??= new IntervalRow()
    fillSecond(this.peeked, this.peekedEnds, slot, this.i32, this.f32, this.f64, this.u16)
    return this.peeked
  }

  sequenceState(slot: number, atMs?: number): SequenceState {
    return this.states.sequenceState(slot, atMs)
  }

  /** The payload types in force for a stream (SDP came, or changed). */
  setPayloadFormats(slot: number, formats: readonly PayloadFormat[]): void {
    this.setPayloadMap(slot, this.payloadMaps.intern(formats))
  }

  /** As `setPayloadFormats`, by the number that `PayloadMaps.intern` gave them. */
  setPayloadMap(slot: number, map: number): void {
    const i = slot * L.STRIDE_32
    if (this.i32[i + L.I_PAYLOAD_MAP] === map) return
    this.countTypes(i, 0)
    this.i32[i + L.I_PAYLOAD_MAP] = map
    const payloadType = this.i32[i + L.I_PAYLOAD_TYPE]
    if (payloadType < 0) return
    const clock = clockOf(this.payloadMaps.entries[map * 128 + payloadType])
    // Looked up afresh with the next packet, unless nothing changed for the type in use.
    if ((clock > 0 ? 1000 / clock : 0) !== this.f64[slot * L.STRIDE_64 + L.D_MS_PER_TICK]) {
      this.i32[i + L.I_PAYLOAD_TYPE] = -1
    }
  }

  /** Whether the listener is shown the first packet of each second. */
  setSampled(slot: number, sampled: boolean): void {
    const i = slot * L.STRIDE_32
    if (sampled) this.i32[i + L.I_FLAGS] |= L.FLAG_SAMPLED
    else this.i32[i + L.I_FLAGS] &= ~L.FLAG_SAMPLED
  }

  private sample(slot: number, p: DecodedPacket): void {
    if (p.timeMs < this.f64[slot * L.STRIDE_64 + L.D_SECOND_END]) return
    this.listener.onPayloadSample?.(slot, p)
  }

  /** A call holds the stream (or lets it go): idle time alone does not end it. */
  setBound(slot: number, bound: boolean): void {
    const i = slot * L.STRIDE_32
    if (bound) this.i32[i + L.I_FLAGS] |= L.FLAG_BOUND
    else this.i32[i + L.I_FLAGS] &= ~L.FLAG_BOUND
  }
}

/** Of `lost` packets that were due at even times between two that arrived, those that were due before `atMs`. */
function dueBefore(atMs: number, fromMs: number, untilMs: number, lost: number): number {
  return Math.ceil(((atMs - fromMs) / (untilMs - fromMs)) * (lost + 1)) - 1
}
