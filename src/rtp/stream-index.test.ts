import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { hashKey, StreamIndex } from './stream-index.js'

/** Slots found under a hash by probing, as the meter does. */
function find(index: StreamIndex, hash: number): number[] {
  const found: number[] = []
  for (let at = hash & index.mask; index.pairs[at * 2 + 1] !== 0; at = (at + 1) & index.mask) {
    if (index.pairs[at * 2] === hash) found.push(index.pairs[at * 2 + 1] - 1)
  }
  return found.sort((a, b) => a - b)
}

describe('StreamIndex', () => {
  it('finds what is in it and nothing else, after any inserts and removals', () => {
    // Few hashes, all around the end of the table, so that runs meet and wrap.
    const hash = fc.oneof(
      fc.integer({ min: 1015, max: 1030 }),
      fc.integer({ min: -10, max: 10 }),
      fc.integer(),
    )
    const step = fc.record({ remove: fc.boolean(), slot: fc.nat(199), hash })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const index = new StreamIndex(200, 16)
        const model = new Map<number, number>()
        for (const { remove, slot, hash } of steps) {
          const held = model.get(slot)
          if (held !== undefined && remove) {
            index.remove(held, slot)
            model.delete(slot)
          } else if (held === undefined && !remove) {
            index.insert(hash, slot)
            model.set(slot, hash)
          }
        }
        for (const hash of new Set([...model.values(), ...steps.map((s) => s.hash)])) {
          const expected = [...model].filter(([, h]) => h === hash).map(([slot]) => slot)
          expect(find(index, hash)).toEqual(expected.sort((a, b) => a - b))
        }
        expect(index.pairs.filter((_, k) => k % 2 === 1).filter((value) => value !== 0)).toHaveLength(
          model.size,
        )
      }),
      propertyRuns(300),
    )
  })

  it('grows with its streams: always at least twice as many places, and all are found', () => {
    const index = new StreamIndex(5000, 4)
    for (let slot = 0; slot < 5000; slot++) {
      index.insert(Math.imul(slot, 0x9e3779b1), slot)
      expect(index.mask + 1).toBeGreaterThanOrEqual(2 * (slot + 1))
    }
    expect((index.mask + 1) & index.mask).toBe(0)
    for (let slot = 0; slot < 5000; slot++) expect(find(index, Math.imul(slot, 0x9e3779b1))).toContain(slot)
  })

  it('removing what is not there changes nothing', () => {
    const index = new StreamIndex(8, 4)
    index.insert(5, 1)
    index.remove(5, 2)
    index.remove(6, 1)
    expect(find(index, 5)).toEqual([1])
  })
})

describe('hashKey', () => {
  it('spreads the streams of one gateway: neighbouring ports and addresses, evenly over a table of 4,096', () => {
    const places = new Uint16Array(4096)
    for (let k = 0; k < 2048; k++) {
      const ports = ((10_000 + 2 * k) << 16) | (20_000 + 2 * (k % 500))
      places[hashKey(0x0a000001, 0x0a000100 + (k >> 8), ports, 0x1000 + k) & 4095]++
    }
    // Balls in bins: a fair hash leaves some 60 % of the places empty and puts at most about 6 into one.
    expect(Math.max(...places)).toBeLessThanOrEqual(8)
    expect(places.filter((n) => n === 0).length).toBeLessThan(0.65 * 4096)
  })

  it('tells the directions of a call apart', () => {
    expect(hashKey(1, 2, (100 << 16) | 200, 7)).not.toBe(hashKey(2, 1, (200 << 16) | 100, 7))
  })
})
