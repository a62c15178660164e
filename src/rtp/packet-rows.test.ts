import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PacketBatch } from '../capture/batch.js'
import { PacketDecoder } from '../decode/decoder.js'
import { KIND_UDP } from '../decode/packet.js'
import * as R from './packet-rows.js'
import { hashKey } from './stream-index.js'
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

/** The row of the batch's frame; undefined when it is not plain. */
function rowOf(batch: PacketBatch): Int32Array | undefined {
  const rows = new Int32Array(3 * R.ROW_32).fill(0x7e7e7e7e)
  R.frameDescriber(rows)(batch, 0, 1, 1)
  for (const other of [rows.subarray(0, R.ROW_32), rows.subarray(2 * R.ROW_32)])
    expect(other.every((word) => word === 0x7e7e7e7e)).toBe(true)
  const row = rows.subarray(R.ROW_32, 2 * R.ROW_32)
  return row[R.R_LENGTH_FLAGS] === 0 ? undefined : row
}

/** What the long way makes of a plain frame must be what its row says. */
function agrees(batch: PacketBatch): boolean {
  const row = rowOf(batch)
  if (row === undefined) return true
  const decoder = new PacketDecoder()
  const { bytes, view, capturedLength, wireLength, linkType, timeMs } = batch
  const kind = decoder.decode(bytes, view, 0, capturedLength[0], wireLength[0], linkType[0], timeMs[0])
  const at = decoder.payloadOffset
  const ports = (decoder.sourcePort << 16) | decoder.destinationPort
  return (
    kind === KIND_UDP &&
    decoder.bytes === bytes &&
    decoder.payloadCaptured === decoder.payloadLength &&
    decoder.payloadLength === (row[R.R_LENGTH_FLAGS] & 0xffff) &&
    decoder.payloadLength >= 12 &&
    bytes[at] >> 6 === 2 &&
    decoder.ipVersion === 4 &&
    decoder.source0 === row[R.R_SOURCE] &&
    decoder.destination0 === row[R.R_DESTINATION] &&
    hashKey(decoder.source0, decoder.destination0, ports, row[R.R_SSRC]) === row[R.R_HASH] &&
    view.getInt32(at) === row[R.R_RTP] &&
    view.getInt32(at + 4) === row[R.R_TIMESTAMP] &&
    view.getInt32(at + 8) === row[R.R_SSRC] &&
    decoder.dscp === row[R.R_LENGTH_FLAGS] >>> 24 &&
    !decoder.reassembled &&
    !decoder.fromHep
  )
}

describe('the rows of frames', () => {
  it('describe RTP in UDP in IPv4 in Ethernet, with a VLAN tag or without', () => {
    const bare = rtpFrame(undefined, 160)
    expect(rowOf(batchOf(bare, bare.length, bare.length))?.[R.R_LENGTH_FLAGS]).toBe(172 | (46 << 24))
    const tagged = rtpFrame(7, 160)
    expect(rowOf(batchOf(tagged, tagged.length, tagged.length))?.[R.R_LENGTH_FLAGS]).toBe(172 | (46 << 24))
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
  ])('leave %s to the decoder', (_, batch) => {
    expect(rowOf(batch(rtpFrame(undefined, 160)))).toBeUndefined()
  })

  it('agree with the decoder on whatever they describe', () => {
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
          if (rowOf(batch)) passed++
          return agrees(batch)
        },
      ),
      RUNS,
    )
    expect(passed).toBeGreaterThan(RUNS.numRuns / 10)
  })
})
