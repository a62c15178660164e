export interface EpisodeTimes {
  forMs: number
  clearAfterMs: number
  cooldownMs: number
}

export type Transition = 'raised' | 'cleared'

/**
 * One group of one rule from calm to alert and back: the condition must hold for a time before it is raised, be calm
 * for a time before it is cleared, and after that it is not raised again for a time. Times in ms since the epoch.
 */
export class Episode {
  /** Since when the condition holds; NaN when it does not. */
  private badSinceMs = NaN
  private calmSinceMs = NaN
  private coolUntilMs = -Infinity
  firing = false
  /** Set while firing, kept until the next. */
  startMs = NaN
  endMs = NaN

  /** May change: what counts from then on. */
  constructor(public times: EpisodeTimes) {}

  /** Nothing is going on that time alone would change. */
  get isIdle(): boolean {
    return !this.firing && Number.isNaN(this.badSinceMs)
  }

  /**
   * @param isBad the condition holds
   * @param isCalm it is over, hysteresis included
   * @param startMs when what makes it bad began; NaN: when it was first seen to be
   * @param lastBadMs when it was bad for the last time, for an alert that is cleared; NaN: when it turned calm
   */
  update(
    nowMs: number,
    isBad: boolean,
    isCalm: boolean,
    startMs = NaN,
    lastBadMs = NaN,
  ): Transition | undefined {
    if (this.firing) return this.whileFiring(nowMs, isCalm, lastBadMs)
    if (!isBad) {
      this.badSinceMs = NaN
      return undefined
    }
    if (Number.isNaN(this.badSinceMs)) this.badSinceMs = nowMs
    if (nowMs - this.badSinceMs < this.times.forMs || nowMs < this.coolUntilMs) return undefined
    this.firing = true
    this.startMs = Number.isNaN(startMs) ? this.badSinceMs : Math.min(startMs, nowMs)
    this.endMs = NaN
    this.calmSinceMs = NaN
    this.badSinceMs = NaN
    return 'raised'
  }

  private whileFiring(nowMs: number, isCalm: boolean, lastBadMs: number): Transition | undefined {
    if (!isCalm) {
      this.calmSinceMs = NaN
      return undefined
    }
    if (Number.isNaN(this.calmSinceMs)) this.calmSinceMs = nowMs
    if (nowMs - this.calmSinceMs < this.times.clearAfterMs) return undefined
    this.firing = false
    const end = Number.isNaN(lastBadMs) ? this.calmSinceMs : lastBadMs
    this.endMs = Math.max(this.startMs, Math.min(end, nowMs))
    this.coolUntilMs = nowMs + this.times.cooldownMs
    return 'cleared'
  }

  /** Takes up an alert that was open when the process ended. */
  resume(startMs: number): void {
    this.firing = true
    this.startMs = startMs
  }
}
