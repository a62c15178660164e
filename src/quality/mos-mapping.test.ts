import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { mosFromR, R_CATEGORIES, rFromMos } from './mos-mapping.js'
import { readVectors } from '../../test/reference/shared-vectors.js'

describe('MOS from R, G.107 Annex B', () => {
  it.each([
    [-5, 1],
    [0, 1],
    [50, 2.575],
    [60, 3.1],
    [70, 3.597],
    [80, 4.024],
    [90, 4.339],
    [93.2, 4.409286],
    [100, 4.5],
    [129, 4.5],
  ])('R %d is MOS %d', (r, mos) => {
    expect(mosFromR(r)).toBeCloseTo(mos, 6)
  })

  it('is held at 1 where the polynomial dips below it, 0 < R < 6.5153', () => {
    expect(mosFromR(3.222)).toBe(1)
    expect(mosFromR(6.515)).toBe(1)
    expect(mosFromR(6.52)).toBeGreaterThan(1)
  })

  it('stays within 1..4.5 and never falls as R rises', () => {
    const r = fc.double({ min: -200, max: 200, noNaN: true })
    fc.assert(
      fc.property(r, r, (a, b) => {
        const [low, high] = [mosFromR(Math.min(a, b)), mosFromR(Math.max(a, b))]
        expect(low).toBeGreaterThanOrEqual(1)
        expect(high).toBeLessThanOrEqual(4.5)
        expect(high).toBeGreaterThanOrEqual(low - 1e-12)
      }),
      propertyRuns(100),
    )
  })

  it.each([
    [90, '4.34'],
    [80, '4.02'],
    [70, '3.60'],
    [60, '3.10'],
    [50, '2.58'],
  ])('the category limit R %d is MOS %s to two places', (r, mos) => {
    expect(mosFromR(r).toFixed(2)).toBe(mos)
    expect(R_CATEGORIES.some(({ rLowerLimit }) => rLowerLimit === r)).toBe(true)
  })
})

describe('R from MOS, G.107 Appendix I', () => {
  it.each([
    [1.5, 27.2688],
    [2, 38.6837],
    [2.5, 48.5683],
    [3, 58.0785],
    [3.5, 67.9615],
    [4, 79.3709],
    [4.3, 88.4798],
    [4.41, 93.237],
  ])('MOS %d is R %d', (mos, r) => {
    expect(Math.abs(rFromMos(mos) - r)).toBeLessThan(0.001)
  })

  it('undoes the mapping for every R from 6.6 to 100', () => {
    fc.assert(
      fc.property(fc.double({ min: 6.6, max: 100, noNaN: true }), (r) => {
        expect(Math.abs(rFromMos(mosFromR(r)) - r)).toBeLessThan(0.001)
      }),
      propertyRuns(100),
    )
  })

  it('gives the ends of the scale for MOS 1 and below, 4.5 and above', () => {
    expect(rFromMos(1)).toBe(0)
    expect(rFromMos(0.5)).toBe(0)
    expect(rFromMos(4.5)).toBe(100)
    expect(rFromMos(5)).toBe(100)
  })
})

const vectors = readVectors('emodel_nb.tsv')?.filter((row) => row.codec === 'R2MOS')

describe.skipIf(vectors === undefined)('the shared R to MOS vectors', () => {
  it('agree for R = 0..100', () => {
    expect(vectors).toHaveLength(101)
    for (const row of vectors!) {
      expect(mosFromR(Number(row.expected_R)), row.expected_R).toBeCloseTo(Number(row.expected_MOS), 6)
    }
  })
})
