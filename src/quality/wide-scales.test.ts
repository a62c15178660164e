import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { mosFromWideR, wideConversationalR, wideDelayImpairment, wideListeningR } from './g1071.js'
import { fullDelayImpairment, fullR, mosFromFullR } from './g1072.js'
import { readVectors } from '../../test/reference/shared-vectors.js'

describe('G.107.1, wideband', () => {
  it.each([
    [0, 129, 4.5],
    [1, 128, 4.494],
    [8, 121, 4.4206],
    [13, 116, 4.3371],
    [41, 88, 3.5123],
    [56, 73, 2.922],
  ])('Ie,WB %d gives R %d and MOS %d without loss', (ie, r, mos) => {
    expect(wideListeningR(ie, 4.3, 0)).toBe(r)
    expect(mosFromWideR(r)).toBeCloseTo(mos, 4)
  })

  it('AMR-WB 12.65 diotic at 2 % loss: Ie,eff 43.8095, MOS 3.4062', () => {
    const r = wideListeningR(20, 4.3, 2)
    expect(129 - r).toBeCloseTo(43.8095, 4)
    expect(mosFromWideR(r)).toBeCloseTo(3.4062, 4)
  })

  // Computed independently from eq. 7-5..7-13 with Nfor = -96: No,WB -68.806, Roe 106.208.
  it('at 150 ms: talker echo 0.3554, listener echo 1.0123, absolute delay 0.2110', () => {
    const { idte, idle, idd } = wideDelayImpairment(150)
    expect(idte).toBeCloseTo(0.355448, 4)
    expect(idle).toBeCloseTo(1.012266, 4)
    expect(idd).toBeCloseTo(0.210955, 4)
    expect(wideConversationalR(5, 15, 0, 150)).toBeCloseTo(122.421331, 4)
  })

  it('at 50 ms, where K = 0.08 T + 10: R 128.255', () => {
    expect(wideDelayImpairment(50).idte).toBeCloseTo(0.092907, 4)
    expect(wideConversationalR(0, 15, 0, 50)).toBeCloseTo(128.255018, 4)
  })

  it('at 200 ms the absolute delay weighs 1.29 times the narrowband value', () => {
    expect(wideDelayImpairment(200).idd).toBeCloseTo(1.29 * 3.044414, 4)
  })

  it('the talker echo, whose noise term is an assumption, stays below 2 up to 400 ms', () => {
    expect(wideDelayImpairment(400).idte).toBeLessThan(2)
  })

  it('conversational quality never exceeds listening quality, and falls with loss and delay', () => {
    const loss = fc.double({ min: 0, max: 100, noNaN: true })
    const delay = fc.double({ min: 0, max: 2000, noNaN: true })
    fc.assert(
      fc.property(loss, loss, delay, delay, (loss1, loss2, delay1, delay2) => {
        const low = wideConversationalR(13, 4.3, Math.min(loss1, loss2), Math.min(delay1, delay2))
        const high = wideConversationalR(13, 4.3, Math.max(loss1, loss2), Math.max(delay1, delay2))
        expect(high).toBeLessThanOrEqual(low + 1e-9)
        expect(high).toBeGreaterThanOrEqual(0)
        expect(low).toBeLessThanOrEqual(wideListeningR(13, 4.3, Math.min(loss1, loss2)))
      }),
      propertyRuns(100),
    )
  })
})

describe('G.107.2, fullband', () => {
  it('EVS SWB 24.4 at 1 % loss: R 130.7355, MOS 4.2961', () => {
    const r = fullR(7.2, 11.4, 1, 1, 0)
    expect(r).toBeCloseTo(130.7355, 4)
    expect(mosFromFullR(r)).toBeCloseTo(4.2961, 4)
  })

  it('charges 1.48 times the narrowband absolute delay, nothing up to 100 ms', () => {
    expect(fullDelayImpairment(100)).toBe(0)
    expect(fullDelayImpairment(200)).toBeCloseTo(1.48 * 3.0444, 3)
    expect(fullR(10, 10, 0, 1, 200)).toBeCloseTo(148 - 10 - 1.48 * 3.0444, 3)
  })

  it('stays within 0..148', () => {
    expect(fullR(0, 1, 100, 8, 2000)).toBe(0)
    expect(fullR(0, 10, 0, 1, 0)).toBe(148)
  })
})

const vectors = readVectors('emodel_wb_fb.tsv')

describe.skipIf(vectors === undefined)('the shared wideband and fullband vectors', () => {
  it('agree in every row', () => {
    expect(vectors!.length).toBeGreaterThan(60)
    for (const row of vectors!) {
      const ie = Number(row.Ie)
      const bpl = row.Bpl === '-' ? 1 : Number(row.Bpl)
      const ppl = Number(row.Ppl_pct)
      const r = row.scale === 'WB' ? wideListeningR(ie, bpl, ppl) : fullR(ie, bpl, ppl, 1, 0)
      const mos = row.scale === 'WB' ? mosFromWideR(r) : mosFromFullR(r)
      expect(Math.abs(r - Number(row.R)), JSON.stringify(row)).toBeLessThan(0.0002)
      expect(Math.abs(mos - Number(row.MOS)), JSON.stringify(row)).toBeLessThan(0.0002)
    }
  })
})
