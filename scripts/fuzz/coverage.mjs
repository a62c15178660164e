/** Hit counts that tell apart: 1, 2, 3, 4..7, 8..15, 16..31, 32..127, more. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count === 0) return 0
  if (count <= 3) return 1 << (count - 1)
  return count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128
})

/** What inputs have reached so far: of each block, in which classes of frequency it ran. */
export class Coverage {
  /** @param {number} blocks */
  constructor(blocks) {
    const memory = new ArrayBuffer((blocks + 7) & ~7)
    /** One counter per block; the instrumented modules count here. */
    this.counts = new Uint8Array(memory)
    this.words = new Int32Array(memory)
    this.seen = new Uint8Array(memory.byteLength)
    /** Blocks that ran at least once. */
    this.reached = 0
  }

  /** Forgets the counts since the last call. @returns {boolean} whether there was something new in them */
  take() {
    const { counts, words, seen } = this
    let fresh = false
    for (let w = 0; w < words.length; w++) {
      if (words[w] === 0) continue
      for (let b = w * 4; b < w * 4 + 4; b++) {
        const bit = CLASSES[counts[b]]
        if ((seen[b] & bit) === bit) continue
        if (seen[b] === 0) this.reached++
        seen[b] |= bit
        fresh = true
      }
      words[w] = 0
    }
    return fresh
  }

  /** Forgets the counts since the last call. @returns {number} a hash of which blocks ran in which classes */
  signature() {
    const { counts, words } = this
    let hash = 0
    for (let w = 0; w < words.length; w++) {
      if (words[w] === 0) continue
      for (let b = w * 4; b < w * 4 + 4; b++) {
        if (counts[b] !== 0)
          hash = Math.imul(hash ^ (b * 256 + CLASSES[counts[b]]), 0x9e3779b1) ^ (hash >>> 13)
      }
      words[w] = 0
    }
    return hash
  }

  /** Drops the counts since the last call. */
  clear() {
    this.words.fill(0)
  }
}
