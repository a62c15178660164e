import type { SecondsPlace } from './data.js'

/**
 * How a direction's seconds are packed: column by column, so that they compress. Counts are 16 bits (low bytes, then high
 * bytes), times in ms one byte on a logarithmic scale in steps of 5 %, MOS one byte in steps of 0.02, shares one byte.
 */
export const COUNT_COLUMNS = ['packets', 'lost', 'late'] as const
export const TIME_COLUMNS = [
  'jitterMean',
  'jitterP95',
  'jitterMax',
  'pdvP50',
  'pdvP95',
  'pdvMax',
  'delay',
] as const
/** Upper edges of the bands of packet delay variation in the heat strip, ms; the last band takes all above. */
export const HEAT_EDGES_MS = [5, 10, 20, 30, 40, 60, 100, 200, 400] as const
export const HEAT_BANDS = HEAT_EDGES_MS.length + 1
export const POINT_BYTES = COUNT_COLUMNS.length * 2 + TIME_COLUMNS.length + 1 + HEAT_BANDS

const SMALLEST_MS = 0.1
const STEP = Math.log(1.05)

/** 0: not known. 1: 0 ms. */
export function timeCode(ms: number): number {
  if (!(ms >= 0)) return 0
  return Math.min(255, 1 + Math.round(Math.log1p(ms / SMALLEST_MS) / STEP))
}

export function timeOfCode(code: number): number | null {
  return code === 0 ? null : Math.expm1((code - 1) * STEP) * SMALLEST_MS
}

export function mosCode(mos: number | undefined): number {
  return mos === undefined ? 0 : Math.max(1, Math.min(255, Math.round(mos * 50)))
}

export function mosOfCode(code: number): number | null {
  return code === 0 ? null : code / 50
}

/** Share 0..1; what is there at all shows. */
export function shareCode(part: number, whole: number): number {
  return part <= 0 || whole <= 0 ? 0 : Math.max(1, Math.min(255, Math.round((255 * part) / whole)))
}

export type CountColumn = (typeof COUNT_COLUMNS)[number]
export type TimeColumn = (typeof TIME_COLUMNS)[number]

/** A direction's points, unpacked. */
export interface Seconds {
  startMs: number
  stepMs: number
  count: number
  counts: Record<CountColumn, number[]>
  times: Record<TimeColumn, (number | null)[]>
  mos: (number | null)[]
  /** Band by band, 0..1. */
  heat: number[][]
}

export function unpackSeconds(bytes: Uint8Array, place: SecondsPlace): Seconds {
  const { count, at } = place
  let from = at
  const column = (): Uint8Array => bytes.subarray(from, (from += count))
  const counts = Object.fromEntries(
    COUNT_COLUMNS.map((name) => {
      const low = column()
      const high = column()
      return [name, Array.from(low, (value, i) => value + 256 * high[i])]
    }),
  ) as Record<CountColumn, number[]>
  const times = Object.fromEntries(
    TIME_COLUMNS.map((name) => [name, Array.from(column(), timeOfCode)]),
  ) as Record<TimeColumn, (number | null)[]>
  const mos = Array.from(column(), mosOfCode)
  const heat = Array.from({ length: HEAT_BANDS }, () => Array.from(column(), (share) => share / 255))
  return { startMs: place.startMs, stepMs: place.step * 1000, count, counts, times, mos, heat }
}
