import { JITTER_BUCKETS, PDV_BUCKETS } from '../rtp/layout.js'
import type { IntervalRow } from '../rtp/row.js'

/** What one stream did in one second (clock aligned). One object is used again and again: copy what is kept. */
export class MediaSecond {
  /** Ms since the epoch. */
  startMs = 0
  /** Its last packet. */
  lastPacketMs = 0
  packets = 0
  /** Less the losses before it that turned out to be late arrivals: may be negative. */
  lost = 0
  /** Packets too late for the configured jitter buffer. */
  late = 0
  jitterUpdates = 0
  /** Sum of the running jitter after each update, ms. */
  jitterSum = 0
  /** Packets measured against the base of the delay variation, and the highest PDV, ms. */
  measured = 0
  pdvMax = 0
  dtmfEvents = 0
  timestampJumps = 0
  payloadType = -1
  dscp = 0
  ptimeMs = 0
  /** Depth of the standard adaptive jitter buffer at its end, ms. */
  depthMs = 0
  readonly pdv = new Uint16Array(PDV_BUCKETS)
  readonly jitter = new Uint16Array(JITTER_BUCKETS)
  /** From here on `SecondWatch` counted nothing in `pdv` and `jitter`. */
  pdvEnd = 0
  jitterEnd = 0

  /** Whether anything happened in it. */
  get isEmpty(): boolean {
    return this.packets === 0 && this.lost === 0 && this.dtmfEvents === 0
  }
}

/** Scalars of a mark: what a stream's open interval had at the end of the second before. */
const PACKETS = 0
const LOST = 1
const LATE = 2
const JITTER_UPDATES = 3
const JITTER_SUM = 4
const MEASURED = 5
const DTMF_EVENTS = 6
const TIMESTAMP_JUMPS = 7
const SCALARS = 8
/** Its histograms, one behind the other. */
const BUCKETS = PDV_BUCKETS + JITTER_BUCKETS
const FIRST_MARKS = 64

/** Marks side by side in memory: a second of another stream each time finds little of its own in the processor's cache. */
class Marks {
  scalars = new Float64Array(FIRST_MARKS * SCALARS)
  buckets = new Uint16Array(FIRST_MARKS * BUCKETS)
  private used = 0
  private readonly free: number[] = []

  /** A mark that is all zero. */
  take(): number {
    const spare = this.free.pop()
    if (spare !== undefined) return spare
    if ((this.used + 1) * SCALARS > this.scalars.length) {
      this.scalars = doubled(this.scalars, new Float64Array(2 * this.scalars.length))
      this.buckets = doubled(this.buckets, new Uint16Array(2 * this.buckets.length))
    }
    return this.used++
  }

  give(mark: number): void {
    this.clear(mark)
    this.free.push(mark)
  }

  clear(mark: number): void {
    this.scalars.fill(0, mark * SCALARS, (mark + 1) * SCALARS)
    this.buckets.fill(0, mark * BUCKETS, (mark + 1) * BUCKETS)
  }
}

function doubled<T extends Float64Array | Uint16Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/**
 * Cuts the running counts of each stream into seconds, by difference. Costs a look at the stream's histograms per
 * second, and 550 bytes per stream; used only when somebody looks at seconds.
 */
export class SecondWatch {
  private readonly marks = new Marks()
  /** Mark of each slot; -1: none. */
  private markOf = new Int32Array(256).fill(-1)
  /** What a row closed within the running second, until that ends; by slot. */
  private readonly carried = new Map<number, MediaSecond>()
  private readonly second = new MediaSecond()

  /** The second that began at `startMs` is over; `peek` is what the open interval has so far. */
  close(peek: IntervalRow, startMs: number, peakMs: number): MediaSecond {
    const { slot } = peek
    let mark = this.markAt(slot)
    if (mark < 0) mark = this.markOf[slot] = this.marks.take()
    const { second } = this
    clear(second)
    second.startMs = startMs
    second.lastPacketMs = Math.max(startMs, peek.lastPacket || 0)
    second.pdvMax = peakMs
    if (this.carried.size > 0) {
      const carried = this.carried.get(slot)
      if (carried) {
        addSecond(second, carried)
        this.carried.delete(slot)
      }
    }
    addDifference(second, peek, this.marks, mark)
    second.payloadType = peek.payloadType
    second.dscp = peek.dscp
    second.ptimeMs = peek.ptimeMs
    second.depthMs = peek.measured > 0 ? peek.depthSum / peek.measured : 0
    return second
  }

  /** The open interval was handed out and begins anew. */
  onRow(row: IntervalRow): void {
    const { slot } = row
    const mark = this.markAt(slot)
    if (mark < 0) {
      if (row.packets === 0) return
      const none = this.marks.take()
      addDifference(this.carriedAt(slot), row, this.marks, none)
      this.marks.give(none)
      return
    }
    const { scalars } = this.marks
    const at = mark * SCALARS
    const changed = row.packets !== scalars[at + PACKETS] || row.lost - row.lostBefore !== scalars[at + LOST]
    if (changed || row.measured !== scalars[at + MEASURED])
      addDifference(this.carriedAt(slot), row, this.marks, mark)
    this.marks.clear(mark)
  }

  forget(slot: number): void {
    const mark = this.markAt(slot)
    if (mark >= 0) {
      this.marks.give(mark)
      this.markOf[slot] = -1
    }
    this.carried.delete(slot)
  }

  private markAt(slot: number): number {
    if (slot >= this.markOf.length) {
      const larger = new Int32Array(Math.max(slot + 1, 2 * this.markOf.length)).fill(-1)
      larger.set(this.markOf)
      this.markOf = larger
    }
    return this.markOf[slot]
  }

  private carriedAt(slot: number): MediaSecond {
    let carried = this.carried.get(slot)
    if (!carried) this.carried.set(slot, (carried = new MediaSecond()))
    return carried
  }
}

function clear(second: MediaSecond): void {
  second.packets = second.lost = second.late = second.jitterUpdates = second.jitterSum = 0
  second.measured = second.dtmfEvents = second.timestampJumps = 0
  for (let k = 0; k < second.pdvEnd; k++) second.pdv[k] = 0
  for (let k = 0; k < second.jitterEnd; k++) second.jitter[k] = 0
  second.pdvEnd = second.jitterEnd = 0
}

function addSecond(to: MediaSecond, from: MediaSecond): void {
  to.packets += from.packets
  to.lost += from.lost
  to.late += from.late
  to.jitterUpdates += from.jitterUpdates
  to.jitterSum += from.jitterSum
  to.measured += from.measured
  to.dtmfEvents += from.dtmfEvents
  to.timestampJumps += from.timestampJumps
  for (let k = 0; k < PDV_BUCKETS; k++) to.pdv[k] += from.pdv[k]
  for (let k = 0; k < JITTER_BUCKETS; k++) to.jitter[k] += from.jitter[k]
  to.pdvEnd = PDV_BUCKETS
  to.jitterEnd = JITTER_BUCKETS
}

/** Adds what `row` has beyond the mark, and moves the mark there. */
function addDifference(to: MediaSecond, row: IntervalRow, { scalars, buckets }: Marks, mark: number): void {
  const at = mark * SCALARS
  const lost = row.lost - row.lostBefore
  to.packets += row.packets - scalars[at + PACKETS]
  to.lost += lost - scalars[at + LOST]
  to.late += row.lateConfigured - scalars[at + LATE]
  to.jitterUpdates += row.jitterUpdates - scalars[at + JITTER_UPDATES]
  to.jitterSum += row.jitterSum - scalars[at + JITTER_SUM]
  to.dtmfEvents += row.dtmfEvents - scalars[at + DTMF_EVENTS]
  to.timestampJumps += row.timestampJumps - scalars[at + TIMESTAMP_JUMPS]
  if (row.measured !== scalars[at + MEASURED]) {
    to.measured += row.measured - scalars[at + MEASURED]
    const first = mark * BUCKETS
    const { pdvEnd, jitterEnd } = to
    to.pdvEnd = Math.max(pdvEnd, addHistogram(to.pdv, row.pdv, row.measured, buckets, first))
    const updates = row.jitterUpdates
    to.jitterEnd = Math.max(
      jitterEnd,
      addHistogram(to.jitter, row.jitter, updates, buckets, first + PDV_BUCKETS),
    )
  }
  scalars[at + PACKETS] = row.packets
  scalars[at + LOST] = lost
  scalars[at + LATE] = row.lateConfigured
  scalars[at + JITTER_UPDATES] = row.jitterUpdates
  scalars[at + JITTER_SUM] = row.jitterSum
  scalars[at + MEASURED] = row.measured
  scalars[at + DTMF_EVENTS] = row.dtmfEvents
  scalars[at + TIMESTAMP_JUMPS] = row.timestampJumps
}

/**
 * Counts only grow: where there is none now there was none, and the mark's memory need not be fetched.
 * @param entries how many the row has in all; behind the last of them there is nothing
 * @returns the end of what may have been added to
 */
function addHistogram(
  to: Uint16Array,
  row: Uint16Array,
  entries: number,
  marks: Uint16Array,
  from: number,
): number {
  let left = entries
  let k = 0
  for (; k < row.length && left > 0; k++) {
    const now = row[k]
    if (now === 0) continue
    left -= now
    const before = marks[from + k]
    if (now === before) continue
    to[k] += now - before
    marks[from + k] = now
  }
  return k
}
