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
  I_OFFSET_FIXED50,
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

  /** @param configuredFixedMs depth of the configured buffer when it is fixed; undefined: adaptive */
  constructor(
    private readonly i32: Int32Array,
    private readonly f32: Float32Array,
    private readonly f64: Float64Array,
    private readonly configuredFixedMs: number | undefined,
  ) {
    this.fixedMs = Float64Array.of(50, 200, configuredFixedMs ?? Infinity)
    this.calmMs = Math.min(ADAPTIVE_MIN_MS, configuredFixedMs ?? ADAPTIVE_MIN_MS)
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
    const buffers = this.configuredFixedMs === undefined ? 2 : 3
    for (let k = 0; k < buffers; k++) {
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
      if (this.configuredFixedMs === undefined) {
        i32[i + I_LATE_CONFIGURED]++
        late = true
      }
      const wanted = Math.min(ADAPTIVE_MAX_MS, Math.ceil(pdvMs / ptimeMs - 1e-6) * ptimeMs)
      if (wanted > depth) this.setDepth(i, wanted)
    }
    if (late) i32[i + I_LATE + ((extended >> 5) & (WINDOW_WORDS - 1))] |= 1 << (extended & 31)
    i32[i + I_BUFFERS_DIRTY] = dirty
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
    if (depth <= ADAPTIVE_MIN_MS) return
    let maximum = 0
    for (let k = 0; k < I_SECOND_MAXIMA_LENGTH; k++) {
      if (this.f32[i + I_SECOND_MAXIMA + k] > maximum) maximum = this.f32[i + I_SECOND_MAXIMA + k]
    }
    if (maximum < depth - ptimeMs) this.setDepth(i, Math.max(ADAPTIVE_MIN_MS, depth - ptimeMs))
  }

  /** Sum of the depth over the packets measured since the last call, ms. */
  takeDepthSum(i: number): number {
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
