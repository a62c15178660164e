/**
 * ITU-T G.107 (06/2015), narrowband E-model: clause 7 with the defaults of Table 3. Equation numbers are those of
 * that edition. `g107` is the whole model, `createNarrowbandModel` the same with everything computed beforehand that
 * does not depend on loss and delay.
 */
import { clampR, mosFromR } from './mos-mapping.js'

/** Input of the model; G.107 Table 3. Loudness ratings and echo in dB, delays in ms, loss in percent. */
export interface G107Parameters {
  /** Send, receive loudness rating. */
  slr: number
  rlr: number
  /** Sidetone masking rating; the listener sidetone rating is STMR + Dr. */
  stmr: number
  /** D-value of the telephone at the send, receive side. */
  ds: number
  dr: number
  /** Talker echo loudness rating. */
  telr: number
  /** Weighted echo path loss. */
  wepl: number
  /** Mean one-way delay of the echo path. */
  t: number
  /** Round-trip delay in the four-wire loop. */
  tr: number
  /** Absolute delay of an echo-free connection. */
  ta: number
  /** Delay sensitivity and minimum perceivable delay (Table 1; the defaults are its class "default"). */
  st: number
  mt: number
  /** Quantisation distortion units. */
  qdu: number
  /** Equipment impairment, packet-loss robustness, loss and burst ratio. */
  ie: number
  bpl: number
  ppl: number
  burstR: number
  /** Circuit noise (dBm0p), noise floor at the receive side (dBmp), room noise send/receive (dB(A)). */
  nc: number
  nfor: number
  ps: number
  pr: number
  /** Advantage factor. */
  a: number
}

export const G107_DEFAULTS: Readonly<G107Parameters> = {
  slr: 8,
  rlr: 2,
  stmr: 15,
  ds: 3,
  dr: 3,
  telr: 65,
  wepl: 110,
  t: 0,
  tr: 0,
  ta: 0,
  st: 1,
  mt: 100,
  qdu: 1,
  ie: 0,
  bpl: 4.3,
  ppl: 0,
  burstR: 1,
  nc: -70,
  nfor: -64,
  ps: 35,
  pr: 35,
  a: 0,
}

/** R's ceiling on the narrowband scale. */
export const NARROWBAND_R_MAX = 100

export interface G107Result {
  /** Rating factor, held within 0..100. */
  r: number
  /** Eq. 7-1 as written: may be negative. */
  rUnclamped: number
  no: number
  ro: number
  is: number
  iolr: number
  ist: number
  iq: number
  id: number
  idte: number
  idle: number
  idd: number
  ieEff: number
  /** Annex B, 1..4.5. */
  mos: number
}

/** The delay convention of this project: the echo path follows the one-way delay, T = Ta, Tr = 2 Ta. */
export function echoPathDelays(oneWayMs: number): { t: number; ta: number; tr: number } {
  return { t: oneWayMs, ta: oneWayMs, tr: 2 * oneWayMs }
}

/** Eq. 7-3: sum of all noise sources, dBm0p. Exported for the wideband model's talker echo. */
export function totalNoise(p: G107Parameters): number {
  const olr = p.slr + p.rlr
  const nos = p.ps - p.slr - p.ds - 100 + 0.004 * (p.ps - olr - p.ds - 14) ** 2
  const lstr = p.stmr + p.dr
  const pre = p.pr + 10 * Math.log10(1 + 10 ** ((10 - lstr) / 10))
  const nor = p.rlr - 121 + pre + 0.008 * (pre - 35) ** 2
  const nfo = p.nfor + p.rlr
  return 10 * Math.log10(10 ** (p.nc / 10) + 10 ** (nos / 10) + 10 ** (nor / 10) + 10 ** (nfo / 10))
}

/** Iolr, too low an overall loudness rating. */
function loudnessImpairment(p: G107Parameters, no: number): number {
  const x = p.slr + p.rlr + 0.2 * (64 + no - p.rlr)
  return 20 * ((1 + (x / 8) ** 8) ** (1 / 8) - x / 8)
}

/** Ist, non-optimum sidetone. An echo of a few ms merges with the sidetone, hence the dependence on T. */
function sidetoneImpairment(p: G107Parameters, t: number): number {
  const s = -10 * Math.log10(10 ** (-p.stmr / 10) + Math.exp(-t / 4) * 10 ** (-p.telr / 10))
  return (
    12 * (1 + ((s - 13) / 6) ** 8) ** (1 / 8) -
    28 * (1 + ((s + 1) / 19.4) ** 35) ** (1 / 35) -
    13 * (1 + ((s - 3) / 33) ** 13) ** (1 / 13) +
    29
  )
}

/** Iq, quantising distortion. */
function quantisingImpairment(p: G107Parameters, ro: number): number {
  const q = 37 - 15 * Math.log10(p.qdu)
  const g = 1.07 + 0.258 * q + 0.0602 * q * q
  const y = (ro - 100) / 15 + 46 / 8.4 - g / 9
  const z = 46 / 30 - g / 40
  return 15 * Math.log10(1 + 10 ** y + 10 ** z)
}

/**
 * Eq. 7-19..7-24, talker echo. Below 1 ms the echo is sidetone and does not count. Just above 1 ms the equation
 * gives -0.1, a bonus for echo that it cannot mean: held at 0.
 */
function talkerEcho(p: G107Parameters, no: number, ist: number, t: number): number {
  if (t < 1) return 0
  let terv = p.telr - 40 * Math.log10((1 + t / 10) / (1 + t / 150)) + 6 * Math.exp(-0.3 * t * t)
  if (p.stmr < 9) terv += ist / 2
  const roe = -1.5 * (no - p.rlr)
  const re = 80 + 2.5 * (terv - 14)
  const half = (roe - re) / 2
  const idte = Math.max(0, (half + Math.sqrt(half * half + 100) - 1) * (1 - Math.exp(-t)))
  return p.stmr > 20 ? Math.sqrt(idte * idte + ist * ist) : idte
}

/** Eq. 7-25, 7-26, listener echo; 0.149 at Tr = 0 with the default WEPL, which is why default R is 93.2, not 93.36. */
export function listenerEcho(wepl: number, ro: number, tr: number): number {
  const rle = 10.5 * (wepl + 7) * (tr + 1) ** -0.25
  const half = (ro - rle) / 2
  return half + Math.sqrt(half * half + 169)
}

/** Eq. 7-27, 7-28, too long an absolute delay. */
export function absoluteDelay(ta: number, st: number, mt: number): number {
  if (!(ta > mt)) return 0
  const x = Math.log2(ta / mt)
  const power = 6 * st
  return 25 * ((1 + x ** power) ** (1 / power) - 3 * (1 + (x / 3) ** power) ** (1 / power) + 2)
}

/** Eq. 7-29. `ppl` in percent, 0..100. */
export function effectiveEquipmentImpairment(ie: number, bpl: number, ppl: number, burstR: number): number {
  if (!(ppl > 0)) return ie
  return ie + ((95 - ie) * ppl) / (ppl / burstR + bpl)
}

/** The whole model. Parameters that are left out keep Table 3's default. Values are used as given, not clamped. */
export function g107(parameters: Partial<G107Parameters> = {}): G107Result {
  const p: G107Parameters = { ...G107_DEFAULTS, ...parameters }
  const no = totalNoise(p)
  const ro = 15 - 1.5 * (p.slr + no)
  const iolr = loudnessImpairment(p, no)
  const ist = sidetoneImpairment(p, p.t)
  const iq = quantisingImpairment(p, ro)
  const is = iolr + ist + iq
  const idte = talkerEcho(p, no, ist, p.t)
  const idle = listenerEcho(p.wepl, ro, p.tr)
  const idd = absoluteDelay(p.ta, p.st, p.mt)
  const id = idte + idle + idd
  const ieEff = effectiveEquipmentImpairment(p.ie, p.bpl, p.ppl, p.burstR)
  const rUnclamped = ro - is - id - ieEff + p.a
  const r = clampR(rUnclamped, NARROWBAND_R_MAX)
  return { r, rUnclamped, no, ro, is, iolr, ist, iq, id, idte, idle, idd, ieEff, mos: mosFromR(r) }
}

/** The model with all that is constant in loss and delay computed once. */
export interface NarrowbandModel {
  /** R without loss, codec impairment and delay: 93.2062 with the defaults. */
  readonly base: number
  /** Is + Id that a one-way delay (ms, T = Ta, Tr = 2 Ta) adds to what `base` already contains. */
  delayImpairment(delayMs: number): number
  /** R within 0..100. `ppl` in percent; `burstR` is used as given. */
  r(ppl: number, burstR: number, ie: number, bpl: number, delayMs: number): number
}

/** From this T on e^(-T/4) moves Ist by less than 1e-15. */
const SIDETONE_SETTLED_MS = 100

export function createNarrowbandModel(parameters: Partial<G107Parameters> = {}): NarrowbandModel {
  const p: G107Parameters = { ...G107_DEFAULTS, ...parameters }
  const no = totalNoise(p)
  const ro = 15 - 1.5 * (p.slr + no)
  const constant = ro - loudnessImpairment(p, no) - quantisingImpairment(p, ro) + p.a
  const istAtRest = sidetoneImpairment(p, 0)
  const istSettled = sidetoneImpairment(p, SIDETONE_SETTLED_MS)

  function impairment(delayMs: number): number {
    const ist =
      delayMs === 0 ? istAtRest : delayMs >= SIDETONE_SETTLED_MS ? istSettled : sidetoneImpairment(p, delayMs)
    return (
      ist +
      talkerEcho(p, no, ist, delayMs) +
      listenerEcho(p.wepl, ro, 2 * delayMs) +
      absoluteDelay(delayMs, p.st, p.mt)
    )
  }

  const atRest = impairment(0)
  return {
    base: constant - atRest,
    delayImpairment: (delayMs) => impairment(delayMs) - atRest,
    r: (ppl, burstR, ie, bpl, delayMs) =>
      clampR(
        constant -
          (delayMs === 0 ? atRest : impairment(delayMs)) -
          effectiveEquipmentImpairment(ie, bpl, ppl, burstR),
        NARROWBAND_R_MAX,
      ),
  }
}
