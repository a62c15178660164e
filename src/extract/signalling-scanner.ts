import type { PacketBatch } from '../capture/batch.js'
import type { Config } from '../config/config.js'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_FRAGMENT, KIND_TCP, KIND_UDP, type DecodedPacket } from '../decode/packet.js'
import { parseQualityReport } from '../rtcp/quality-report.js'
import { secretSpans, type Span } from '../privacy/sip-secrets.js'
import type { SipMessage } from '../sip/message.js'
import { looksLikeSip } from '../sip/parse-detect.js'
import { parseSipMessage } from '../sip/parse.js'
import type { FlowPacket, FlowTable } from './flow-key.js'
import { FragmentPieces } from './fragment-pieces.js'
import { filler, fillPieces, type FramePlans, type Piece } from './frame-plan.js'
import { HepMessages } from './hep-messages.js'
import type { CallFlow } from './media-collector.js'
import { TcpMessages, type TcpMessage, type TcpStream } from './tcp-messages.js'

const SIP_PORTS = [5060, 5061, 5080]
/** Datagrams of media in fragments that are remembered; such media are rare. */
const MOST_FRAGMENTED_MEDIA = 100_000

/** A datagram that may be media: decided when the wanted flows are known. */
export interface SeenMedia {
  packet: FlowPacket
  timeMs: number
  /** The first bytes of the payload. */
  head: Uint8Array
}

/** The same in IP fragments. */
export interface FragmentedMedia extends SeenMedia {
  /** Where the payload begins in the IP datagram. */
  payloadAt: number
  pieces: Piece[]
}

export interface ScannerOptions {
  config: Config
  isWanted: (callId: string) => boolean
  /** Secrets are written over. */
  redact: boolean
}

/**
 * Reads a capture for the SIP of wanted calls and chooses the frames that carry it: datagrams, TCP segments
 * (retransmissions too), IP fragments. Plans where secrets are written over.
 */
export class SignallingScanner {
  messages = 0
  /** Messages with secrets, and those whose secrets could not be located: their frames are cut. */
  redacted = 0
  cut = 0
  readonly fragmentedMedia: FragmentedMedia[] = []
  fragmentedMediaForgotten = 0
  private readonly decoder: PacketDecoder
  private readonly fragments: FragmentPieces
  private readonly tcp: TcpMessages
  private readonly hep = new HepMessages()
  /** Reads what capture agents sent over TCP, while `decoder` holds the segment. */
  private readonly agentDecoder = new PacketDecoder()
  private readonly ports = new Uint8Array(65_536)
  private readonly chosen: TcpMessage[] = []
  private frames = 0

  constructor(
    private readonly plans: FramePlans,
    private readonly options: ScannerOptions,
  ) {
    const { limits, timeouts, sip_ports } = options.config
    for (const port of [...SIP_PORTS, ...sip_ports]) this.ports[port] = 1
    this.decoder = new PacketDecoder({
      fragmentDatagrams: limits.fragments,
      fragmentTimeoutMs: timeouts.fragment_s * 1000,
    })
    this.fragments = new FragmentPieces(limits.fragments, timeouts.fragment_s * 1000)
    this.tcp = new TcpMessages((message) => this.onTcpMessage(message), {
      onHep: (bytes, timeMs, stream, start) => this.onHep(bytes, timeMs, stream, start),
      isSipPort: (port) => this.ports[port] === 1,
      maxConnections: limits.tcp_connections,
      idleMs: timeouts.tcp_idle_s * 1000,
    })
  }

  /** Bounds that were reached. */
  get forgotten(): number {
    return this.hep.forgotten + this.tcp.forgotten + this.fragmentedMediaForgotten + this.fragments.lost
  }

  onBatch(batch: PacketBatch): void {
    const { bytes, view, frameOffset, capturedLength, wireLength, timeMs, linkType, first, end } = batch
    for (let k = first; k < end; k++, this.frames++) {
      const kind = this.decoder.decode(
        bytes,
        view,
        frameOffset[k],
        capturedLength[k],
        wireLength[k],
        linkType[k],
        timeMs[k],
      )
      const { reassembled } = this.decoder
      const pieces =
        kind === KIND_FRAGMENT || reassembled ? this.fragments.add(batch, k, this.frames) : undefined
      if (kind === KIND_UDP)
        this.onUdp(this.decoder, timeMs[k], frameOffset[k], reassembled ? pieces : undefined)
      else if (kind === KIND_TCP) this.tcp.onSegment(this.decoder, this.frames, frameOffset[k])
    }
  }

  /** Every frame was seen. */
  finish(): void {
    this.tcp.finish()
    for (const message of this.chosen) this.planTcp(message)
  }

  /** Chooses what capture agents sent over TCP, now that the wanted flows are known. */
  planAgents(flows: FlowTable<CallFlow>, payload: boolean): void {
    this.hep.plan(this.plans, flows, payload)
  }

  private onHep(bytes: Uint8Array, timeMs: number, stream: TcpStream, start: number): void {
    const p = this.agentDecoder
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const end = start + bytes.length
    const isRead = p.decodeHep(bytes, view, 0, bytes.length, timeMs) === KIND_UDP
    const at = isRead ? p.payloadOffset : 6
    const length = isRead ? p.payloadCaptured : bytes.length - 6
    const place = { stream, start, end, payloadStart: start + at, payloadEnd: start + at + length }
    if (isRead && length >= 12 && bytes[at] >> 6 === 2) {
      this.hep.add({ ...place, wanted: false, secrets: [], media: mediaOf(p) })
      return
    }
    const known = this.ports[p.sourcePort] === 1 || this.ports[p.destinationPort] === 1
    const wanted = isRead && looksLikeSip(bytes, at, length, known) && this.isWanted(bytes, at, length)
    const secrets = wanted ? this.secretsOf(bytes.subarray(at, at + length)) : []
    if (wanted) this.messages++
    if (secrets.length > 0) this.redacted++
    this.hep.add({ ...place, wanted, secrets })
  }

  private onUdp(p: DecodedPacket, frameMs: number, frameOffset: number, pieces: Piece[] | undefined): void {
    const { payloadOffset: at, payloadCaptured: captured } = p
    if (captured === 0) return
    if (p.bytes[at] >> 6 === 2) {
      if (pieces) this.rememberMedia(p, pieces)
      return
    }
    const known = this.ports[p.sourcePort] === 1 || this.ports[p.destinationPort] === 1
    if (!looksLikeSip(p.bytes, at, captured, known) || !this.isWanted(p.bytes, at, captured)) return
    this.messages++
    const spans = this.secretsOf(p.bytes.subarray(at, at + captured))
    if (spans.length > 0) this.redacted++
    const carriers: Piece[] = pieces ?? [
      { frame: this.frames, timeMs: frameMs, start: at, length: captured, captured, at: at - frameOffset },
    ]
    for (const piece of carriers) this.plans.choose(piece.frame, piece.timeMs)
    for (const { start, end } of spans) fillPieces(this.plans, carriers, at + start, filler(end - start))
    // One checksum, in the first fragment, covers them all.
    if (spans.length > 0) for (const piece of carriers) this.plans.change(piece.frame)
  }

  private rememberMedia(p: DecodedPacket, pieces: Piece[]): void {
    if (this.fragmentedMedia.length >= MOST_FRAGMENTED_MEDIA) {
      this.fragmentedMediaForgotten++
      return
    }
    this.fragmentedMedia.push({ ...mediaOf(p), payloadAt: p.payloadOffset, pieces })
  }

  private isWanted(bytes: Uint8Array, offset: number, length: number): boolean {
    const parsed = parseSipMessage(bytes, offset, length)
    if ('error' in parsed) return false
    return this.options.isWanted(parsed.message.callId) || this.reportsOnWanted(parsed.message)
  }

  /** RFC 6035: a quality report in a dialog of its own names the call that it is about. */
  private reportsOnWanted(message: SipMessage): boolean {
    for (const { contentType, text } of message.bodyParts) {
      if (!/^application\/vq-rtcp-?xr\b/i.test(contentType)) continue
      const report = parseQualityReport(text)
      const callId = report?.callId ?? report?.dialog?.callId
      if (callId !== undefined && this.options.isWanted(callId)) return true
    }
    return false
  }

  private secretsOf(bytes: Uint8Array): Span[] {
    if (!this.options.redact) return []
    return secretSpans(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
  }

  private onTcpMessage(message: TcpMessage): void {
    if (!this.isWanted(message.bytes, 0, message.bytes.length)) return
    this.messages++
    // The bytes are valid now only; segments of it may come again until the end.
    this.chosen.push({ ...message, bytes: message.bytes.slice() })
  }

  private planTcp({ bytes, stream, start, end, place }: TcpMessage): void {
    const pieces = stream.pieces.filter((piece) => piece.start < end && piece.start + piece.length > start)
    for (const piece of pieces) this.plans.choose(piece.frame, piece.timeMs)
    const spans = this.secretsOf(bytes)
    if (spans.length === 0) return
    const isPlain = place !== undefined && pieces.every((piece) => piece.at >= 0)
    if (!isPlain) {
      this.cut++
      for (const piece of pieces) this.plans.cutBefore(piece.frame, piece.at)
      return
    }
    this.redacted++
    for (const span of spans) {
      const fill = filler(span.end - span.start)
      const { mask } = place
      if (mask) for (let i = 0; i < fill.length; i++) fill[i] ^= mask[(span.start + i) & 3]
      fillPieces(this.plans, pieces, place.start + span.start, fill)
    }
  }
}

function mediaOf(p: DecodedPacket): SeenMedia {
  const { source0, source1, source2, source3, destination0, destination1, destination2, destination3 } = p
  const { sourcePort, destinationPort, timeMs, payloadOffset } = p
  return {
    packet: {
      source0,
      source1,
      source2,
      source3,
      destination0,
      destination1,
      destination2,
      destination3,
      sourcePort,
      destinationPort,
    },
    timeMs,
    head: p.bytes.slice(payloadOffset, payloadOffset + Math.min(p.payloadCaptured, 128)),
  }
}
