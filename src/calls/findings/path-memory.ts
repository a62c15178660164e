import type { CallRecord } from '../records.js'

/** Bounds: the oldest go first. */
const MOST_PATHS = 4096
const MOST_PAIRS = 8192
const MOST_STOPS = 64
/** Counts of a path are halved here, so that the last calls weigh most. */
const MOST_COUNTED = 64
/** Stops this near to each other are alike. */
const ALIKE_S = 2
const ALIKE_SHARE = 0.02

interface PathStats {
  bothWays: number
  oneWay: number
  /** Seconds from answer to the end of media, of calls whose media stopped. */
  stops: number[]
}

/** Bits of a pair of addresses: media seen from the first, from the second. */
const FORWARD = 1
const BACKWARD = 2

/** What the calls and streams so far said about paths and about the tap as a whole. Bounded. */
export class PathMemory {
  private readonly paths = new Map<string, PathStats>()
  private readonly pairs = new Map<string, number>()
  pairsBothWays = 0
  pairsOneWay = 0

  /** Media was seen from one address to another. */
  onMedia(source: string, destination: string): void {
    const forward = source < destination
    const key = forward ? `${source} ${destination}` : `${destination} ${source}`
    const bit = forward ? FORWARD : BACKWARD
    const known = this.pairs.get(key) ?? 0
    if ((known & bit) !== 0) return
    if (known === 0) {
      if (this.pairs.size >= MOST_PAIRS) this.forgetPair()
      this.pairsOneWay++
    } else {
      this.pairsOneWay--
      this.pairsBothWays++
    }
    this.pairs.set(key, known | bit)
  }

  private forgetPair(): void {
    for (const [key, bits] of this.pairs) {
      if (bits === (FORWARD | BACKWARD)) this.pairsBothWays--
      else this.pairsOneWay--
      this.pairs.delete(key)
      return
    }
  }

  /** Calls before this one on its path: of several paths that it has, the one that is known best. */
  statsOf(record: CallRecord): { bothWays: number; oneWay: number } {
    let best: PathStats | undefined
    for (const key of pathKeys(record)) {
      const stats = this.paths.get(key)
      if (stats && (!best || stats.bothWays + stats.oneWay > best.bothWays + best.oneWay)) best = stats
    }
    return { bothWays: best?.bothWays ?? 0, oneWay: best?.oneWay ?? 0 }
  }

  /** Earlier calls of the same path whose media stopped as many seconds after the answer. */
  stoppedAlike(record: CallRecord, afterS: number): number {
    const within = Math.max(ALIKE_S, ALIKE_SHARE * afterS)
    let most = 0
    for (const key of pathKeys(record)) {
      const stops = this.paths.get(key)?.stops ?? []
      most = Math.max(most, stops.filter((stop) => Math.abs(stop - afterS) <= within).length)
    }
    return most
  }

  /** The call is over. `stoppedAfterS`: undefined when its media lasted. */
  add(record: CallRecord, bothWays: boolean, oneWay: boolean, stoppedAfterS: number | undefined): void {
    if (!bothWays && !oneWay) return
    for (const key of pathKeys(record)) {
      const stats = this.paths.get(key) ?? { bothWays: 0, oneWay: 0, stops: [] }
      // To the young end.
      this.paths.delete(key)
      this.paths.set(key, stats)
      if (bothWays) stats.bothWays++
      if (oneWay) stats.oneWay++
      if (stoppedAfterS !== undefined) {
        if (stats.stops.length >= MOST_STOPS) stats.stops.shift()
        stats.stops.push(stoppedAfterS)
      }
      if (stats.bothWays + stats.oneWay > MOST_COUNTED) {
        stats.bothWays >>= 1
        stats.oneWay >>= 1
      }
    }
    while (this.paths.size > MOST_PATHS)
      for (const key of this.paths.keys()) {
        this.paths.delete(key)
        break
      }
  }
}

/** The trunk where it is known, else each end's address: one of them is the SBC or PBX that many calls share. */
function pathKeys(record: CallRecord): string[] {
  if (record.trunk !== undefined) return [`trunk ${record.trunk}`]
  return [record.caller_address, record.callee_address]
    .filter((address) => address !== undefined)
    .map((address) => `address ${address}`)
}
