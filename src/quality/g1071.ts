/**
 * ITU-T G.107.1 (06/2019) with Corrigendum 1 (01/2020), wideband E-model: R 0..129.
 *
 * R = 129 - Id,WB - Ie,eff,WB. The loss equation (7-15) keeps the constant 95 of the narrowband model and has no
 * burst ratio, and G.113 publishes no wideband robustness for bursty loss: burst ratio has no effect here.
 *
 * Delay is the part that is not confirmed against the text of the Recommendation; the equations below (7-5..7-13)
 * agree with an independent public implementation that cites them. Roe needs a noise power No,WB which G.107.1
 * leaves open; it is the narrowband noise sum with G.107.1's noise floor of -96 dBmp. The talker echo that depends
 * on it stays below 2 points of R up to 400 ms.
 */
import { absoluteDelay, G107_DEFAULTS, listenerEcho, totalNoise } from './g107.js'
import { clampR, mosFromR } from './mos-mapping.js'

export const WIDEBAND_R_MAX = 129

/** R that maps to the narrowband scale's 100 in Annex A: Rx = R / 1.29. */
const SCALE = WIDEBAND_R_MAX / 100

const ROE = -1.5 * (totalNoise({ ...G107_DEFAULTS, nfor: -96 }) - G107_DEFAULTS.rlr)

export interface DelayImpairment {
  id: number
  idte: number
  idle: number
  idd: number
}

/** Eq. 7-5..7-10, talker echo with the wideband correction K (0.08 T + 10 below 100 ms, 18 from there on). */
function talkerEchoWideband(t: number): number {
  if (t < 1) return 0
  const k = t < 100 ? 0.08 * t + 10 : 18
  const terv =
    G107_DEFAULTS.telr + k - 40 * Math.log10((1 + t / 10) / (1 + t / 150)) + 6 * Math.exp(-0.3 * t * t)
  const half = (ROE - (80 + 3 * (terv - 14))) / 2
  return Math.max(0, (half + Math.sqrt(half * half + 100) - 1) * (1 - Math.exp(-t)))
}

/** Id,WB at a one-way delay in ms (T = Ta, Tr = 2 Ta): eq. 7-4..7-13. At 0 ms 0.154 is left, from listener echo. */
export function wideDelayImpairment(delayMs: number): DelayImpairment {
  const idte = talkerEchoWideband(delayMs)
  const idle = listenerEcho(G107_DEFAULTS.wepl, WIDEBAND_R_MAX, 2 * delayMs)
  const idd = SCALE * absoluteDelay(delayMs, G107_DEFAULTS.st, G107_DEFAULTS.mt)
  return { id: idte + idle + idd, idte, idle, idd }
}

/** Eq. 7-15. `ppl` in percent. */
export function effectiveImpairmentWideband(ie: number, bpl: number, ppl: number): number {
  if (!(ppl > 0)) return ie
  return ie + ((95 - ie) * ppl) / (ppl + bpl)
}

/** R (0..129) without delay: listening quality. Id,WB is left out altogether. */
export function wideListeningR(ie: number, bpl: number, ppl: number): number {
  return clampR(WIDEBAND_R_MAX - effectiveImpairmentWideband(ie, bpl, ppl), WIDEBAND_R_MAX)
}

/** R (0..129) with the one-way delay in ms: conversational quality. */
export function wideConversationalR(ie: number, bpl: number, ppl: number, delayMs: number): number {
  const r = WIDEBAND_R_MAX - wideDelayImpairment(delayMs).id - effectiveImpairmentWideband(ie, bpl, ppl)
  return clampR(r, WIDEBAND_R_MAX)
}

/** Annex A: eq. B-4 of G.107 on R / 1.29. */
export function mosFromWideR(r: number): number {
  return mosFromR(r / SCALE)
}
