/** FNV-1a over UTF-16 code units. */
function hash(text: string, seed: number): number {
  let h = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i)
    h = Math.imul(h, 0x01000193) >>> 0
  }
  return h
}

/**
 * Seeded pseudo-random numbers (sfc32, public domain, C. Doty-Humphrey's PractRand). Generators derived by different
 * names are independent, so that one more call in a scenario leaves the other calls as they were.
 */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(
    private readonly seed: number,
    private readonly name = '',
  ) {
    this.a = hash(name, seed >>> 0)
    this.b = hash(name, Math.floor(seed / 4294967296) ^ 0x9e3779b9)
    this.c = hash(`${name}/c`, seed >>> 0)
    for (let i = 0; i < 15; i++) this.uint32()
  }

  derive(name: string): Random {
    return new Random(this.seed, `${this.name}/${name}`)
  }

  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** 0 <= x < 1. */
  next(): number {
    return this.uint32() / 4294967296
  }

  /** 0 <= x < limit, integer. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** True in `percent` of the calls. */
  chance(percent: number): boolean {
    return this.next() * 100 < percent
  }

  hex(length: number): string {
    let text = ''
    while (text.length < length) text += this.uint32().toString(16).padStart(8, '0')
    return text.slice(0, length)
  }
}
