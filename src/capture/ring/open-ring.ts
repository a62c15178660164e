import type { FrameBatch } from '../frame-batch.js'
import type { InterfaceEvent } from '../live.js'
import { InterfaceDrops } from './interface-drops.js'
import type { CaptureBinding } from './native.js'
import { RingReader } from './ring-reader.js'
import type { RingSocket } from './ring-socket.js'

/** A ring that is read, with what was not handed out of its block yet, and the state of its interface. */
export class OpenRing {
  readonly reader: RingReader
  batch: FrameBatch | null = null
  cursor = 0
  limit = 0
  received = 0
  drops = 0
  freezes = 0
  /** Drops of the network card. */
  cardDrops = 0
  downMs = 0
  downUntilMs = -Infinity
  private readonly interfaceDrops: InterfaceDrops
  private readonly statistics = new Uint32Array(3)
  /** When it was found away; NaN while it is there. */
  private awayMs = NaN
  private lookedMs = NaN
  private index: number

  constructor(
    private readonly binding: CaptureBinding,
    readonly socket: RingSocket,
    copy: boolean,
  ) {
    this.reader = new RingReader(binding, socket, copy)
    this.interfaceDrops = new InterfaceDrops(socket.interfaceName)
    this.index = socket.interfaceIndex
  }

  get headMs(): number {
    return this.batch === null ? Infinity : this.batch.timeMs[this.cursor]
  }

  get away(): boolean {
    return !Number.isNaN(this.awayMs)
  }

  /** Gets the next block when nothing of the last is left. True when there is something to hand out. */
  refill(): boolean {
    if (this.batch !== null && this.cursor < this.limit) return true
    this.batch = this.reader.take()
    if (this.batch === null) return false
    this.cursor = this.batch.first
    this.limit = this.batch.end
    return this.cursor < this.limit
  }

  /** The kernel's counters start anew with each reading. */
  readStatistics(): void {
    this.binding.readStatistics(this.socket.fd, this.statistics)
    this.received += this.statistics[0]
    this.drops += this.statistics[1]
    this.freezes += this.statistics[2]
  }

  /** Looks at the interface: reports what changed, binds again to one that was made anew. */
  watch(nowMs: number): InterfaceEvent | undefined {
    const { interfaceName, fd, promiscuous } = this.socket
    const state = this.binding.interfaceState(interfaceName)
    const elapsedMs = Number.isNaN(this.lookedMs) ? 0 : Math.max(0, nowMs - this.lookedMs)
    this.lookedMs = nowMs
    this.cardDrops = this.interfaceDrops.count()
    const wasAway = this.away
    if (wasAway) {
      this.downMs += elapsedMs
      this.downUntilMs = nowMs
    }
    if (state === undefined || !state.up || !state.running) {
      if (wasAway) return undefined
      this.awayMs = nowMs
      return { interfaceName, kind: state === undefined ? 'gone' : 'down', timeMs: nowMs }
    }
    if (state.index !== this.index) {
      if (this.socket.inFanout) return { interfaceName, kind: 'replaced', timeMs: nowMs }
      // Neither needs a capability.
      this.binding.bindSocket(fd, state.index)
      if (promiscuous) this.binding.setPromiscuous(fd, state.index)
      this.index = state.index
    }
    if (!wasAway) return undefined
    const downMs = nowMs - this.awayMs
    this.awayMs = NaN
    this.binding.takeSocketError(fd)
    return { interfaceName, kind: 'up', timeMs: nowMs, downMs }
  }

  close(): void {
    this.reader.close()
    this.binding.closeSocket(this.socket.fd)
  }
}
