/** xorshift128: seeded, so that a run can be had again; good enough to spoil bytes. */
export class Random {
  /** @param {number} seed 32 bits */
  constructor(seed) {
    // splitmix32 fills the state, so that near seeds give unlike runs.
    let state = seed >>> 0
    const word = () => {
      state = (state + 0x9e3779b9) | 0
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return mixed ^ (mixed >>> 15)
    }
    this.a = word()
    this.b = word()
    this.c = word()
    this.d = word() | 1
  }

  /** A whole number of 32 bits, 0 or more. */
  uint32() {
    let t = this.d
    const s = this.a
    this.d = this.c
    this.c = this.b
    this.b = s
    t ^= t << 11
    t ^= t >>> 8
    this.a = t ^ s ^ (s >>> 19)
    return this.a >>> 0
  }

  /** 0 .. limit - 1. */
  below(limit) {
    return this.uint32() % limit
  }

  /** True once in `n`. */
  oneIn(n) {
    return this.below(n) === 0
  }

  /** Mostly small, seldom up to `limit` (inclusive), at least 1. */
  size(limit) {
    const most = Math.max(1, limit)
    return 1 + this.below(this.oneIn(4) ? most : Math.min(most, 16))
  }

  pick(list) {
    return list[this.below(list.length)]
  }
}

/** 32-bit FNV-1a of a text, to give each target its own numbers under one seed. */
export function textSeed(text, seed) {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
