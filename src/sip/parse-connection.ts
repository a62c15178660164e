import type { FramerCounters } from './framing.js'
import { SipStreamFramer } from './framing.js'
import type { WebSocketCounters } from './websocket.js'
import { WebSocketFramer, looksLikeWebSocketSip } from './websocket.js'
import { looksLikeSip } from './parse-detect.js'
import { isTls, type OnUnreadable } from './unreadable.js'

/** Bytes without any SIP after which a connection is taken for something else. */
const GIVE_UP_BYTES = 262_144

/** Direction of a connection: 0 and 1 as the caller numbers them. */
export type ConnectionSide = 0 | 1
/** Receives a message with its direction; the bytes are valid during the call only. */
export type ConnectionSink = (side: ConnectionSide, bytes: Uint8Array, offset: number, length: number) => void

/** An HTTP request for, or the 101 answer of, a WebSocket for SIP (RFC 7118 4.1: subprotocol `sip`). */
function isUpgrade(bytes: Uint8Array, offset: number, length: number): boolean {
  if (bytes[offset] !== 0x47 && bytes[offset] !== 0x48) return false
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + offset, Math.min(length, 4096)).toString('latin1')
  if (!/^(?:GET |HTTP\/1\.[01] 101)/.test(head) || !/^upgrade[ \t]{0,8}:[ \t]{0,8}websocket/im.test(head))
    return false
  const protocols = /^sec-websocket-protocol[ \t]{0,8}:([^\r\n]*)/im.exec(head)
  return protocols === null || /\bsip\b/i.test(protocols[1])
}

/** True when SIP, bare or in WebSocket frames, or a WebSocket handshake starts here: the test for TCP on any port. */
export function looksLikeSipStream(bytes: Uint8Array, offset: number, length: number): boolean {
  let at = offset
  const end = offset + length
  while (at < end && (bytes[at] === 0x0d || bytes[at] === 0x0a)) at++
  if (looksLikeSip(bytes, at, end - at)) return true
  return isUpgrade(bytes, offset, length) || looksLikeWebSocketSip(bytes, offset, length)
}

/**
 * Reads the SIP of one TCP connection, both directions, bare or in WebSocket frames: the first bytes that are one or the
 * other decide for both. Give each direction's bytes in order. A connection that shows no SIP in 256 KB, TLS and plain
 * HTTP are given up (`notSip`): then drop it.
 */
export class SipTcpConnectionParser {
  /** Set once known. */
  private decided: 'tcp' | 'ws' | undefined
  private readonly plain: [SipStreamFramer, SipStreamFramer]
  private readonly framed: [WebSocketFramer, WebSocketFramer]
  private seenBytes = 0
  private foreign = false

  constructor(
    sink: ConnectionSink,
    private readonly onUnreadable?: OnUnreadable,
  ) {
    const plain = (side: ConnectionSide): SipStreamFramer =>
      new SipStreamFramer((bytes, offset, length) => {
        this.decided ??= 'tcp'
        sink(side, bytes, offset, length)
      }, onUnreadable)
    const framed = (side: ConnectionSide): WebSocketFramer =>
      new WebSocketFramer((bytes, offset, length) => sink(side, bytes, offset, length), onUnreadable)
    this.plain = [plain(0), plain(1)]
    this.framed = [framed(0), framed(1)]
  }

  /** `tcp` until WebSocket frames or their handshake are seen. */
  get transport(): 'tcp' | 'ws' {
    return this.decided ?? 'tcp'
  }

  /** True when the connection carries something else. */
  get notSip(): boolean {
    return this.foreign
  }

  /** Counters of the framers in use, by direction. */
  get counters(): [FramerCounters, FramerCounters] | [WebSocketCounters, WebSocketCounters] {
    if (this.decided === 'ws') return [this.framed[0].counters, this.framed[1].counters]
    return [this.plain[0].counters, this.plain[1].counters]
  }

  push(side: ConnectionSide, bytes: Uint8Array, offset = 0, length = bytes.length - offset): void {
    if (this.foreign || length <= 0) return
    if (this.decided === undefined) this.decide(side, bytes, offset, length)
    if (this.foreign) return
    if (this.decided === 'ws') this.framed[side].push(bytes, offset, length)
    else this.plain[side].push(bytes, offset, length)
  }

  private decide(side: ConnectionSide, bytes: Uint8Array, offset: number, length: number): void {
    this.seenBytes += length
    if (isUpgrade(bytes, offset, length) || looksLikeWebSocketSip(bytes, offset, length)) {
      this.decided = 'ws'
      this.plain[0].end()
      this.plain[1].end()
      return
    }
    if (looksLikeSip(bytes, offset, length)) {
      this.decided = 'tcp'
      return
    }
    if (!this.plain[side].idle) return
    const tls = isTls(bytes, offset, length)
    if (tls) this.onUnreadable?.('tls_connections')
    if (tls || isHttpMessage(bytes, offset, length) || this.seenBytes > GIVE_UP_BYTES) this.foreign = true
  }

  /** Bytes of a direction are missing from the capture. */
  gap(side: ConnectionSide): void {
    this.plain[side].gap()
    this.framed[side].gap()
  }

  /** A direction ended (FIN, RST, or idle too long). */
  end(side: ConnectionSide): void {
    this.plain[side].end()
    this.framed[side].end()
  }
}

/** A request line or status line of HTTP. */
function isHttpMessage(bytes: Uint8Array, offset: number, length: number): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, Math.min(length, 2048)).toString('latin1')
  return /^(?:HTTP\/1\.[01] [1-5][0-9]{2}|[A-Z]{3,7} [^\r\n]{1,2000} HTTP\/1\.[01]\r?$)/m.test(text)
}
