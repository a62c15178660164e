/** Largest IP datagram, and the size of a reassembly buffer. */
export const DATAGRAM_BYTES = 65_536
/** Fragment offsets count units of 8 bytes; one bit per unit says which have come. */
const UNIT_WORDS = DATAGRAM_BYTES / 8 / 32

/** None, some or all of a range was there before. */
export const COVERED_NONE = 0
export const COVERED_SOME = 1
export const COVERED_ALL = 2

/** Which parts of each datagram have come. Positions and lengths in bytes; starts are multiples of 8. */
export class FragmentUnits {
  private readonly units: Int32Array

  constructor(slots: number) {
    this.units = new Int32Array(slots * UNIT_WORDS)
  }

  clear(slot: number): void {
    this.units.fill(0, slot * UNIT_WORDS, (slot + 1) * UNIT_WORDS)
  }

  mark(slot: number, start: number, length: number): void {
    const base = slot * UNIT_WORDS
    const end = (start + length + 7) >> 3
    for (let unit = start >> 3; unit < end; unit++) this.units[base + (unit >> 5)] |= 1 << (unit & 31)
  }

  /** COVERED_* */
  coverage(slot: number, start: number, length: number): number {
    const base = slot * UNIT_WORDS
    const end = (start + length + 7) >> 3
    let some = false
    let all = true
    for (let unit = start >> 3; unit < end;) {
      const bit = unit & 31
      const count = Math.min(32 - bit, end - unit)
      const mask = count === 32 ? -1 : ((1 << count) - 1) << bit
      const present = this.units[base + (unit >> 5)] & mask
      if (present !== 0) some = true
      if (present !== mask) all = false
      unit += count
    }
    return all ? COVERED_ALL : some ? COVERED_SOME : COVERED_NONE
  }

  /** End of the last unit that has come. */
  highest(slot: number): number {
    const base = slot * UNIT_WORDS
    for (let word = UNIT_WORDS - 1; word >= 0; word--) {
      const bits = this.units[base + word]
      if (bits !== 0) return (word * 32 + 32 - Math.clz32(bits)) * 8
    }
    return 0
  }
}
