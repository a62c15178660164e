import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { MemorySource } from '../capture/memory-source.js'
import { describedBatch, threadRows } from './described-batch.js'
import { frameDescriber, R_LENGTH_FLAGS, ROW_32 } from './packet-rows.js'

interface Frame {
  timeMs: number
  bytes: number[]
  wire: number
  linkType: number
}

interface Seen {
  frames: Frame[]
  /** Descriptions that differ from those made after reading. */
  wrongRows: number
  /** Batches that came with descriptions. */
  described: number
  warnings: string[]
}

async function read(chunks: readonly Uint8Array[], described: boolean): Promise<Seen> {
  const batch = described ? describedBatch() : undefined
  expect(batch !== undefined).toBe(described)
  const source = new MemorySource(chunks, { batch, batchCapacity: 100 })
  const seen: Seen = { frames: [], wrongRows: 0, described: 0, warnings: [] }
  const expected = new Int32Array(300 * ROW_32)
  const describeFrames = frameDescriber(expected)
  try {
    for (let got = await source.next(); got !== null; got = await source.next()) {
      if (got.rows) {
        expect(got.rows).toBe(threadRows)
        seen.described++
        describeFrames(got, got.first, got.end, got.first)
      }
      for (let k = got.first; k < got.end; k++) {
        const at = got.frameOffset[k]
        const bytes = [...got.bytes.subarray(at, at + got.capturedLength[k])]
        seen.frames.push({
          timeMs: got.timeMs[k],
          bytes,
          wire: got.wireLength[k],
          linkType: got.linkType[k],
        })
        const rowOf = (rows: Int32Array): Int32Array => rows.subarray(k * ROW_32, (k + 1) * ROW_32)
        if (got.rows && !sameRow(rowOf(got.rows), rowOf(expected))) seen.wrongRows++
      }
    }
  } catch (error) {
    seen.warnings.push(String(error))
  } finally {
    await source.close()
  }
  seen.warnings.push(...source.warnings.map(({ kind, message, offset }) => `${kind} ${message} ${offset}`))
  return seen
}

/** A row of a frame that is not plain says nothing else. */
function sameRow(a: Int32Array, b: Int32Array): boolean {
  if (a[R_LENGTH_FLAGS] === 0 && b[R_LENGTH_FLAGS] === 0) return true
  return a.every((word, k) => word === b[k])
}

/** A capture's header (draft-ietf-opsawg-pcap). */
function header(magic: number, minor: number, link: number, little: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(24))
  view.setUint32(0, magic, little)
  view.setUint16(4, 2, little)
  view.setUint16(6, minor, little)
  view.setUint32(16, 262_144, little)
  view.setUint32(20, link, little)
  return new Uint8Array(view.buffer)
}

function record(
  time: number,
  captured: number,
  wire: number,
  frame: Uint8Array,
  little: boolean,
): Uint8Array {
  const bytes = new Uint8Array(16 + frame.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, time, little)
  view.setUint32(4, time % 1_000_000, little)
  view.setUint32(8, captured, little)
  view.setUint32(12, wire, little)
  bytes.set(frame, 16)
  return bytes
}

/** Ethernet, IPv4, UDP and 12 to 40 bytes that begin like RTP. */
const rtpFrame = fc
  .record({
    payload: fc.uint8Array({ minLength: 12, maxLength: 40 }),
    checksum: fc.nat(1),
    vlan: fc.boolean(),
  })
  .map(({ payload, checksum, vlan }) => {
    const tag = vlan ? 4 : 0
    const frame = new Uint8Array(14 + tag + 28 + payload.length)
    const view = new DataView(frame.buffer)
    if (vlan) view.setUint16(12, 0x8100)
    view.setUint16(12 + tag, 0x0800)
    frame[14 + tag] = 0x45
    frame[15 + tag] = 0xb8
    view.setUint16(16 + tag, 28 + payload.length)
    frame[23 + tag] = 17
    view.setInt32(26 + tag, 0x0a000001)
    view.setInt32(30 + tag, 0x0a000002)
    view.setUint16(34 + tag, 4000)
    view.setUint16(36 + tag, 5000)
    view.setUint16(38 + tag, 8 + payload.length)
    view.setUint16(40 + tag, checksum)
    frame.set(payload, 42 + tag)
    frame[42 + tag] = 0x80
    return frame
  })

const frame = fc.oneof(
  { weight: 4, arbitrary: rtpFrame },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
)
const time = fc.integer({ min: 1, max: 0xffff_ffff })
/** Mostly as it should be; else its lengths are off, so that what follows is read as whatever it looks like. */
const piece = fc.record({
  time,
  frame,
  odd: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('cut', 'longer', 'none', 'wire too short', 'wire too long', 'huge'),
    },
  ),
})

function bytesOf(
  { time, frame, odd }: { time: number; frame: Uint8Array; odd?: string },
  little: boolean,
): Uint8Array {
  const length = frame.length
  const captured = odd === 'huge' ? 300_000 : odd === 'longer' ? length + 7 : odd === 'none' ? 0 : length
  const wire =
    odd === 'cut'
      ? length + 100
      : odd === 'wire too short'
        ? 3
        : odd === 'wire too long'
          ? 0x9000_0000
          : captured
  return record(odd === 'none' ? time % 2 : time, captured, wire, frame, little)
}

const capture = fc
  .record({
    magic: fc.constantFrom(0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34),
    minor: fc.constantFrom(4, 4, 4, 3, 2),
    link: fc.constantFrom(1, 1, 1, 113, 0x14000001),
    little: fc.oneof(
      { weight: 4, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
    pieces: fc.array(piece, { maxLength: 30 }),
    repeat: fc.integer({ min: 1, max: 20 }),
    tail: fc.nat(20),
  })
  .map(({ magic, minor, link, little, pieces, repeat, tail }) => {
    const records = pieces.map((one) => bytesOf(one, little))
    const all = [header(magic, minor, link, little), ...Array.from({ length: repeat }, () => records).flat()]
    const whole = Buffer.concat(all)
    return new Uint8Array(whole.subarray(0, Math.max(24, whole.length - tail)))
  })

function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set([0, ...places.map((place) => place % bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  )
  return cuts.slice(1).map((to, k) => bytes.slice(cuts[k], to))
}

describe('the described batch', () => {
  it('shows the same frames and warnings as any other, and describes each as it would be described afterwards', async () => {
    let described = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(capture, { minLength: 1, maxLength: 2 }),
        fc.array(fc.nat(), { maxLength: 3 }),
        async (captures, places) => {
          const chunks = cutAt(new Uint8Array(Buffer.concat(captures)), places)
          const plain = await read(chunks, false)
          const seen = await read(chunks, true)
          expect(seen.frames).toEqual(plain.frames)
          expect(seen.warnings).toEqual(plain.warnings)
          expect(seen.wrongRows).toBe(0)
          described += seen.described
        },
      ),
      propertyRuns(400),
    )
    expect(described).toBeGreaterThan(100)
  })

  it('is for one reader at a time', async () => {
    const bytes = header(0xa1b2c3d4, 4, 1, true)
    const source = new MemorySource(bytes, { batch: describedBatch() })
    expect(describedBatch()).toBeUndefined()
    await source.close()
    expect(describedBatch()).toBeDefined()
  })
})
