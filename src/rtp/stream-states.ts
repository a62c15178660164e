import * as L from './layout.js'
import type { StreamIdentity } from './row.js'

/** The C library puts large blocks 16 bytes behind a page's start: from here on strides lie on cache lines. */
const ALIGN_BYTES = 48

export interface SequenceState {
  /** Losses since the stream began, less those that came late. */
  lost: number
  /** Highest sequence number. */
  highest: number
  /** In force; 0 when it is not known. */
  clockRateHz: number
}

/** How far back `sequenceState` looks: what the window of received packets has. */
const MOST_BACK = (L.WINDOW_WORDS - 1) * 32

/**
 * The strides of a run of slots, and what can be read from one alone. In shared memory another thread may read too: a
 * field at a time, so what it reads of several fields may be of two packets.
 */
export class StreamStates {
  readonly i32: Int32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
  readonly u16: Uint16Array

  /** Slots `first` to `first + count` of the memory, numbered from 0 here. */
  constructor(memory: ArrayBufferLike, first: number, count: number) {
    const at = ALIGN_BYTES + first * L.STRIDE_BYTES
    this.i32 = new Int32Array(memory, at, count * L.STRIDE_32)
    this.f32 = new Float32Array(memory, at, count * L.STRIDE_32)
    this.f64 = new Float64Array(memory, at, count * L.STRIDE_64)
    this.u16 = new Uint16Array(memory, at, count * L.STRIDE_16)
  }

  /** Zero pages: memory that no stream has used yet is not resident. */
  static memory(slots: number): ArrayBuffer {
    return new ArrayBuffer(slots * L.STRIDE_BYTES + ALIGN_BYTES)
  }

  /** As `memory`, for several threads. */
  static sharedMemory(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(slots * L.STRIDE_BYTES + ALIGN_BYTES)
  }

  /** Arrival of the stream's last packet of any kind. */
  lastSeen(slot: number): number {
    const f = slot * L.STRIDE_64
    return Math.max(this.f64[f + L.D_ARRIVAL], this.f64[f + L.D_OTHER_ARRIVAL])
  }

  /** Arrival of the stream's first packet. */
  firstArrival(slot: number): number {
    return this.f64[slot * L.STRIDE_64 + L.D_FIRST_ARRIVAL]
  }

  identity(slot: number): StreamIdentity {
    const { i32 } = this
    const i = slot * L.STRIDE_32
    const s = i + L.I_SOURCE1
    const d = i + L.I_DESTINATION1
    return {
      ipVersion: i32[i + L.I_FLAGS] & L.FLAG_IPV6 ? 6 : 4,
      source: [i32[i + L.I_SOURCE0], i32[s], i32[s + 1], i32[s + 2]],
      destination: [i32[i + L.I_DESTINATION0], i32[d], i32[d + 1], i32[d + 2]],
      sourcePort: i32[i + L.I_PORTS] >>> 16,
      destinationPort: i32[i + L.I_PORTS] & 0xffff,
      ssrc: i32[i + L.I_SSRC] >>> 0,
      vlan: i32[i + L.I_VLAN],
      firstArrival: this.f64[slot * L.STRIDE_64 + L.D_FIRST_ARRIVAL],
      firstSequence: i32[i + L.I_LOWEST] & 0xffff,
    }
  }

  /**
   * @param atMs as of then: another thread may have measured packets that came later. Arrivals of the last few are known to
   * the millisecond, those before them are taken to have come one packet time apart.
   */
  sequenceState(slot: number, atMs = Infinity): SequenceState {
    const i = slot * L.STRIDE_32
    const { i32 } = this
    const msPerTick = this.f64[slot * L.STRIDE_64 + L.D_MS_PER_TICK]
    const newest = i32[i + L.I_HIGHEST]
    let lost = i32[i + L.I_LOST_EARLIER] + i32[i + L.I_LOST] - i32[i + L.I_LOST_BEFORE]
    let highest = newest
    let arrivalMs = this.f64[slot * L.STRIDE_64 + L.D_ARRIVAL]
    const ptimeMs = i32[i + L.I_PTIME_TICKS] * msPerTick
    const oldest = Math.max(i32[i + L.I_LOWEST], newest - MOST_BACK)
    while (arrivalMs > atMs && highest > oldest) {
      let before = highest - 1
      while (before > oldest && !this.hasReceived(i, newest, before)) before--
      if (newest - before < L.RECENT_PACKETS) arrivalMs -= this.apartMs(i, before, highest)
      else if (ptimeMs > 0) arrivalMs -= (highest - before) * ptimeMs
      else break
      lost -= highest - before - 1
      highest = before
    }
    return {
      lost,
      highest: highest & 0xffff,
      clockRateHz: msPerTick > 0 ? Math.round(1000 / msPerTick) : 0,
    }
  }

  private hasReceived(i: number, newest: number, extended: number): boolean {
    return ((this.i32[L.receivedAt(i, extended, newest)] >>> (extended & 31)) & 1) !== 0
  }

  /** Milliseconds between the arrivals of two of the last packets; 0 when the earlier one came late. */
  private apartMs(i: number, earlier: number, later: number): number {
    const recent = i + L.I_RECENT
    const apart =
      this.i32[recent + (later % L.RECENT_PACKETS)] - this.i32[recent + (earlier % L.RECENT_PACKETS)]
    return Math.max(0, (apart << 16) >> 16)
  }
}
