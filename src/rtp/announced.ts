/** Places unless told otherwise; half of them are used. */
const PLACES = 1 << 18

/**
 * Transport addresses that signalling announced for media: consulted for each packet of an unknown flow, so kept as
 * 64-bit fingerprints in a typed array (open addressing, reference counted). A false hit needs a collision of 64 bits
 * and would only let a packet into probation-free admission.
 */
export class AnnouncedEndpoints {
  /** (fingerprint a, fingerprint b, references) triples, and behind them how many are in use. */
  private readonly cells: Int32Array
  private readonly mask: number
  private readonly sizeAt: number
  /** Announcements that found no room. */
  overflow = 0

  /**
   * @param places a power of two; half of them are used
   * @param memory of `memoryBytes(places)`, when threads share it: one of them adds and removes
   */
  constructor(places = PLACES, memory?: SharedArrayBuffer) {
    this.cells = memory ? new Int32Array(memory) : new Int32Array(places * 3 + 1)
    this.mask = places - 1
    this.sizeAt = places * 3
  }

  static memoryBytes(places = PLACES): number {
    return (places * 3 + 1) * 4
  }

  private get size(): number {
    return this.cells[this.sizeAt]
  }

  add(w0: number, w1: number, w2: number, w3: number, port: number): void {
    const a = first(w0, w1, w2, w3, port)
    const b = second(w0, w1, w2, w3, port)
    let at = a & this.mask
    let free = -1
    for (let probes = 0; probes <= this.mask; probes++) {
      const references = this.cells[at * 3 + 2]
      if (references === 0) {
        if (free < 0) free = at
        break
      }
      if (references > 0 && this.cells[at * 3] === a && this.cells[at * 3 + 1] === b) {
        this.cells[at * 3 + 2]++
        return
      }
      if (references < 0 && free < 0) free = at
      at = (at + 1) & this.mask
    }
    if (this.size * 2 > this.mask || free < 0) {
      this.overflow++
      return
    }
    this.cells[free * 3] = a
    this.cells[free * 3 + 1] = b
    // Last: another thread may be looking.
    Atomics.store(this.cells, free * 3 + 2, 1)
    this.cells[this.sizeAt]++
  }

  remove(w0: number, w1: number, w2: number, w3: number, port: number): void {
    const at = this.find(w0, w1, w2, w3, port)
    if (at < 0) return
    if (--this.cells[at * 3 + 2] > 0) return
    this.cells[this.sizeAt]--
    // -1 marks a deleted place, so that probing goes on past it; an empty neighbour makes it empty again.
    let hole = at
    this.cells[hole * 3 + 2] = this.cells[((hole + 1) & this.mask) * 3 + 2] === 0 ? 0 : -1
    while (this.cells[hole * 3 + 2] === 0) {
      hole = (hole - 1) & this.mask
      if (this.cells[hole * 3 + 2] !== -1) break
      this.cells[hole * 3 + 2] = 0
    }
  }

  has(w0: number, w1: number, w2: number, w3: number, port: number): boolean {
    return this.size !== 0 && this.find(w0, w1, w2, w3, port) >= 0
  }

  private find(w0: number, w1: number, w2: number, w3: number, port: number): number {
    const a = first(w0, w1, w2, w3, port)
    const b = second(w0, w1, w2, w3, port)
    let at = a & this.mask
    for (let probes = 0; probes <= this.mask; probes++) {
      const references = this.cells[at * 3 + 2]
      if (references === 0) return -1
      if (references > 0 && this.cells[at * 3] === a && this.cells[at * 3 + 1] === b) return at
      at = (at + 1) & this.mask
    }
    return -1
  }
}

function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return hash ^ (hash >>> 16)
}

function first(w0: number, w1: number, w2: number, w3: number, port: number): number {
  return mix(mix(mix(mix(w0 ^ 0x51ed270b) + w1) ^ w2) + w3 + Math.imul(port, 0x9e3779b1))
}

function second(w0: number, w1: number, w2: number, w3: number, port: number): number {
  return mix(mix(mix(mix(port + 0x2545f491) ^ w3) + w2) ^ mix(w1 + 0x68e31da4) ^ Math.imul(w0, 0xc2b2ae35))
}
