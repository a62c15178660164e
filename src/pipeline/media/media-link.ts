import { Worker } from 'node:worker_threads'
import { StreamStates } from '../../rtp/stream-states.js'
import { carriedBytes, CarriedPacket } from './carried-packet.js'
import type { DecodedPacket } from '../../decode/packet.js'
import { threadModule } from '../../places.js'
import { MessageRing } from './message-ring.js'
import * as M from './messages.js'
import { RowCodec } from './row-codec.js'

/** Rows, seconds and frames that were not read yet. */
const UP_BYTES = 16 * 2 ** 20
/** Orders and unwrapped packets. */
const DOWN_BYTES = 4 * 2 ** 20
/** Packets leave this part of it to orders. */
const PACKET_BYTES = 3 * 2 ** 20
const WAIT_MS = 5
/** A worker that does not answer for so many waits is given up: ten seconds, standstills of the process left out. */
const PATIENCE = 2000
/**
 * More than this set aside, and the worker takes no more frames until half of it was read: they wait in the kernel's ring,
 * which counts what it has no room for. What comes all the same: what was in `up`, what comes of the batch that the worker
 * has in hand (one, before it answers) and of the orders in `down`, and, after FINISH, the last rows of its streams.
 */
export const MOST_ASIDE_BYTES = 32 * 2 ** 20
/** What a message that was set aside takes beside its bytes: views of them. */
const ASIDE_OVERHEAD_BYTES = 1024
/** One that was found behind so often without any progress is no longer waited for. */
const MOST_LOOKS = 6000

/** A message, in the ring or copied out of it. */
export interface Message {
  kind: number
  at: number
  length: number
  memory: MessageMemory
}

/** Bytes seen in every way that messages are read. */
export class MessageMemory {
  readonly view: DataView
  readonly i32: Int32Array
  readonly f64: Float64Array
  readonly rows: RowCodec

  constructor(readonly bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes
    this.view = new DataView(buffer, byteOffset, byteLength)
    this.i32 = new Int32Array(buffer, byteOffset, byteLength >> 2)
    this.f64 = new Float64Array(buffer, byteOffset, byteLength >> 3)
    this.rows = new RowCodec(bytes)
  }
}

/** Everything about a worker but where its own memory is. */
export type MediaTaskBase = Omit<M.MediaTask, 'up' | 'down' | 'control' | 'figures'>

/** One media worker as the calls' thread sees it: its messages, and what can be asked of it. */
export class MediaLink {
  readonly states: StreamStates
  /** Its first slot among all workers'. */
  readonly firstSlot: number
  readonly figures = new Float64Array(new SharedArrayBuffer(M.FIGURES * 8))
  counts: M.WorkerCounts | undefined
  drained = false
  finished = false
  /** Its thread ended before it was told to, or does not answer. */
  dead = false
  /** Packets for which there was no room. */
  packetsDropped = 0
  /** How often so much was set aside that the worker had to wait. */
  holdUps = 0
  /** By its slots: the first packet of the stream of which the start, and the end, was told last, ms since the epoch. */
  private readonly startedMs: Float64Array
  private readonly endedMs: Float64Array
  private readonly control = new Int32Array(new SharedArrayBuffer(M.CONTROL_WORDS * 4))
  private readonly up = new MessageRing(MessageRing.memory(UP_BYTES))
  private readonly upMemory = new MessageMemory(this.up.bytes)
  private readonly down = new MessageRing(MessageRing.memory(DOWN_BYTES))
  /** Messages that were taken out of the ring while the worker was asked for something. */
  private pending: Message[] = []
  /** Those before it were handed out. */
  private pendingAt = 0
  private asideBytes = 0
  private asked = 0
  /** Its last message was set aside: it carries out nothing more. */
  private hasEnded = false
  /** How often it was found to be behind, with no progress since. */
  private idleLooks = 0
  private lookedPackets = NaN
  private lookedMs = NaN
  private isAwaited = false
  private worker: Worker | undefined

  constructor(private readonly task: MediaTaskBase) {
    const { maxStreams } = task.meter
    this.firstSlot = task.index * maxStreams
    this.states = new StreamStates(task.states, this.firstSlot, maxStreams)
    this.startedMs = new Float64Array(maxStreams)
    this.endedMs = new Float64Array(maxStreams)
    this.figures[M.FIRST_MS] = this.figures[M.LAST_MS] = NaN
  }

  start(onExit: (error: Error | undefined) => void): void {
    this.worker = new Worker(threadModule('pipeline/media/media-thread'), { workerData: this.workerTask() })
    let problem: Error | undefined
    this.worker.on('error', (error) => (problem = error))
    this.worker.on('exit', () => {
      this.worker = undefined
      if (this.finished) return
      this.dead = true
      onExit(problem)
    })
  }

  /** What the thread is started with. */
  workerTask(): M.MediaTask {
    const { task, up, down, control, figures } = this
    return {
      ...task,
      up: up.memory,
      down: down.memory,
      control: control.buffer,
      figures: figures.buffer,
    }
  }

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    await this.worker?.terminate()
  }

  get isRunning(): boolean {
    return Atomics.load(this.control, M.RUNNING) === 1
  }

  /** The worker sleeps when it has nothing to do. */
  wake(): void {
    Atomics.add(this.control, M.WAKE, 1)
    Atomics.notify(this.control, M.WAKE)
  }

  wakeIfAwaited(): void {
    if (!this.isAwaited) return
    this.isAwaited = false
    this.wake()
  }

  /**
   * Whether it has measured what came before that time of the packets, `clockMs` by the clock. True, too, of one that has
   * stood still for long: it keeps nobody else from going on.
   */
  hasMeasured(timeMs: number, clockMs: number): boolean {
    const { figures } = this
    if (this.drained || this.finished) return true
    if (figures[M.MEASURED_MS] >= timeMs || figures[M.CAUGHT_UP_MS] >= clockMs) return true
    if (figures[M.PACKETS] === this.lookedPackets && figures[M.CAUGHT_UP_MS] === this.lookedMs)
      return ++this.idleLooks > MOST_LOOKS
    this.lookedPackets = figures[M.PACKETS]
    this.lookedMs = figures[M.CAUGHT_UP_MS]
    this.idleLooks = 0
    return false
  }

  /** Tells it something. Nothing, to one that is dead. */
  order(kind: number, localSlot = 0, argument = 0): void {
    let patience = PATIENCE
    let at = this.dead ? -1 : this.down.reserve(kind, M.ORDER_BYTES)
    while (at < 0 && !this.dead && !this.hasEnded) {
      this.wake()
      this.setAside()
      this.pause()
      if (--patience < 0) this.giveUp()
      at = this.down.reserve(kind, M.ORDER_BYTES)
    }
    if (at < 0) return
    this.down.i32[at >> 2] = localSlot
    this.down.i32[(at >> 2) + 1] = argument
    this.down.commit()
    this.isAwaited = true
  }

  /** Hands a packet over; false when there is no room for it. */
  send(p: DecodedPacket): boolean {
    const at = this.dead || this.down.used > PACKET_BYTES ? -1 : this.down.reserve(M.PACKET, carriedBytes(p))
    if (at < 0) {
      this.packetsDropped++
      return false
    }
    CarriedPacket.write(p, this.down, at)
    this.down.commit()
    this.isAwaited = true
    return true
  }

  /** Has something done and waits for it. Returns the messages about that slot of until then. */
  ask(kind: number, localSlot: number): Message[] {
    this.asked = (this.asked + 1) | 0
    Atomics.store(this.control, M.ASKED, this.asked)
    this.order(kind, localSlot, this.asked)
    this.isAwaited = false
    this.wake()
    let patience = PATIENCE
    while (!this.dead && !this.hasEnded) {
      const done = Atomics.load(this.control, M.DONE)
      if (done === this.asked) break
      // It may be waiting for room itself.
      this.setAside()
      this.pause(done)
      if (--patience < 0) this.giveUp()
    }
    this.setAside()
    const about: Message[] = []
    const others: Message[] = []
    for (let k = this.pendingAt; k < this.pending.length; k++) {
      const message = this.pending[k]
      if (isAbout(message, localSlot)) {
        about.push(message)
        this.asideBytes -= bytesAside(message)
      } else others.push(message)
    }
    this.pending = others
    this.pendingAt = 0
    this.holdUp()
    return about
  }

  /** It does not answer: it is ended, and counts as dead. */
  giveUp(): void {
    this.dead = true
    void this.terminate()
  }

  /** Waits for something to be done, or a moment. `done`: what was done when that was last looked at. */
  private pause(done = Atomics.load(this.control, M.DONE)): void {
    Atomics.wait(this.control, M.DONE, done, WAIT_MS)
  }

  /** The next message that was set aside. */
  private takePending(): Message | undefined {
    if (this.pendingAt < this.pending.length) {
      const message = this.pending[this.pendingAt++]
      this.asideBytes -= bytesAside(message)
      if (this.isHeldUp) this.holdUp()
      return message
    }
    if (this.pendingAt > 0) {
      this.pending = []
      this.pendingAt = 0
    }
    return undefined
  }

  /** Copies what is in the ring, so that there is room in it. */
  private setAside(): void {
    const { up } = this
    while (up.next()) {
      const bytes = new Uint8Array((up.length + 7) & ~7)
      bytes.set(up.bytes.subarray(up.at, up.at + up.length))
      const message = { kind: up.kind, at: 0, length: up.length, memory: new MessageMemory(bytes) }
      this.pending.push(message)
      this.asideBytes += bytesAside(message)
      if (up.kind === M.FINISHED) this.hasEnded = true
      up.release()
    }
    this.holdUp()
  }

  private get isHeldUp(): boolean {
    return Atomics.load(this.control, M.HELD_UP) === 1
  }

  /** Keeps the worker from bringing more than is read, and lets it go on. */
  private holdUp(): void {
    if (!this.isHeldUp && this.asideBytes > MOST_ASIDE_BYTES) {
      this.holdUps++
      Atomics.store(this.control, M.HELD_UP, 1)
    } else if (this.isHeldUp && this.asideBytes <= MOST_ASIDE_BYTES / 2) {
      Atomics.store(this.control, M.HELD_UP, 0)
      this.wake()
    }
  }

  /** Hands out messages, `most` at a time; `visit` calls `taken` as soon as it has read what it needs. */
  read(visit: (message: Message, taken: () => void) => void, most = Infinity): boolean {
    let any = false
    const message: Message = { kind: 0, at: 0, length: 0, memory: this.upMemory }
    const release = (): void => this.up.release()
    const nothing = (): void => {}
    for (let left = most; left > 0; left--) {
      const before = this.takePending()
      if (before) visit(before, nothing)
      else if (this.up.next()) {
        message.kind = this.up.kind
        message.at = this.up.at
        message.length = this.up.length
        visit(message, release)
      } else return any
      any = true
    }
    return any
  }

  noteStart(localSlot: number): void {
    this.startedMs[localSlot] = this.states.firstArrival(localSlot)
  }

  noteEnd(localSlot: number): void {
    this.endedMs[localSlot] = this.states.firstArrival(localSlot)
  }

  /**
   * After its end: what was told of the stream in that slot. It may have come between a stream's start or end and its
   * message. A slot's next stream has another first packet: slots are used again after the end was read.
   */
  toldOf(localSlot: number): 'nothing' | 'start' | 'end' {
    const firstMs = this.states.firstArrival(localSlot)
    if (this.endedMs[localSlot] === firstMs) return 'end'
    return this.startedMs[localSlot] === firstMs ? 'start' : 'nothing'
  }

  /** After its end: clears the strides that it left, so that another may begin in them. */
  clearStates(): void {
    const { i32 } = this.states
    const stride = i32.length / this.task.meter.maxStreams
    for (let i = 0; i < i32.length; i += stride) {
      // Ports or flags: every stride that was used has some.
      if (i32[i + 1] !== 0 || i32[i + 4] !== 0) i32.fill(0, i, i + stride)
    }
  }
}

function bytesAside({ memory }: Message): number {
  return memory.bytes.byteLength + ASIDE_OVERHEAD_BYTES
}

/** What happened to a stream, its end apart: that waits for its turn. */
function isAbout({ kind, at, memory }: Message, localSlot: number): boolean {
  const isOfStream =
    kind === M.ROW || kind === M.RESUME || kind === M.BURST_SECOND || kind === M.SECOND || kind === M.SAMPLE
  return isOfStream && memory.i32[at >> 2] === localSlot
}
