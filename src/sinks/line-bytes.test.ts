import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { LineBytes } from './line-bytes.js'
import { roundTo } from './rounding.js'

function written(write: (out: LineBytes) => void): string {
  const out = new LineBytes()
  write(out)
  return out.bytes.toString('utf8', 0, out.length)
}

/** Half up at the last decimal, no zeros behind it: what a reader of the line has to get back. */
function rounded(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals + 0
}

describe('numbers of a line', () => {
  it('are whole ones digit by digit, whatever their size and sign', () => {
    for (const value of [0, -0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, -1, 1e15, Number.MAX_SAFE_INTEGER])
      expect(written((out) => out.decimal(value, 0))).toBe(String(value + 0))
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(written((out) => out.decimal(value, 0))).toBe(String(value + 0))
      }),
      propertyRuns(500),
    )
  })

  it('are decimals that read back as the rounded value, in the fewest digits', () => {
    for (const [value, text] of [
      [0.05, '0.05'],
      [1.0005, '1.001'],
      [2.0004, '2'],
      [-1.5, '-1.5'],
      [99.9996, '100'],
      [0.0001, '0'],
      [1234567.125, '1234567.125'],
      [3e9 + 0.5, '3000000000.5'],
    ] as const)
      expect(written((out) => out.decimal(value, 3))).toBe(text)
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ min: -1e7, max: 1e7, noNaN: true }),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
        ),
        fc.constantFrom(3, 4, 6),
        (value, decimals) => {
          const text = written((out) => out.decimal(value, decimals))
          if (Math.abs(value) < 1e9) expect(text).toBe(String(rounded(value, decimals)))
          else expect(Number(text)).toBeCloseTo(value, -Math.log10(Math.abs(value)) + 15)
        },
      ),
      propertyRuns(1000),
    )
  })

  it('are what JavaScript writes of what they are rounded to', () => {
    const edges = [
      0.0005,
      0.00005,
      0.9995,
      1.9999999,
      0.1 + 0.2,
      1.005,
      255.9996,
      2147483.6475,
      -0.0004,
      -1.5,
    ]
    const numbers = fc.oneof(
      fc.constantFrom(...edges),
      fc.integer(),
      fc.double({ min: -10, max: 10, noNaN: true }),
      fc.double({ min: 0, max: 5e6, noNaN: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    fc.assert(
      fc.property(numbers, fc.constantFrom(3, 4, 6), (value, decimals) => {
        expect(written((out) => out.decimal(value, decimals))).toBe(String(roundTo(value, decimals)))
      }),
      propertyRuns(5000),
    )
    for (const edge of edges) expect(written((out) => out.decimal(edge, 3))).toBe(String(roundTo(edge, 3)))
  })
})

describe('text of a line', () => {
  it('is quoted when it is plain, and left alone when it is not', () => {
    expect(written((out) => out.quoted('call-1@example.com'))).toBe('"call-1@example.com"')
    for (const text of ['a"b', 'a\\b', 'a\nb', 'ä', '\u007f', '\ud83d\udcde'])
      expect(written((out) => expect(out.quoted(text)).toBe(false))).toBe('')
  })

  it('stays whole when the memory has to grow', () => {
    const parts = Array.from({ length: 3000 }, (_, n) => `part ${n} ä `)
    const text = written((out) => {
      for (const part of parts) out.text(part)
    })
    expect(text).toBe(parts.join(''))
    const copied = written((out) => {
      const from = new LineBytes()
      for (const part of parts) from.text(part)
      out.text('before ')
      out.copy(from, 0, from.length)
    })
    expect(copied).toBe(`before ${parts.join('')}`)
  })
})

describe('memory of lines', () => {
  it('that an unusual lot of text took is given back once that is written', () => {
    const out = new LineBytes()
    out.text('x'.repeat(2_000_000))
    out.clear()
    expect(out.length).toBe(0)
    expect(out.bytes.length).toBeLessThan(100_000)
    out.text('x'.repeat(1_000_000))
    const kept = out.bytes
    out.clear()
    expect(out.bytes).toBe(kept)
  })
})
