import { FragmentBuffers } from './fragment-buffers.js'
import { FragmentKeys } from './fragment-keys.js'
import { COVERED_NONE, COVERED_SOME, DATAGRAM_BYTES, FragmentUnits } from './fragment-units.js'
import type { DecodedPacket } from './packet.js'
import { SKIP_FRAGMENT_INCOMPLETE, SKIP_FRAGMENT_TABLE_FULL } from './skip-reason.js'

/** What `store` did with a fragment. */
export const FRAGMENT_STORED = 0
export const FRAGMENT_COMPLETE = 1
export const FRAGMENT_OVERLAP = 2

/** How long a completed datagram is remembered to recognise copies of its fragments (mirrors send packets twice). */
const COPY_WINDOW_MS = 2000
/** A contradiction after this long is a new datagram that reuses the identification (RFC 4963), not an overlap. */
const ID_REUSE_MS = 1000

const COLLECTING = 1
const COMPLETED = 2
/** Overlap seen: RFC 5722 drops the whole datagram, fragments still to come included. */
const POISONED = 3
/** Completed before, now gathering what is a copy of it, or a fragment left over from a copy. */
const COPYING = 4

export interface FragmentOptions {
  /** Most datagrams in work at a time; the oldest gives way. Default 1024 (at most 64 MiB). */
  fragmentDatagrams?: number
  /** How long to wait for missing fragments, in ms of packet time. Default 30,000. */
  fragmentTimeoutMs?: number
}

/**
 * IP reassembly for both versions (RFC 791, RFC 8200 4.5, RFC 5722). Bounded in datagrams, bytes and packet time.
 * A slot per datagram; slots in work form a list from the oldest to the newest, free ones a stack.
 */
export class FragmentTable {
  /** The datagram of the last FRAGMENT_COMPLETE: valid until `release()`. */
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  length = 0
  /** Bytes present without a hole from the start (less than length when a fragment was cut by the snap length). */
  captured = 0
  /** Protocol that the first fragment names. */
  protocol = 0

  /** Datagrams put together. */
  datagramsReassembled = 0
  /** Fragments that repeated what was there already. */
  duplicateFragments = 0

  private readonly timeoutMs: number
  private readonly keys: FragmentKeys
  private readonly units: FragmentUnits
  private readonly buffers = new FragmentBuffers()
  private readonly state: Uint8Array
  private readonly startedMs: Float64Array
  /** Length of the datagram once the last fragment was seen, else -1. */
  private readonly total: Int32Array
  private readonly received: Int32Array
  /** Lowest byte known to be missing because a fragment was cut. */
  private readonly cutAt: Int32Array
  private readonly nextHeader: Int32Array
  private readonly bufferOf: Int32Array
  private readonly newer: Int32Array
  private readonly older: Int32Array
  private readonly free: Int32Array
  private freeCount: number
  private oldest = -1
  private newest = -1

  /** `skipped`: the decoder's counters, for datagrams that never become whole. */
  constructor(
    private readonly skipped: Float64Array,
    options: FragmentOptions = {},
  ) {
    const slots = options.fragmentDatagrams ?? 1024
    this.timeoutMs = options.fragmentTimeoutMs ?? 30_000
    this.keys = new FragmentKeys(slots)
    this.units = new FragmentUnits(slots)
    this.state = new Uint8Array(slots)
    this.startedMs = new Float64Array(slots)
    this.total = new Int32Array(slots)
    this.received = new Int32Array(slots)
    this.cutAt = new Int32Array(slots)
    this.nextHeader = new Int32Array(slots)
    this.bufferOf = new Int32Array(slots).fill(-1)
    this.newer = new Int32Array(slots)
    this.older = new Int32Array(slots)
    this.free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i)
    this.freeCount = slots
  }

  /**
   * Takes one fragment: `length` bytes of which `captured` lie at `packet.bytes[at]`, belonging at byte `start` of
   * the datagram. `protocol` is what the header names as its content; `more` says that others follow. The caller
   * has checked 0 < length, start + length <= 65535 and, with `more`, that length is a multiple of 8.
   */
  store(
    packet: DecodedPacket,
    identification: number,
    protocol: number,
    at: number,
    captured: number,
    length: number,
    start: number,
    more: boolean,
  ): number {
    const now = packet.timeMs
    this.expire(now)
    // RFC 791 keys by protocol too; RFC 8200 4.5 does not, as later fragments may name another header.
    const key = packet.ipVersion === 4 ? protocol : -1
    let slot = this.keys.find(packet, identification, key)
    if (slot >= 0) this.renew(slot, now)
    if (slot >= 0 && this.contradicts(slot, packet.bytes, at, captured, length, start, more)) {
      if (this.state[slot] !== COPYING && now - this.startedMs[slot] < ID_REUSE_MS) {
        this.poison(slot)
        return FRAGMENT_OVERLAP
      }
      if (this.state[slot] === COLLECTING) this.skipped[SKIP_FRAGMENT_INCOMPLETE]++
      this.restart(slot, now, COLLECTING)
    }
    if (slot < 0) {
      slot = this.open()
      this.keys.insert(slot, packet, identification, key)
      this.restart(slot, now, COLLECTING)
    } else if (this.units.coverage(slot, start, length) !== COVERED_NONE) {
      // No contradiction, so it is an exact repeat.
      this.duplicateFragments++
      return FRAGMENT_STORED
    }
    return this.keep(slot, packet.bytes, at, captured, length, start, more, protocol)
  }

  /** Gives back the buffers of completed datagrams; the decoder calls it when it starts on the next frame. */
  release(): void {
    this.buffers.release()
  }

  /** Counts what is still waiting as incomplete, at the end of a run. */
  finish(): void {
    while (this.oldest >= 0) this.drop(this.oldest, SKIP_FRAGMENT_INCOMPLETE)
  }

  /** Datagrams in the table, completed ones that are still remembered included. */
  get size(): number {
    return this.state.length - this.freeCount
  }

  /** A datagram that was completed begins anew: as a copy when it comes soon after. */
  private renew(slot: number, now: number): void {
    const state = this.state[slot]
    if (state !== COMPLETED && state !== COPYING) return
    if (now - this.startedMs[slot] > COPY_WINDOW_MS) this.restart(slot, now, COLLECTING)
    else if (state === COMPLETED) this.restart(slot, now, COPYING)
  }

  private open(): number {
    if (this.freeCount === 0) this.drop(this.leastNeeded(), SKIP_FRAGMENT_TABLE_FULL)
    const slot = this.free[--this.freeCount]
    this.append(slot)
    return slot
  }

  /** A completed one among the oldest few, else the oldest. */
  private leastNeeded(): number {
    let slot = this.oldest
    for (let i = 0; i < 16 && slot >= 0; i++, slot = this.newer[slot]) {
      if (this.state[slot] === COMPLETED) return slot
    }
    return this.oldest
  }

  private restart(slot: number, now: number, state: number): void {
    this.unlink(slot)
    this.append(slot)
    this.state[slot] = state
    this.startedMs[slot] = now
    this.total[slot] = -1
    this.received[slot] = 0
    this.cutAt[slot] = DATAGRAM_BYTES
    this.nextHeader[slot] = -1
    this.units.clear(slot)
  }

  /** Does the fragment overlap others (exact repeats aside), or place the datagram's end elsewhere? */
  private contradicts(
    slot: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    start: number,
    more: boolean,
  ): boolean {
    if (this.state[slot] === POISONED) return true
    const total = this.total[slot]
    const end = start + length
    if (total >= 0 && (more ? end >= total : end !== total)) return true
    if (total < 0 && !more && this.units.highest(slot) > end) return true
    const covered = this.units.coverage(slot, start, length)
    if (covered === COVERED_NONE) return false
    if (covered === COVERED_SOME) return true
    const stored = this.buffers.bytes[this.bufferOf[slot]]
    const comparable = Math.min(captured, this.cutAt[slot] - start)
    for (let i = 0; i < comparable; i++) {
      if (stored[start + i] !== bytes[at + i]) return true
    }
    return false
  }

  private keep(
    slot: number,
    bytes: Uint8Array,
    at: number,
    captured: number,
    length: number,
    start: number,
    more: boolean,
    protocol: number,
  ): number {
    if (this.bufferOf[slot] < 0) this.bufferOf[slot] = this.buffers.take()
    const index = this.bufferOf[slot]
    const buffer = this.buffers.bytes[index]
    for (let i = 0; i < captured; i++) buffer[start + i] = bytes[at + i]
    if (captured < length) this.cutAt[slot] = Math.min(this.cutAt[slot], start + captured)
    this.units.mark(slot, start, length)
    this.received[slot] += length
    if (!more) this.total[slot] = start + length
    if (start === 0) this.nextHeader[slot] = protocol
    if (this.received[slot] !== this.total[slot]) return FRAGMENT_STORED
    this.bytes = buffer
    this.view = this.buffers.views[index]
    this.length = this.total[slot]
    this.captured = Math.min(this.length, this.cutAt[slot])
    this.protocol = this.nextHeader[slot]
    this.datagramsReassembled++
    this.state[slot] = COMPLETED
    this.bufferOf[slot] = -1
    this.buffers.deliver(index)
    return FRAGMENT_COMPLETE
  }

  private poison(slot: number): void {
    this.state[slot] = POISONED
    this.returnBuffer(slot)
  }

  private returnBuffer(slot: number): void {
    if (this.bufferOf[slot] < 0) return
    this.buffers.giveBack(this.bufferOf[slot])
    this.bufferOf[slot] = -1
  }

  private expire(now: number): void {
    for (let slot = this.oldest; slot >= 0; slot = this.oldest) {
      const copied = this.state[slot] === COMPLETED || this.state[slot] === COPYING
      const limit = copied ? COPY_WINDOW_MS : this.timeoutMs
      if (!(now - this.startedMs[slot] > limit)) return
      this.drop(slot, SKIP_FRAGMENT_INCOMPLETE)
    }
  }

  private drop(slot: number, reason: number): void {
    if (this.state[slot] === COLLECTING) this.skipped[reason]++
    if (this.state[slot] === COPYING) this.duplicateFragments++
    this.returnBuffer(slot)
    this.keys.remove(slot)
    this.unlink(slot)
    this.state[slot] = 0
    this.free[this.freeCount++] = slot
  }

  private append(slot: number): void {
    this.older[slot] = this.newest
    this.newer[slot] = -1
    if (this.newest >= 0) this.newer[this.newest] = slot
    else this.oldest = slot
    this.newest = slot
  }

  private unlink(slot: number): void {
    const older = this.older[slot]
    const newer = this.newer[slot]
    if (older >= 0) this.newer[older] = newer
    else this.oldest = newer
    if (newer >= 0) this.older[newer] = older
    else this.newest = older
  }
}
