/** Link and IP header of a fragment whose content cannot be told apart. */
const HEADERS_ONLY = 34

/** New bytes for a place in a frame. */
export interface FrameFill {
  /** From the frame's first byte on. */
  at: number
  bytes: Uint8Array
}

/** What becomes of one frame. */
export interface FramePlan {
  /** Its time, by which a file that changed between the passes is noticed. */
  timeMs: number
  /** Most bytes that are kept; absent: all that were captured. */
  keep?: number
  fills?: FrameFill[]
  /** Its checksums are about bytes that were changed, here or in another fragment. */
  isChanged?: boolean
}

/** Frames chosen by their number in the run (0 is the first). */
export class FramePlans {
  private readonly plans = new Map<number, FramePlan>()

  get size(): number {
    return this.plans.size
  }

  get(frame: number): FramePlan | undefined {
    return this.plans.get(frame)
  }

  /** Chooses a frame as a whole, unless something is planned for it. */
  choose(frame: number, timeMs: number): FramePlan {
    const known = this.plans.get(frame)
    if (known) return known
    const plan: FramePlan = { timeMs }
    this.plans.set(frame, plan)
    return plan
  }

  /** Chooses the beginning of a frame, unless all of it is chosen. */
  chooseStart(frame: number, timeMs: number, keep: number): void {
    if (!this.plans.has(frame)) this.plans.set(frame, { timeMs, keep })
  }

  /** Secrets are in this frame, and where is not known: it keeps what lies before `at`, or its headers at most. */
  cutBefore(frame: number, at: number): void {
    const plan = this.plans.get(frame)
    if (plan) plan.keep = Math.min(plan.keep ?? Infinity, at < 0 ? HEADERS_ONLY : at)
  }

  fill(frame: number, fill: FrameFill): void {
    const plan = this.plans.get(frame)
    if (!plan) return
    plan.isChanged = true
    ;(plan.fills ??= []).push(fill)
  }

  change(frame: number): void {
    const plan = this.plans.get(frame)
    if (plan) plan.isChanged = true
  }
}

/** Part of a unit (a TCP stream, a datagram in fragments) as one frame carries it. */
export interface Piece {
  frame: number
  timeMs: number
  /** Where it begins in the unit. */
  start: number
  /** Its length as the headers say, and how much of it was captured. */
  length: number
  captured: number
  /** Where it begins in the frame. */
  at: number
  /** Begins with a message of a capture agent. */
  opens?: boolean
}

/** What stands in place of secrets, and of audio that cannot be cut off. */
export function filler(length: number): Uint8Array {
  return new Uint8Array(length).fill(0x78)
}

/** Writes `bytes` over the unit from `start` on, wherever a frame has a part of it. */
export function fillPieces(
  plans: FramePlans,
  pieces: readonly Piece[],
  start: number,
  bytes: Uint8Array,
): void {
  for (const piece of pieces) {
    const from = Math.max(start, piece.start)
    const to = Math.min(start + bytes.length, piece.start + piece.captured)
    if (from >= to) continue
    plans.fill(piece.frame, {
      at: piece.at + from - piece.start,
      bytes: bytes.subarray(from - start, to - start),
    })
  }
}
