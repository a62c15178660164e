import type { SipCall } from '../sip/call.js'
import type { CallRecord } from './records.js'

/** Entries kept; when there are more, neighbours are taken together. */
const MOST_ENTRIES = 8192

interface Entry {
  fromMs: number
  toMs: number
  drops: number
  downMs: number
}

/**
 * What a live capture missed, over time: packets dropped between the wire and the probe, and time during which the
 * interface was away. Calls ask for what fell into theirs, so that nobody blames the network for it.
 */
export class CaptureLosses {
  private readonly entries: Entry[] = []
  /** undefined: the system does not tell. */
  clockSynchronized: boolean | undefined
  private readonly resumed = new Map<string, number>()

  /** @param known false where the system does not tell of drops */
  constructor(readonly known = true) {}

  /** The probe was restarted while this call ran; until then its last message was at `lastMs`. */
  resume(callId: string, lastMs: number): void {
    this.resumed.set(callId, lastMs)
  }

  isResumed(callId: string): boolean {
    return this.resumed.has(callId)
  }

  /** A call of before the restart of which nothing was seen since: it ended meanwhile. */
  sawNothingOf({ call_id: callId, validity }: CallRecord, sip: SipCall | undefined): boolean {
    const lastMs = this.resumed.get(callId)
    if (lastMs === undefined || sip === undefined) return false
    return sip.lastMs <= lastMs && (validity.directions_seen ?? []).length === 0
  }

  /** What was missed at some time between two looks at the counters; ms since the epoch. */
  add(fromMs: number, toMs: number, drops: number, downMs: number): void {
    if (drops === 0 && downMs === 0) return
    let at = this.entries.length
    while (at > 0 && this.entries[at - 1].toMs > toMs) at--
    this.entries.splice(at, 0, { fromMs: Math.min(fromMs, toMs), toMs, drops, downMs })
    if (this.entries.length > MOST_ENTRIES) this.halve()
  }

  get entryCount(): number {
    return this.entries.length
  }

  /** Sums of all that may have been missed within [startMs, endMs]. */
  between(startMs: number, endMs: number): { drops: number; downMs: number } {
    let drops = 0
    let downMs = 0
    for (let k = this.entries.length - 1; k >= 0; k--) {
      const entry = this.entries[k]
      if (entry.toMs < startMs) break
      if (entry.fromMs > endMs) continue
      drops += entry.drops
      downMs += entry.downMs
    }
    return { drops, downMs: Math.min(downMs, Math.max(0, endMs - startMs)) }
  }

  /** Times become coarser: two entries stand for the time of both. */
  private halve(): void {
    const merged: Entry[] = []
    for (let k = 0; k < this.entries.length; k += 2) {
      const first = this.entries[k]
      const second = this.entries.at(k + 1)
      merged.push(
        second === undefined
          ? first
          : {
              fromMs: Math.min(first.fromMs, second.fromMs),
              toMs: second.toMs,
              drops: first.drops + second.drops,
              downMs: first.downMs + second.downMs,
            },
      )
    }
    this.entries.length = 0
    this.entries.push(...merged)
  }
}
