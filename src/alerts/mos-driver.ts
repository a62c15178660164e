import type { CodecRow } from '../quality/codec-row.js'
import { mosOnScale, ratingFactor } from '../quality/mos.js'
import type { MosDriver } from '../calls/records.js'

/** What a stream's last seconds had. Percent of expected packets; delay one way, mouth to ear. */
export interface Impairments {
  lossPercent: number
  latePercent: number
  delayMs: number
}

export interface StreamScore {
  mosCq: number
  mosLq: number
  rFactor: number
}

/**
 * The E-model over a few seconds. Losses count as independent of each other (BurstR 1): their runs are not known at
 * this point, so a stretch of bursts scores a little better here than in its interval.
 */
export function scoreOf(row: CodecRow, { lossPercent, latePercent, delayMs }: Impairments): StreamScore {
  const ppl = Math.min(100, lossPercent + latePercent)
  const r = ratingFactor(row, ppl, 1, delayMs)
  return {
    rFactor: r,
    mosCq: mosOnScale(r, row.scale),
    mosLq: mosOnScale(ratingFactor(row, ppl, 1, undefined), row.scale),
  }
}

/** How much loss, late packets and delay take from the score that the codec has without any of them. */
export function networkDropOf(row: CodecRow, { mosCq }: StreamScore): number {
  return mosOnScale(ratingFactor(row, 0, 1, undefined), row.scale) - mosCq
}

/** The impairment without which R would rise the most; the codec's own counts as its equipment impairment. */
export function driverOf(row: CodecRow, { lossPercent, latePercent, delayMs }: Impairments): MosDriver {
  const r = (ppl: number, delay: number | undefined): number =>
    ratingFactor(row, Math.min(100, ppl), 1, delay)
  const now = r(lossPercent + latePercent, delayMs)
  const gains: [MosDriver, number][] = [
    ['loss', r(latePercent, delayMs) - now],
    ['late', r(lossPercent, delayMs) - now],
    ['delay', r(lossPercent + latePercent, undefined) - now],
    ['codec', row.ie],
  ]
  return gains.reduce((best, gain) => (gain[1] > best[1] ? gain : best))[0]
}
