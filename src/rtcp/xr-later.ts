import { u16, u24, u32 } from './words.js'
import type { XrInterval } from './xr-blocks.js'

/** I, the first two bits behind the block type in the blocks since RFC 6776: 01 sampled, 10 interval, 11 cumulative. */
const INTERVALS: readonly XrInterval[] = ['reserved', 'sampled', 'interval', 'cumulative']

export function interval(typeSpecific: number): XrInterval {
  return INTERVALS[typeSpecific >> 6]
}

/**
 * In these blocks the highest two values of a field mean over-range and unavailable; neither is a measurement.
 */
export function measured16(bytes: Uint8Array, at: number): number | undefined {
  const value = u16(bytes, at)
  return value < 0xfffe ? value : undefined
}

export function measured24(bytes: Uint8Array, at: number): number | undefined {
  const value = u24(bytes, at)
  return value < 0xfffffe ? value : undefined
}

export function measured32(bytes: Uint8Array, at: number): number | undefined {
  const value = u32(bytes, at)
  return value < 0xfffffffe ? value : undefined
}
