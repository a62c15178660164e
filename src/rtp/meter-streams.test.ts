import { describe, expect, it } from 'vitest'
import { Feed } from '../../test/differential/feed.js'
import { Random } from '../../test/differential/random.js'
import { inArrivalOrder, packet, START_MS, stream } from '../../test/differential/streams.js'
import { PACKET_CANDIDATE, PACKET_NO_ROOM, PACKET_RTCP, PACKET_RTP } from './meter.js'

interface HeaderOptions {
  ssrc?: number
  first?: number
  length?: number
  type?: number
}

/** RTP: version 2, G.711, with header oddities as the test says. */
function rtp(sequence: number, options: HeaderOptions = {}) {
  const payload = new Uint8Array(options.length ?? 172)
  const view = new DataView(payload.buffer)
  view.setUint8(0, options.first ?? 0x80)
  view.setUint8(1, options.type ?? 0)
  view.setUint16(2, sequence)
  view.setUint32(4, sequence * 160)
  view.setUint32(8, options.ssrc ?? 1)
  return payload
}

describe('streams', () => {
  it('of two SSRCs interleaved on one pair of ports are two, each without loss', () => {
    const second = stream(0, 300, (i) => ({ ssrc: 2, seq: (50_000 + i) & 0xffff, delayMs: 7 }))
    const feed = new Feed().announce().sendAll(inArrivalOrder([...stream(0, 300), ...second]))
    feed.end()
    const totals = feed.collector.streams.map((s) => s.totals)
    expect(totals).toHaveLength(2)
    for (const each of totals)
      expect(each).toMatchObject({ packets: 300, lost: 0, segments: 1, jitterMax: 0 })
  })

  it('of one SSRC to two ports are two (NAT rebinding)', () => {
    const feed = new Feed()
    for (let k = 0; k < 200; k++)
      feed.sendPayload(rtp(k), START_MS + k * 20, { sourcePort: k < 100 ? 4000 : 4100 })
    feed.end()
    expect(feed.collector.streams.map((s) => s.totals.packets)).toEqual([100, 100])
  })

  it('over IPv6 are told apart by every word of both addresses', () => {
    const feed = new Feed()
    const names = [
      'source0',
      'source1',
      'source2',
      'source3',
      'destination0',
      'destination1',
      'destination2',
      'destination3',
    ]
    const base = Object.fromEntries(names.map((name, k) => [name, 100 + k]))
    for (let sequence = 0; sequence < 50; sequence++) {
      for (const name of ['', ...names]) {
        const fields = name === '' ? base : { ...base, [name]: 99 }
        feed.sendPayload(rtp(sequence), START_MS + sequence * 20, { ...fields, ipVersion: 6 })
      }
    }
    const { streams } = feed.collector
    expect(streams).toHaveLength(9)
    const identities = streams.map(({ slot }) => feed.meter.identity(slot))
    expect(identities[0]).toMatchObject({
      ipVersion: 6,
      source: [100, 101, 102, 103],
      destination: [104, 105, 106, 107],
    })
    expect(new Set(identities.map((id) => JSON.stringify([id.source, id.destination]))).size).toBe(9)
    feed.end()
    for (const { totals } of streams) expect(totals).toMatchObject({ packets: 50, lost: 0 })
  })

  it.each<[string, HeaderOptions]>([
    ['with SSRC 0', { ssrc: 0 }],
    ['with SSRC 0xffffffff', { ssrc: 0xffffffff }],
    ['without payload', { length: 12 }],
    ['with padding', { first: 0xa0 }],
    ['with an extension header', { first: 0x90 }],
    ['with 15 contributing sources', { first: 0x8f }],
  ])('%s are measured like any other', (_name, options) => {
    const feed = new Feed()
    for (let k = 0; k < 100; k++) feed.sendPayload(rtp(k, options), START_MS + k * 20)
    const ssrc = options.ssrc ?? 1
    expect(feed.meter.identity(0).ssrc).toBe(ssrc)
    expect(feed.finish()).toMatchObject({ packets: 100, lost: 0, jitterUpdates: 99, jitterMax: 0 })
  })

  it('RTCP is told from RTP by its packet type, also on one port (RFC 5761)', () => {
    const feed = new Feed().announce()
    for (let k = 0; k < 10; k++) feed.sendPayload(rtp(k), START_MS + k * 20)
    for (const type of [192, 200, 201, 202, 203, 204, 207, 223])
      expect(feed.sendPayload(rtp(11, { type }), START_MS + 200)).toBe(PACKET_RTCP)
    expect(feed.sendPayload(rtp(10, { type: 191 }), START_MS + 210)).toBe(PACKET_RTP)
    expect(feed.finish().packets).toBe(11)
  })

  it('the marker bit on a packet type that would read as RTCP does not start a stream', () => {
    const feed = new Feed().announce()
    for (let k = 0; k < 10; k++)
      expect(feed.sendPayload(rtp(k, { type: 72 + (k % 5) }), START_MS + k * 20)).toBe(PACKET_CANDIDATE)
    feed.end()
    expect(feed.collector.streams).toEqual([])
  })
})

describe('what is no RTP never becomes a stream', () => {
  it('random payloads on a few busy flows', () => {
    const random = new Random(42)
    const feed = new Feed()
    for (let k = 0; k < 200_000; k++) {
      const payload = new Uint8Array(40)
      for (let b = 0; b < 16; b++) payload[b] = random.integer(0, 255)
      payload[0] = 0x80 | (payload[0] & 0x3f)
      feed.sendPayload(payload, START_MS + k, { sourcePort: 1000 + (k & 7) })
    }
    expect(feed.meter.counters).toMatchObject({ streams: 0, active: 0 })
  })

  it('DNS questions and answers, on a fixed port, whose identifiers happen to begin with bits 10', () => {
    const random = new Random(43)
    const feed = new Feed()
    for (let k = 0; k < 20_000; k++) {
      // identifier, flags, one question, answers, authority, additional
      const dns = new Uint8Array(40)
      const view = new DataView(dns.buffer)
      view.setUint16(0, 0x8000 | random.integer(0, 0x3fff))
      view.setUint16(2, random.chance(0.5) ? 0x0100 : 0x8180)
      view.setUint16(4, 1)
      view.setUint16(6, random.integer(0, 3))
      view.setUint16(10, 1)
      feed.sendPayload(dns, START_MS + k * 3, { sourcePort: 53 })
    }
    expect(feed.meter.counters).toMatchObject({ streams: 0, active: 0 })
  })

  it('a QUIC-like flow: constant first bytes, a counter, a connection identifier, the rest encrypted', () => {
    const random = new Random(44)
    const feed = new Feed()
    for (let k = 0; k < 20_000; k++) {
      const quic = new Uint8Array(60)
      for (let b = 0; b < 60; b++) quic[b] = random.integer(0, 255)
      quic[0] = 0x80 | random.integer(0, 0x3f)
      // Eight bytes of connection identifier follow; the packet number is encrypted.
      quic.set([1, 2, 3, 4, 5, 6, 7, 8], 1)
      feed.sendPayload(quic, START_MS + k * 2)
    }
    expect(feed.meter.counters).toMatchObject({ streams: 0 })
  })

  it('four packets in sequence and then silence', () => {
    const feed = new Feed()
    feed.sendAll(stream(0, 4))
    for (let now = START_MS; now < START_MS + 10_000; now += 500) feed.meter.sweep(now, 4)
    expect(feed.meter.counters).toMatchObject({ streams: 0, active: 0, rejectedCandidates: 1 })
    expect(feed.collector.streams).toEqual([])
  })
})

describe('a stream that no signalling announced', () => {
  it('counts from its first packet once five came in order', () => {
    const feed = new Feed()
    const results = stream(0, 6).map((p) => feed.send(p))
    expect(results).toEqual([PACKET_CANDIDATE, ...new Array<number>(5).fill(PACKET_RTP)])
    expect(feed.collector.streams).toHaveLength(1)
    expect(feed.finish()).toMatchObject({ packets: 6, lost: 0, jitterUpdates: 5, firstPacket: START_MS })
  })

  it('counts losses, repeats and late packets among its first as well', () => {
    const packets = [0, 1, 3, 2, 2, 5, 6, 7, 8].map((index, k) =>
      packet(index, { timeMs: START_MS + k * 20 }),
    )
    expect(new Feed().sendAll(packets).finish()).toMatchObject({
      packets: 8,
      lost: 1,
      duplicates: 1,
      reordered: 1,
    })
  })
})

describe('a full table', () => {
  it('counts the packets of streams it has no room for, and serves those it has', () => {
    const feed = new Feed({ maxStreams: 2 }).announce()
    for (let k = 0; k < 50; k++) {
      for (let ssrc = 1; ssrc <= 3; ssrc++) {
        const result = feed.sendPayload(rtp(k, { ssrc }), START_MS + k * 20)
        expect(result).toBe(ssrc === 3 ? PACKET_NO_ROOM : PACKET_RTP)
      }
    }
    expect(feed.meter.counters).toMatchObject({ streams: 2, active: 2, noRoomPackets: 50 })
    feed.end()
    expect(feed.collector.streams.map((s) => s.totals.packets)).toEqual([50, 50])
  })

  it('of streams that belong to no call ends the longest silent for one that a call announced', () => {
    const [spoofed, ofCall] = [{ destination0: 0x0a640002 }, { destination0: 0x0a000002 }]
    const feed = new Feed({ maxStreams: 20 })
    for (let k = 0; k < 50; k++)
      for (let ssrc = 1; ssrc <= 20; ssrc++)
        if (ssrc !== 7 || k < 40) feed.sendPayload(rtp(k, { ssrc }), START_MS + k * 20, spoofed)
    feed.announce()
    for (let k = 0; k < 50; k++) feed.sendPayload(rtp(k, { ssrc: 99 }), START_MS + 1000 + k * 20, ofCall)
    // One more of the flood finds no room, each time that its second packet asks for it: nothing ends for it.
    for (let k = 0; k < 50; k++) feed.sendPayload(rtp(k, { ssrc: 21 }), START_MS + 1000 + k * 20, spoofed)
    expect(feed.meter.counters).toMatchObject({ active: 20, displaced: 1, noRoomPackets: 25 })
    expect(feed.collector.streams[6]).toMatchObject({ ended: true, totals: { packets: 40 } })
    feed.end()
    expect(feed.collector.streams.map((s) => s.totals.packets)).toEqual([
      ...[50, 50, 50, 50, 50, 50, 40, 50, 50, 50],
      ...[50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50],
    ])
  })

  it('has room again when a stream ended', () => {
    const feed = new Feed({ maxStreams: 1, idleMs: 60_000 }).announce().sendAll(stream(0, 50))
    for (let now = START_MS; now < START_MS + 70_000; now += 1000) feed.meter.sweep(now, 1)
    expect(feed.collector.streams[0].ended).toBe(true)
    feed.sendAll(stream(4000, 4100, () => ({ ssrc: 9 }))).end()
    expect(feed.collector.streams[1]).toMatchObject({ slot: 0, totals: { packets: 100 } })
  })
})

describe('a slot that is used again', () => {
  it('keeps nothing of the stream before: both read the same as alone', () => {
    const random = new Random(5)
    // The first leaves everything behind: depth, offsets, skew, bursts, a pending restart, half a second of PDV.
    const messy = inArrivalOrder(
      stream(0, 4000, (i) => ({
        delayMs: (i > 2000 ? 300 : 0) + 90 * random.next() + i * 0.002,
        pt: i % 700 === 5 ? 101 : i % 900 === 7 ? 13 : i > 3000 ? 8 : 0,
        payloadLength: i % 700 === 5 ? 16 : 172,
        ts: i * 160 + (i > 2500 ? 99_999 : 0),
      })).filter(() => random.chance(0.9)),
    )
    messy.push(packet(4000, { seq: 60_000 }))
    const later = inArrivalOrder(
      stream(10_000, 12_500, () => ({ ssrc: 77, delayMs: 70 * random.next() })).filter(() =>
        random.chance(0.97),
      ),
    )
    const alone = new Feed({ maxStreams: 1 }).announce().sendAll(later).finish()
    const feed = new Feed({ maxStreams: 1, idleMs: 20_000 }).announce().sendAll(messy)
    for (let now = START_MS + 80_000; now < START_MS + 120_000; now += 1000) feed.meter.sweep(now, 1)
    expect(feed.collector.streams[0].ended).toBe(true)
    feed.sendAll(later).end()
    expect(feed.collector.streams[1].slot).toBe(0)
    expect(feed.collector.streams[1].totals).toEqual(alone)
  })
})
