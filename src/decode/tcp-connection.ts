import { formatAddress } from './address.js'
import type { DecodedPacket } from './packet.js'
import { TcpDirection } from './tcp-direction.js'

/** One TCP connection, as far as it has been seen. Side 0 is the one whose packet came first. */
export class TcpConnection<User> {
  /** RFC 5952 text and port of side 0 and side 1. */
  readonly addresses: readonly [string, string]
  readonly ports: readonly [number, number]
  /** 802.1Q VLAN id, -1 when untagged: the same addresses in two VLANs are two connections. */
  readonly vlan: number
  readonly ipVersion: number
  readonly directions: readonly [TcpDirection<User>, TcpDirection<User>] = [
    new TcpDirection(),
    new TcpDirection(),
  ]
  readonly firstMs: number
  lastMs: number
  ended = false
  /** Address words of side 0 then side 1, for comparison. */
  readonly words: Int32Array
  /** Links of the table: hash chain and order of use. */
  nextInBucket: TcpConnection<User> | undefined
  older: TcpConnection<User> | undefined
  newer: TcpConnection<User> | undefined

  constructor(packet: DecodedPacket, timeMs: number) {
    const p = packet
    this.words = Int32Array.of(
      p.source0,
      p.source1,
      p.source2,
      p.source3,
      p.destination0,
      p.destination1,
      p.destination2,
      p.destination3,
    )
    this.addresses = [
      formatAddress(p.ipVersion, p.source0, p.source1, p.source2, p.source3),
      formatAddress(p.ipVersion, p.destination0, p.destination1, p.destination2, p.destination3),
    ]
    this.ports = [p.sourcePort, p.destinationPort]
    this.vlan = p.vlan
    this.ipVersion = p.ipVersion
    this.firstMs = timeMs
    this.lastMs = timeMs
  }

  /** 0 when the packet goes from side 0 to side 1. */
  directionOf(packet: DecodedPacket): 0 | 1 {
    return this.matches(packet, 0) ? 0 : 1
  }

  isOf(packet: DecodedPacket): boolean {
    return (
      this.vlan === packet.vlan &&
      this.ipVersion === packet.ipVersion &&
      (this.matches(packet, 0) || this.matches(packet, 1))
    )
  }

  get heldSegments(): number {
    return this.directions[0].held.length + this.directions[1].held.length
  }

  private matches(p: DecodedPacket, side: 0 | 1): boolean {
    const w = this.words
    const from = side * 4
    const to = 4 - from
    return (
      p.sourcePort === this.ports[side] &&
      p.destinationPort === this.ports[1 - side] &&
      p.source0 === w[from] &&
      p.source1 === w[from + 1] &&
      p.source2 === w[from + 2] &&
      p.source3 === w[from + 3] &&
      p.destination0 === w[to] &&
      p.destination1 === w[to + 1] &&
      p.destination2 === w[to + 2] &&
      p.destination3 === w[to + 3]
    )
  }
}

const BUCKETS = 4096

/** Connections by addresses, ports and VLAN, both directions as one; and in order of last use. */
export class TcpConnectionTable<User> {
  size = 0
  /** The connection that has been quiet longest. */
  oldest: TcpConnection<User> | undefined
  private newest: TcpConnection<User> | undefined
  private readonly buckets = new Array<TcpConnection<User> | undefined>(BUCKETS).fill(undefined)

  find(packet: DecodedPacket): TcpConnection<User> | undefined {
    let connection = this.buckets[bucketOf(packet)]
    while (connection !== undefined && !connection.isOf(packet)) connection = connection.nextInBucket
    return connection
  }

  open(packet: DecodedPacket, timeMs: number): TcpConnection<User> {
    const connection = new TcpConnection<User>(packet, timeMs)
    const bucket = bucketOf(packet)
    connection.nextInBucket = this.buckets[bucket]
    this.buckets[bucket] = connection
    this.append(connection)
    this.size++
    return connection
  }

  /** Marks it as used last. */
  touch(connection: TcpConnection<User>, timeMs: number): void {
    connection.lastMs = timeMs
    if (this.newest === connection) return
    this.unlink(connection)
    this.append(connection)
  }

  remove(connection: TcpConnection<User>): void {
    const w = connection.words
    const bucket = hashOf(w[0], w[3], w[4], w[7], connection.ports[0], connection.ports[1])
    let other = this.buckets[bucket]
    if (other === connection) this.buckets[bucket] = connection.nextInBucket
    while (other !== undefined && other.nextInBucket !== connection) other = other.nextInBucket
    if (other !== undefined) other.nextInBucket = connection.nextInBucket
    connection.nextInBucket = undefined
    this.unlink(connection)
    this.size--
  }

  private append(connection: TcpConnection<User>): void {
    connection.older = this.newest
    connection.newer = undefined
    if (this.newest !== undefined) this.newest.newer = connection
    else this.oldest = connection
    this.newest = connection
  }

  private unlink(connection: TcpConnection<User>): void {
    const { older, newer } = connection
    if (older !== undefined) older.newer = newer
    else this.oldest = newer
    if (newer !== undefined) newer.older = older
    else this.newest = older
  }
}

function bucketOf(p: DecodedPacket): number {
  return hashOf(p.source0, p.source3, p.destination0, p.destination3, p.sourcePort, p.destinationPort)
}

/** The same for both directions. */
function hashOf(
  s0: number,
  s3: number,
  d0: number,
  d3: number,
  sourcePort: number,
  destinationPort: number,
): number {
  let h =
    Math.imul(s0 ^ d0 ^ Math.imul(s3 ^ d3, 31), 0x9e3779b1) ^
    Math.imul(sourcePort ^ destinationPort, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 16), 0x2c1b3c6d)
  return (h ^ (h >>> 15)) & (BUCKETS - 1)
}
