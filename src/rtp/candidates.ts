const WAYS = 4
const WORDS = 6
/** The second packet must come this soon after the first, with a sequence number this near. */
const WINDOW_MS = 2_000
const NEAR = 16
const SPAN_DUPLICATE_MS = 50
const FEWEST_SETS = 256
const SET_BYTES = WAYS * WORDS * 4

/**
 * First packets of flows that signalling did not announce, in sets of four cells by hash. Only a second packet that fits
 * (same flow and SSRC, a sequence number next to it) earns a slot, so random UDP never fills the stream table. A full set
 * turns newcomers away until a cell is promoted or two seconds old.
 */
export class CandidateTable {
  /** hash; sequence | UDP checksum; timestamp; type | length | copies; then the time as Float64. */
  private words: Int32Array
  private times: Float64Array
  private setMask: number
  private readonly mostSets: number
  /** First packets that found their set full. */
  turnedAway = 0
  // The first packet, after `match` returned true.
  timeMs = 0
  sequence = 0
  timestamp = 0
  type = 0
  length = 0
  duplicates = 0
  spanDuplicates = 0

  /**
   * @param flows flows that may be on probation at once; rounded up to a power of two. The table starts small, so that few
   * flows share few pages of memory, and doubles when a set is full
   */
  constructor(flows: number) {
    let most = FEWEST_SETS
    while (most * WAYS < flows * 2) most *= 2
    this.mostSets = most
    const memory = new ArrayBuffer(FEWEST_SETS * SET_BYTES)
    this.words = new Int32Array(memory)
    this.times = new Float64Array(memory)
    this.setMask = FEWEST_SETS - 1
  }

  /**
   * Whether the flow's first packet is here and this one continues it (then the fields above describe that packet, and
   * its cell is free again). Otherwise this one is kept as the first, if `keep` says so.
   */
  match(
    hash: number,
    sequence: number,
    timestamp: number,
    type: number,
    length: number,
    timeMs: number,
    checksum: number,
    keep = true,
  ): boolean {
    const { words, times } = this
    const first = (hash & this.setMask) * WAYS
    let free = -1
    for (let cell = first; cell < first + WAYS; cell++) {
      const c = cell * WORDS
      const t = cell * (WORDS / 2) + 2
      // A cell in use holds a length of 12 or more; times alone cannot tell, as a capture may begin at time zero.
      const age = words[c + 3] === 0 ? Infinity : Math.abs(timeMs - times[t])
      if (words[c] === hash && age <= WINDOW_MS) {
        const step = ((sequence - (words[c + 1] >>> 16)) << 16) >> 16
        const firstType = words[c + 3] >>> 24
        if (step !== 0 && step <= NEAR && step >= -NEAR && ((firstType ^ type) & 0x7f) === 0) {
          this.take(c, t)
          return true
        }
        if (step === 0 && words[c + 2] === timestamp) {
          // The first packet again: a mirror's copy, or a sender's repeat. At most 15 are remembered.
          const same = age <= SPAN_DUPLICATE_MS && (words[c + 1] & 0xffff) === checksum
          if (keep && (words[c + 3] & 0xf0) !== 0xf0) words[c + 3] += same ? 0x11 : 0x10
          return false
        }
        free = cell
        break
      }
      if (free < 0 && age > WINDOW_MS) free = cell
    }
    if (!keep) return false
    if (free < 0) free = this.grow(hash)
    if (free < 0) {
      this.turnedAway++
      return false
    }
    const c = free * WORDS
    this.words[c] = hash
    this.words[c + 1] = (sequence << 16) | checksum
    this.words[c + 2] = timestamp
    this.words[c + 3] = (type << 24) | ((length & 0xffff) << 8)
    this.times[free * (WORDS / 2) + 2] = timeMs
    return false
  }

  /**
   * Doubles the table, as far as it may, until the hash's set has a free cell: the cells of each set go to two.
   * @returns the cell, -1 for none
   */
  private grow(hash: number): number {
    while (this.setMask + 1 < this.mostSets) {
      const { words, times, setMask } = this
      const memory = new ArrayBuffer((setMask + 1) * 2 * SET_BYTES)
      this.words = new Int32Array(memory)
      this.times = new Float64Array(memory)
      this.setMask = setMask * 2 + 1
      for (let cell = 0; cell < (setMask + 1) * WAYS; cell++) {
        if (words[cell * WORDS + 3] === 0) continue
        const to = this.emptyCell(words[cell * WORDS])
        for (let w = 0; w < 4; w++) this.words[to * WORDS + w] = words[cell * WORDS + w]
        this.times[to * (WORDS / 2) + 2] = times[cell * (WORDS / 2) + 2]
      }
      const free = this.emptyCell(hash)
      if (free >= 0) return free
    }
    return -1
  }

  private emptyCell(hash: number): number {
    const first = (hash & this.setMask) * WAYS
    for (let cell = first; cell < first + WAYS; cell++) if (this.words[cell * WORDS + 3] === 0) return cell
    return -1
  }

  private take(c: number, t: number): void {
    const { words } = this
    this.timeMs = this.times[t]
    this.sequence = words[c + 1] >>> 16
    this.timestamp = words[c + 2]
    this.type = words[c + 3] >>> 24
    this.length = (words[c + 3] >>> 8) & 0xffff
    this.duplicates = (words[c + 3] >>> 4) & 15
    this.spanDuplicates = words[c + 3] & 15
    words[c + 3] = 0
  }
}
