import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { HepStream } from './hep-stream.js'

function message(length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill)
  bytes.set([0x48, 0x45, 0x50, 0x33, length >> 8, length & 255])
  return bytes
}

/** Sizes of the messages that come out of these pieces; `null` is a gap. */
function sizes(pieces: readonly (Uint8Array | null)[]): number[] {
  const stream = new HepStream()
  const found: number[] = []
  for (const piece of pieces) {
    if (piece === null) stream.gap()
    else stream.push(piece, ({ length }) => found.push(length))
  }
  return found
}

describe('HEP version 3 over TCP', () => {
  const two = Buffer.concat([message(40, 1), message(300, 2)])

  it('has messages one behind the other, however they are cut', () => {
    expect(sizes([two])).toEqual([40, 300])
    for (const size of [1, 3, 5, 39, 40, 41, 45]) {
      const pieces: Uint8Array[] = []
      for (let at = 0; at < two.length; at += size) pieces.push(two.subarray(at, at + size))
      expect(sizes(pieces)).toEqual([40, 300])
    }
  })

  it('keeps what it holds when the memory of a piece is used again', () => {
    const piece = Buffer.from(two.subarray(0, 100))
    const stream = new HepStream()
    const found: Uint8Array[] = []
    stream.push(piece, () => undefined)
    piece.fill(0)
    stream.push(two.subarray(100), (bytes) => found.push(bytes))
    expect(found.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.from(message(300, 2))])
  })

  it('goes on at the next message behind a gap, and behind junk', () => {
    expect(sizes([two.subarray(0, 100), null, two.subarray(200), message(50, 3)])).toEqual([40, 50])
    expect(sizes([Buffer.concat([Buffer.from('HHEP'), message(40, 1)])])).toEqual([40])
    // A length that not even holds the header.
    expect(sizes([Buffer.concat([Uint8Array.of(0x48, 0x45, 0x50, 0x33, 0, 3), message(40, 1)])])).toEqual([
      40,
    ])
  })

  it('hands out the same messages however anything is cut, and nothing that is none', () => {
    const junk = fc.uint8Array({ maxLength: 20 })
    const whole = fc.integer({ min: 6, max: 60 }).map((length) => message(length, 7))
    const torn = whole.map((bytes) => bytes.subarray(0, bytes.length >> 1))
    const input = fc.array(fc.oneof(junk, whole, torn), { maxLength: 8 }).map((parts) => Buffer.concat(parts))
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 70 }), (bytes, size) => {
        const handedOut = (pieces: readonly Uint8Array[]): string[] => {
          const stream = new HepStream()
          const found: string[] = []
          for (const piece of pieces)
            stream.push(piece, (one) => found.push(Buffer.from(one).toString('hex')))
          return found
        }
        const pieces: Uint8Array[] = []
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
        const found = handedOut([bytes])
        expect(handedOut(pieces)).toEqual(found)
        for (const one of found) expect(one.startsWith('48455033')).toBe(true)
      }),
      propertyRuns(1000),
    )
  })
})
