import type { DecodedPacket } from './packet.js'
import { TcpConnectionTable, type TcpConnection } from './tcp-connection.js'
import type { TcpDirection } from './tcp-direction.js'
import type { TcpCounters, TcpEndReason, TcpListener, TcpOptions } from './tcp-listener.js'

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10

/** The acknowledgement of a missing segment may be mirrored before the segment: wait this long before believing it. */
const ACKNOWLEDGED_GAP_MS = 100
/** Further from the expected sequence number than any window SIP uses: an old connection's, or the tap missed much. */
const FAR_BYTES = 1 << 22
/** So many far segments in a row are the new truth. */
const FAR_SEGMENTS = 3
const SWEEP_MS = 500

/**
 * Puts TCP streams together as far as signalling needs it: starts anywhere, hands out bytes in order once, tells of
 * gaps. Time is the packets' own.
 */
export class TcpReassembler<User = unknown> {
  readonly counters: TcpCounters = {
    connections: 0,
    connectionsEvicted: 0,
    connectionsIdle: 0,
    segments: 0,
    repeatedSegments: 0,
    outOfOrderSegments: 0,
    gaps: 0,
    gapBytes: 0,
    holdLimitReached: 0,
  }

  private readonly accept: (packet: DecodedPacket) => boolean
  private readonly maxConnections: number
  private readonly idleMs: number
  private readonly maxHeldBytes: number
  private readonly maxHeldSegments: number
  private readonly maxTotalHeldBytes: number
  private readonly gapMs: number
  private readonly table = new TcpConnectionTable<User>()
  /** Connections with held segments. */
  private readonly waiting = new Set<TcpConnection<User>>()
  private totalHeldBytes = 0
  /** Latest packet time, and the time of the packet at hand (captures merge a little out of order). */
  private nowMs = -Infinity
  private packetMs = -Infinity
  private sweptMs = -Infinity

  constructor(
    private readonly listener: TcpListener<User>,
    options: TcpOptions = {},
  ) {
    this.accept = options.accept ?? (() => true)
    this.maxConnections = options.maxConnections ?? 16_384
    this.idleMs = options.idleMs ?? 900_000
    this.maxHeldBytes = options.maxHeldBytes ?? 262_144
    this.maxHeldSegments = options.maxHeldSegments ?? 256
    this.maxTotalHeldBytes = options.maxTotalHeldBytes ?? 32 << 20
    this.gapMs = options.gapMs ?? 3000
  }

  /** Connections followed now, and bytes held for them. */
  get size(): number {
    return this.table.size
  }

  get heldBytes(): number {
    return this.totalHeldBytes
  }

  /** Takes a packet of KIND_TCP. */
  push(packet: DecodedPacket, timeMs: number): void {
    this.tick(timeMs)
    this.packetMs = timeMs
    const flags = packet.tcpFlags
    let connection = this.table.find(packet)
    if (connection !== undefined && (flags & (SYN | ACK)) === SYN && this.isNewSyn(connection, packet)) {
      this.end(connection, 'reused')
      connection = undefined
    }
    if (connection === undefined) {
      const opens = (flags & SYN) !== 0 || packet.payloadLength > 0
      if (!opens || (flags & RST) !== 0 || !this.accept(packet)) return
      if (this.table.size >= this.maxConnections) this.evictOldest('evicted')
      connection = this.table.open(packet, this.nowMs)
      this.counters.connections++
    }
    this.counters.segments++
    this.table.touch(connection, this.nowMs)
    const side = connection.directionOf(packet)
    if ((flags & ACK) !== 0) noteAcknowledgement(connection.directions[1 - side], packet.tcpAcknowledgement)
    if ((flags & RST) !== 0) {
      if (isPlausibleReset(connection.directions[side], packet)) this.end(connection, 'reset')
      return
    }
    this.segment(connection, side, packet)
    this.giveUpOn(connection, connection.directions[1 - side], (1 - side) as 0 | 1)
  }

  /** Lets packet time pass without a packet: gives up on old gaps, forgets idle connections. */
  tick(timeMs: number): void {
    if (timeMs > this.nowMs) this.nowMs = timeMs
    if (this.nowMs - this.sweptMs < SWEEP_MS) return
    this.sweptMs = this.nowMs
    for (const connection of this.waiting) {
      this.giveUpOn(connection, connection.directions[0], 0)
      this.giveUpOn(connection, connection.directions[1], 1)
    }
    for (let oldest = this.table.oldest; oldest !== undefined; oldest = this.table.oldest) {
      if (this.nowMs - oldest.lastMs <= this.idleMs) break
      this.evictOldest('idle')
    }
  }

  /** Hands out what is held, gaps told, and ends every connection. */
  finish(): void {
    for (let oldest = this.table.oldest; oldest !== undefined; oldest = this.table.oldest) {
      this.end(oldest, 'end_of_capture')
    }
  }

  private isNewSyn(connection: TcpConnection<User>, packet: DecodedPacket): boolean {
    const direction = connection.directions[connection.directionOf(packet)]
    if (!direction.started || ((packet.tcpSequence + 1 - direction.next) | 0) === 0) return false
    return !direction.synSequenceKnown || direction.synSequence !== packet.tcpSequence
  }

  private segment(connection: TcpConnection<User>, side: 0 | 1, packet: DecodedPacket): void {
    const direction = connection.directions[side]
    const flags = packet.tcpFlags
    let sequence = packet.tcpSequence
    if ((flags & SYN) !== 0) {
      sequence = (sequence + 1) | 0
      if (!direction.synSequenceKnown || direction.synSequence !== packet.tcpSequence) {
        this.release(connection, direction)
        const interrupted = direction.started
        direction.start(sequence)
        if (interrupted) this.gap(connection, side, 0)
        direction.synSequence = packet.tcpSequence
        direction.synSequenceKnown = true
      }
    }
    const length = packet.payloadLength
    if (length > 0) this.data(connection, side, packet, sequence, length)
    if ((flags & FIN) !== 0) {
      direction.finSeen = true
      direction.finSequence = (sequence + length) | 0
      if (!direction.started) direction.start(direction.finSequence)
    }
    this.checkFinished(connection, direction)
  }

  private data(
    connection: TcpConnection<User>,
    side: 0 | 1,
    packet: DecodedPacket,
    sequence: number,
    length: number,
  ): void {
    const direction = connection.directions[side]
    if (!direction.started) {
      // One byte is a keepalive probe's old byte (RFC 9293 3.8.4), not a good place to start.
      if (length === 1) return
      direction.start(sequence)
    }
    const ahead = (sequence - direction.next) | 0
    if (ahead > FAR_BYTES || ahead + length < -FAR_BYTES) {
      if (++direction.farSegments < FAR_SEGMENTS) return
      this.release(connection, direction)
      direction.start(sequence)
      this.gap(connection, side, 0)
    }
    direction.farSegments = 0
    const at = packet.payloadOffset
    const bytes = packet.bytes.subarray(at, at + packet.payloadCaptured)
    if (((sequence - direction.next) | 0) > 0) {
      this.hold(connection, side, sequence, bytes, length)
      this.giveUpOn(connection, direction, side)
      return
    }
    if (!this.deliver(connection, side, sequence, bytes, length, this.packetMs))
      this.counters.repeatedSegments++
    this.drain(connection, side)
  }

  /** Hands out what is new in a segment that starts at or before `next`; false if nothing is. */
  private deliver(
    connection: TcpConnection<User>,
    side: 0 | 1,
    sequence: number,
    bytes: Uint8Array,
    length: number,
    timeMs: number,
  ): boolean {
    const direction = connection.directions[side]
    const old = (direction.next - sequence) | 0
    if (old >= length) return false
    direction.next = (sequence + length) | 0
    if (old < bytes.length) {
      direction.deliveredBytes += bytes.length - old
      this.listener.onData(connection, side, old > 0 ? bytes.subarray(old) : bytes, timeMs)
    }
    // The snap length cut the segment's end off.
    if (bytes.length < length) this.gap(connection, side, length - Math.max(bytes.length, old))
    return true
  }

  private hold(
    connection: TcpConnection<User>,
    side: 0 | 1,
    sequence: number,
    bytes: Uint8Array,
    length: number,
  ): void {
    const direction = connection.directions[side]
    if (!direction.hold(sequence, bytes, length, this.packetMs)) {
      this.counters.repeatedSegments++
      return
    }
    this.counters.outOfOrderSegments++
    this.totalHeldBytes += bytes.length
    this.waiting.add(connection)
    while (
      direction.held.length > 0 &&
      (direction.heldBytes > this.maxHeldBytes || direction.held.length > this.maxHeldSegments)
    ) {
      this.counters.holdLimitReached++
      this.skipGap(connection, side)
    }
    while (this.totalHeldBytes > this.maxTotalHeldBytes) {
      this.counters.holdLimitReached++
      this.skipOldestGap()
    }
  }

  /** The connection that has waited longest gives up. */
  private skipOldestGap(): void {
    for (const connection of this.waiting) {
      for (const side of [0, 1] as const) {
        while (connection.directions[side].held.length > 0) this.skipGap(connection, side)
      }
      this.waiting.delete(connection)
      return
    }
    this.totalHeldBytes = 0
  }

  /** Gives up on a gap that is too old, or that the receiver has acknowledged (the tap missed it, not they). */
  private giveUpOn(connection: TcpConnection<User>, direction: TcpDirection<User>, side: 0 | 1): void {
    while (direction.held.length > 0) {
      const waited = this.nowMs - direction.waitingSinceMs
      const received =
        direction.acknowledgedKnown && ((direction.acknowledged - direction.held[0].sequence) | 0) >= 0
      if (waited < (received ? ACKNOWLEDGED_GAP_MS : this.gapMs)) return
      this.skipGap(connection, side)
    }
  }

  private skipGap(connection: TcpConnection<User>, side: 0 | 1): void {
    const direction = connection.directions[side]
    const first = direction.held[0]
    const missing = (first.sequence - direction.next) | 0
    direction.next = first.sequence
    this.gap(connection, side, missing)
    this.drain(connection, side)
    this.checkFinished(connection, direction)
  }

  private drain(connection: TcpConnection<User>, side: 0 | 1): void {
    const direction = connection.directions[side]
    while (direction.held.length > 0 && ((direction.held[0].sequence - direction.next) | 0) <= 0) {
      const segment = direction.takeFirst()
      if (segment === undefined) break
      this.totalHeldBytes -= segment.bytes.length
      this.deliver(connection, side, segment.sequence, segment.bytes, segment.length, segment.timeMs)
    }
    if (connection.heldSegments === 0) this.waiting.delete(connection)
  }

  private gap(connection: TcpConnection<User>, side: 0 | 1, missing: number): void {
    this.counters.gaps++
    this.counters.gapBytes += missing
    this.listener.onGap(connection, side, missing, this.nowMs)
  }

  private checkFinished(connection: TcpConnection<User>, direction: TcpDirection<User>): void {
    if (!direction.finSeen || ((direction.next - direction.finSequence) | 0) < 0) return
    direction.finished = true
    if (connection.directions[0].finished && connection.directions[1].finished) this.end(connection, 'fin')
  }

  private release(connection: TcpConnection<User>, direction: TcpDirection<User>): void {
    this.totalHeldBytes -= direction.discard()
    if (connection.heldSegments === 0) this.waiting.delete(connection)
  }

  private evictOldest(reason: 'idle' | 'evicted'): void {
    const oldest = this.table.oldest
    if (oldest === undefined) return
    if (reason === 'idle') this.counters.connectionsIdle++
    else this.counters.connectionsEvicted++
    this.end(oldest, reason)
  }

  /** Held data is handed out first: a message after a gap is still a message. */
  private end(connection: TcpConnection<User>, reason: TcpEndReason): void {
    if (connection.ended) return
    connection.ended = true
    for (const side of [0, 1] as const) {
      while (connection.directions[side].held.length > 0) this.skipGap(connection, side)
    }
    this.waiting.delete(connection)
    this.table.remove(connection)
    this.listener.onEnd(connection, reason, this.nowMs)
  }
}

function noteAcknowledgement<User>(direction: TcpDirection<User>, acknowledged: number): void {
  if (direction.acknowledgedKnown && ((acknowledged - direction.acknowledged) | 0) <= 0) return
  direction.acknowledged = acknowledged
  direction.acknowledgedKnown = true
}

/** RFC 9293 3.10.7.4: a reset counts when its sequence number is in the window; a late one of old ports is not. */
function isPlausibleReset<User>(direction: TcpDirection<User>, packet: DecodedPacket): boolean {
  if (!direction.started || packet.tcpSequence === 0) return true
  const ahead = (packet.tcpSequence - direction.next) | 0
  return ahead >= -65_536 && ahead <= FAR_BYTES
}
