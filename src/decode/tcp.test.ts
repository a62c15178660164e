import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { PacketDecoder } from './decoder.js'
import type { DecodedPacket } from './packet.js'
import { TcpReassembler } from './tcp.js'
import type { TcpOptions } from './tcp-listener.js'
import { decode, eth, ipv4, ipv6, tag, tcp, text, type TcpHeader } from './test-frames.js'

const ACK = 0x10
const SYN = 0x02
const FIN = 0x01
const RST = 0x04

interface Sent extends TcpHeader {
  /** True: from the callee's side. */
  back?: boolean
  vlan?: number
  captured?: number
  timeMs?: number
}

/** Feeds segments between 192.0.2.1:40000 and 198.51.100.7:5060 and notes what comes out. */
class Tap {
  readonly decoder = new PacketDecoder()
  readonly log: string[] = []
  readonly streams: [string, string] = ['', '']
  readonly tcp: TcpReassembler<number>
  timeMs = 1000

  constructor(options: TcpOptions = {}) {
    this.tcp = new TcpReassembler<number>(
      {
        onData: (_connection, direction, bytes) => {
          const data = Buffer.from(bytes).toString('latin1')
          this.log.push(`${direction}:${data}`)
          this.streams[direction] += data
        },
        onGap: (_connection, direction, missing) => this.log.push(`${direction} gap ${missing}`),
        onEnd: (_connection, reason) => this.log.push(`end ${reason}`),
      },
      options,
    )
  }

  send(sequence: number, content: string, options: Sent = {}): this {
    const { back = false, vlan, captured, timeMs = this.timeMs + 1, ...header } = options
    const ports = back
      ? { sourcePort: 5060, destinationPort: 40000 }
      : { sourcePort: 40000, destinationPort: 5060 }
    const segment = tcp(text(content), { ...ports, flags: ACK, ...header, sequence })
    const addresses = { source: '192.0.2.1', destination: '198.51.100.7' }
    const turned = { source: '198.51.100.7', destination: '192.0.2.1' }
    const packet = ipv4(segment, { protocol: 6, ...(back ? turned : addresses) })
    const frame = vlan === undefined ? eth(0x0800, packet) : eth(0x8100, tag(vlan, 0x0800, packet))
    this.timeMs = timeMs
    decode(this.decoder, frame, { timeMs, captured: captured ?? frame.length })
    this.tcp.push(this.decoder, timeMs)
    return this
  }
}

describe('a TCP stream of SIP', () => {
  it('is read from the handshake on, in both directions', () => {
    const tap = new Tap()
    tap
      .send(100, '', { flags: SYN })
      .send(500, '', { flags: SYN | ACK, back: true })
      .send(101, '')
    tap.send(101, 'INVITE ').send(108, 'sip:bob').send(501, 'SIP/2.0 100', { back: true })
    expect(tap.log).toEqual(['0:INVITE ', '0:sip:bob', '1:SIP/2.0 100'])
  })

  it('is read without the handshake, wherever the capture begins', () => {
    const tap = new Tap()
    tap.send(777, 'OPTIONS').send(900, 'SIP/2.0', { back: true }).send(784, ' sip:a')
    expect(tap.log).toEqual(['0:OPTIONS', '1:SIP/2.0', '0: sip:a'])
  })

  it('tells addresses, ports and VLAN of the connection, and keeps the framer’s state per direction', () => {
    const seen: unknown[] = []
    const decoder = new PacketDecoder()
    const reassembler = new TcpReassembler<number>({
      onData: (connection, direction, bytes, timeMs) => {
        const side = connection.directions[direction]
        side.user = (side.user ?? 0) + bytes.length
        seen.push([connection.addresses, connection.ports, connection.vlan, direction, side.user, timeMs])
      },
      onGap: () => undefined,
      onEnd: () => undefined,
    })
    const send = (sequence: number): void => {
      decode(
        decoder,
        eth(0x8100, tag(12, 0x86dd, ipv6(tcp(text('abcd'), { sequence, destinationPort: 5062 }), 6))),
        { timeMs: 9 },
      )
      reassembler.push(decoder, 9)
    }
    send(1)
    send(5)
    const who = [['2001:db8::1', '2001:db8::2'], [5060, 5062], 12, 0]
    expect(seen).toEqual([
      [...who, 4, 9],
      [...who, 8, 9],
    ])
  })

  it('drops retransmissions, whole and in part', () => {
    const tap = new Tap().send(1, 'abcdef').send(1, 'abcdef').send(4, 'defghi').send(1, 'abc').send(10, 'j')
    expect(tap.streams[0]).toBe('abcdefghij')
    expect(tap.tcp.counters.repeatedSegments).toBe(2)
  })

  it('holds segments that overtook others', () => {
    const tap = new Tap().send(1, 'ab').send(7, 'gh').send(5, 'ef').send(5, 'ef').send(3, 'cd').send(9, 'i')
    expect(tap.streams[0]).toBe('abcdefghi')
    expect(tap.log).not.toContainEqual(expect.stringContaining('gap'))
    expect(tap.tcp.counters).toMatchObject({ outOfOrderSegments: 2, repeatedSegments: 1, gaps: 0 })
    expect(tap.tcp.heldBytes).toBe(0)
  })

  it('goes on over the wrap of the sequence number', () => {
    const tap = new Tap().send(0xfffffffc, 'ab').send(2, 'gh').send(0xfffffffe, 'cdef').send(4, 'ij')
    expect(tap.streams[0]).toBe('abcdefghij')
  })

  it('goes on over the signed middle of the sequence space', () => {
    const tap = new Tap().send(0x7ffffffe, 'abc').send(0x80000003, 'fg').send(0x80000001, 'de')
    expect(tap.streams[0]).toBe('abcdefg')
  })

  it('RFC 9293 3.8.4: a keepalive probe with an old sequence number brings nothing', () => {
    const tap = new Tap()
      .send(100, 'OPTIONS')
      .send(106, '')
      .send(106, 'x')
      .send(106, '\0')
      .send(107, '\r\n\r\n')
    expect(tap.streams[0]).toBe('OPTIONS\r\n\r\n')
  })

  it('does not begin with the garbage byte of a keepalive probe', () => {
    const tap = new Tap().send(106, '\0').send(107, 'OPTIONS')
    expect(tap.log).toEqual(['0:OPTIONS'])
  })

  it('gives up on a gap when the receiver has acknowledged what the tap missed', () => {
    const tap = new Tap().send(1, 'ab').send(500, 'xy', { back: true })
    tap.send(7, 'gh').send(502, '', { back: true, acknowledgement: 9, timeMs: 1050 })
    expect(tap.streams[0]).toBe('ab')
    tap.send(502, '', { back: true, acknowledgement: 9, timeMs: 1250 })
    expect(tap.log).toEqual(['0:ab', '1:xy', '0 gap 4', '0:gh'])
    expect(tap.tcp.counters).toMatchObject({ gaps: 1, gapBytes: 4 })
  })

  it('gives up on a gap after 3 s of packet time', () => {
    const tap = new Tap().send(1, 'ab').send(7, 'gh', { timeMs: 2000 })
    tap.tcp.tick(4900)
    expect(tap.streams[0]).toBe('ab')
    tap.tcp.tick(5500)
    expect(tap.log).toEqual(['0:ab', '0 gap 4', '0:gh'])
    expect(tap.send(9, 'i').streams[0]).toBe('abghi')
  })

  it('gives up on a gap when too many bytes or segments wait', () => {
    const few = new Tap({ maxHeldSegments: 3 }).send(0, '-a')
    for (const sequence of [3, 5, 7, 9]) few.send(sequence, 'x')
    expect(few.log).toEqual(['0:-a', '0 gap 1', '0:x'])
    const small = new Tap({ maxHeldBytes: 10 }).send(0, '-a').send(3, '12345678').send(12, '12345678')
    expect(small.log).toEqual(['0:-a', '0 gap 1', '0:12345678'])
    expect(small.tcp.counters.holdLimitReached).toBe(1)
  })

  it('holds a bounded number of bytes over all connections', () => {
    const tap = new Tap({ maxTotalHeldBytes: 1000 })
    for (let i = 0; i < 50; i++) {
      tap.send(0, '-a', { sourcePort: 1000 + i })
      tap.send(100, 'x'.repeat(90), { sourcePort: 1000 + i })
      expect(tap.tcp.heldBytes).toBeLessThanOrEqual(1000)
    }
    expect(tap.tcp.counters.holdLimitReached).toBe(39)
  })

  it('tells of bytes that the snap length cut', () => {
    const tap = new Tap().send(1, 'abcdef', { captured: 14 + 20 + 20 + 4 }).send(7, 'gh')
    expect(tap.log).toEqual(['0:abcd', '0 gap 2', '0:gh'])
  })

  it('a new SYN on the same ports is a new connection', () => {
    const tap = new Tap().send(100, '', { flags: SYN }).send(101, 'one')
    tap.send(100, '', { flags: SYN })
    expect(tap.log).toEqual(['0:one'])
    tap.send(9000, '', { flags: SYN }).send(9001, 'two')
    expect(tap.log).toEqual(['0:one', 'end reused', '0:two'])
    expect(tap.tcp.counters.connections).toBe(2)
  })

  it('a handshake takes over from a connection whose end was not seen', () => {
    const tap = new Tap().send(50, 'old', { back: true })
    tap
      .send(100, '', { flags: SYN })
      .send(700, '', { flags: SYN | ACK, back: true })
      .send(701, 'new', { back: true })
    expect(tap.log).toEqual(['0:old', '0 gap 0', '0:new'])
  })

  it('ends with the FIN of both sides, after the data before it', () => {
    const tap = new Tap().send(1, 'ab').send(50, 'yz', { back: true })
    tap.send(5, '', { flags: FIN | ACK }).send(52, '', { back: true, flags: FIN | ACK })
    expect(tap.log).toEqual(['0:ab', '1:yz'])
    tap.send(3, 'cd')
    expect(tap.log).toEqual(['0:ab', '1:yz', '0:cd', 'end fin'])
    expect(tap.tcp.size).toBe(0)
    tap.send(6, '').send(53, '', { back: true })
    expect(tap.tcp.size).toBe(0)
  })

  it('ends with a RST, but not with one of another connection on the same ports', () => {
    const tap = new Tap().send(1, 'ab').send(900_000_000, '', { flags: RST })
    expect(tap.log).toEqual(['0:ab'])
    tap.send(3, '', { flags: RST })
    expect(tap.log).toEqual(['0:ab', 'end reset'])
  })

  it('one far sequence number is stray; three in a row are a stream that went on unseen', () => {
    const tap = new Tap().send(1, 'ab').send(800_000_000, 'zz').send(3, 'cd')
    expect(tap.streams[0]).toBe('abcd')
    tap.send(800_000_000, 'ef').send(800_000_002, 'gh').send(800_000_004, 'ij').send(800_000_006, 'kl')
    expect(tap.log).toEqual(['0:ab', '0:cd', '0 gap 0', '0:ij', '0:kl'])
  })

  it('the same addresses and ports in two VLANs are two connections', () => {
    const tap = new Tap().send(1, 'ab', { vlan: 1 }).send(5000, 'xy', { vlan: 2 }).send(3, 'cd', { vlan: 1 })
    expect(tap.tcp.size).toBe(2)
    expect(tap.streams[0]).toBe('abxycd')
  })

  it('follows only what it is asked to follow', () => {
    const asked: number[] = []
    const accept = (packet: DecodedPacket): boolean => {
      asked.push(packet.sourcePort)
      return packet.sourcePort === 5060 || packet.destinationPort === 5060
    }
    const tap = new Tap({ accept })
    tap.send(1, 'GET', { destinationPort: 80 }).send(1, 'SIP').send(4, '/2.0')
    expect(tap.log).toEqual(['0:SIP', '0:/2.0'])
    expect(asked).toHaveLength(2)
  })

  it('forgets connections that are quiet for long, and follows them again later', () => {
    const tap = new Tap({ idleMs: 10_000 }).send(1, 'ab').send(3, 'cd', { timeMs: 9000 })
    tap.send(5, 'ef', { timeMs: 30_000 })
    expect(tap.log).toEqual(['0:ab', '0:cd', 'end idle', '0:ef'])
    expect(tap.tcp.counters.connectionsIdle).toBe(1)
  })

  it('follows a bounded number of connections; the quietest gives way', () => {
    const tap = new Tap({ maxConnections: 2 })
    tap.send(0, '-a', { sourcePort: 1 }).send(0, '-b', { sourcePort: 2 }).send(2, 'A', { sourcePort: 1 })
    tap.send(0, '-c', { sourcePort: 3 }).send(3, 'x', { sourcePort: 1 })
    expect(tap.log).toEqual(['0:-a', '0:-b', '0:A', 'end evicted', '0:-c', '0:x'])
    expect([tap.tcp.size, tap.tcp.counters.connectionsEvicted]).toEqual([2, 1])
  })

  it('at the end hands out what it held', () => {
    const tap = new Tap().send(1, 'ab').send(5, 'ef')
    tap.tcp.finish()
    expect(tap.log).toEqual(['0:ab', '0 gap 2', '0:ef', 'end end_of_capture'])
    expect([tap.tcp.size, tap.tcp.heldBytes]).toEqual([0, 0])
  })

  it('any order of overlapping segments gives the stream, once', () => {
    const stream = Array.from({ length: 60 }, (_, i) => String.fromCharCode(33 + i)).join('')
    const cut = fc.tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 1, max: 20 }))
    fc.assert(
      fc.property(
        fc.array(cut, { maxLength: 30 }),
        fc.integer({ min: 0, max: 0xffffffff }),
        (cuts, start) => {
          const tap = new Tap()
          tap.send(start, '', { flags: SYN })
          for (const [from, length] of cuts)
            tap.send((start + 1 + from) >>> 0, stream.slice(from, from + length))
          // What is missing at the end comes as one retransmission of all.
          tap.send((start + 1) >>> 0, stream)
          expect(tap.streams[0]).toBe(stream)
          expect(tap.tcp.heldBytes).toBe(0)
          expect(tap.log).not.toContainEqual(expect.stringContaining('gap'))
        },
      ),
      propertyRuns(100),
    )
  })
})
