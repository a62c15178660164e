import { formatAddress } from '../decode/address.js'
import { HepConnections, looksLikeHepStream } from '../decode/hep-stream.js'
import type { DecodedPacket } from '../decode/packet.js'
import type { TcpConnection } from '../decode/tcp-connection.js'
import { TcpReassembler } from '../decode/tcp.js'
import type { TcpCounters } from '../decode/tcp-listener.js'
import type { SipTransport } from '../sip/message.js'
import { looksLikeSipStream, SipTcpConnectionParser } from '../sip/parse-connection.js'
import { looksLikeSip } from '../sip/parse-detect.js'
import { parseSipMessage } from '../sip/parse.js'
import type { SignallingTracker } from '../sip/tracker.js'
import { unreadableDatagram, type UnreadableSip } from '../sip/unreadable.js'

/** Ports on which SIP is looked for behind junk, and TCP connections are followed whatever they begin with. */
const SIP_PORTS = [5060, 5061, 5080]

/** RFC 6035 4.6. */
const QUALITY_REPORT = /^application\/vq-rtcp-?xr\b/i

export interface SignallingInputOptions {
  extraPorts: readonly number[]
  maxConnections: number
  tcpIdleMs: number
}

/** A whole HEP version 3 message. */
export interface HepMessage {
  bytes: Uint8Array
  /** When its last byte was there. */
  timeMs: number
}

const NO_MESSAGES: readonly HepMessage[] = []

/** Takes UDP payloads and TCP segments, finds the SIP messages in them, and hands these to the tracker. */
export class SignallingInput {
  /** Messages that looked like SIP and could not be read. */
  malformed = 0
  messages = 0
  /** SIP that is there and cannot be read, by reason. */
  readonly unreadable: Partial<Record<UnreadableSip, number>> = {}
  private readonly ports = new Uint8Array(65_536)
  private readonly tcp: TcpReassembler
  private readonly parsers = new WeakMap<TcpConnection<unknown>, SipTcpConnectionParser>()
  private readonly agents = new HepConnections()
  private hepMessages: HepMessage[] = []

  constructor(
    private readonly tracker: SignallingTracker,
    private readonly onQualityReport: (body: string, senderAddress: string) => void,
    options: SignallingInputOptions,
  ) {
    for (const port of [...SIP_PORTS, ...options.extraPorts]) this.ports[port] = 1
    this.tcp = new TcpReassembler(
      {
        onData: (connection, direction, bytes, timeMs) =>
          this.onTcpData(connection, direction, bytes, timeMs),
        onGap: (connection, direction) => {
          // What was held behind the gap had reached its receiver when it came.
          this.arrivalMs = -Infinity
          this.parsers.get(connection)?.gap(direction)
          this.agents.gap(connection, direction)
        },
        onEnd: (connection) => {
          this.parsers.get(connection)?.end(0)
          this.parsers.get(connection)?.end(1)
        },
      },
      {
        accept: (packet) => this.mayCarrySip(packet),
        maxConnections: options.maxConnections,
        idleMs: options.tcpIdleMs,
      },
    )
  }

  get tcpCounters(): TcpCounters {
    return this.tcp.counters
  }

  /** A UDP payload that is not RTP. */
  onDatagram(p: DecodedPacket): void {
    const known = this.ports[p.sourcePort] === 1 || this.ports[p.destinationPort] === 1
    const { bytes, payloadOffset, payloadCaptured, timeMs } = p
    if (!looksLikeSip(bytes, payloadOffset, payloadCaptured, known)) {
      const reason = known ? unreadableDatagram(bytes, payloadOffset, payloadCaptured) : undefined
      if (reason) this.cannotRead(reason)
      return
    }
    this.message(bytes, payloadOffset, payloadCaptured, timeMs, {
      transport: p.hepTransport === 6 ? 'tcp' : 'udp',
      sourceAddress: formatAddress(p.ipVersion, p.source0, p.source1, p.source2, p.source3),
      sourcePort: p.sourcePort,
      destinationAddress: formatAddress(
        p.ipVersion,
        p.destination0,
        p.destination1,
        p.destination2,
        p.destination3,
      ),
      destinationPort: p.destinationPort,
      vlan: p.vlan,
      cut: p.payloadCaptured < p.payloadLength,
    })
  }

  onSegment(p: DecodedPacket): void {
    this.arrivalMs = p.timeMs
    this.tcp.push(p, p.timeMs)
    this.arrivalMs = -Infinity
  }

  onTime(timeMs: number): void {
    this.tcp.tick(timeMs)
  }

  finish(): void {
    this.tcp.finish()
  }

  private readonly cannotRead = (reason: UnreadableSip): void => {
    this.unreadable[reason] = (this.unreadable[reason] ?? 0) + 1
  }

  private mayCarrySip(p: DecodedPacket): boolean {
    if (this.ports[p.sourcePort] === 1 || this.ports[p.destinationPort] === 1) return true
    const { bytes, payloadOffset, payloadCaptured } = p
    if (looksLikeHepStream(bytes, payloadOffset, payloadCaptured)) return true
    return payloadCaptured > 0 && looksLikeSipStream(bytes, payloadOffset, payloadCaptured)
  }

  private onTcpData(
    connection: TcpConnection<unknown>,
    direction: 0 | 1,
    bytes: Uint8Array,
    timeMs: number,
  ): void {
    // Segments that waited for this one are complete with it.
    this.segmentTimeMs = Math.max(timeMs, this.arrivalMs)
    let parser = this.parsers.get(connection)
    if (!parser && this.takeHep(connection, direction, bytes)) return
    if (!parser) {
      parser = new SipTcpConnectionParser((side, data, offset, length) => {
        this.onTcpMessage(connection, side, data, offset, length, this.segmentTimeMs)
      }, this.cannotRead)
      this.parsers.set(connection, parser)
    }
    if (parser.notSip) return
    parser.push(direction, bytes)
  }

  /** False when the connection is none of a capture agent. */
  private takeHep(connection: TcpConnection<unknown>, direction: 0 | 1, bytes: Uint8Array): boolean {
    const stream = this.agents.of(connection, direction, bytes)
    if (!stream) return false
    stream.push(bytes, (message) => {
      this.hepMessages.push({ bytes: message, timeMs: this.segmentTimeMs })
    })
    return true
  }

  /** What capture agents sent over TCP since the last call; valid until the next segment. */
  takeHepMessages(): readonly HepMessage[] {
    if (this.hepMessages.length === 0) return NO_MESSAGES
    const taken = this.hepMessages
    this.hepMessages = []
    return taken
  }

  /** When the bytes that complete a message were there. */
  private segmentTimeMs = 0
  /** Time of the segment that is being taken in. */
  private arrivalMs = -Infinity

  private onTcpMessage(
    connection: TcpConnection<unknown>,
    side: 0 | 1,
    bytes: Uint8Array,
    offset: number,
    length: number,
    timeMs: number,
  ): void {
    const { addresses, ports, vlan } = connection
    this.message(bytes, offset, length, timeMs, {
      transport: this.parsers.get(connection)?.transport ?? 'tcp',
      sourceAddress: addresses[side],
      sourcePort: ports[side],
      destinationAddress: addresses[1 - side],
      destinationPort: ports[1 - side],
      vlan,
    })
  }

  private message(
    bytes: Uint8Array,
    offset: number,
    length: number,
    timeMs: number,
    from: {
      transport: SipTransport
      sourceAddress: string
      sourcePort: number
      destinationAddress: string
      destinationPort: number
      vlan: number
      cut?: boolean
    },
  ): void {
    const parsed = parseSipMessage(bytes, offset, length)
    if ('error' in parsed) {
      this.malformed++
      return
    }
    this.messages++
    this.tracker.onMessage({ message: parsed.message, timeMs, ...from })
    if (parsed.message.kind !== 'request') return
    for (const part of parsed.message.bodyParts) {
      if (QUALITY_REPORT.test(part.contentType)) this.onQualityReport(part.text, from.sourceAddress)
    }
  }
}
