import { describe, expect, it } from 'vitest'
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
})
