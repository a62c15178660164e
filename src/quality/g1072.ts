/**
 * ITU-T G.107.2 (06/2019, 03/2023), fullband E-model: R 0..148.
 *
 * Known from public implementations only, not from the text: the ceiling 148, the constant 132 in the loss equation,
 * and the delay term 1.48 x the narrowband Idd. No echo term is known, so none is applied: of a long delay only the
 * loss of interactivity counts here, not talker echo.
 */
import { absoluteDelay, G107_DEFAULTS } from './g107.js'
import { clampR, mosFromR } from './mos-mapping.js'

export const FULLBAND_R_MAX = 148

const SCALE = FULLBAND_R_MAX / 100

/** Where Ie,eff ends up when everything is lost and Bpl is small. */
const LOSS_CEILING = 132

/** Ie,eff,FB. `ppl` in percent. */
export function effectiveImpairmentFullband(ie: number, bpl: number, ppl: number, burstR: number): number {
  if (!(ppl > 0)) return ie
  return ie + ((LOSS_CEILING - ie) * ppl) / (ppl / burstR + bpl)
}

/** Id,FB at a one-way delay in ms. */
export function fullDelayImpairment(delayMs: number): number {
  return SCALE * absoluteDelay(delayMs, G107_DEFAULTS.st, G107_DEFAULTS.mt)
}

/** R (0..148) with the one-way delay in ms; 0 ms is listening quality. */
export function fullR(ie: number, bpl: number, ppl: number, burstR: number, delayMs: number): number {
  const r = FULLBAND_R_MAX - fullDelayImpairment(delayMs) - effectiveImpairmentFullband(ie, bpl, ppl, burstR)
  return clampR(r, FULLBAND_R_MAX)
}

/** Eq. B-4 of G.107 on R / 1.48. */
export function mosFromFullR(r: number): number {
  return mosFromR(r / SCALE)
}
