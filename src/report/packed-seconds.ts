import type { BatchReader } from './call-batch.js'
import type { SecondsPlace } from './page/data.js'
import { shareCode } from './page/second-codes.js'
import { FIELDS, HEAT, TIMES } from './point-fields.js'

/** Seconds as `SecondStore.write` wrote them. */
export interface SeenSeconds {
  count: number
  startMs: number
  /** Seconds per point. */
  step: number
  points: Uint16Array
}

export function readSeconds(reader: BatchReader): SeenSeconds {
  const count = reader.number()
  return { count, startMs: reader.number(), step: reader.number(), points: reader.points(count * FIELDS) }
}

/** Writes the points column by column, as `unpackSeconds` reads them, to zeroed bytes: POINT_BYTES of each. */
export function packSeconds(seen: SeenSeconds, bytes: Uint8Array, offset: number): SecondsPlace {
  const { count, points, startMs, step } = seen
  for (let i = 0; i < count; i++) {
    const at = i * FIELDS
    let to = offset + i
    for (let k = 0; k < TIMES; k++) {
      bytes[to] = points[at + k] & 0xff
      bytes[to + count] = points[at + k] >> 8
      to += 2 * count
    }
    for (let k = TIMES; k < HEAT; k++) {
      bytes[to] = points[at + k]
      to += count
    }
    let measured = 0
    for (let k = HEAT; k < FIELDS; k++) measured += points[at + k]
    for (let k = HEAT; k < FIELDS; k++) {
      if (points[at + k] > 0) bytes[to] = shareCode(points[at + k], measured)
      to += count
    }
  }
  return { startMs, step, count, at: offset }
}
