/** A step that is told: jitter of the calls that ran then is spoilt. */
const STEP_MS = 20
/** NTP slews a clock by at most 500 ppm; a machine that slept looks like a step and is one. */
const SLEW = 0.001

/** Compares the clock that packets are stamped with to one that never steps. */
export class ClockWatch {
  steps = 0
  /** The largest step, ms (positive: forward). */
  largestMs = 0
  private offsetMs: number
  private lookedMs: number

  constructor(
    private readonly nowMs: () => number,
    private readonly monotonicMs: () => number,
  ) {
    this.lookedMs = monotonicMs()
    this.offsetMs = nowMs() - this.lookedMs
  }

  /** By how much the clock was set since the last look, ms (positive: forward); 0 when it was not. */
  look(): number {
    const monotonicMs = this.monotonicMs()
    const offsetMs = this.nowMs() - monotonicMs
    const stepMs = offsetMs - this.offsetMs
    const tolerated = STEP_MS + SLEW * Math.max(0, monotonicMs - this.lookedMs)
    this.offsetMs = offsetMs
    this.lookedMs = monotonicMs
    if (Math.abs(stepMs) <= tolerated) return 0
    this.steps++
    if (Math.abs(stepMs) > Math.abs(this.largestMs)) this.largestMs = stepMs
    return stepMs
  }
}
