import type { Endpoint } from './addresses.js'
import type { SipPacket } from './dialogue.js'
import type { GeneratedPacket } from './frame-source.js'
import {
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_SYN,
  tcpSegment,
  udpDatagram,
} from './frames.js'
import { buildFrames, capture, DEFAULT_TTL, type Link } from './link.js'
import type { Random } from './random.js'

const SIP_DSCP = 24

/** One TCP connection as the tap sees it. */
class Connection {
  private readonly sequence = new Map<string, number>()
  private identification = 1

  constructor(
    private readonly link: Link,
    private readonly out: GeneratedPacket[],
    random: Random,
    private readonly a: Endpoint,
    private readonly b: Endpoint,
  ) {
    this.sequence.set(keyOf(a), random.uint32())
    this.sequence.set(keyOf(b), random.uint32())
  }

  private next(endpoint: Endpoint): number {
    return this.sequence.get(keyOf(endpoint)) ?? 0
  }

  private send(timeMs: number, from: Endpoint, flags: number, payload: Uint8Array): void {
    const to = keyOf(from) === keyOf(this.a) ? this.b : this.a
    const acknowledge = (flags & TCP_ACK) !== 0 ? this.next(to) : 0
    const segment = tcpSegment(from, to, this.next(from), acknowledge, flags, payload)
    const fields = { dscp: SIP_DSCP, ttl: DEFAULT_TTL, identification: this.identification++ & 0xffff }
    for (const frame of buildFrames(this.link, from.address, to.address, PROTOCOL_TCP, segment, fields))
      this.out.push(capture(this.link, timeMs, frame))
    const length = payload.length + ((flags & (TCP_SYN | TCP_FIN)) !== 0 ? 1 : 0)
    this.sequence.set(keyOf(from), (this.next(from) + length) >>> 0)
  }

  handshake(timeMs: number): void {
    const nothing = new Uint8Array(0)
    this.send(timeMs - 3, this.a, TCP_SYN, nothing)
    this.send(timeMs - 2, this.b, TCP_SYN | TCP_ACK, nothing)
    this.send(timeMs - 1, this.a, TCP_ACK, nothing)
  }

  message(timeMs: number, from: Endpoint, bytes: Uint8Array, segmentBytes: number): void {
    let at = timeMs
    for (let offset = 0; offset < bytes.length; offset += segmentBytes, at += 0.03125)
      this.send(at, from, TCP_PSH | TCP_ACK, bytes.subarray(offset, offset + segmentBytes))
    this.send(at, keyOf(from) === keyOf(this.a) ? this.b : this.a, TCP_ACK, new Uint8Array(0))
  }

  close(timeMs: number): void {
    const nothing = new Uint8Array(0)
    this.send(timeMs, this.a, TCP_FIN | TCP_ACK, nothing)
    this.send(timeMs + 1, this.b, TCP_FIN | TCP_ACK, nothing)
    this.send(timeMs + 2, this.a, TCP_ACK, nothing)
  }
}

function keyOf(endpoint: Endpoint): string {
  return `${endpoint.address.text} ${endpoint.port}`
}

export interface SipWireOptions {
  transport: 'udp' | 'tcp'
  tcpHandshake: boolean
  tcpSegmentBytes: number
}

/** Puts SIP messages on the wire: a datagram each, or TCP connections with their handshakes and closes. */
export function sipFrames(
  messages: SipPacket[],
  link: Link,
  options: SipWireOptions,
  random: Random,
): GeneratedPacket[] {
  const out: GeneratedPacket[] = []
  const sorted = [...messages].sort((x, y) => x.timeMs - y.timeMs)
  if (options.transport === 'udp') {
    sorted.forEach(({ timeMs, from, to, bytes }, i) => {
      const datagram = udpDatagram(from.endpoint, to.endpoint, bytes)
      const fields = { dscp: SIP_DSCP, ttl: DEFAULT_TTL, identification: (i + 1) & 0xffff }
      const [source, destination] = [from.endpoint.address, to.endpoint.address]
      for (const frame of buildFrames(link, source, destination, PROTOCOL_UDP, datagram, fields))
        out.push(capture(link, timeMs, frame))
    })
    return out
  }
  const connections = new Map<string, { connection: Connection; lastMs: number }>()
  for (const { timeMs, from, to, bytes } of sorted) {
    const key = [keyOf(from.endpoint), keyOf(to.endpoint)].sort().join(' ')
    let open = connections.get(key)
    if (!open) {
      const connection = new Connection(link, out, random, from.endpoint, to.endpoint)
      open = { connection, lastMs: timeMs }
      connections.set(key, open)
      if (options.tcpHandshake) connection.handshake(timeMs)
    }
    open.connection.message(timeMs, from.endpoint, bytes, options.tcpSegmentBytes)
    open.lastMs = timeMs
  }
  if (options.tcpHandshake)
    for (const { connection, lastMs } of connections.values()) connection.close(lastMs + 5)
  return out
}
