/**
 * How many decimals each number is written with, in every sink. Beyond these digits a value says nothing: capture
 * times are good to a microsecond at best, and the E-model to less than 0.01.
 *
 * | name                                   | decimals |
 * |----------------------------------------|----------|
 * | `*_ms`, `*_s`, `*_ppm`, `*r_factor`, `endpoint_r_*` | 3 |
 * | `*_percent`, `*mos_*`, `*_density`, `*_ratio`       | 4 |
 * | anything else (evidence, alert values) | 6        |
 *
 * Counts are integers and stay as they are.
 */
const DECIMALS: readonly (readonly [RegExp, number])[] = [
  [/(?:^|_)mos(?:_|$)/, 4],
  [/_(?:percent|density|ratio)$/, 4],
  [/_(?:ms|s|ppm)$/, 3],
  [/(?:^|_)r_(?:factor|lq|cq)$/, 3],
]
const OTHER_DECIMALS = 6

/** Decimals that the field `name` (last part of its path) is written with. */
export function decimalsOf(name: string): number {
  for (const [pattern, decimals] of DECIMALS) if (pattern.test(name)) return decimals
  return OTHER_DECIMALS
}

/** By decimals. */
export const SCALES: readonly number[] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6]

/** Rounds half up. The result prints with at most `decimals` digits after the point; -0 becomes 0. */
export function roundTo(value: number, decimals: number): number {
  if (Number.isInteger(value)) return value + 0
  const scale = SCALES[decimals]
  const scaled = value * scale
  // From 2^52 on a float64 has no fraction left to round.
  if (scaled > 4503599627370496 || scaled < -4503599627370496) return value
  return Math.round(scaled) / scale + 0
}

/** `roundTo` by the field's name; undefined for NaN and infinities, which no sink can write. */
export function roundField(name: string, value: number): number | undefined {
  return Number.isFinite(value) ? roundTo(value, decimalsOf(name)) : undefined
}
