import { parseAddress } from './addresses.js'
import { fillNoise } from './codecs.js'
import type { FrameSource, GeneratedPacket } from './frame-source.js'
import { PROTOCOL_UDP, udpDatagram } from './frames.js'
import { buildFrames, capture, type Link } from './link.js'
import type { Random } from './random.js'
import type { NoiseSpec } from './scenario.js'

/** A DNS query (RFC 1035) for host-N.example.com. */
function dns(random: Random): Uint8Array {
  const labels = [`host-${random.below(1000)}`, 'example', 'com']
  const name = labels.flatMap((label) => [label.length, ...Buffer.from(label)])
  return Uint8Array.from([
    random.below(256),
    random.below(256),
    1,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    ...name,
    0,
    0,
    1,
    0,
    1,
  ])
}

/** A STUN binding request (RFC 8489): type, length, magic cookie, transaction id. */
function stun(random: Random): Uint8Array {
  const id = Array.from({ length: 12 }, () => random.below(256))
  return Uint8Array.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...id])
}

function noise(length: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(length)
  fillNoise(bytes, 0, length, random.uint32())
  return bytes
}

/** A QUIC short-header packet (RFC 9000 17.3): first byte 01xxxxxx, then what looks random. */
function quic(random: Random): Uint8Array {
  const bytes = noise(40 + random.below(1160), random)
  bytes[0] = 0x40 | (bytes[0] & 0x3f)
  return bytes
}

const PAYLOADS: Record<NoiseSpec['kind'], { port: number; payload: (random: Random) => Uint8Array }> = {
  dns: { port: 53, payload: dns },
  stun: { port: 3478, payload: stun },
  quic: { port: 443, payload: quic },
  udp: { port: 0, payload: (random) => noise(random.below(1200), random) },
}

/** Background traffic of one kind at random moments, made as it is asked for. */
export class NoiseSource implements FrameSource {
  frames = 0
  nextMs: number
  private readonly endMs: number
  private readonly meanGapMs: number

  constructor(
    private readonly spec: NoiseSpec,
    scenarioStartMs: number,
    private readonly link: Link,
    private readonly random: Random,
  ) {
    this.meanGapMs = 1000 / (spec.packets_per_second ?? 10)
    const startMs = scenarioStartMs + (spec.at_s ?? 0) * 1000
    this.endMs = startMs + (spec.duration_s ?? 10) * 1000
    this.nextMs = startMs
    this.advance()
  }

  private advance(): void {
    const next = this.nextMs + -Math.log(1 - this.random.next()) * this.meanGapMs
    this.nextMs = next < this.endMs ? next : Infinity
  }

  take(): GeneratedPacket | null {
    if (this.nextMs === Infinity) return null
    const { random, link } = this
    const { port, payload } = PAYLOADS[this.spec.kind]
    const host = (network: string): string => `${network}.${1 + random.below(250)}`
    const from = { address: parseAddress(host('192.0.2'), 'noise'), port: 1024 + random.below(60000) }
    const to = { address: parseAddress(host('203.0.113'), 'noise'), port: port || 1024 + random.below(60000) }
    const datagram = udpDatagram(from, to, payload(random))
    const fields = { dscp: 0, ttl: 64, identification: this.frames & 0xffff }
    const wide = { ...link, mtu: Math.max(link.mtu, 1500) }
    const [frame] = buildFrames(wide, from.address, to.address, PROTOCOL_UDP, datagram, fields)
    const packet = capture(link, this.nextMs, frame)
    this.frames++
    this.advance()
    return packet
  }
}
