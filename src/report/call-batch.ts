import type { CallRecord } from '../calls/records.js'

/**
 * Calls that share a block of the file, as they were seen: plain data, for another thread. What belongs to a call beside
 * its record is written one value after the other, and read in the same order (`call-log.ts`, `seen-call.ts`).
 */
export interface CallBatch {
  records: CallRecord[]
  /** NaN: not known. */
  numbers: Float64Array
  /** null: not kept. */
  texts: (string | null)[]
  /** Points of all seconds, as `SecondStore` holds them (point-fields.ts). */
  points: Uint16Array
}

/** Details of a call that has nothing but its record, characters: about. */
const RECORD_WEIGHT = 4096
const NUMBER_WEIGHT = 8

/** Collects calls for a batch. The memory is used again; a batch has copies. */
export class BatchWriter {
  private records: CallRecord[] = []
  private texts: (string | null)[] = []
  private characters = 0
  private numbers = new Float64Array(1 << 13)
  private numberCount = 0
  private points = new Uint16Array(1 << 14)
  private pointCount = 0

  get calls(): number {
    return this.records.length
  }

  /** Characters and bytes of details that this becomes, roughly. */
  get weight(): number {
    return (
      this.records.length * RECORD_WEIGHT +
      this.numberCount * NUMBER_WEIGHT +
      this.characters +
      this.pointCount
    )
  }

  /** Begins a call: what follows belongs to it. */
  begin(record: CallRecord): void {
    this.records.push(record)
  }

  addNumber(value: number): void {
    if (this.numberCount === this.numbers.length) this.growNumbers(this.numberCount + 1)
    this.numbers[this.numberCount++] = value
  }

  addNumbers(values: readonly number[]): void {
    const end = this.numberCount + values.length
    if (end > this.numbers.length) this.growNumbers(end)
    // They are few: a loop begins sooner than `set`.
    for (let k = 0; k < values.length; k++) this.numbers[this.numberCount + k] = values[k]
    this.numberCount = end
  }

  addText(text: string | null): void {
    this.texts.push(text)
    if (text !== null) this.characters += text.length
  }

  /** Adds `points` from `from` up to `end`. */
  addPoints(points: Uint16Array, from: number, end: number): void {
    const needed = this.pointCount + end - from
    if (needed > this.points.length) {
      const larger = new Uint16Array(Math.max(needed, 2 * this.points.length))
      larger.set(this.points.subarray(0, this.pointCount))
      this.points = larger
    }
    for (let k = from; k < end; k++) this.points[this.pointCount + k - from] = points[k]
    this.pointCount = needed
  }

  private growNumbers(least: number): void {
    const larger = new Float64Array(Math.max(least, 2 * this.numbers.length))
    larger.set(this.numbers)
    this.numbers = larger
  }

  take(): CallBatch {
    const { records, texts } = this
    const numbers = this.numbers.slice(0, this.numberCount)
    const points = this.points.slice(0, this.pointCount)
    this.records = []
    this.texts = []
    this.characters = this.numberCount = this.pointCount = 0
    return { records, numbers, texts, points }
  }
}

/** Reads what a `BatchWriter` wrote, in the same order. */
export class BatchReader {
  private numberAt = 0
  private textAt = 0
  private pointAt = 0

  constructor(private readonly batch: CallBatch) {}

  number(): number {
    return this.batch.numbers[this.numberAt++]
  }

  /** NaN is null. */
  known(): number | null {
    const value = this.number()
    return Number.isNaN(value) ? null : value
  }

  text(): string | null {
    return this.batch.texts[this.textAt++]
  }

  /** One that is always there. */
  wholeText(): string {
    return this.text() ?? ''
  }

  points(length: number): Uint16Array {
    return this.batch.points.subarray(this.pointAt, (this.pointAt += length))
  }
}
