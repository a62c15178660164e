import { describe, expect, it } from 'vitest'
import { CandidateTable } from './candidates.js'

const T = 1_750_000_000_000

describe('flows on probation', () => {
  it('a second packet next in sequence is accepted, and hands back the first', () => {
    const table = new CandidateTable(16)
    expect(table.match(77, 65_535, -5, 0x80, 172, T, 9)).toBe(false)
    expect(table.match(77, 0, 155, 0, 172, T + 20, 10)).toBe(true)
    expect(table).toMatchObject({ timeMs: T, sequence: 65_535, timestamp: -5, type: 0x80, length: 172 })
    expect(table).toMatchObject({ duplicates: 0, spanDuplicates: 0, turnedAway: 0 })
    // The cell is free again.
    expect(table.match(77, 1, 315, 0, 172, T + 40, 11)).toBe(false)
  })

  it.each([
    ['one that arrived first and was sent second', -1, 0, 20, true],
    ['one 16 numbers on', 16, 0, 20, true],
    ['one 17 numbers on', 17, 0, 20, false],
    ['one 17 numbers back', -17, 0, 20, false],
    ['one of another payload type', 1, 8, 20, false],
    ['one with the marker bit', 1, 0x80, 20, true],
    ['one 2 s later', 1, 0, 2000, true],
    ['one more than 2 s later', 1, 0, 2001, false],
  ])('%s', (_name, step, type, laterMs, accepted) => {
    const table = new CandidateTable(16)
    table.match(1, 1000, 0, 0, 172, T, 9)
    expect(table.match(1, 1000 + step, 160 * step, type, 172, T + laterMs, 10)).toBe(accepted)
  })

  it('counts copies of the first packet, and which of them were a mirror’s', () => {
    const table = new CandidateTable(16)
    table.match(1, 5, 100, 0, 172, T, 9)
    table.match(1, 5, 100, 0, 172, T + 1, 9)
    table.match(1, 5, 100, 0, 172, T + 60, 9)
    table.match(1, 5, 100, 0, 172, T + 1, 8)
    expect(table.match(1, 6, 260, 0, 172, T + 80, 10)).toBe(true)
    expect(table).toMatchObject({ duplicates: 3, spanDuplicates: 1 })
  })

  it('many copies do not spill into the other fields', () => {
    const table = new CandidateTable(16)
    for (let k = 0; k < 100; k++) table.match(1, 5, 100, 0x88, 1400, T, 9)
    expect(table.match(1, 6, 260, 8, 172, T + 1, 10)).toBe(true)
    expect(table).toMatchObject({ duplicates: 15, spanDuplicates: 15, length: 1400, type: 0x88 })
  })

  it('a later packet that does not continue the first takes its place', () => {
    const table = new CandidateTable(16)
    table.match(1, 5, 100, 0, 172, T, 9)
    table.match(1, 40_000, 100, 0, 172, T + 20, 9)
    expect(table.match(1, 40_001, 260, 0, 172, T + 40, 9)).toBe(true)
    expect(table.sequence).toBe(40_000)
  })

  it('grows with its flows: of 10,000 at once, in a table for 50,000, each second packet meets its first', () => {
    const table = new CandidateTable(50_000)
    const hashes = Array.from({ length: 10_000 }, (_, k) => Math.imul(k + 1, 0x9e3779b1) | 0)
    for (const [k, hash] of hashes.entries()) table.match(hash, k, 160 * k, k & 0x7f, 100 + k, T + k / 10, k)
    for (const [k, hash] of hashes.entries()) {
      expect(table.match(hash, k + 1, 160 * k + 160, k & 0x7f, 172, T + 1100, 9)).toBe(true)
      expect(table).toMatchObject({ timeMs: T + k / 10, sequence: k, timestamp: 160 * k, length: 100 + k })
    }
    expect(table.turnedAway).toBe(0)
  })

  it('four flows share a set; a fifth is turned away and counted until one is 2 s old', () => {
    const table = new CandidateTable(16)
    const hashes = [1, 2, 3, 4, 5].map((k) => k << 20)
    for (const hash of hashes) table.match(hash, 1, 0, 0, 172, T, 9)
    expect(table.turnedAway).toBe(1)
    for (const hash of hashes.slice(0, 4)) expect(table.match(hash, 2, 160, 0, 172, T + 20, 9)).toBe(true)
    expect(table.match(hashes[4], 2, 160, 0, 172, T + 20, 9)).toBe(false)
    for (const hash of hashes) table.match(hash, 1, 0, 0, 172, T + 3000, 9)
    expect(table.match(hashes[4], 4, 480, 0, 172, T + 5010, 9)).toBe(false)
    expect(table.match(hashes[4], 5, 640, 0, 172, T + 5030, 9)).toBe(true)
  })
})
