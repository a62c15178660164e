// What a point of a direction's seconds has while it is collected, 16 bits each: counts as they are, times as codes
// (second-codes.ts), MOS as a code, packets per band of delay variation.
import { COUNT_COLUMNS, HEAT_BANDS, TIME_COLUMNS } from './page/second-codes.js'

export const PACKETS = 0
export const LOST = 1
export const LATE = 2
/** The first of the times. */
export const TIMES = COUNT_COLUMNS.length
export const [JITTER_MEAN, JITTER_P95, JITTER_MAX, PDV_P50, PDV_P95, PDV_MAX, DELAY] = TIME_COLUMNS.map(
  (_, place) => TIMES + place,
)
export const MOS = TIMES + TIME_COLUMNS.length
/** The first of the bands. */
export const HEAT = MOS + 1
export const FIELDS = HEAT + HEAT_BANDS
