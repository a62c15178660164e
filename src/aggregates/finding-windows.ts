import type { CallRecord } from '../calls/records.js'
import { FindingGroups } from './finding-groups.js'
import { findingGroupPoints } from './finding-points.js'
import type { MetricPoint } from './point.js'

/** Windows are aligned to the clock. */
const WINDOW_MS = 300_000
/** Fewer calls with a finding than this are no group. */
const LEAST_CALLS = 3

/** Groups of findings, window by window, as points of `voip_finding_group`. */
export class FindingWindows {
  private groups: FindingGroups | undefined
  private windowMs = -Infinity

  constructor(
    private readonly probe: string,
    private readonly emit: (points: MetricPoint[]) => void,
  ) {}

  onTime(timeMs: number): void {
    if (timeMs >= this.windowMs && timeMs < this.windowMs + WINDOW_MS) return
    this.finish()
    this.windowMs = Math.floor(timeMs / WINDOW_MS) * WINDOW_MS
  }

  onCallClosed(record: CallRecord): void {
    this.groups ??= new FindingGroups()
    this.groups.onCallClosed(undefined, record)
  }

  /** Writes the window that is open. */
  finish(): void {
    const { groups } = this
    if (!groups) return
    this.groups = undefined
    const bad = groups.badCalls()
    const found = [...groups.summary(), ...(bad ? [bad] : [])].filter(({ calls }) => calls >= LEAST_CALLS)
    if (found.length > 0) this.emit(findingGroupPoints(found, this.probe, this.windowMs))
  }
}
