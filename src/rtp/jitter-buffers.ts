import {
  D_RUN_START_FIXED50,
  I_BUFFERS_DIRTY,
  I_DEPTH,
  I_DEPTH_MARK,
  I_DEPTH_SUM,
  I_LATE,
  I_LATE_ADAPTIVE,
  I_LATE_CONFIGURED,
  I_LATE_FIXED50,
  I_MEASURED,
  I_OFFSET_CONFIGURED,
  I_OFFSET_FIXED50,
  I_RUN_MIN_CONFIGURED,
  I_RUN_MIN_FIXED50,
  I_SECOND_MAXIMA,
  I_SECOND_MAXIMA_LENGTH,
  STRIDE_32,
  STRIDE_64,
  WINDOW_WORDS,
} from './layout.js'

/** The adaptive buffer of DESIGN section 2. */
export const ADAPTIVE_MIN_MS = 40
export const ADAPTIVE_MAX_MS = 500

/** The buffer that `late`, delay and MOS refer to. */
export type ConfiguredBuffer =
  { kind: 'fixed'; depthMs: number } | { kind: 'adaptive'; minimumMs: number; maximumMs: number }

/** A fixed buffer moves its base when packets have been late for this long without exception. */
const REBASE_AFTER_MS = 2000

/**
 * The jitter buffers that every packet is played through: fixed 50 ms, fixed 200 ms, adaptive, and, when it is another
 * one, the configured. Called only for packets that could be late in any of them (`calmMs`).
 *
 * A real receiver differs: it plays by its own clock and so drops in talkspurts, stretches or compresses sound instead
 * of jumping, and also discards packets that come too early for its capacity.
 */
export class JitterBuffers {
  /** PDV up to which no buffer can call a packet late. */
  readonly calmMs: number
  private readonly fixedMs: Float64Array
  private readonly fixedBuffers: number
  /** The configured buffer is adaptive within other bounds than the standard one. */
  private readonly ownBounds: boolean
  private readonly minimumMs: number
  private readonly maximumMs: number
  private readonly standardIsConfigured: boolean

  constructor(
    private readonly i32: Int32Array,
    private readonly f32: Float32Array,
    private readonly f64: Float64Array,
    configured: ConfiguredBuffer,
  ) {
    const fixed = configured.kind === 'fixed'
    this.fixedMs = Float64Array.of(50, 200, fixed ? configured.depthMs : Infinity)
    this.fixedBuffers = fixed ? 3 : 2
    this.minimumMs = fixed ? 0 : configured.minimumMs
    this.maximumMs = fixed ? 0 : configured.maximumMs
    this.standardIsConfigured =
      !fixed && this.minimumMs === ADAPTIVE_MIN_MS && this.maximumMs === ADAPTIVE_MAX_MS
    this.ownBounds = !fixed && !this.standardIsConfigured
    this.calmMs = Math.min(ADAPTIVE_MIN_MS, fixed ? configured.depthMs : this.minimumMs)
  }

  restart(slot: number): void {
    const i = slot * STRIDE_32
    const f = slot * STRIDE_64
    for (let k = 0; k < 3; k++) {
      this.f32[i + I_OFFSET_FIXED50 + k] = 0
      this.f64[f + D_RUN_START_FIXED50 + k] = 0
    }
    this.i32[i + I_BUFFERS_DIRTY] = 0
    this.setDepth(i, ADAPTIVE_MIN_MS)
    for (let k = 0; k < I_SECOND_MAXIMA_LENGTH; k++) this.f32[i + I_SECOND_MAXIMA + k] = 0
  }

  /**
   * One measured packet.
   * @param extended its extended sequence number, to mark it late for the burst machine
   */
  play(slot: number, pdvMs: number, timeMs: number, extended: number, ptimeMs: number): void {
    const { i32 } = this
    const i = slot * STRIDE_32
    const f = slot * STRIDE_64
    let dirty = 0
    let late = false
    for (let k = 0; k < this.fixedBuffers; k++) {
      const isLate = this.playFixed(i, f, k, pdvMs, timeMs)
      if (isLate) {
        i32[i + (k === 2 ? I_LATE_CONFIGURED : I_LATE_FIXED50 + k)]++
        if (k === 2) late = true
      }
      if (this.f32[i + I_OFFSET_FIXED50 + k] !== 0 || this.f64[f + D_RUN_START_FIXED50 + k] !== 0) dirty = 1
    }
    const depth = this.f32[i + I_DEPTH]
    if (pdvMs > depth) {
      i32[i + I_LATE_ADAPTIVE]++
      if (this.standardIsConfigured) {
        i32[i + I_LATE_CONFIGURED]++
        late = true
      }
      const wanted = Math.min(ADAPTIVE_MAX_MS, Math.ceil(pdvMs / ptimeMs - 1e-6) * ptimeMs)
      if (wanted > depth) this.setDepth(i, wanted)
    }
    if (this.ownBounds) {
      if (this.playOwnBounds(i, pdvMs, ptimeMs)) late = true
      if (this.f32[i + I_OFFSET_CONFIGURED] > 0) dirty = 1
    }
    if (late) i32[i + I_LATE + ((extended >> 5) & (WINDOW_WORDS - 1))] |= 1 << (extended & 31)
    i32[i + I_BUFFERS_DIRTY] = dirty
  }

  /** Adaptive within configured bounds: keeps its depth above the minimum, and the sum of that over packets. */
  private playOwnBounds(i: number, pdvMs: number, ptimeMs: number): boolean {
    const { f32 } = this
    const above = f32[i + I_OFFSET_CONFIGURED]
    f32[i + I_RUN_MIN_CONFIGURED] += above
    if (pdvMs <= this.minimumMs + above) return false
    this.i32[i + I_LATE_CONFIGURED]++
    const wanted = Math.min(this.maximumMs, Math.ceil(pdvMs / ptimeMs - 1e-6) * ptimeMs) - this.minimumMs
    if (wanted > above) f32[i + I_OFFSET_CONFIGURED] = wanted
    return true
  }

  private playFixed(i: number, f: number, k: number, pdvMs: number, timeMs: number): boolean {
    const offset = this.f32[i + I_OFFSET_FIXED50 + k]
    if (pdvMs < offset) this.f32[i + I_OFFSET_FIXED50 + k] = pdvMs
    if (pdvMs - offset <= this.fixedMs[k]) {
      this.f64[f + D_RUN_START_FIXED50 + k] = 0
      return false
    }
    const start = this.f64[f + D_RUN_START_FIXED50 + k]
    if (start === 0) {
      this.f64[f + D_RUN_START_FIXED50 + k] = timeMs
      this.f32[i + I_RUN_MIN_FIXED50 + k] = pdvMs
      return true
    }
    if (pdvMs < this.f32[i + I_RUN_MIN_FIXED50 + k]) this.f32[i + I_RUN_MIN_FIXED50 + k] = pdvMs
    if (timeMs - start >= REBASE_AFTER_MS) {
      this.f32[i + I_OFFSET_FIXED50 + k] = this.f32[i + I_RUN_MIN_FIXED50 + k]
      this.f64[f + D_RUN_START_FIXED50 + k] = 0
    }
    return true
  }

  /** One second went by without the depth being needed: the adaptive buffer may shrink by one packet. */
  second(slot: number, ptimeMs: number): void {
    const i = slot * STRIDE_32
    const depth = this.f32[i + I_DEPTH]
    const own = this.ownBounds ? this.f32[i + I_OFFSET_CONFIGURED] : 0
    if (depth <= ADAPTIVE_MIN_MS && own <= 0) return
    let maximum = 0
    for (let k = 0; k < I_SECOND_MAXIMA_LENGTH; k++) {
      if (this.f32[i + I_SECOND_MAXIMA + k] > maximum) maximum = this.f32[i + I_SECOND_MAXIMA + k]
    }
    if (own > 0 && maximum < this.minimumMs + own - ptimeMs) {
      this.f32[i + I_OFFSET_CONFIGURED] = Math.max(0, own - ptimeMs)
    }
    if (depth > ADAPTIVE_MIN_MS && maximum < depth - ptimeMs)
      this.setDepth(i, Math.max(ADAPTIVE_MIN_MS, depth - ptimeMs))
  }

  /** Calm seconds after which no adaptive buffer is deeper than its minimum. */
  secondsToFall(i: number, ptimeMs: number): number {
    const above = Math.max(
      this.f32[i + I_DEPTH] - ADAPTIVE_MIN_MS,
      this.ownBounds ? this.f32[i + I_OFFSET_CONFIGURED] : 0,
    )
    return Math.max(0, Math.ceil(above / ptimeMs))
  }

  /** Sum of the configured adaptive buffer's depth over the packets measured since the last call, ms. */
  takeDepthSum(i: number): number {
    if (this.ownBounds) {
      const own = this.minimumMs * this.i32[i + I_MEASURED] + this.f32[i + I_RUN_MIN_CONFIGURED]
      this.f32[i + I_RUN_MIN_CONFIGURED] = 0
      return own
    }
    const sum =
      this.f32[i + I_DEPTH_SUM] +
      this.f32[i + I_DEPTH] * (this.i32[i + I_MEASURED] - this.i32[i + I_DEPTH_MARK])
    this.f32[i + I_DEPTH_SUM] = 0
    this.i32[i + I_DEPTH_MARK] = 0
    return sum
  }

  private setDepth(i: number, depth: number): void {
    const measured = this.i32[i + I_MEASURED]
    this.f32[i + I_DEPTH_SUM] += this.f32[i + I_DEPTH] * (measured - this.i32[i + I_DEPTH_MARK])
    this.i32[i + I_DEPTH_MARK] = measured
    this.f32[i + I_DEPTH] = depth
  }
}
