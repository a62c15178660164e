import { measure, RULES, type Measured, type Rule, type Setting } from './measure.js'
import type { PlacedPacket } from './order.js'
import { ruleReason, type Reason } from './reasons.js'

/** Figures that both programs print. */
export const COLUMNS = ['packets', 'lost', 'max_delta_ms', 'mean_jitter_ms', 'max_jitter_ms'] as const
export type Column = (typeof COLUMNS)[number]
export type Figures = Record<Column, number | undefined>

/** What two figures may differ by and still say the same. Counts: nothing. Times: 2 %, or 0.05 ms. */
const AGREE = { share: 0.02, ms: 0.05 }
/** What a figure and its recomputation may differ by: 0.001 ms of tshark's printing, float32 of ours. */
const SAME = { share: 0.001, ms: 0.002 }

export function figuresOf(measured: Measured): Figures {
  return {
    packets: measured.packets,
    lost: measured.lost,
    max_delta_ms: measured.maxDeltaMs,
    mean_jitter_ms: measured.meanJitterMs,
    max_jitter_ms: measured.maxJitterMs,
  }
}

export function agrees(column: Column, a: number | undefined, b: number | undefined): boolean {
  return within(column, a, b, AGREE)
}

function isSame(column: Column, a: number | undefined, b: number | undefined): boolean {
  return within(column, a, b, SAME)
}

function within(
  column: Column,
  a: number | undefined,
  b: number | undefined,
  allowed: { share: number; ms: number },
): boolean {
  if (a === undefined || b === undefined) return a === b
  if (column === 'packets' || column === 'lost') return a === b
  return Math.abs(a - b) <= Math.max(allowed.ms, allowed.share * Math.abs(b))
}

/** The outcome for one figure that differs. `recomputed` is what we should have printed by our definitions. */
export interface Explanation {
  reasons: Reason[]
  /** True when the packets yield tshark's figure by its definition and ours by ours. */
  checked: boolean
  recomputed: { ours: number | undefined; tshark: number | undefined }
}

/** Recomputes the figures of one stream by both definitions and says what leads from one to the other. */
export class Recomputation {
  private readonly byOurs: Measured
  private readonly byTshark: Measured

  /** @param packets what tshark took for RTP; `all`: what it takes when told that everything on the ports is */
  constructor(
    packets: readonly PlacedPacket[],
    private readonly all: readonly PlacedPacket[],
    private readonly setting: Setting,
  ) {
    this.byTshark = measure(packets, new Set(), setting)
    this.byOurs = measure(all, new Set(RULES), setting)
  }

  /** @param listed whether tshark lists the stream at all: else only our own figure can be checked */
  explain(
    column: Column,
    ours: number | undefined,
    tshark: number | undefined,
    listed: boolean,
  ): Explanation {
    const recomputed = {
      ours: figuresOf(this.byOurs)[column],
      tshark: figuresOf(this.byTshark)[column],
    }
    const oursHolds = isSame(column, recomputed.ours, ours)
    const reasons = oursHolds && listed ? this.reasonsFor(column, ours) : []
    return {
      reasons,
      checked: oursHolds && (!listed || isSame(column, recomputed.tshark, tshark)),
      recomputed,
    }
  }

  /** The rules without which the figure would be another: those that can be dropped are, one after the other. */
  private reasonsFor(column: Column, ours: number | undefined): Reason[] {
    const needed = new Set<Rule>(RULES)
    // Backwards, so that of two rules that do the same the more telling one, which stands first, is kept.
    for (const rule of [...RULES].reverse()) {
      needed.delete(rule)
      const without = figuresOf(measure(this.all, needed, this.setting))[column]
      if (!isSame(column, without, ours)) needed.add(rule)
    }
    return RULES.filter((rule) => needed.has(rule)).map((rule) =>
      ruleReason(rule, this.all, this.byOurs.jumpFrames),
    )
  }
}
