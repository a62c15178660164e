/** A call's or direction's class by MOS: what a NOC colours by. */
export type QualityClass = 'good' | 'fair' | 'poor' | 'unknown'

/** Lowest MOS of each class. 4.0 and 3.6 lie at R 79 and 70 (G.107 Table B.1: satisfied, some dissatisfied). */
export interface QualityThresholds {
  good: number
  fair: number
}

export const DEFAULT_QUALITY_THRESHOLDS: Readonly<QualityThresholds> = { good: 4.0, fair: 3.6 }

/** `unknown` without a MOS. */
export function qualityClass(
  mos: number | undefined,
  thresholds: Readonly<QualityThresholds> = DEFAULT_QUALITY_THRESHOLDS,
): QualityClass {
  if (mos === undefined || Number.isNaN(mos)) return 'unknown'
  return mos >= thresholds.good ? 'good' : mos >= thresholds.fair ? 'fair' : 'poor'
}
