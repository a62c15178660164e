import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PacketBatch } from '../capture/batch.js'
import { PacketDecoder } from './decoder.js'
import { KIND_UDP } from './packet.js'
import { PLAIN_HEADERS, plainIpv4At } from './plain-frames.js'
import { propertyRuns } from '../../test/helpers/property-runs.js'

const RUNS = propertyRuns(5000)

function batchOf(bytes: Uint8Array, captured: number, wire: number, linkType = 1): PacketBatch {
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    first: 0,
    end: 1,
    frameOffset: Int32Array.of(0),
    capturedLength: Int32Array.of(captured),
    wireLength: Int32Array.of(wire),
    timeMs: Float64Array.of(1000),
    linkType: Uint16Array.of(linkType),
  }
}

/** RTP in UDP, IPv4 and Ethernet, by RFC 768, 791, 3550; `vlan` adds an 802.1Q tag. */
function rtpFrame(vlan: number | undefined, payload: number): Uint8Array {
  const tag = vlan === undefined ? 0 : 4
  const frame = new Uint8Array(14 + tag + 28 + 12 + payload)
  const view = new DataView(frame.buffer)
  if (vlan !== undefined) {
    view.setUint16(12, 0x8100)
    view.setUint16(14, vlan)
  }
  view.setUint16(12 + tag, 0x0800)
  const ip = 14 + tag
  frame[ip] = 0x45
  frame[ip + 1] = 0xb8
  view.setUint16(ip + 2, 40 + payload)
  frame[ip + 8] = 64
  frame[ip + 9] = 17
  view.setInt32(ip + 12, 0x0a000001)
  view.setInt32(ip + 16, 0x0a000002)
  view.setUint16(ip + 20, 4000)
  view.setUint16(ip + 22, 5000)
  view.setUint16(ip + 24, 20 + payload)
  view.setUint16(ip + 26, 0x1234)
  frame[ip + 28] = 0x80
  return frame
}

function scan({ bytes, view, capturedLength, wireLength, linkType }: PacketBatch): number {
  if (capturedLength[0] > bytes.length) return -1
  return plainIpv4At(view, 0, capturedLength[0], wireLength[0], linkType[0])
}

/** What the long way makes of a frame that passed must be what the short one takes for granted. */
function agrees(batch: PacketBatch): boolean {
  const at = scan(batch)
  if (at < 0) return true
  const decoder = new PacketDecoder()
  const { bytes, view, capturedLength, wireLength, linkType, timeMs } = batch
  const kind = decoder.decode(bytes, view, 0, capturedLength[0], wireLength[0], linkType[0], timeMs[0])
  return (
    kind === KIND_UDP &&
    decoder.bytes === bytes &&
    decoder.payloadOffset === at + PLAIN_HEADERS &&
    decoder.payloadCaptured === decoder.payloadLength &&
    decoder.payloadLength === view.getUint16(at + 24) - 8 &&
    decoder.payloadLength >= 12 &&
    bytes[decoder.payloadOffset] >> 6 === 2 &&
    decoder.ipVersion === 4 &&
    decoder.source0 === view.getInt32(at + 12) &&
    decoder.destination0 === view.getInt32(at + 16) &&
    decoder.sourcePort === view.getUint16(at + 20) &&
    decoder.destinationPort === view.getUint16(at + 22) &&
    decoder.udpChecksum === view.getUint16(at + 26) &&
    decoder.dscp === view.getUint8(at + 1) >> 2 &&
    !decoder.reassembled &&
    !decoder.fromHep
  )
}

describe('the look for plain frames', () => {
  it('passes RTP in UDP in IPv4 in Ethernet, with a VLAN tag or without', () => {
    const bare = rtpFrame(undefined, 160)
    expect(scan(batchOf(bare, bare.length, bare.length))).toBe(14)
    const tagged = rtpFrame(7, 160)
    expect(scan(batchOf(tagged, tagged.length, tagged.length))).toBe(18)
  })

  it.each([
    ['a frame that was cut', (f: Uint8Array) => batchOf(f, f.length - 10, f.length)],
    ['another link type', (f: Uint8Array) => batchOf(f, f.length, f.length, 113)],
    ['IPv4 with options', (f: Uint8Array) => batchOf(f.with(14, 0x46), f.length, f.length)],
    ['TCP', (f: Uint8Array) => batchOf(f.with(23, 6), f.length, f.length)],
    ['a fragment', (f: Uint8Array) => batchOf(f.with(20, 0x20), f.length, f.length)],
    ['a UDP length beyond the IP packet', (f: Uint8Array) => batchOf(f.with(38, 9), f.length, f.length)],
    ['RTP version 1', (f: Uint8Array) => batchOf(f.with(42, 0x40), f.length, f.length)],
    ['what may be VXLAN with group policy', (f: Uint8Array) => batchOf(f.with(42, 0x88), f.length, f.length)],
  ])('leaves %s to the decoder', (_, batch) => {
    expect(scan(batch(rtpFrame(undefined, 160)))).toBe(-1)
  })

  it('agrees with the decoder on whatever it passes', () => {
    let passed = 0
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 4095 }), { nil: undefined }),
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 3 }),
        fc.integer({ min: -6, max: 6 }),
        (vlan, payload, changes, more) => {
          const frame = rtpFrame(vlan, payload)
          for (const [at, value] of changes) if (at < frame.length) frame[at] = value
          const bytes = new Uint8Array(frame.length + Math.max(0, more))
          bytes.set(frame)
          const length = frame.length + more
          const batch = batchOf(bytes, length, length)
          if (scan(batch) >= 0) passed++
          return agrees(batch)
        },
      ),
      RUNS,
    )
    expect(passed).toBeGreaterThan(RUNS.numRuns / 10)
  })
})
