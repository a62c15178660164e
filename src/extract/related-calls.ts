import type { ProbeRecord } from '../calls/records.js'

/** Related calls followed from the wanted ones. */
const MOST_RELATED = 1000

/** Which calls belong together, as their records tell (`related_calls`), in either direction. */
export class RelatedCalls {
  private readonly relations = new Map<string, Set<string>>()
  private readonly callIds = new Set<string>()

  record(record: ProbeRecord): void {
    if (record.type !== 'call') return
    this.callIds.add(record.call_id)
    for (const other of record.related_calls ?? []) {
      this.link(record.call_id, other)
      this.link(other, record.call_id)
    }
  }

  private link(from: string, to: string): void {
    const known = this.relations.get(from)
    if (known) known.add(to)
    else this.relations.set(from, new Set([to]))
  }

  /** The wanted calls with all that are related to them, over any number of steps. */
  around(isWanted: (callId: string) => boolean): Set<string> {
    const found = new Set([...this.callIds].filter(isWanted))
    for (const callId of found) {
      for (const other of this.relations.get(callId) ?? []) if (found.size < MOST_RELATED) found.add(other)
    }
    return found
  }
}
