import { isStartLine, startInLine } from './parse-detect.js'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from './parse.js'
import type { OnUnreadable } from './unreadable.js'

/** Receives a message; the bytes are valid during the call only. */
export type MessageSink = (bytes: Uint8Array, offset: number, length: number) => void

/** What a framer did with its stream. */
export interface FramerCounters {
  messages: number
  /** CRLF and CRLFCRLF between messages (RFC 5626 4.4.1). */
  keepalives: number
  /** Times the framer lost its place and looked for the next start line. */
  resyncs: number
  /** Bytes that belonged to no message. */
  discardedBytes: number
  /** Messages dropped because headers or body were larger than is held. */
  oversized: number
  /** Times that bytes were missing from the capture. */
  gaps: number
}

const LF = 0x0a
const CR = 0x0d
/** Longest start line that is waited for. */
const MAX_START_LINE = 16_384
const KEPT_CAPACITY = 65_536

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09

const CONTENT_LENGTH = Uint8Array.from('content-length', (c) => c.charCodeAt(0))

/** Digits behind `Content-Length:` or `l:` at a line's start; -1 when the line is another header, -2 when unreadable. */
function contentLengthAt(bytes: Uint8Array, at: number, end: number): number {
  let i = at
  if (lower(bytes[at]) === 0x6c) i++
  else {
    while (i - at < CONTENT_LENGTH.length && i < end && lower(bytes[i]) === CONTENT_LENGTH[i - at]) i++
    if (i - at < CONTENT_LENGTH.length) return -1
  }
  while (i < end && isBlank(bytes[i])) i++
  if (bytes[i] !== 0x3a) return -1
  i++
  // A fold may stand between colon and number.
  while (i < end && (isBlank(bytes[i]) || bytes[i] === CR || bytes[i] === LF)) i++
  let value = 0
  const digits = i
  while (i < end && bytes[i] >= 0x30 && bytes[i] <= 0x39 && i - digits < 15)
    value = value * 10 + bytes[i++] - 0x30
  return i === digits ? -2 : value
}

/** Body length that the headers state; 0 when they state none (RFC 3261 20.14 demands one on streams). */
function statedBodyLength(bytes: Uint8Array, at: number, end: number): number {
  for (let line = at; line < end;) {
    const lineEnd = bytes.indexOf(LF, line)
    if (lineEnd < 0 || lineEnd >= end) return 0
    const value = contentLengthAt(bytes, lineEnd + 1, end)
    if (value >= 0) return value
    line = lineEnd + 1
  }
  return 0
}

/**
 * Cuts one direction of a TCP connection into SIP messages by Content-Length (RFC 3261 18.3). May start anywhere in a
 * stream: it finds the next line that looks like a start line. Holds at most the largest message that is read
 * (`MAX_HEADER_BYTES` + `MAX_BODY_BYTES`); work is linear in the bytes pushed, however they are cut.
 */
export class SipStreamFramer {
  readonly counters: FramerCounters = {
    messages: 0,
    keepalives: 0,
    resyncs: 0,
    discardedBytes: 0,
    oversized: 0,
    gaps: 0,
  }
  private held = new Uint8Array(0)
  private heldLength = 0
  /** False while looking for a start line. */
  private inSync = true
  /** Within the held bytes: where the search for the end of the headers (or of a line) goes on. */
  private scanFrom = 0
  /** Bytes that the open message needs; 0 while its headers are incomplete. */
  private need = 0

  constructor(
    private readonly sink: MessageSink,
    private readonly onUnreadable?: OnUnreadable,
  ) {}

  /** True when nothing is held. */
  get idle(): boolean {
    return this.heldLength === 0
  }

  /** Takes the next bytes of the stream. They may be overwritten afterwards. */
  push(bytes: Uint8Array, offset = 0, length = bytes.length - offset): void {
    if (length <= 0) return
    if (this.heldLength === 0) {
      const used = this.consume(bytes.subarray(offset, offset + length))
      if (used < length) this.hold(bytes.subarray(offset + used, offset + length))
      return
    }
    this.hold(bytes.subarray(offset, offset + length))
    if (this.need > this.heldLength) return
    const used = this.consume(this.held.subarray(0, this.heldLength))
    this.drop(used)
  }

  /** Bytes are missing from here on: gives up the open message, or hands over what there is when its headers are whole. */
  gap(): void {
    this.counters.gaps++
    this.end()
    this.inSync = false
  }

  /** The stream ended. A message whose headers are whole is handed over without the rest of its body. */
  end(): void {
    if (this.heldLength > 0) {
      if (this.need > 0) this.emit(this.held, 0, this.heldLength)
      else this.counters.discardedBytes += this.heldLength
    }
    this.drop(this.heldLength)
    this.forgetMessage()
  }

  private emit(bytes: Uint8Array, offset: number, length: number): void {
    this.counters.messages++
    this.sink(bytes, offset, length)
  }

  private hold(bytes: Uint8Array): void {
    const wanted = this.heldLength + bytes.length
    if (wanted > this.held.length) {
      const grown = new Uint8Array(
        Math.max(2048, wanted, Math.min(this.held.length * 2, wanted + MAX_BODY_BYTES)),
      )
      grown.set(this.held.subarray(0, this.heldLength))
      this.held = grown
    }
    this.held.set(bytes, this.heldLength)
    this.heldLength = wanted
  }

  private drop(count: number): void {
    if (count === 0) return
    this.held.copyWithin(0, count, this.heldLength)
    this.heldLength -= count
    if (this.heldLength === 0 && this.held.length > KEPT_CAPACITY) this.held = new Uint8Array(0)
  }

  private forgetMessage(): void {
    this.scanFrom = 0
    this.need = 0
  }

  /** Takes whole messages off the front; returns the bytes used. What is left waits for more. */
  private consume(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length) {
      const used =
        this.need > 0 ? this.body(bytes, at) : this.inSync ? this.headers(bytes, at) : this.seek(bytes, at)
      if (used < 0) break
      at += used
    }
    return at
  }

  /** Looks for a start line. Returns bytes used, -1 when the rest of the line has not come. */
  private seek(bytes: Uint8Array, at: number): number {
    const lineEnd = bytes.indexOf(LF, at + this.scanFrom)
    const waiting = lineEnd < 0 && bytes.length - at <= MAX_START_LINE
    if (waiting) {
      this.scanFrom = bytes.length - at
      return -1
    }
    this.scanFrom = 0
    // A body that does not end its last line leaves the next start line inside a line.
    const start = lineEnd < 0 ? -1 : startInLine(bytes, at, lineEnd)
    this.inSync = start >= 0
    let next = lineEnd < 0 ? bytes.length : lineEnd + 1
    if (start >= 0) next = start
    this.counters.discardedBytes += next - at
    return next - at
  }

  private keepalive(bytes: Uint8Array, at: number): number {
    let end = at
    while (end < bytes.length && (bytes[end] === CR || bytes[end] === LF)) end++
    // RFC 5626 3.5.1: CRLFCRLF is a ping, CRLF a pong.
    this.counters.keepalives += Math.max(1, Math.floor((end - at) / 4))
    return end - at
  }

  /** Reads up to the empty line. Returns bytes used, -1 when it has not come. */
  private headers(bytes: Uint8Array, at: number): number {
    if (this.scanFrom === 0) {
      if (bytes[at] === CR || bytes[at] === LF) return this.keepalive(bytes, at)
      const lineEnd = bytes.indexOf(LF, at)
      if (lineEnd < 0 && bytes.length - at <= MAX_START_LINE) return -1
      if (lineEnd < 0 || !isStartLine(bytes, at, lineEnd)) return this.loseSync()
    }
    const end = this.findHeadersEnd(bytes, at)
    if (end < 0) {
      if (bytes.length - at <= MAX_HEADER_BYTES) return -1
      this.counters.oversized++
      this.onUnreadable?.('oversized_messages')
      this.counters.discardedBytes += MAX_HEADER_BYTES
      this.loseSync()
      return MAX_HEADER_BYTES
    }
    const body = statedBodyLength(bytes, at, end)
    if (body > MAX_BODY_BYTES) {
      // The headers are good; where the next message starts is not known.
      this.counters.oversized++
      this.loseSync()
      this.emit(bytes, at, end - at)
      return end - at
    }
    this.need = end - at + body
    return 0
  }

  private findHeadersEnd(bytes: Uint8Array, at: number): number {
    let lf = bytes.indexOf(LF, at + this.scanFrom)
    while (lf >= 0) {
      if (bytes[lf + 1] === LF) return lf + 2
      if (bytes[lf + 1] === CR && bytes[lf + 2] === LF) return lf + 3
      lf = bytes.indexOf(LF, lf + 1)
    }
    // The last three bytes may begin the empty line.
    this.scanFrom = Math.max(1, bytes.length - at - 3)
    return -1
  }

  private loseSync(): number {
    this.counters.resyncs++
    this.inSync = false
    this.forgetMessage()
    return 0
  }

  private body(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < this.need) return -1
    const used = this.need
    this.forgetMessage()
    this.emit(bytes, at, used)
    return used
  }
}
