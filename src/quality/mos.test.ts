import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { clampBurstRatio } from './burst-ratio.js'
import type { CodecRow } from './codec-row.js'
import { lookupCodec } from './codecs.js'
import { combineByTime, listeningMos, R_MAX, scoreExactly, scoreMedia, type ScoredStretch } from './mos.js'
import { qualityClass } from './quality-class.js'

function codec(name: string, clock: number, hints = {}): CodecRow {
  const row = lookupCodec(name, clock, hints)
  if (row === undefined) throw new Error(`no row for ${name}`)
  return row
}

const g711 = codec('PCMU', 8000)
const g729 = codec('G729', 8000)
const amrWb = codec('AMR-WB', 16000, { mode: 2 })
const evs = codec('EVS', 16000, { fmtp: 'br=24.4;bw=swb' })

describe('burst ratio within the range of G.107 Table 3', () => {
  it.each([
    [0.7, 1, 1],
    [NaN, 0, 1],
    [1.5, 5, 1.5],
    [3, 5, 2],
    [3, 2, 2],
    [3, 1.99, 3],
    [30, 1, 8],
    [Infinity, 1, 8],
  ])('%d at %d %% loss counts as %d', (burstRatio, loss, held) => {
    expect(clampBurstRatio(burstRatio, loss)).toBe(held)
  })
})

describe('scoring media', () => {
  it('G.711 over a clean network scores 4.41, and 4.36 with 100 ms of delay', () => {
    const score = scoreMedia({ codec: g711, lossPercent: 0, burstRatio: 1, delayMs: 100 })
    expect(score.mosLq).toBeCloseTo(4.4094, 4)
    expect(score.mosCq).toBeCloseTo(4.3549, 4)
    expect(score.rFactor).toBeCloseTo(90.6637, 4)
    expect(score.scale).toBe('nb')
    expect(score.grounded).toBe(true)
  })

  it('holds a burst ratio of 4 at 5 % loss to 2', () => {
    const input = { codec: g711, lossPercent: 5, delayMs: 0 }
    const held = scoreMedia({ ...input, burstRatio: 4 })
    expect(held.mosLq).toBeCloseTo(3.8641, 4)
    expect(scoreExactly({ ...input, burstRatio: 4 }).mosLq).toBeCloseTo(3.8296, 4)
  })

  it('AMR-WB is scored on the wideband scale', () => {
    const score = scoreMedia({ codec: amrWb, lossPercent: 0, burstRatio: 1, delayMs: 0 })
    expect(score.rFactorLq).toBe(116)
    expect(score.mosLq).toBeCloseTo(4.3371, 4)
    expect(score.scale).toBe('wb')
    expect(score.grounded).toBe(false)
  })

  it('EVS is scored on the fullband scale', () => {
    const score = scoreMedia({ codec: evs, lossPercent: 2, burstRatio: 1, delayMs: 50 })
    expect(score.rFactor).toBeCloseTo(122.1731, 4)
    expect(score.mosCq).toBeCloseTo(4.1166, 4)
    expect(score.model).toContain('G.107.2')
  })

  it('names the model and the row, and tells a stand-in', () => {
    const score = scoreMedia({ codec: codec('GSM', 8000), lossPercent: 0, burstRatio: 1, delayMs: 0 })
    expect(score.model).toMatch(/^G\.107 \(06\/2015\) nb; GSM-FR 13 kbit\/s, .*Ie 20, Bpl 10, stand-in\)$/)
  })

  it('never leaves the scale, rewards loss or delay, or lifts conversation over listening', () => {
    const rows = [g711, g729, amrWb, evs, codec('OPUS', 48000)]
    fc.assert(
      fc.property(
        fc.constantFrom(...rows),
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 2000, noNaN: true }),
        (row, lossPercent, delayMs) => {
          const score = scoreMedia({ codec: row, lossPercent, burstRatio: 1, delayMs })
          expect(score.rFactor).toBeGreaterThanOrEqual(0)
          expect(score.rFactor).toBeLessThanOrEqual(R_MAX[row.scale])
          expect(score.mosCq).toBeGreaterThanOrEqual(1)
          expect(score.mosLq).toBeLessThanOrEqual(4.5)
          expect(score.mosCq).toBeLessThanOrEqual(score.mosLq + 1e-6)
          const worse = scoreMedia({ codec: row, lossPercent: lossPercent + 1, burstRatio: 1, delayMs })
          expect(worse.mosLq).toBeLessThanOrEqual(score.mosLq)
        },
      ),
      propertyRuns(100),
    )
  })

  it('treats loss beyond 100 % as 100 %, a negative delay as none', () => {
    const all = { codec: g711, burstRatio: 1, delayMs: 0 }
    expect(scoreMedia({ ...all, lossPercent: 120 })).toEqual(scoreMedia({ ...all, lossPercent: 100 }))
    expect(scoreMedia({ ...all, lossPercent: 0, delayMs: -5 }).mosCq).toBeCloseTo(4.4094, 4)
  })

  it('listening quality alone is the same number', () => {
    for (const row of [g711, amrWb, evs]) {
      const score = scoreMedia({ codec: row, lossPercent: 3, burstRatio: 1.4, delayMs: 80 })
      expect(listeningMos(row, 3, 1.4)).toBe(score.mosLq)
    }
  })
})

describe('a codec change in a call', () => {
  function stretch(row: CodecRow, lossPercent: number, durationMs: number): ScoredStretch {
    const score = scoreMedia({ codec: row, lossPercent, burstRatio: 1, delayMs: 0 })
    return { codec: row, score, durationMs }
  }

  it('within one scale R is weighed by time: 93.206 for 3/4 and 82.206 for 1/4 is 90.456', () => {
    const combined = combineByTime([stretch(g711, 0, 30_000), stretch(g729, 0, 10_000)])
    expect(combined?.rFactor).toBeCloseTo(90.4562, 4)
    expect(combined?.mixedScale).toBe(false)
    expect(combined?.model).toBe(
      'G.107 (06/2015) nb; G.711 A/mu-law with PLC, G.113 Table I.4 (Ie 0, Bpl 25.1) + ' +
        'G.729A + VAD, G.113 (09/2024) App. I (Ie 11, Bpl 19), R weighed by time',
    )
  })

  it('over mixed scales the codec that was used longest speaks, even if its stretches are short', () => {
    const combined = combineByTime([
      stretch(g711, 0, 8_000),
      stretch(amrWb, 0, 10_000),
      stretch(g711, 5, 8_000),
    ])
    expect(combined?.mixedScale).toBe(true)
    expect(combined?.scale).toBe('nb')
    expect(combined?.rFactorLq).toBeCloseTo((93.2062 + 77.4255) / 2, 3)
    expect(combined?.model).toBe(g711.model)
  })

  it('one stretch is its own score', () => {
    const only = stretch(g729, 2, 5_000)
    expect(combineByTime([only])).toEqual({ ...only.score, mixedScale: false })
  })

  it('is grounded only if all of it is', () => {
    const combined = combineByTime([stretch(g711, 0, 1000), stretch(codec('GSM', 8000), 0, 1000)])
    expect(combined?.grounded).toBe(false)
  })

  it('no stretches, no score', () => {
    expect(combineByTime([])).toBeUndefined()
  })
})

describe('quality class', () => {
  it.each([
    [4.41, 'good'],
    [4.0, 'good'],
    [3.99, 'fair'],
    [3.6, 'fair'],
    [3.59, 'poor'],
    [undefined, 'unknown'],
    [NaN, 'unknown'],
  ])('MOS %d is %s', (mos, expected) => {
    expect(qualityClass(mos)).toBe(expected)
  })

  it('takes other thresholds', () => {
    expect(qualityClass(3.8, { good: 3.8, fair: 3 })).toBe('good')
    expect(qualityClass(2.9, { good: 3.8, fair: 3 })).toBe('poor')
  })
})
