/**
 * Burst ratio as the E-model takes it. G.107 (06/2015) Table 3 permits BurstR 1..8, and its note holds predictions
 * for BurstR > 2 to be valid only while Ppl < 2 %.
 */

/** Loss (percent) from which a burst ratio above 2 leaves the model's range. */
export const BURST_LOSS_LIMIT_PERCENT = 2

/**
 * A measured burst ratio, held within the model's range: at least 1, at most 2 when `lossPercent` >= 2, else at
 * most 8. Anything that is not a number (no loss, hence no runs) counts as 1, random loss.
 */
export function clampBurstRatio(burstRatio: number, lossPercent: number): number {
  if (!(burstRatio > 1)) return 1
  return Math.min(burstRatio, lossPercent >= BURST_LOSS_LIMIT_PERCENT ? 2 : 8)
}
