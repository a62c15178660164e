import type { RingSocket } from '../../capture/ring/ring-socket.js'
import type { CaptureLosses } from '../../capture/live.js'
import { SKIP_REASONS, type DecodedPacket, type SkipReason } from '../../decode/packet.js'
import { AnnouncedEndpoints } from '../../rtp/announced.js'
import {
  PACKET_NO_ROOM,
  PACKET_RTCP,
  PACKET_RTP,
  RtpMeter,
  type MeterCounters,
  type MeterOptions,
} from '../../rtp/meter.js'
import { MAX_PAYLOAD_MAPS, PayloadMaps } from '../../rtp/payload-map.js'
import { IntervalRow, type FlowEnds, type StreamIdentity, type StreamListener } from '../../rtp/row.js'
import type { StreamControl } from '../../rtp/stream-control.js'
import { StreamKeys } from '../../rtp/stream-keys.js'
import { StreamStates, type SequenceState } from '../../rtp/stream-states.js'
import type { PayloadFormat } from '../../sip/sdp-types.js'
import { CarriedPacket } from './carried-packet.js'
import { MediaLink, MessageMemory, type MediaTaskBase, type Message } from './media-link.js'
import * as M from './messages.js'
import { ownerOf } from './owner.js'

const ANNOUNCED_PLACES = 1 << 18
/** A worker that ends unasked is started again, but not more often than this within a minute. */
const MOST_RESTARTS = 5
const RESTARTS_WITHIN_MS = 60_000
const WAIT_MS = 2
/** One that is to end and sends nothing for so many waits is given up: ten seconds. */
const PATIENCE = 5000
/** Messages of a worker that are taken in before other work gets its turn. */
const MOST_AT_ONCE = 8192

/** A frame that a worker left to the thread that follows the calls. */
export interface ForwardedFrame {
  bytes: Uint8Array
  view: DataView
  offset: number
  captured: number
  wireLength: number
  linkType: number
  timeMs: number
}

export interface MediaWorkersOptions {
  /** Each worker's rings. */
  sockets: readonly (readonly RingSocket[])[]
  /** `maxStreams`: of all workers together. */
  meter: MeterOptions & { maxStreams: number }
  /** Somebody looks at seconds. */
  seconds: boolean
  /** A worker ended unasked. */
  onTrouble: (message: string, fields: Record<string, number>) => void
  /** Workers keep ending: the capture cannot go on. */
  onGivingUp: () => void
}

/**
 * Streams measured by threads of their own. Each worker reads a ring of its own for the flows that the kernel gives it,
 * and owns their streams; this side, on the thread that follows the calls, takes their messages and gives orders. Slots
 * are numbered over all workers. State lies in shared memory, so that keys and sequence numbers can be looked up here.
 */
export class MediaWorkers implements StreamControl {
  readonly announced: AnnouncedEndpoints
  readonly keys: StreamKeys
  /** Most slots there can be. */
  readonly slots: number
  restarts = 0
  private readonly payloadMaps: PayloadMaps
  private readonly states: StreamStates
  private readonly slotsEach: number
  private readonly meterOptions: MeterOptions & { maxStreams: number }
  private readonly memory: Pick<M.MediaTask, 'states' | 'announced' | 'payloadMaps'>
  private links: MediaLink[] = []
  private listener!: StreamListener
  private onFrame!: (frame: ForwardedFrame) => void
  /** Rows that are being looked at: handling one may bring others. */
  private readonly rows: IntervalRow[] = []
  private depth = 0
  /** While a frame with RTCP is looked at: how far the streams that it is about were when it came. */
  private readonly statesThen = new Map<number, SequenceState>()
  private readonly peeked = new IntervalRow()
  private readonly sample = new CarriedPacket()
  private readonly restartTimes: number[] = []
  /** Of workers that ended unasked. */
  private readonly before = new Float64Array(M.FIGURES)
  private readonly countsBefore: M.WorkerCounts[] = []
  private packetsDroppedBefore = 0
  private holdUpsBefore = 0
  private hasStopped = false
  private ending = false
  private closed = false

  constructor(private readonly options: MediaWorkersOptions) {
    const workers = options.sockets.length
    this.slotsEach = Math.ceil(options.meter.maxStreams / workers)
    this.slots = this.slotsEach * workers
    const { earlyPackets } = options.meter
    this.meterOptions = {
      ...options.meter,
      maxStreams: this.slotsEach,
      earlyPackets: earlyPackets && Math.ceil(earlyPackets / workers),
    }
    this.memory = {
      states: StreamStates.sharedMemory(this.slots),
      announced: new SharedArrayBuffer(AnnouncedEndpoints.memoryBytes(ANNOUNCED_PLACES)),
      payloadMaps: new SharedArrayBuffer(PayloadMaps.memoryBytes(MAX_PAYLOAD_MAPS)),
    }
    this.states = new StreamStates(this.memory.states, 0, this.slots)
    this.keys = new StreamKeys(this.states.i32, this.states.f64)
    this.announced = new AnnouncedEndpoints(ANNOUNCED_PLACES, this.memory.announced)
    this.payloadMaps = new PayloadMaps(MAX_PAYLOAD_MAPS, this.memory.payloadMaps)
  }

  /** Who is told of streams, and of frames that are not media. */
  connect(listener: StreamListener, onFrame: (frame: ForwardedFrame) => void): void {
    this.listener = listener
    this.onFrame = onFrame
  }

  /** Starts the threads; every privilege that they need has been used by then. */
  start(): void {
    this.links = this.options.sockets.map((_, index) => this.newLink(index))
    for (const link of this.links) this.startLink(link)
  }

  private newLink(index: number): MediaLink {
    const { sockets, seconds } = this.options
    const task: MediaTaskBase = {
      ...this.memory,
      index,
      workers: sockets.length,
      sockets: sockets[index],
      announcedPlaces: ANNOUNCED_PLACES,
      meter: this.meterOptions,
      seconds,
    }
    return new MediaLink(task)
  }

  private startLink(link: MediaLink): void {
    link.start((error) => this.onExit(link, error))
  }

  /** A worker is gone. What it had measured counts; its streams end, and begin anew with another. */
  private onExit(link: MediaLink, error: Error | undefined): void {
    const at = this.links.indexOf(link)
    if (at < 0 || this.closed) return
    this.salvage(link)
    if (this.ending) {
      link.finished = true
      return
    }
    const nowMs = performance.now()
    while (this.restartTimes.length > 0 && nowMs - this.restartTimes[0] > RESTARTS_WITHIN_MS)
      this.restartTimes.shift()
    if (this.restartTimes.length >= MOST_RESTARTS) {
      link.finished = link.drained = true
      this.options.onGivingUp()
      return
    }
    this.restartTimes.push(nowMs)
    this.restarts++
    this.retire(link)
    link.clearStates()
    const fresh = this.newLink(at)
    this.links[at] = fresh
    this.startLink(fresh)
    if (this.hasStopped) fresh.order(M.STOP)
    fresh.wakeIfAwaited()
    this.options.onTrouble(
      `media worker ${at + 1} ended unexpectedly${error ? ` (${error.message})` : ''}: its streams were closed with what ` +
        'they had, and go on as new ones in a worker that took its place',
      { worker: at + 1 },
    )
  }

  /** Reads what is left of a dead worker: its last messages, then the streams that it left open. */
  private salvage(link: MediaLink): void {
    this.readLink(link)
    const ended: number[] = []
    const { firstSlot } = link
    const listener: StreamListener = {
      onStreamStart: () => {},
      onRow: (row) => {
        const told = link.toldOf(row.slot)
        if (told === 'end') return
        row.slot += firstSlot
        if (told === 'nothing') {
          link.noteStart(row.slot - firstSlot)
          this.listener.onStreamStart(row.slot)
        }
        this.listener.onRow(row)
        row.slot -= firstSlot
      },
      onStreamEnd: (slot) => {
        if (link.toldOf(slot) === 'start') this.listener.onStreamEnd(firstSlot + slot)
        ended.push(slot)
      },
    }
    const shared = { states: link.states, announced: this.announced, payloadMaps: this.payloadMaps }
    const meter = new RtpMeter(listener, { ...this.meterOptions, shared })
    meter.adopt()
    for (const _ of meter.finish());
    for (const slot of ended) meter.recycle(slot)
  }

  /** Keeps the figures of a worker that is no more. */
  private retire(link: MediaLink): void {
    for (const k of [M.PACKETS, M.BYTES, M.RTP_PACKETS, M.RECEIVED, M.KERNEL_DROPS, M.FREEZES, M.BUSY_MS])
      this.before[k] += link.figures[k]
    this.before[M.FIRST_MS] = Math.min(
      this.before[M.FIRST_MS] || Infinity,
      link.figures[M.FIRST_MS] || Infinity,
    )
    this.before[M.LAST_MS] = Math.max(this.before[M.LAST_MS], link.figures[M.LAST_MS] || 0)
    this.packetsDroppedBefore += link.packetsDropped
    this.holdUpsBefore += link.holdUps
    if (link.counts) this.countsBefore.push(link.counts)
  }

  private linkOf(slot: number): MediaLink {
    return this.links[Math.floor(slot / this.slotsEach)]
  }

  /** Takes in what the workers sent. True when there was something. */
  read(): boolean {
    let any = false
    for (const link of this.links) if (this.readLink(link, MOST_AT_ONCE)) any = true
    for (const link of this.links) link.wakeIfAwaited()
    return any
  }

  private readLink(link: MediaLink, most?: number): boolean {
    return link.read((message, taken) => this.take(link, message, taken), most)
  }

  /** `taken`: the message's memory is used again from then on; what comes of it may need the room. */
  private take(link: MediaLink, message: Message, taken: () => void): void {
    const { kind, at, memory, length } = message
    const { listener } = this
    const localSlot = memory.i32[at >> 2]
    const slot = link.firstSlot + localSlot
    switch (kind) {
      case M.STREAM_START:
        taken()
        link.noteStart(localSlot)
        listener.onStreamStart(slot)
        break
      case M.ROW:
        this.takeRow(link, message, taken)
        break
      case M.RESUME:
        taken()
        listener.onResume?.(slot)
        break
      case M.BURST_SECOND:
      case M.SECOND: {
        const startMs = memory.f64[(at >> 3) + 1]
        const peakMs = memory.f64[(at >> 3) + 2]
        if (kind === M.SECOND) {
          memory.rows.read(this.peeked, at + M.SECOND_ROW_AT)
          this.peeked.slot = slot
        }
        taken()
        if (kind === M.SECOND) listener.onSecond?.(slot, startMs, peakMs)
        else listener.onBurstSecond?.(slot, startMs, peakMs)
        break
      }
      case M.SAMPLE:
        this.takeSample(slot, message, taken)
        break
      case M.NO_ROOM: {
        const flow = flowOf(message)
        taken()
        listener.onNoRoom?.(flow)
        break
      }
      case M.STREAM_END:
        taken()
        link.noteEnd(localSlot)
        listener.onStreamEnd(slot)
        link.order(M.RECYCLE, localSlot)
        break
      case M.FRAME:
        this.takeFrame(link, message, taken)
        break
      case M.COUNTS:
        // Its own worker wrote it.
        link.counts = JSON.parse(
          Buffer.from(memory.bytes.slice(at, at + length)).toString(),
        ) as M.WorkerCounts
        taken()
        break
      case M.DRAINED:
        link.drained = true
        taken()
        break
      default:
        if (kind === M.FINISHED) link.finished = true
        taken()
    }
  }

  private takeRow(link: MediaLink, { at, memory }: Message, taken: () => void): void {
    const row = (this.rows[this.depth] ??= new IntervalRow())
    memory.rows.read(row, at + M.ROW_AT)
    row.slot += link.firstSlot
    taken()
    this.depth++
    this.listener.onRow(row)
    this.depth--
  }

  private takeFrame(link: MediaLink, { at, memory }: Message, taken: () => void): void {
    // Copied: what is made of it may read on, and text is not decoded from shared memory.
    const captured = memory.i32[(at >> 2) + 4]
    const bytes = new Uint8Array(memory.bytes.subarray(at + M.FRAME_AT, at + M.FRAME_AT + captured))
    const timeMs = memory.f64[at >> 3]
    const linkType = memory.i32[(at >> 2) + 2]
    const wireLength = memory.i32[(at >> 2) + 3]
    let word = (at + M.statesAt(captured)) >> 2
    const { i32 } = memory
    for (let left = i32[(at >> 2) + 5]; left > 0; left--, word += M.STATE_BYTES / 4)
      this.statesThen.set(link.firstSlot + i32[word], {
        highest: i32[word + 1],
        lost: i32[word + 2],
        clockRateHz: i32[word + 3],
      })
    taken()
    const view = new DataView(bytes.buffer)
    this.onFrame({ bytes, view, offset: 0, captured: bytes.length, wireLength, linkType, timeMs })
    this.statesThen.clear()
  }

  private takeSample(slot: number, { at, memory, length }: Message, taken: () => void): void {
    const own = new MessageMemory(new Uint8Array(memory.bytes.subarray(at, at + length)))
    taken()
    this.listener.onPayloadSample?.(slot, this.sample.read(own, M.PACKET_AT))
  }

  /** Whether all that came before that time of the packets was measured; `clockMs`: the same time by the clock. */
  hasMeasured(timeMs: number, clockMs: number): boolean {
    return this.links.every((link) => link.hasMeasured(timeMs, clockMs))
  }

  /** An unwrapped packet that may be RTP: goes to the worker that owns its flow. Returns PACKET_*. */
  onPacket(p: DecodedPacket): number {
    const type = p.bytes[p.payloadOffset + 1]
    if (type >= 192 && type <= 223) return PACKET_RTCP
    return this.links[ownerOf(p, this.links.length)].send(p) ? PACKET_RTP : PACKET_NO_ROOM
  }

  /** Every packet of before that time was looked at, and sent if it was to be unwrapped. */
  unwrappedUntil(timeMs: number): void {
    for (const link of this.links) {
      link.figures[M.UNWRAPPED_UNTIL_MS] = timeMs
      link.wakeIfAwaited()
    }
  }

  private order(kind: number, slot: number, argument = 0): void {
    const link = this.linkOf(slot)
    link.order(kind, slot - link.firstSlot, argument)
  }

  private ask(kind: number, slot: number): void {
    const link = this.linkOf(slot)
    for (const message of link.ask(kind, slot - link.firstSlot)) this.take(link, message, () => {})
  }

  identity(slot: number): StreamIdentity {
    return this.states.identity(slot)
  }

  lastSeen(slot: number): number {
    return this.states.lastSeen(slot)
  }

  /**
   * RTCP that came through the worker that owns the media brought the state of that moment. What another one brought
   * (a=rtcp names another port, so the kernel may take it for another flow) has to be reckoned back to `atMs`.
   */
  sequenceState(slot: number, atMs?: number): SequenceState {
    return this.statesThen.get(slot) ?? this.states.sequenceState(slot, atMs)
  }

  /** Of the stream whose second is being told. */
  peek(): IntervalRow {
    return this.peeked
  }

  setPayloadFormats(slot: number, formats: readonly PayloadFormat[]): void {
    this.order(M.SET_PAYLOAD_MAP, slot, this.payloadMaps.intern(formats))
  }

  setSampled(slot: number, sampled: boolean): void {
    this.order(M.SET_SAMPLED, slot, sampled ? 1 : 0)
  }

  setBound(slot: number, bound: boolean): void {
    this.order(M.SET_BOUND, slot, bound ? 1 : 0)
  }

  cut(slot: number): void {
    this.ask(M.CUT, slot)
  }

  conclude(slot: number): void {
    this.ask(M.CONCLUDE, slot)
  }

  beginSegment(slot: number): void {
    this.order(M.BEGIN_SEGMENT, slot)
  }

  /** No packets from now on. */
  stop(): void {
    this.hasStopped = true
    for (const link of this.links) {
      link.order(M.STOP)
      link.wake()
    }
  }

  /** After `stop`: whether everything that had arrived was measured. */
  get isDrained(): boolean {
    return this.links.every((link) => link.drained || link.finished)
  }

  *finish(): Generator<void> {
    this.ending = true
    for (const link of this.links) {
      if (link.finished) continue
      link.order(M.FINISH)
      link.wake()
    }
    const pause = new Int32Array(new SharedArrayBuffer(4))
    let patience = PATIENCE
    while (this.links.some((link) => !link.finished)) {
      if (this.read()) patience = PATIENCE
      else {
        if (--patience < 0) for (const link of this.links) if (!link.finished) link.giveUp()
        for (const link of this.links) {
          if (!link.dead || link.finished) continue
          this.salvage(link)
          link.finished = true
        }
        Atomics.wait(pause, 0, 0, WAIT_MS)
      }
      yield
    }
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    this.ending = this.closed = true
    await Promise.all(this.links.map((link) => link.terminate()))
  }

  /** Kills a worker, as a fault would: for tests. */
  async kill(index: number): Promise<void> {
    await this.links[index].terminate()
  }

  private sum(figure: number): number {
    return this.links.reduce((sum, { figures }) => sum + figures[figure], this.before[figure])
  }

  get packets(): number {
    return this.sum(M.PACKETS)
  }

  get bytes(): number {
    return this.sum(M.BYTES)
  }

  get rtpPackets(): number {
    return this.sum(M.RTP_PACKETS)
  }

  get activeStreams(): number {
    return this.links.reduce((sum, { figures }) => sum + figures[M.ACTIVE_STREAMS], 0)
  }

  /** Time spent on packets since the start, ms, by worker. */
  get busyMs(): number[] {
    return this.links.map(({ figures }) => figures[M.BUSY_MS])
  }

  get received(): number {
    return this.sum(M.RECEIVED)
  }

  /** Adds what the workers' rings missed; the interfaces themselves are watched by the calls' thread. */
  addLosses(losses: CaptureLosses): CaptureLosses {
    return {
      ...losses,
      kernelDrops: losses.kernelDrops + this.sum(M.KERNEL_DROPS),
      freezes: losses.freezes + this.sum(M.FREEZES),
    }
  }

  /** Times of the first and the last packet; NaN before any. */
  get firstMs(): number {
    const times = [this.before[M.FIRST_MS] || NaN, ...this.links.map(({ figures }) => figures[M.FIRST_MS])]
    const known = times.filter((time) => Number.isFinite(time))
    return known.length > 0 ? Math.min(...known) : NaN
  }

  get lastMs(): number {
    const times = [this.before[M.LAST_MS] || NaN, ...this.links.map(({ figures }) => figures[M.LAST_MS])]
    const known = times.filter((time) => Number.isFinite(time))
    return known.length > 0 ? Math.max(...known) : NaN
  }

  /** How often a worker had to leave its frames in the kernel's ring until its messages were read. */
  get holdUps(): number {
    return this.links.reduce((sum, link) => sum + link.holdUps, this.holdUpsBefore)
  }

  /** Unwrapped packets for which a worker had no room. */
  get packetsDropped(): number {
    return this.links.reduce((sum, link) => sum + link.packetsDropped, this.packetsDroppedBefore)
  }

  private get allCounts(): M.WorkerCounts[] {
    return [...this.countsBefore, ...this.links.flatMap(({ counts }) => (counts ? [counts] : []))]
  }

  /** As of a second ago at most; complete after `finish`. */
  get counters(): MeterCounters {
    const sum: MeterCounters = {
      streams: 0,
      active: this.activeStreams,
      rejectedCandidates: 0,
      noRoomPackets: 0,
      displaced: 0,
      payloadMapOverflow: this.payloadMaps.overflow,
      announcedOverflow: this.announced.overflow,
      candidatesTurnedAway: 0,
      earlyPacketsDropped: 0,
    }
    for (const { meter } of this.allCounts) {
      sum.streams += meter.streams
      sum.rejectedCandidates += meter.rejectedCandidates
      sum.noRoomPackets += meter.noRoomPackets
      sum.displaced += meter.displaced
      sum.candidatesTurnedAway += meter.candidatesTurnedAway
      sum.earlyPacketsDropped += meter.earlyPacketsDropped
    }
    return sum
  }

  /** Adds the frames that the workers skipped to those skipped here. */
  addSkipped(skipped: Partial<Record<SkipReason, number>>): Partial<Record<SkipReason, number>> {
    const sum: Partial<Record<SkipReason, number>> = {}
    for (const reason of SKIP_REASONS) {
      let count = skipped[reason] ?? 0
      for (const counts of this.allCounts) count += counts.skipped[reason] ?? 0
      if (count > 0) sum[reason] = count
    }
    return sum
  }
}

function flowOf({ at, memory }: Message): FlowEnds {
  const first = (at + M.FLOW_AT) >> 2
  const { i32, f64 } = memory
  return {
    ipVersion: i32[first],
    sourcePort: i32[first + 1],
    destinationPort: i32[first + 2],
    vlan: i32[first + 3],
    source: [i32[first + 4], i32[first + 5], i32[first + 6], i32[first + 7]],
    destination: [i32[first + 8], i32[first + 9], i32[first + 10], i32[first + 11]],
    firstArrival: f64[(at + M.FLOW_TIME_AT) >> 3],
  }
}
