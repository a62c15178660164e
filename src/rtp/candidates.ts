const CELLS = 1 << 14
const MASK = CELLS - 1
const WORDS = 7
/** The second packet must come this soon after the first, with a sequence number this near. */
const WINDOW_MS = 2_000
const NEAR = 16
const SPAN_DUPLICATE_MS = 50

/**
 * First packets of flows that signalling did not announce: one cell each, by hash, newer ones overwriting. Only a second
 * packet that fits (same flow and SSRC, a sequence number next to it) earns a slot, so random UDP never fills the stream table.
 */
export class CandidateTable {
  private readonly words = new Int32Array(CELLS * WORDS)
  private readonly times = new Float64Array(CELLS)
  // The first packet, after `match` returned true.
  timeMs = 0
  sequence = 0
  timestamp = 0
  type = 0
  length = 0
  duplicates = 0
  spanDuplicates = 0

  /** Whether the flow's first packet is here and this one continues it. */
  match(hash: number, sequence: number, payloadType: number, timeMs: number): boolean {
    const { words } = this
    const c = (hash & MASK) * WORDS
    const firstTime = this.times[hash & MASK]
    if (words[c] !== hash || firstTime === 0 || timeMs - firstTime > WINDOW_MS) return false
    const step = ((sequence - words[c + 1]) << 16) >> 16
    if (step === 0 || step > NEAR || step < -NEAR || (words[c + 3] & 0x7f) !== payloadType) return false
    this.timeMs = firstTime
    this.sequence = words[c + 1]
    this.timestamp = words[c + 2]
    this.type = words[c + 3]
    this.length = words[c + 4]
    this.duplicates = words[c + 5] & 0xffff
    this.spanDuplicates = words[c + 5] >>> 16
    this.times[hash & MASK] = 0
    return true
  }

  store(
    hash: number,
    sequence: number,
    timestamp: number,
    type: number,
    length: number,
    timeMs: number,
    checksum: number,
  ): void {
    const { words } = this
    const c = (hash & MASK) * WORDS
    const age = timeMs - this.times[hash & MASK]
    if (words[c] === hash && words[c + 1] === sequence && words[c + 2] === timestamp && age <= WINDOW_MS) {
      // The first packet again: a mirror's copy.
      const copy = age <= SPAN_DUPLICATE_MS && words[c + 6] === checksum ? 0x10001 : 1
      if ((words[c + 5] & 0xffff) < 0x7fff) words[c + 5] += copy
      return
    }
    words[c] = hash
    words[c + 1] = sequence
    words[c + 2] = timestamp
    words[c + 3] = type
    words[c + 4] = length
    words[c + 5] = 0
    words[c + 6] = checksum
    this.times[hash & MASK] = timeMs
  }
}
