import { formatAddress } from '../decode/address.js'
import { HepConnections, looksLikeHepStream } from '../decode/hep-stream.js'
import type { DecodedPacket } from '../decode/packet.js'
import type { TcpConnection } from '../decode/tcp-connection.js'
import { TcpReassembler } from '../decode/tcp.js'
import { looksLikeSipStream, SipTcpConnectionParser } from '../sip/parse-connection.js'
import type { Piece } from './frame-plan.js'
import { readWebSocketMessage } from './websocket-place.js'

/** Segments remembered at once, over all connections; the oldest of a direction go first. */
const MOST_SEGMENTS = 4_000_000
/** A message may be put together from so many segments back. */
const MOST_SEARCHED = 512
/** Bytes of a WebSocket kept until its next message is whole. */
const MOST_WEBSOCKET_BYTES = 4_194_304

/** A message in one direction of a TCP connection, where its bytes are in the direction's stream. */
export interface TcpMessage {
  bytes: Uint8Array
  timeMs: number
  stream: TcpStream
  start: number
  end: number
  /** Where the bytes of the message lie in the stream, when they lie there as they are or masked (RFC 6455 5.3). */
  place?: { start: number; mask?: Uint8Array }
}

/** One direction of a connection. Positions count on through the wrap of sequence numbers. */
export class TcpStream {
  readonly pieces: Piece[] = []
  private last = 0
  private started = false
  /** Behind the last message, and behind what came last. */
  consumed = -1
  delivered = 0
  /** What a WebSocket brought since. */
  held: Uint8Array[] = []
  heldBytes = 0

  private sorted: Piece[] = []
  private longest = 0

  /** Segments with bytes from `start` to `end`, in their order. Not for streams that still grow: it sorts them. */
  piecesOf(start: number, end: number): Piece[] {
    if (this.sorted.length !== this.pieces.length) {
      this.sorted = [...this.pieces].sort((a, b) => a.start - b.start)
      this.longest = this.sorted.reduce((most, { length }) => Math.max(most, length), 0)
    }
    const { sorted } = this
    let low = 0
    for (let high = sorted.length; low < high;) {
      const middle = (low + high) >> 1
      if (sorted[middle].start + this.longest <= start) low = middle + 1
      else high = middle
    }
    const found: Piece[] = []
    for (let i = low; i < sorted.length && sorted[i].start < end; i++)
      if (sorted[i].start + sorted[i].length > start) found.push(sorted[i])
    return found
  }

  positionOf(sequence: number): number {
    if (!this.started) {
      this.started = true
      this.last = sequence >>> 0
    }
    const position = this.last + ((sequence - (this.last % 4_294_967_296)) | 0)
    this.last = Math.max(this.last, position)
    return position
  }

  /** Where bytes begin that end a delivery whose segment ends at `end`. */
  startOf(end: number, length: number): number {
    for (let i = this.pieces.length - 1, n = 0; i >= 0 && n < MOST_SEARCHED; i--, n++) {
      const { start, length: whole, captured } = this.pieces[i]
      if (start + whole === end) return start + Math.max(0, captured - length)
    }
    return end - length
  }
}

export interface TcpMessagesOptions {
  /** A whole message of a capture agent, valid for the call, and where it begins in the stream. */
  onHep: (bytes: Uint8Array, timeMs: number, stream: TcpStream, start: number) => void
  isSipPort: (port: number) => boolean
  maxConnections: number
  idleMs: number
}

/** Finds SIP in TCP connections, bare or in WebSocket frames, and tells which segments carried each message. */
export class TcpMessages {
  /** Segments that were forgotten to stay in bounds. */
  forgotten = 0
  private segments = 0
  private readonly streams = new Map<string, TcpStream>()
  private readonly parsers = new WeakMap<TcpConnection<unknown>, SipTcpConnectionParser>()
  private readonly agents = new HepConnections()
  private readonly tcp: TcpReassembler
  /** The delivery that is being parsed. */
  private delivered: { stream: TcpStream; end: number; timeMs: number; isRest: boolean } | undefined

  constructor(
    private readonly onMessage: (message: TcpMessage) => void,
    private readonly options: TcpMessagesOptions,
  ) {
    this.tcp = new TcpReassembler(
      {
        onData: (connection, side, bytes, timeMs) => this.onData(connection, side, bytes, timeMs),
        onGap: (connection, side) => {
          this.agents.gap(connection, side)
          this.interrupt(connection, side, (parser) => parser.gap(side))
        },
        onEnd: (connection) => {
          for (const side of [0, 1] as const) this.interrupt(connection, side, (parser) => parser.end(side))
        },
      },
      {
        accept: (p) =>
          options.isSipPort(p.sourcePort) ||
          options.isSipPort(p.destinationPort) ||
          looksLikeHepStream(p.bytes, p.payloadOffset, p.payloadCaptured) ||
          (p.payloadCaptured > 0 && looksLikeSipStream(p.bytes, p.payloadOffset, p.payloadCaptured)),
        maxConnections: options.maxConnections,
        idleMs: options.idleMs,
      },
    )
  }

  /** A segment that frame number `frame` carried whole; `frameOffset`: where the frame begins in `p.bytes`. */
  onSegment(p: DecodedPacket, frame: number, frameOffset: number): void {
    if (p.payloadLength > 0) {
      const stream = this.streamOf(
        formatAddress(p.ipVersion, p.source0, p.source1, p.source2, p.source3),
        p.sourcePort,
        formatAddress(p.ipVersion, p.destination0, p.destination1, p.destination2, p.destination3),
        p.destinationPort,
      )
      const start = stream.positionOf(p.tcpSequence + ((p.tcpFlags & SYN) !== 0 ? 1 : 0))
      stream.pieces.push({
        frame,
        timeMs: p.timeMs,
        start,
        length: p.payloadLength,
        captured: p.payloadCaptured,
        // In pieces (IP fragments) its place is not one: nothing is written over it.
        at: p.reassembled ? -1 : p.payloadOffset - frameOffset,
        opens: looksLikeHepStream(p.bytes, p.payloadOffset, p.payloadCaptured),
      })
      if (++this.segments > MOST_SEGMENTS) this.forget(stream)
    }
    this.tcp.push(p, p.timeMs)
  }

  finish(): void {
    this.tcp.finish()
  }

  private forget(stream: TcpStream): void {
    const count = Math.ceil(stream.pieces.length / 2)
    stream.pieces.splice(0, count)
    this.segments -= count
    this.forgotten += count
  }

  private streamOf(
    source: string,
    sourcePort: number,
    destination: string,
    destinationPort: number,
  ): TcpStream {
    const key = `${source} ${sourcePort} ${destination} ${destinationPort}`
    let stream = this.streams.get(key)
    if (stream === undefined) this.streams.set(key, (stream = new TcpStream()))
    return stream
  }

  private streamAt({ addresses, ports }: TcpConnection<unknown>, side: 0 | 1): TcpStream {
    return this.streamOf(addresses[side], ports[side], addresses[1 - side], ports[1 - side])
  }

  private onData(connection: TcpConnection<unknown>, side: 0 | 1, bytes: Uint8Array, timeMs: number): void {
    let parser = this.parsers.get(connection)
    if (!parser && this.takeHep(connection, side, bytes, timeMs)) return
    if (parser === undefined) {
      const made = new SipTcpConnectionParser((_, data, offset, length) =>
        this.onParsed(made, data, offset, length),
      )
      this.parsers.set(connection, (parser = made))
    }
    if (parser.notSip) return
    const stream = this.streamAt(connection, side)
    const segmentEnd = stream.positionOf(connection.directions[side].next)
    const start = stream.startOf(segmentEnd, bytes.length)
    if (stream.consumed < 0) stream.consumed = start
    this.keepForWebSocket(stream, bytes)
    stream.delivered = start + bytes.length
    this.delivered = { stream, end: stream.delivered, timeMs, isRest: false }
    parser.push(side, bytes)
    this.delivered = undefined
  }

  /** False when the connection is none of a capture agent. */
  private takeHep(
    connection: TcpConnection<unknown>,
    side: 0 | 1,
    bytes: Uint8Array,
    timeMs: number,
  ): boolean {
    const agent = this.agents.of(connection, side, bytes)
    if (!agent) return false
    const stream = this.streamAt(connection, side)
    const start = stream.startOf(stream.positionOf(connection.directions[side].next), bytes.length)
    const end = start + bytes.length
    agent.push(bytes, (message, before) => this.options.onHep(message, timeMs, stream, end - before))
    return true
  }

  /** Until it is known that the connection is no WebSocket, everything might be a frame of one. */
  private keepForWebSocket(stream: TcpStream, bytes: Uint8Array): void {
    if (stream.heldBytes + bytes.length > MOST_WEBSOCKET_BYTES) this.dropHeld(stream)
    stream.held.push(bytes.slice())
    stream.heldBytes += bytes.length
  }

  private dropHeld(stream: TcpStream): void {
    stream.held = []
    stream.heldBytes = 0
  }

  /** What was held back comes out, or is given up. */
  private interrupt(
    connection: TcpConnection<unknown>,
    side: 0 | 1,
    tell: (parser: SipTcpConnectionParser) => void,
  ): void {
    const parser = this.parsers.get(connection)
    if (parser === undefined) return
    const stream = this.streamAt(connection, side)
    // The parser hands out what it holds of a message whose end does not come.
    this.delivered = { stream, end: stream.delivered, timeMs: connection.lastMs, isRest: true }
    tell(parser)
    this.delivered = undefined
    stream.consumed = stream.positionOf(connection.directions[side].next)
    this.dropHeld(stream)
  }

  private onParsed(parser: SipTcpConnectionParser, data: Uint8Array, offset: number, length: number): void {
    const { delivered } = this
    const bytes = data.subarray(offset, offset + length)
    if (delivered === undefined) return
    const { stream, end, timeMs, isRest } = delivered
    if (parser.transport === 'ws') {
      const from = stream.consumed
      const found = readWebSocketMessage(Buffer.concat(stream.held), bytes.length)
      const start = end - stream.heldBytes
      const place = found && { start: start + found.payloadAt, mask: found.mask }
      stream.consumed = found ? start + found.end : end
      this.keepRest(stream, end - stream.consumed)
      this.onMessage({ bytes, timeMs, stream, start: found ? start : from, end: stream.consumed, place })
      return
    }
    // The parser hands out what it holds, or what came: both end where the delivery ends.
    const start = isRest ? end - length : end - data.length + offset
    stream.consumed = start + length
    this.keepRest(stream, end - stream.consumed)
    this.onMessage({ bytes, timeMs, stream, start, end: start + length, place: { start } })
  }

  private keepRest(stream: TcpStream, length: number): void {
    const rest = Buffer.concat(stream.held)
    stream.held = length > 0 ? [rest.subarray(Math.max(0, rest.length - length))] : []
    stream.heldBytes = Math.min(rest.length, Math.max(0, length))
  }
}

const SYN = 0x02
