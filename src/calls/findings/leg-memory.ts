import type { Leg } from '../legs/leg.js'
import type { LegNote } from './evidence.js'

/** Legs of one call close within this time of each other. */
const LEG_MS = 10_000
const MOST_LEGS = 512
/** Both legs are hung up within this of each other; else they only began alike. */
const TOGETHER_MS = 1500

/** One closed dialog that is a leg of a call with several. */
export interface LegEntry extends Pick<LegNote, 'callId' | 'media'> {
  leg: Leg
  byeMs: number
  closedMs: number
}

/** The last closed legs, so that the second of a call's to close can be compared with the first. Bounded. */
export class LegMemory {
  private readonly legs: LegEntry[] = []

  /** Legs of the same call that closed before. */
  find({ callId, leg, byeMs, closedMs }: LegEntry): LegNote[] {
    const found: LegNote[] = []
    for (let k = this.legs.length - 1; k >= 0; k--) {
      const other = this.legs[k]
      if (closedMs - other.closedMs > LEG_MS) break
      if (other.leg.of !== leg.of || other.callId === callId) continue
      if (Math.abs(other.byeMs - byeMs) > TOGETHER_MS) continue
      // The first leg knows only that there are others; how sure its link is stands with the further one.
      const { confidence } = leg.role === 'further' ? leg : other.leg
      found.push({ callId: other.callId, media: other.media, kind: 'dialog', confidence })
    }
    return found
  }

  add(leg: LegEntry): void {
    if (this.legs.length >= MOST_LEGS) this.legs.shift()
    this.legs.push(leg)
  }
}
