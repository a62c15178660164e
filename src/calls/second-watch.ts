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

  /** Whether anything happened in it. */
  get isEmpty(): boolean {
    return this.packets === 0 && this.lost === 0 && this.dtmfEvents === 0
  }
}

/** What a stream's open interval had at the end of the second before. */
class Mark {
  packets = 0
  lost = 0
  late = 0
  jitterUpdates = 0
  jitterSum = 0
  measured = 0
  dtmfEvents = 0
  timestampJumps = 0
  readonly pdv = new Uint16Array(PDV_BUCKETS)
  readonly jitter = new Uint16Array(JITTER_BUCKETS)
  readonly pdvPairs = pairsOf(this.pdv)
  readonly jitterPairs = pairsOf(this.jitter)

  clear(): void {
    this.packets = this.lost = this.late = this.jitterUpdates = this.jitterSum = 0
    this.measured = this.dtmfEvents = this.timestampJumps = 0
    this.pdv.fill(0)
    this.jitter.fill(0)
  }
}

/** The same memory, two buckets at a time. */
function pairsOf(buckets: Uint16Array): Uint32Array {
  return new Uint32Array(buckets.buffer, buckets.byteOffset, buckets.length / 2)
}

/** Rows are used again and again: their views are made once. */
const pairs = new WeakMap<Uint16Array, Uint32Array>()

function pairsOfRow(buckets: Uint16Array): Uint32Array {
  let made = pairs.get(buckets)
  if (!made) pairs.set(buckets, (made = pairsOf(buckets)))
  return made
}

/** Marks of streams that ended, used again. */
const MOST_SPARE = 4096

/**
 * Cuts the running counts of each stream into seconds, by difference. Costs a copy of the stream's histograms per
 * second, and about 600 bytes per stream; used only when somebody looks at seconds.
 */
export class SecondWatch {
  private readonly marks: (Mark | undefined)[] = []
  /** What a row closed within the running second, until that ends. */
  private readonly carried: (MediaSecond | undefined)[] = []
  private readonly second = new MediaSecond()
  private readonly spare: Mark[] = []

  /** The second that began at `startMs` is over; `peek` is what the open interval has so far. */
  close(peek: IntervalRow, startMs: number, peakMs: number): MediaSecond {
    const { slot } = peek
    const mark = (this.marks[slot] ??= this.spare.pop() ?? new Mark())
    const { second } = this
    clear(second)
    second.startMs = startMs
    second.lastPacketMs = Math.max(startMs, peek.lastPacket || 0)
    second.pdvMax = peakMs
    const carried = this.carried[slot]
    if (carried) {
      addSecond(second, carried)
      this.carried[slot] = undefined
    }
    addDifference(second, peek, mark)
    second.payloadType = peek.payloadType
    second.dscp = peek.dscp
    second.ptimeMs = peek.ptimeMs
    second.depthMs = peek.measured > 0 ? peek.depthSum / peek.measured : 0
    return second
  }

  /** The open interval was handed out and begins anew. */
  onRow(row: IntervalRow): void {
    const mark = this.marks[row.slot]
    if (!mark) {
      if (row.packets === 0) return
      addDifference((this.carried[row.slot] ??= new MediaSecond()), row, new Mark())
      return
    }
    const changed = row.packets !== mark.packets || row.lost - row.lostBefore !== mark.lost
    if (changed || row.measured !== mark.measured)
      addDifference((this.carried[row.slot] ??= new MediaSecond()), row, mark)
    mark.clear()
  }

  forget(slot: number): void {
    const mark = this.marks[slot]
    if (!mark) return
    if (this.spare.length < MOST_SPARE) {
      mark.clear()
      this.spare.push(mark)
    }
    this.marks[slot] = undefined
    this.carried[slot] = undefined
  }
}

function clear(second: MediaSecond): void {
  second.packets = second.lost = second.late = second.jitterUpdates = second.jitterSum = 0
  second.measured = second.dtmfEvents = second.timestampJumps = 0
  second.pdv.fill(0)
  second.jitter.fill(0)
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
}

/** Adds what `row` has beyond `mark`, and moves the mark there. */
function addDifference(to: MediaSecond, row: IntervalRow, mark: Mark): void {
  const lost = row.lost - row.lostBefore
  to.packets += row.packets - mark.packets
  to.lost += lost - mark.lost
  to.late += row.lateConfigured - mark.late
  to.jitterUpdates += row.jitterUpdates - mark.jitterUpdates
  to.jitterSum += row.jitterSum - mark.jitterSum
  to.dtmfEvents += row.dtmfEvents - mark.dtmfEvents
  to.timestampJumps += row.timestampJumps - mark.timestampJumps
  if (row.measured !== mark.measured) {
    to.measured += row.measured - mark.measured
    addHistogram(to.pdv, row.pdv, pairsOfRow(row.pdv), mark.pdv, mark.pdvPairs)
    addHistogram(to.jitter, row.jitter, pairsOfRow(row.jitter), mark.jitter, mark.jitterPairs)
  }
  mark.packets = row.packets
  mark.lost = lost
  mark.late = row.lateConfigured
  mark.jitterUpdates = row.jitterUpdates
  mark.jitterSum = row.jitterSum
  mark.measured = row.measured
  mark.dtmfEvents = row.dtmfEvents
  mark.timestampJumps = row.timestampJumps
}

/** Most buckets are as they were. */
function addHistogram(
  to: Uint16Array,
  row: Uint16Array,
  rowPairs: Uint32Array,
  mark: Uint16Array,
  markPairs: Uint32Array,
): void {
  for (let pair = 0; pair < rowPairs.length; pair++) {
    if (rowPairs[pair] === markPairs[pair]) continue
    const k = 2 * pair
    to[k] += row[k] - mark[k]
    to[k + 1] += row[k + 1] - mark[k + 1]
    markPairs[pair] = rowPairs[pair]
  }
}
