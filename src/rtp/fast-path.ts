import { FORESIGHT, threadRows } from './described-batch.js'
import { jitterPlace, pdvPlace } from './histogram.js'
import * as L from './layout.js'
import {
  frameDescriber,
  R_DESTINATION,
  R_HASH,
  R_LENGTH_FLAGS,
  R_RTP,
  R_SIGNATURE,
  R_SOURCE,
  R_SSRC,
  R_TIMESTAMP,
  ROW_32,
  type DescribeFrames,
} from './packet-rows.js'
import type { StreamIndex } from './stream-index.js'
import type { StreamStates } from './stream-states.js'

/** RFC 3389 and A.8 tolerate anything; a step of the RTP clock beyond this that nothing explains is a jump. */
export const JUMP_MS = 200
/** Half of a packet's signature is remembered; the other half of the word holds its time. */
export const SIGNATURE_MASK = ~0xffff
/** A measured stream with nothing pending. */
const USUAL_FLAGS = L.FLAG_VALID | L.FLAG_TIMED
/** What a row says of a stream's flags. */
const ROW_FLAGS = L.FLAG_IPV6 | (63 << L.DSCP_SHIFT)
const FOLLOW_MASK = USUAL_FLAGS | L.FLAG_PENDING | ROW_FLAGS
/** No number of a slot, place or row is larger. Said so, the compiler knows that no index can overflow. */
const MOST_SLOTS = 0x3fffff
const MOST_PLACES = 0xffffff
const MOST_ROWS = 0x3ff
const MOST_FRAMES = 0x3f

/** An index of fewer places lies in the nearest caches anyway. */
const SMALL_INDEX = 16_384

/** What happens to few of the ordinary packets. */
export interface FastPathEvents {
  /** The highest sequence number, now `extended`, enters a new word of 32 packets. */
  nextWord(slot: number, highest: number, extended: number): void
  /** The second that was watched is over with the packet that comes at `noted[1]`, and the interval goes on. */
  nextSecond(slot: number): void
  /** The packet's delay variation (`noted[0]`, at time `noted[1]`) may make it late in a jitter buffer. */
  playNoted(slot: number, extended: number): void
  readonly noted: Float64Array
}

/**
 * The way of the packets that nearly all packets are, for at most FORESIGHT frames at once, which are described in the
 * thread's rows: foresee them, follow them.
 */
export interface FastPath {
  /** Of each foreseen frame: the slot of its stream, -1 for none. Behind them that of a packet in LONE_ROW. */
  readonly slots: Int32Array
  /** Describes `first` to `end` of a batch in the rows from `row` on. */
  readonly describe: DescribeFrames
  /** As `describe`: rows that another thread wrote, the first of them `from`. */
  take(rows: Int32Array, from: number, row: number, frames: number): void
  /**
   * Looks up the streams of the frames that are described from `row` on, and touches the memory that measuring them will
   * need: the processor waits for all of it at once instead of once per packet.
   */
  foresee(row: number, frames: number): void
  /**
   * Measures frames from the `first` of those on, which arrived at times[begin + first], as long as each is the ordinary
   * packet: next in sequence, one packet time on, same payload type, interval and DSCP.
   * @returns the first that is another, of which nothing was touched; `end` if there is none
   */
  follow(row: number, times: Float64Array, begin: number, first: number, end: number): number
}

/**
 * Functions over arrays that stay the same, not methods: so the compiler takes addresses and lengths for constants, which
 * leaves half of the instructions. That holds for one meter in a thread; of several, each is right, but slower.
 * @param calmMs PDV up to which no packet is late anywhere
 */
export function makeFastPath(
  events: FastPathEvents,
  states: StreamStates,
  index: StreamIndex,
  calmMs: number,
): FastPath {
  const { i32, f32, f64, u16 } = states
  const { pairs } = index
  const { noted } = events
  const rows = threadRows
  const slots = new Int32Array(FORESIGHT + 1)
  /** Only keeps the loads of `foresee` from being optimised away. */
  const touched = new Int32Array(1)

  function take(from: Int32Array, first: number, row: number, frames: number): void {
    const shift = (first - row) * ROW_32
    for (let w = row * ROW_32; w < (row + frames) * ROW_32; w++) rows[w] = from[w + shift]
  }

  function foresee(row: number, frames: number): void {
    const mask = index.mask & MOST_PLACES
    let seen = 0
    if (mask >= SMALL_INDEX)
      for (let n = 0; n < frames; n++)
        seen ^= pairs[(rows[((row + n) & MOST_ROWS) * ROW_32 + R_HASH] & mask) * 2]
    for (let n = 0; n < frames; n++) {
      const r = ((row + n) & MOST_ROWS) * ROW_32
      slots[n] = -1
      if (rows[r + R_LENGTH_FLAGS] === 0) continue
      const hash = rows[r + R_HASH]
      let cell = hash & mask
      let occupant = pairs[cell * 2 + 1]
      while (occupant !== 0 && pairs[cell * 2] !== hash) {
        cell = (cell + 1) & mask
        occupant = pairs[cell * 2 + 1]
      }
      if (occupant === 0) continue
      slots[n] = occupant - 1
      const i = ((occupant - 1) & MOST_SLOTS) * L.STRIDE_32
      seen ^= i32[i] ^ i32[i + L.LINE_32] ^ i32[i + 2 * L.LINE_32] ^ i32[i + L.I_LOW_BUCKETS]
    }
    touched[0] = seen
  }

  /** Does what the meter's `ingest` and `time` do, in one piece without a call that would put a double on the heap. */
  function follow(row: number, times: Float64Array, begin: number, first: number, end: number): number {
    for (let n = first; n < end; n++) {
      const slot = slots[n & MOST_FRAMES]
      if (slot < 0) return n
      const i = (slot & MOST_SLOTS) * L.STRIDE_32
      const f = (slot & MOST_SLOTS) * L.STRIDE_64
      const h = (slot & MOST_SLOTS) * L.STRIDE_16
      const r = ((row + n) & MOST_ROWS) * ROW_32
      const timeMs = times[begin + n]
      const word = rows[r + R_RTP]
      const timestamp = rows[r + R_TIMESTAMP]
      const lengthFlags = rows[r + R_LENGTH_FLAGS]
      const highest = i32[i + L.I_HIGHEST]
      const ticks = (timestamp - i32[i + L.I_TIMESTAMP]) | 0
      const arrivalDelta = timeMs - f64[f + L.D_ARRIVAL]
      const deviation = arrivalDelta - ticks * f64[f + L.D_MS_PER_TICK]
      if (
        // The hash was equal, so that the ports are when these are.
        i32[i + L.I_SSRC] !== rows[r + R_SSRC] ||
        i32[i + L.I_SOURCE0] !== rows[r + R_SOURCE] ||
        i32[i + L.I_DESTINATION0] !== rows[r + R_DESTINATION] ||
        ((word - highest) & 0xffff) !== 1 ||
        ticks !== i32[i + L.I_PTIME_TICKS] ||
        (i32[i + L.I_FLAGS] & FOLLOW_MASK) !== (USUAL_FLAGS | (lengthFlags & ROW_FLAGS)) ||
        ((word >>> 16) & 0x7f) !== i32[i + L.I_PAYLOAD_TYPE] ||
        !(arrivalDelta <= f32[i + L.I_LONGEST_GAP]) ||
        !(deviation <= JUMP_MS && deviation >= -JUMP_MS)
      ) {
        return n
      }
      if (!(timeMs < f64[f + L.D_SECOND_END])) {
        if (!(timeMs < f64[f + L.D_INTERVAL_END]) || (i32[i + L.I_FLAGS] & L.FLAG_SAMPLED) !== 0) return n
        noted[1] = timeMs
        events.nextSecond(slot)
        // Once more, so that nothing needs to be kept over the call.
        n--
        continue
      }
      const extended = (highest + 1) | 0
      i32[i + L.I_PACKETS]++
      i32[i + L.I_BYTES] += lengthFlags & 0xffff
      i32[i + L.I_TIMESTAMP] = timestamp
      i32[i + L.I_RECENT + (extended % L.RECENT_PACKETS)] =
        (rows[r + R_SIGNATURE] & SIGNATURE_MASK) | ((timeMs | 0) & 0xffff)
      f64[f + L.D_ARRIVAL] = timeMs

      let jitter = f64[f + L.D_JITTER]
      jitter += ((deviation < 0 ? -deviation : deviation) - jitter) * 0.0625
      f64[f + L.D_JITTER] = jitter
      f64[f + L.D_JITTER_SUM] += jitter
      i32[i + L.I_JITTER_UPDATES]++
      if (jitter > f32[i + L.I_JITTER_MAX]) f32[i + L.I_JITTER_MAX] = jitter
      const j = h + jitterPlace(jitter)
      const jitterCount = u16[j] + 1
      u16[j] = jitterCount - (jitterCount >> 16)

      const transit = f64[f + L.D_TRANSIT] + deviation
      f64[f + L.D_TRANSIT] = transit
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
      // Calls come last, where nothing needs to be kept over them.
      const bit = extended & 31
      if (bit !== 0) {
        i32[i + L.I_HEAD_WORD] |= 1 << bit
        i32[i + L.I_HIGHEST] = extended
      } else {
        events.nextWord(slot, highest, extended)
      }
      if (pdv > calmMs || i32[i + L.I_BUFFERS_DIRTY] !== 0) {
        noted[0] = pdv
        noted[1] = timeMs
        events.playNoted(slot, extended)
      }
    }
    return end
  }

  return { slots, describe: frameDescriber(rows), take, foresee, follow }
}
