import type { SourceWarning } from '../capture/batch.js'
import type { ClockWatch } from './clock-watch.js'

export interface CaptureTroubles {
  /** What the source noticed when it opened: offloads, settings of the interface. */
  noticed: readonly SourceWarning[]
  clock: Pick<ClockWatch, 'steps' | 'largestMs'>
  /** Time during which an interface was away, ms. */
  downMs: number
  /** Records that an output could not take. */
  droppedRecords: number
  /** Media workers that ended unasked. */
  workerRestarts: number
}

/** `summary.warnings` of a live capture: what its reader should know and no other field of the summary says. */
export function captureWarnings(troubles: CaptureTroubles): string[] {
  const { noticed, clock, downMs, droppedRecords, workerRestarts } = troubles
  const warnings = noticed.map(({ source, message }) => `${source}: ${message}`)
  if (clock.steps > 0) {
    const by = `${Math.abs(clock.largestMs).toFixed(0)} ms`
    const set = clock.steps === 1 ? `once, by ${by}` : `${clock.steps} times, by up to ${by}`
    warnings.push(
      `the clock was set ${set}: jitter and delay variation of the calls that ran then are spoilt`,
    )
  }
  if (downMs > 0)
    warnings.push(
      `an interface was away for ${(downMs / 1000).toFixed(1)} s: what passed meanwhile was not seen (validity.capture_down_ms)`,
    )
  if (workerRestarts > 0)
    warnings.push(
      workerRestarts === 1
        ? 'a media worker ended unasked and was replaced'
        : `${workerRestarts} media workers ended unasked and were replaced`,
    )
  if (droppedRecords > 0)
    warnings.push(
      droppedRecords === 1
        ? 'a record was dropped: its reader was too slow, or its file could not be written'
        : `${droppedRecords} records were dropped: their reader was too slow, or their file could not be written`,
    )
  return warnings
}
