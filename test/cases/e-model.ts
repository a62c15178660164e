/**
 * The narrowband E-model as its text has it (ITU-T G.107 06/2015, clause 7 and Annex B), with default values put in:
 * the tests' own, so that MOS in records is held to something else than the code that computed it.
 */

/** Ro and Is with all defaults: -1.5 (8 - 61.179214) + 15 and eq. 7-8. */
const RO = 94.768822
const IS = 1.413568
const NO = -61.179214

/** Eq. 7-19 to 7-28 at T = Ta = delay, Tr = 2 x delay, TELR 65, WEPL 110. */
function delayImpairment(t: number): number {
  const terv = 65 - 40 * Math.log10((1 + t / 10) / (1 + t / 150)) + 6 * Math.exp(-0.3 * t * t)
  const re = 80 + 2.5 * (terv - 14)
  const roe = -1.5 * (NO - 2)
  const idte = t < 1 ? 0 : ((roe - re) / 2 + Math.sqrt((roe - re) ** 2 / 4 + 100) - 1) * (1 - Math.exp(-t))
  const rle = 10.5 * 117 * (2 * t + 1) ** -0.25
  const idle = (RO - rle) / 2 + Math.sqrt((RO - rle) ** 2 / 4 + 169)
  const x = Math.log2(t / 100)
  const idd = t <= 100 ? 0 : 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
  return Math.max(0, idte) + idle + idd
}

/** Eq. B-4, held within 1..4.5. */
export function mosOfR(r: number): number {
  if (r >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

export interface Impaired {
  /** Lost and late, percent of the expected. */
  lossPercent?: number
  burstRatio?: number
  /** One way, ms; 0 for listening quality. */
  delayMs?: number
  /** G.113: of the codec. G.711 with packet-loss concealment unless given. */
  ie?: number
  bpl?: number
}

/** Eq. 7-1 with A = 0. */
export function rOf({ lossPercent = 0, burstRatio = 1, delayMs = 0, ie = 0, bpl = 25.1 }: Impaired): number {
  const ieEff = ie + ((95 - ie) * lossPercent) / (lossPercent / burstRatio + bpl)
  return RO - IS - delayImpairment(delayMs) - ieEff
}

export function mosOf(impaired: Impaired): number {
  return mosOfR(rOf(impaired))
}

/**
 * 20-ms packets, no look-ahead, the adaptive buffer at its 40 ms, and the network: 25 ms assumed, or 15 to 21 as SIP and
 * RTCP tell. MOS differs by less than `DELAY_TOLERANCE` within that.
 */
export const CALM_DELAY_MS = 20 + 40 + 20
export const DELAY_TOLERANCE = 0.006
