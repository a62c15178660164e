import type { Step } from './panel.js'

/** Grafana's named colours: they suit its light and its dark theme. */
export const GREEN = 'green'
export const YELLOW = 'yellow'
export const ORANGE = 'orange'
export const RED = 'red'
export const GREY = 'text'

/** MOS: the edges of `good`, `fair` and `poor` as in the records (docs/metrics.md). */
export const MOS_STEPS: readonly Step[] = [
  { color: RED },
  { from: 3.1, color: ORANGE },
  { from: 3.6, color: YELLOW },
  { from: 4, color: GREEN },
]

/** Shares of something bad, in percent. */
export function badAbove(yellow: number, red: number): readonly Step[] {
  return [{ color: GREEN }, { from: yellow, color: YELLOW }, { from: red, color: RED }]
}

/** Ratios of something good, in percent. */
export function badBelow(red: number, yellow: number): readonly Step[] {
  return [{ color: RED }, { from: red, color: YELLOW }, { from: yellow, color: GREEN }]
}

export const LOSS_STEPS = badAbove(0.5, 1)
export const LATE_STEPS = badAbove(0.5, 1)
export const JITTER_STEPS = badAbove(20, 40)
export const DELAY_STEPS = badAbove(150, 250)
export const BAD_SHARE_STEPS = badAbove(1, 5)
export const PLAIN: readonly Step[] = [{ color: GREEN }]
export const NEUTRAL: readonly Step[] = [{ color: GREY }]
/** A count that should be 0. */
export const ANY_IS_BAD: readonly Step[] = [{ color: GREEN }, { from: 1, color: RED }]
