import { JITTER_BUCKETS, PDV_BUCKETS } from '../../rtp/layout.js'
import { IntervalRow } from '../../rtp/row.js'

type NumberKey = {
  [Key in keyof IntervalRow]: IntervalRow[Key] extends number ? Key : never
}[keyof IntervalRow]

/** Every number of a row, in the order of its declaration. */
const NUMBERS: readonly NumberKey[] = Object.entries(new IntervalRow())
  .filter(([, value]) => typeof value === 'number')
  .map(([key]) => key as NumberKey)

const LOSS_RUNS_AT = NUMBERS.length + 2
const TYPES_AT = LOSS_RUNS_AT + 10
const TYPES = 4
const DOUBLES = TYPES_AT + 2 * TYPES
/** Bytes of a row in a message: doubles, then the histograms. */
export const ROW_BYTES = DOUBLES * 8 + (PDV_BUCKETS + JITTER_BUCKETS) * 2

/** Writes rows into messages, and reads them. `at` is a multiple of 8. */
export class RowCodec {
  private readonly f64: Float64Array
  private readonly u16: Uint16Array

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.f64 = new Float64Array(buffer, byteOffset, byteLength >> 3)
    this.u16 = new Uint16Array(buffer, byteOffset, byteLength >> 1)
  }

  write(row: IntervalRow, at: number): void {
    const { f64, u16 } = this
    const f = at >> 3
    for (let k = 0; k < NUMBERS.length; k++) f64[f + k] = row[NUMBERS[k]]
    f64[f + NUMBERS.length] = row.first ? 1 : 0
    f64[f + NUMBERS.length + 1] = row.last ? 1 : 0
    for (let k = 0; k < 10; k++) f64[f + LOSS_RUNS_AT + k] = row.lossRuns[k]
    for (let k = 0; k < TYPES; k++) {
      f64[f + TYPES_AT + 2 * k] = row.typeCounts[k].payloadType
      f64[f + TYPES_AT + 2 * k + 1] = row.typeCounts[k].packets
    }
    const h = (at >> 1) + DOUBLES * 4
    u16.set(row.pdv, h)
    u16.set(row.jitter, h + PDV_BUCKETS)
  }

  read(row: IntervalRow, at: number): void {
    const { f64, u16 } = this
    const f = at >> 3
    for (let k = 0; k < NUMBERS.length; k++) row[NUMBERS[k]] = f64[f + k]
    row.first = f64[f + NUMBERS.length] === 1
    row.last = f64[f + NUMBERS.length + 1] === 1
    for (let k = 0; k < 10; k++) row.lossRuns[k] = f64[f + LOSS_RUNS_AT + k]
    for (let k = 0; k < TYPES; k++) {
      row.typeCounts[k].payloadType = f64[f + TYPES_AT + 2 * k]
      row.typeCounts[k].packets = f64[f + TYPES_AT + 2 * k + 1]
    }
    const h = (at >> 1) + DOUBLES * 4
    row.pdv.set(u16.subarray(h, h + PDV_BUCKETS))
    row.jitter.set(u16.subarray(h + PDV_BUCKETS, h + PDV_BUCKETS + JITTER_BUCKETS))
  }
}
