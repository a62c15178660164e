/**
 * Rating factor <-> mean opinion score, ITU-T G.107 (06/2015) Annex B and Appendix I.
 * Scale 0..100; the wideband and fullband models divide their R by 1.29 and 1.48 first.
 */

/** Lower limits of R and the category of user satisfaction: G.107 Table B.1, G.109. */
export const R_CATEGORIES = [
  { rLowerLimit: 90, quality: 'best', users: 'very satisfied' },
  { rLowerLimit: 80, quality: 'high', users: 'satisfied' },
  { rLowerLimit: 70, quality: 'medium', users: 'some users dissatisfied' },
  { rLowerLimit: 60, quality: 'low', users: 'many users dissatisfied' },
  { rLowerLimit: 50, quality: 'poor', users: 'nearly all users dissatisfied' },
] as const

/**
 * MOS (1..4.5) of a narrowband rating factor: G.107 eq. B-4.
 * The polynomial dips below 1 for 0 < R < 6.515; a MOS below 1 has no meaning, so it is held at 1.
 */
export function mosFromR(r: number): number {
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

/**
 * Narrowband rating factor (0..100) of a MOS: G.107 Appendix I, the root of eq. B-4 that lies in 6.5..100.
 * MOS 1 and less stand for every R up to 6.515 and return 0; 4.5 and more return 100.
 */
export function rFromMos(mos: number): number {
  if (mos <= 1) return 0
  if (mos >= 4.5) return 100
  const x = 18566 - 6750 * mos
  const y = 15 * Math.sqrt(Math.max(0, -903522 + 1113960 * mos - 202500 * mos * mos))
  // The Recommendation writes atan2(x, y); Math.atan2 takes y first.
  const h = Math.atan2(y, x) / 3
  return (20 / 3) * (8 - Math.sqrt(226) * Math.cos(h + Math.PI / 3))
}

/** `r` held within 0..`limit`. */
export function clampR(r: number, limit: number): number {
  return r < 0 ? 0 : r > limit ? limit : r
}
