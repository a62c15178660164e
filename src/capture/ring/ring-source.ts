import { setImmediate as nextTurn } from 'node:timers/promises'
import { FrameBatch } from '../frame-batch.js'
import type { SourceProgress, SourceWarning } from '../batch.js'
import type { CaptureLosses, InterfaceEvent, LiveSource } from '../live.js'
import type { CaptureBinding } from './native.js'
import { OpenRing } from './open-ring.js'
import type { RingCounters } from './ring-reader.js'
import type { RingSocket } from './ring-socket.js'

/**
 * How often an empty ring is looked at. Each look wakes the process, which costs as much as some hundred packets; even at
 * 300,000 packets a second the ring takes a hundred times as long to fill.
 */
const LOOK_MS = 20
/** An empty batch says that time went on, this often. */
const QUIET_MS = 100
/** What was handed to the kernel so long ago has come out of the ring, even on a busy machine. */
const SETTLED_MS = 250
/** With several rings: a block may come this much later than its retirement. */
export const RETIRE_SLACK_MS = 30
/** Other work of the process (outputs, signals) gets its turn at least this often. */
const TURN_MS = 10
const WATCH_MS = 500
/** A network card's clock that is so far from the system's is taken for another time scale. */
const OTHER_CLOCK_MS = 1000
const NO_FRAMES = new FrameBatch(1)

interface Waiting {
  resolve: (batch: FrameBatch | null) => void
  reject: (error: unknown) => void
}

export interface RingSourceOptions {
  /** The clock that the kernel stamps packets with. */
  nowMs: () => number
  onInterface?: (event: InterfaceEvent) => void
  /** As if the engine took no foreign memory. */
  copy?: boolean
  /** An empty batch says that time went on, this often (default 100), ms. */
  quietMs?: number
}

/**
 * Packets of one or several rings, in order of time. A ring that has nothing holds the others back for as long as one
 * of its packets may still be on its way.
 */
export class RingSource implements LiveSource {
  readonly warnings: SourceWarning[] = []
  readonly reportedDrops = 0
  quietUntilMs = -Infinity
  /** The clock minus the time of the last packet, when its block was opened, ms; NaN before any. */
  clockApartMs = NaN
  /** Time of the packets minus the clock's, where a network card stamps them in a time scale of its own, ms. */
  clockOffsetMs = 0
  private readonly rings: OpenRing[]
  private readonly nowMs: () => number
  private readonly holdMs: number
  private readonly quietMs: number
  private readonly hardware: boolean
  private turnMs = performance.now()
  private lastBatchMs = -Infinity
  private watchedMs = -Infinity
  private stopMs = Infinity
  private drainedBy = Infinity
  /** `next` found nothing, and waits for this. */
  private waiting: Waiting | undefined
  /** One that stays: to set a timer anew for each look costs more than the look. */
  private looking: NodeJS.Timeout | undefined
  private closed = false

  constructor(
    binding: CaptureBinding,
    sockets: readonly RingSocket[],
    private readonly options: RingSourceOptions,
  ) {
    this.rings = sockets.map((socket) => new OpenRing(binding, socket, options.copy ?? false))
    this.nowMs = options.nowMs
    this.quietMs = options.quietMs ?? QUIET_MS
    this.hardware = sockets.some((socket) => socket.hardwareStamps)
    this.holdMs = Math.max(...sockets.map((socket) => socket.retireMs)) + RETIRE_SLACK_MS
    for (const { interfaceName, notes } of sockets)
      for (const message of notes) this.warnings.push({ source: interfaceName, kind: 'note', message })
  }

  /** What the records may claim: the card's time only when every packet so far had it. */
  get timestampSource(): 'hardware' | 'kernel' {
    return this.hardware ? 'hardware' : 'kernel'
  }

  get files(): number {
    return this.rings.length
  }

  get received(): number {
    return this.rings.reduce((sum, ring) => sum + ring.received, 0)
  }

  /** Of all rings. */
  get counters(): RingCounters {
    const sum: RingCounters = {
      blocks: 0,
      packets: 0,
      vlanFrames: 0,
      hardwareStamped: 0,
      mergedFrames: 0,
      losingFrames: 0,
      abandonedFrames: 0,
    }
    for (const { reader } of this.rings) {
      sum.blocks += reader.counters.blocks
      sum.packets += reader.counters.packets
      sum.vlanFrames += reader.counters.vlanFrames
      sum.hardwareStamped += reader.counters.hardwareStamped
      sum.mergedFrames += reader.counters.mergedFrames
      sum.losingFrames += reader.counters.losingFrames
      sum.abandonedFrames += reader.counters.abandonedFrames
    }
    return sum
  }

  get zeroCopy(): boolean {
    return this.rings.every(({ reader }) => reader.zeroCopy)
  }

  progress(): SourceProgress {
    return { bytesRead: 0, bytesTotal: 0 }
  }

  losses(): CaptureLosses {
    const losses: CaptureLosses = {
      kernelDrops: 0,
      interfaceDrops: 0,
      freezes: 0,
      downMs: 0,
      downUntilMs: -Infinity,
    }
    for (const ring of this.rings) {
      if (!this.closed) ring.readStatistics()
      losses.kernelDrops += ring.drops + ring.reader.counters.abandonedFrames
      losses.interfaceDrops += ring.cardDrops
      losses.freezes += ring.freezes
      losses.downMs += ring.downMs
      losses.downUntilMs = Math.max(losses.downUntilMs, ring.downUntilMs)
    }
    return losses
  }

  async next(): Promise<FrameBatch | null> {
    if (performance.now() - this.turnMs > TURN_MS) {
      await nextTurn()
      this.turnMs = performance.now()
    }
    const batch = this.take()
    if (batch !== undefined) return batch
    this.looking ??= setInterval(this.look, LOOK_MS)
    return new Promise(this.wait)
  }

  /** As `next`, for a thread that does its own waiting (`pauseMs`): undefined when there is nothing to hand out now. */
  take(): FrameBatch | null | undefined {
    if (this.closed) return null
    // Read before the rings are looked at: what is not in them now came after it.
    const nowMs = this.nowMs()
    this.watch(nowMs)
    const allFull = this.refill(nowMs)
    const due = this.earliest()
    if (due !== null && (allFull || due.headMs <= nowMs + this.clockOffsetMs - this.holdMs)) {
      this.lastBatchMs = nowMs
      return this.handOut(due)
    }
    if (nowMs >= this.drainedBy) return due === null ? null : this.handOut(due)
    // The clock may have been set back.
    if (Math.abs(nowMs - this.lastBatchMs) < this.quietMs) return undefined
    this.lastBatchMs = nowMs
    if (due === null) this.quietUntilMs = nowMs + this.clockOffsetMs - SETTLED_MS
    return NO_FRAMES
  }

  private readonly wait = (resolve: Waiting['resolve'], reject: Waiting['reject']): void => {
    this.waiting = { resolve, reject }
  }

  private readonly look = (): void => {
    const { waiting } = this
    if (waiting === undefined) return
    try {
      const batch = this.take()
      if (batch === undefined) return
      this.turnMs = performance.now()
      this.waiting = undefined
      waiting.resolve(batch)
    } catch (error) {
      this.waiting = undefined
      waiting.reject(error)
    }
  }

  /** How long to wait before looking again, ms. */
  pauseMs(): number {
    return LOOK_MS
  }

  /** True when no ring is empty. */
  private refill(nowMs: number): boolean {
    let allFull = true
    for (const ring of this.rings) {
      if (!ring.refill()) allFull = false
      else if (ring.cursor === ring.batch?.first) this.newBlock(ring, nowMs)
    }
    return allFull
  }

  private newBlock(ring: OpenRing, nowMs: number): void {
    const { batch } = ring
    if (batch === null) return
    const lastMs = batch.timeMs[ring.limit - 1]
    const offsetMs = lastMs - nowMs
    this.clockApartMs = -offsetMs
    if (this.hardware && Math.abs(offsetMs - this.clockOffsetMs) > OTHER_CLOCK_MS)
      this.clockOffsetMs = offsetMs
    // After `stop`: what came later is not wanted.
    const stopMs = this.stopMs + this.clockOffsetMs
    while (ring.limit > ring.cursor && batch.timeMs[ring.limit - 1] > stopMs) ring.limit--
  }

  private earliest(): OpenRing | null {
    let best: OpenRing | null = null
    for (const ring of this.rings) {
      if (ring.batch === null || ring.cursor >= ring.limit) continue
      if (best === null || ring.headMs < best.headMs) best = ring
    }
    return best
  }

  /** The frames of one ring up to the next frame of another. */
  private handOut(due: OpenRing): FrameBatch | null {
    const { batch } = due
    if (batch === null) return null
    batch.first = due.cursor
    due.cursor = this.endOfTurn(due, batch)
    batch.end = due.cursor
    return batch
  }

  private endOfTurn(due: OpenRing, batch: FrameBatch): number {
    if (this.rings.length === 1) return due.limit
    let until = Infinity
    for (const ring of this.rings) {
      if (ring !== due && ring.batch !== null && ring.cursor < ring.limit)
        until = Math.min(until, ring.headMs)
    }
    const { timeMs } = batch
    let end = due.cursor + 1
    while (end < due.limit && timeMs[end] <= until) end++
    return end
  }

  private watch(nowMs: number): void {
    if (Math.abs(nowMs - this.watchedMs) < WATCH_MS) return
    this.watchedMs = nowMs
    for (const ring of this.rings) {
      const event = ring.watch(nowMs)
      if (event) this.options.onInterface?.(event)
    }
  }

  stop(): void {
    if (this.stopMs !== Infinity) return
    this.stopMs = this.nowMs()
    // Blocks that are not full come when the kernel retires them.
    this.drainedBy = this.stopMs + this.holdMs + RETIRE_SLACK_MS
    this.look()
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.losses()
      this.closed = true
      for (const ring of this.rings) ring.close()
      clearInterval(this.looking)
      this.look()
    }
    return Promise.resolve()
  }
}
