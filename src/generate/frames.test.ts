import { describe, expect, it } from 'vitest'
import { parseAddress, parseEndpoint } from './addresses.js'
import { ipPackets, PROTOCOL_UDP, tcpSegment, udpDatagram } from './frames.js'
import { generateScenario } from './generate.js'
import { buildFrames } from './link.js'
import { readDatagram } from './read-back.js'

/** Sum of 16-bit words with end-around carry: 0xffff over anything that holds its own checksum (RFC 1071). */
function onesComplementSum(...parts: Uint8Array[]): number {
  let sum = 0
  for (const part of parts)
    for (let i = 0; i < part.length; i += 2) {
      sum += part[i] * 256 + (part[i + 1] ?? 0)
      sum = (sum % 65536) + Math.floor(sum / 65536)
    }
  return sum
}

const LINK = { vlans: [], tunnel: null, mtu: 1500, snaplen: 0 }
const FIELDS = { dscp: 0, ttl: 64, identification: 0 }

describe('IPv4 header', () => {
  it('is, byte by byte, the textbook header whose checksum is b861', () => {
    const from = parseAddress('192.168.0.1', 'test')
    const to = parseAddress('192.168.0.199', 'test')
    const [packet] = ipPackets(from, to, PROTOCOL_UDP, new Uint8Array(0x73 - 20), FIELDS, 1500)
    expect(Buffer.from(packet.subarray(0, 20)).toString('hex')).toBe(
      '450000730000400040' + '11b861c0a80001c0a800c7',
    )
  })
})

describe('checksums', () => {
  it('of UDP and TCP cover the pseudo header, for odd lengths too', () => {
    const from = parseEndpoint('[2001:db8::1]:1000', 'test')
    const to = parseEndpoint('[2001:db8::2]:2000', 'test')
    const payload = Uint8Array.from([1, 2, 3])
    const addresses = Uint8Array.from([...from.address.bytes, ...to.address.bytes])
    const udp = udpDatagram(from, to, payload)
    expect(onesComplementSum(addresses, Uint8Array.from([0, 17, 0, udp.length]), udp)).toBe(0xffff)
    const tcp = tcpSegment(from, to, 1, 2, 16, payload)
    expect(onesComplementSum(addresses, Uint8Array.from([0, 6, 0, tcp.length]), tcp)).toBe(0xffff)
  })

  it('are valid in every frame of a call over TCP with RTCP', () => {
    const { packets } = generateScenario({ calls: [{ duration_s: 6, sip: { transport: 'tcp' } }] })
    expect(packets.length).toBeGreaterThan(500)
    for (const packet of packets) {
      const { header, addresses, segment, protocol } = readDatagram(packet)
      expect(onesComplementSum(header)).toBe(0xffff)
      const pseudo = Uint8Array.from([0, protocol, segment.length >> 8, segment.length & 255])
      expect(onesComplementSum(addresses, pseudo, segment)).toBe(0xffff)
    }
  })
})

describe('fragments', () => {
  it('of IPv4 stay within the MTU, begin at multiples of 8 and add up to the datagram', () => {
    const from = parseEndpoint('192.0.2.1:1000', 'test')
    const to = parseEndpoint('192.0.2.2:2000', 'test')
    const datagram = udpDatagram(
      from,
      to,
      Uint8Array.from({ length: 1000 }, (_, i) => i),
    )
    const packets = ipPackets(from.address, to.address, PROTOCOL_UDP, datagram, FIELDS, 333)
    const whole = new Uint8Array(datagram.length)
    packets.forEach((packet, i) => {
      expect(packet.length).toBeLessThanOrEqual(333)
      const word = packet[6] * 256 + packet[7]
      expect(word >> 13).toBe(i < packets.length - 1 ? 1 : 0)
      whole.set(packet.subarray(20), (word & 0x1fff) * 8)
    })
    expect(packets.length).toBe(4)
    expect(whole).toEqual(datagram)
  })

  it('of IPv6 carry a fragment header with offset, M bit and identification', () => {
    const from = parseEndpoint('[::1]:1', 'test')
    const to = parseEndpoint('[::2]:2', 'test')
    const datagram = udpDatagram(from, to, new Uint8Array(200))
    const fields = { ...FIELDS, identification: 0x77 }
    const packets = ipPackets(from.address, to.address, PROTOCOL_UDP, datagram, fields, 160)
    // 160 - 40 - 8 = 112 bytes of room; 208 bytes need two packets.
    expect(packets.map((packet) => [...packet.subarray(40, 48)])).toEqual([
      [17, 0, 0, 1, 0, 0, 0, 0x77],
      [17, 0, 0, 112, 0, 0, 0, 0x77],
    ])
    expect(packets[0][6]).toBe(44)
  })
})

describe('encapsulation', () => {
  const from = parseEndpoint('192.0.2.1:1000', 'test')
  const to = parseEndpoint('192.0.2.2:2000', 'test')
  const ends = {
    source: parseEndpoint('203.0.113.1:49152', 't'),
    destination: parseEndpoint('203.0.113.2:1', 't'),
  }
  const datagram = udpDatagram(from, to, Uint8Array.from([0xaa]))
  const plain = buildFrames(
    { ...LINK, vlans: [7] },
    from.address,
    to.address,
    PROTOCOL_UDP,
    datagram,
    FIELDS,
  )[0]

  it('VXLAN is UDP to 4789, flags 08, the network identifier in bytes 4..6, then the whole frame', () => {
    const link = { ...LINK, vlans: [7], tunnel: { kind: 'vxlan' as const, ...ends, id: 0x123456 } }
    const [frame] = buildFrames(link, from.address, to.address, PROTOCOL_UDP, datagram, FIELDS)
    const outer = readDatagram({ timeMs: 0, frame })
    expect(outer.destinationPort).toBe(4789)
    expect([...outer.payload.subarray(0, 8)]).toEqual([8, 0, 0, 0, 0x12, 0x34, 0x56, 0])
    expect(outer.payload.subarray(8)).toEqual(plain)
  })

  it('ERSPAN II is GRE with a sequence number, protocol 88be, version 1 and the session in 10 bits', () => {
    const link = { ...LINK, vlans: [7], tunnel: { kind: 'erspan' as const, ...ends, id: 0x155 } }
    const [frame] = buildFrames(link, from.address, to.address, PROTOCOL_UDP, datagram, FIELDS)
    const outer = readDatagram({ timeMs: 0, frame })
    expect(outer.protocol).toBe(47)
    expect(Buffer.from(outer.segment.subarray(0, 16)).toString('hex')).toBe(
      '100088be00000000' + '1000015500000000',
    )
    expect(outer.segment.subarray(16)).toEqual(plain)
  })

  it('two VLAN tags have the outer as 802.1ad and the inner as 802.1Q', () => {
    const link = { ...LINK, vlans: [300, 301] }
    const [frame] = buildFrames(link, from.address, to.address, PROTOCOL_UDP, datagram, FIELDS)
    expect(Buffer.from(frame.subarray(12, 22)).toString('hex')).toBe('88a8012c8100012d0800')
  })
})
