import type { ProbeRecord } from '../../calls/records.js'
import type { Expression } from '../expression.js'

/** Calls whose verdict is remembered for streams that outlive them; the oldest are forgotten. */
const MOST_VERDICTS = 200_000

/**
 * Passes on the records of calls for which a filter is true, with their streams and intervals: those wait for their
 * call's verdict, or follow the last one. Without a filter everything passes; summaries and alerts always do.
 */
export class RecordFilter {
  private readonly waiting = new Map<string, ProbeRecord[]>()
  private readonly verdicts = new Map<string, boolean>()

  constructor(
    private readonly filter: Expression | undefined,
    private readonly write: (record: ProbeRecord) => void,
  ) {}

  record(record: ProbeRecord): void {
    if (!this.filter || record.type === 'summary' || record.type === 'alert') {
      this.write(record)
      return
    }
    if (record.call_id === undefined) return
    if (record.type === 'call') {
      const held = this.waiting.get(record.call_id) ?? []
      this.waiting.delete(record.call_id)
      const passes = this.filter.test(record)
      this.remember(record.call_id, passes)
      if (!passes) return
      for (const earlier of held) this.write(earlier)
      this.write(record)
      return
    }
    // Intervals come before their call, a stream that goes on after the call comes behind it.
    const verdict = record.type === 'stream' ? this.verdicts.get(record.call_id) : undefined
    if (verdict !== undefined) {
      if (verdict) this.write(record)
      return
    }
    const held = this.waiting.get(record.call_id)
    if (held) held.push(record)
    else this.waiting.set(record.call_id, [record])
  }

  private remember(callId: string, passes: boolean): void {
    this.verdicts.set(callId, passes)
    if (this.verdicts.size <= MOST_VERDICTS) return
    for (const oldest of this.verdicts.keys()) {
      this.verdicts.delete(oldest)
      break
    }
  }
}
