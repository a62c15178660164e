/** Entries kept; when there are more, neighbours are taken together. */
const MOST_ENTRIES = 8192

interface Entry {
  timeMs: number
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
  private readonly resumed = new Set<string>()

  /** @param known false where the system does not tell of drops */
  constructor(readonly known = true) {}

  /** The probe was restarted while this call ran. */
  resume(callId: string): void {
    this.resumed.add(callId)
  }

  isResumed(callId: string): boolean {
    return this.resumed.has(callId)
  }

  /** `timeMs`: when it was noticed, ms since the epoch; what is noticed together happened shortly before. */
  add(timeMs: number, drops: number, downMs: number): void {
    if (drops === 0 && downMs === 0) return
    this.entries.push({ timeMs, drops, downMs })
    if (this.entries.length > MOST_ENTRIES) this.halve()
  }

  /** Sums over [startMs, endMs]. */
  between(startMs: number, endMs: number): { drops: number; downMs: number } {
    let drops = 0
    let downMs = 0
    for (let k = this.entries.length - 1; k >= 0; k--) {
      const entry = this.entries[k]
      if (entry.timeMs < startMs) break
      if (entry.timeMs > endMs) continue
      drops += entry.drops
      downMs += entry.downMs
    }
    return { drops, downMs: Math.min(downMs, Math.max(0, endMs - startMs)) }
  }

  /** Times become coarser: two entries stand where the later one stood. */
  private halve(): void {
    const merged: Entry[] = []
    for (let k = 0; k < this.entries.length; k += 2) {
      const first = this.entries[k]
      const second = this.entries.at(k + 1)
      merged.push(
        second === undefined
          ? first
          : {
              timeMs: second.timeMs,
              drops: first.drops + second.drops,
              downMs: first.downMs + second.downMs,
            },
      )
    }
    this.entries.length = 0
    this.entries.push(...merged)
  }
}
