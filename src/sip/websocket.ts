import type { MessageSink } from './framing.js'
import { looksLikeSip } from './parse-detect.js'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from './parse.js'
import type { OnUnreadable } from './unreadable.js'

/*
 *  0                   1                   2                   3      RFC 6455 5.2
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-------+-+-------------+-------------------------------+
 * |F|R|R|R| opcode|M| Payload len |  16 or 64 bits of length when |
 * |I|S|S|S|  (4)  |A|     (7)     |  Payload len is 126 or 127,   |
 * |N|V|V|V|       |S|             |  then 4 bytes of key when     |
 * | |1|2|3|       |K|             |  MASK is set, then payload    |
 * +-+-+-+-+-------+-+-------------+-------------------------------+
 */
const OPCODE_CONTINUATION = 0
const OPCODE_TEXT = 1
const OPCODE_BINARY = 2
const OPCODE_CLOSE = 8
const OPCODE_PING = 9
const OPCODE_PONG = 10

/** Largest message put together; SIP over WebSocket has the limits of SIP. */
const MAX_MESSAGE = MAX_HEADER_BYTES + MAX_BODY_BYTES
/** `GET ` and `HTTP`. */
const HTTP_REQUEST = [0x47, 0x45, 0x54, 0x20]
const HTTP_RESPONSE = [0x48, 0x54, 0x54, 0x50]
/** Longest HTTP handshake waited for. */
const MAX_HANDSHAKE = 16_384

export interface WebSocketCounters {
  /** Messages handed over. */
  messages: number
  /** HTTP upgrade requests or responses passed over. */
  handshakes: number
  pings: number
  pongs: number
  closes: number
  /** Text that is no SIP: keepalives of line ends. */
  keepalives: number
  /** Messages of another subprotocol. */
  otherMessages: number
  /** Frames compressed by an extension (permessage-deflate): not read. */
  unsupported: number
  oversized: number
  /** Times that the frame boundary was lost. */
  resyncs: number
  gaps: number
  discardedBytes: number
}

/** A frame header, as `readFrameHeader` found it. */
interface FrameHeader {
  final: boolean
  compressed: boolean
  opcode: number
  /** Offset of the masking key from the frame's start, -1 when not masked. */
  maskAt: number
  headerLength: number
  payloadLength: number
}

/** Reads a frame header. 'short' when more bytes are needed, 'bad' when no frame can start so. */
function readFrameHeader(bytes: Uint8Array, at: number, end: number): FrameHeader | 'short' | 'bad' {
  if (end - at < 2) return 'short'
  const opcode = bytes[at] & 0x0f
  const final = (bytes[at] & 0x80) !== 0
  const control = opcode >= OPCODE_CLOSE
  if ((opcode > OPCODE_BINARY && !control) || opcode > OPCODE_PONG) return 'bad'
  if ((bytes[at] & 0x30) !== 0) return 'bad'
  const short = bytes[at + 1] & 0x7f
  if (control && (!final || short > 125)) return 'bad'
  let headerLength = 2
  let payloadLength = short
  if (short === 126) {
    headerLength = 4
    if (end - at < headerLength) return 'short'
    payloadLength = bytes[at + 2] * 256 + bytes[at + 3]
    if (payloadLength < 126) return 'bad'
  } else if (short === 127) {
    headerLength = 10
    if (end - at < headerLength) return 'short'
    payloadLength = 0
    for (let i = 2; i < 10; i++) payloadLength = payloadLength * 256 + bytes[at + i]
    if (payloadLength < 65536 || payloadLength > Number.MAX_SAFE_INTEGER) return 'bad'
  }
  const masked = (bytes[at + 1] & 0x80) !== 0
  const maskAt = masked ? headerLength : -1
  if (masked) headerLength += 4
  if (end - at < headerLength) return 'short'
  return { final, compressed: (bytes[at] & 0x40) !== 0, opcode, maskAt, headerLength, payloadLength }
}

/** The payload (as far as it is there) without its mask, in new bytes. */
function unmasked(bytes: Uint8Array, at: number, header: FrameHeader, limit: number): Uint8Array {
  const start = at + header.headerLength
  // Not bytes.slice(): that of a Buffer shares memory, and the mask must not be taken off the caller's bytes.
  const end = Math.min(start + header.payloadLength, bytes.length, start + limit)
  const payload = new Uint8Array(bytes.subarray(start, end))
  if (header.maskAt < 0) return payload
  for (let i = 0; i < payload.length; i++) payload[i] ^= bytes[at + header.maskAt + (i & 3)]
  return payload
}

/** True when a data frame with SIP in it starts at `offset`: how a connection without its handshake is recognised. */
export function looksLikeWebSocketSip(bytes: Uint8Array, offset: number, length: number): boolean {
  const end = offset + length
  const header = readFrameHeader(bytes, offset, end)
  if (typeof header === 'string' || header.compressed) return false
  if (header.opcode !== OPCODE_TEXT && header.opcode !== OPCODE_BINARY) return false
  const start = unmasked(bytes.subarray(0, end), offset, header, 512)
  return looksLikeSip(start, 0, start.length)
}

/**
 * `GET ` or `HTTP` at `at`, or as much of it as is there: neither can begin a frame (opcode 7, a close frame without
 * FIN).
 */
function isHttp(bytes: Uint8Array, at: number): boolean {
  const word = bytes[at] === 0x47 ? HTTP_REQUEST : HTTP_RESPONSE
  for (let i = 0; i < 4 && at + i < bytes.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

/** Index behind the empty line of an HTTP head, or -1. */
function httpHeadEnd(bytes: Uint8Array): number {
  for (let lf = bytes.indexOf(0x0a); lf >= 0; lf = bytes.indexOf(0x0a, lf + 1)) {
    if (bytes[lf + 1] === 0x0a) return lf + 2
    if (bytes[lf + 1] === 0x0d && bytes[lf + 2] === 0x0a) return lf + 3
  }
  return -1
}

/**
 * Takes SIP messages out of one direction of a WebSocket connection (RFC 7118: each message is one SIP message). The
 * HTTP handshake is passed over when it is there. After lost bytes it waits for a segment that starts with a frame which
 * holds SIP. Holds at most one message and one frame of `MAX_MESSAGE` bytes.
 */
export class WebSocketFramer {
  readonly counters: WebSocketCounters = {
    messages: 0,
    handshakes: 0,
    pings: 0,
    pongs: 0,
    closes: 0,
    keepalives: 0,
    otherMessages: 0,
    unsupported: 0,
    oversized: 0,
    resyncs: 0,
    gaps: 0,
    discardedBytes: 0,
  }
  private held = new Uint8Array(0)
  private heldLength = 0
  /** Payload bytes of an oversized or compressed frame still to pass over. */
  private skip = 0
  /** Bytes that the open frame needs before it is looked at again. */
  private need = 0
  private inSync = true
  private fragments: Uint8Array[] = []
  private fragmentsLength = 0
  /** True while a fragmented message is passed over. */
  private dropping = false

  constructor(
    private readonly sink: MessageSink,
    private readonly onUnreadable?: OnUnreadable,
  ) {}

  push(bytes: Uint8Array, offset = 0, length = bytes.length - offset): void {
    let segment = bytes.subarray(offset, offset + length)
    if (!this.inSync) {
      if (!looksLikeWebSocketSip(segment, 0, segment.length) && !isHttp(segment, 0)) {
        this.counters.discardedBytes += segment.length
        return
      }
      this.inSync = true
    }
    const skipped = Math.min(this.skip, segment.length)
    this.skip -= skipped
    segment = segment.subarray(skipped)
    if (segment.length === 0) return
    this.hold(segment)
    if (this.heldLength < this.need) return
    this.drop(this.consume(this.held.subarray(0, this.heldLength)))
  }

  /** Bytes are missing from here on. */
  gap(): void {
    this.counters.gaps++
    this.lose()
  }

  /** The stream ended. */
  end(): void {
    this.counters.discardedBytes += this.heldLength
    this.forget()
  }

  private forget(): void {
    this.heldLength = 0
    this.held = new Uint8Array(0)
    this.skip = 0
    this.need = 0
    this.fragments = []
    this.fragmentsLength = 0
    this.dropping = false
  }

  private lose(): void {
    this.counters.discardedBytes += this.heldLength
    this.forget()
    this.inSync = false
  }

  private hold(bytes: Uint8Array): void {
    const wanted = this.heldLength + bytes.length
    if (wanted > this.held.length) {
      const grown = new Uint8Array(Math.max(2048, wanted, this.held.length * 2))
      grown.set(this.held.subarray(0, this.heldLength))
      this.held = grown
    }
    this.held.set(bytes, this.heldLength)
    this.heldLength = wanted
  }

  private drop(count: number): void {
    if (count === 0 || this.heldLength === 0) return
    this.held.copyWithin(0, count, this.heldLength)
    this.heldLength -= count
    if (this.heldLength === 0 && this.held.length > 65_536) this.held = new Uint8Array(0)
  }

  private consume(bytes: Uint8Array): number {
    let at = 0
    this.need = 0
    while (at < bytes.length) {
      const used = isHttp(bytes, at) ? this.handshake(bytes, at) : this.frame(bytes, at)
      if (used < 0) break
      at += used
    }
    return Math.min(at, bytes.length)
  }

  private handshake(bytes: Uint8Array, at: number): number {
    const end = httpHeadEnd(bytes.subarray(at))
    if (end >= 0) {
      this.counters.handshakes++
      return end
    }
    if (bytes.length - at > MAX_HANDSHAKE) return this.bad(bytes, at)
    return -1
  }

  /** Not a frame: everything held is useless. */
  private bad(bytes: Uint8Array, at: number): number {
    this.counters.resyncs++
    this.counters.discardedBytes += bytes.length - at
    this.heldLength = 0
    this.forget()
    this.inSync = false
    return bytes.length - at
  }

  /** One frame. Returns the bytes used, -1 when it is not complete. */
  private frame(bytes: Uint8Array, at: number): number {
    const header = readFrameHeader(bytes, at, bytes.length)
    if (header === 'short') return -1
    if (header === 'bad') return this.bad(bytes, at)
    const total = header.headerLength + header.payloadLength
    const control = header.opcode >= OPCODE_CLOSE
    if (!control && (header.compressed || header.payloadLength > MAX_MESSAGE)) {
      if (header.compressed) this.unsupported()
      else this.oversized()
      this.dropping = !header.final
      this.discardFragments()
      this.skip = Math.max(0, at + total - bytes.length)
      return Math.min(total, bytes.length - at)
    }
    if (bytes.length - at < total) {
      this.need = total
      return -1
    }
    if (control) this.control(header.opcode)
    else this.dataFrame(header, unmasked(bytes, at, header, MAX_MESSAGE))
    return total
  }

  private unsupported(): void {
    this.counters.unsupported++
    this.onUnreadable?.('compressed_websocket_messages')
  }

  private oversized(): void {
    this.counters.oversized++
    this.onUnreadable?.('oversized_messages')
  }

  private control(opcode: number): void {
    if (opcode === OPCODE_PING) this.counters.pings++
    else if (opcode === OPCODE_PONG) this.counters.pongs++
    else this.counters.closes++
  }

  private discardFragments(): void {
    this.fragments = []
    this.fragmentsLength = 0
  }

  private dataFrame(header: FrameHeader, payload: Uint8Array): void {
    if (header.opcode !== OPCODE_CONTINUATION) {
      this.discardFragments()
      this.dropping = false
    }
    if (this.dropping) {
      this.dropping = !header.final
      return
    }
    if (this.fragmentsLength + payload.length > MAX_MESSAGE || this.fragments.length >= 4096) {
      this.oversized()
      this.discardFragments()
      this.dropping = !header.final
      return
    }
    this.fragments.push(payload)
    this.fragmentsLength += payload.length
    if (!header.final) return
    const message =
      this.fragments.length === 1 ? payload : Buffer.concat(this.fragments, this.fragmentsLength)
    this.discardFragments()
    if (message.every((byte) => byte === 0x0d || byte === 0x0a)) {
      this.counters.keepalives++
      return
    }
    if (!looksLikeSip(message, 0, message.length, true)) {
      this.counters.otherMessages++
      return
    }
    this.counters.messages++
    this.sink(message, 0, message.length)
  }
}
