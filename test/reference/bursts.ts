/** Bursts and gaps by the direct definition of RFC 3611 4.7.2, loss runs, and the burst ratio of G.107. */

export type PacketState = 'received' | 'lost' | 'late'

/** RFC 3611: that many received in a row end a burst. */
const GMIN = 16

export interface BurstAnalysis {
  burstCount: number
  burstDensity: number
  burstDurationMs: number
  gapDensity: number
  gapDurationMs: number
  /** Length of each burst and gap in packets, in order. */
  burstLengths: number[]
  gapLengths: number[]
  lossRuns: number[]
  /** Mean run of lost or late packets over what random loss would give; undefined without any. */
  burstRatio?: number
  /** Lost and late packets. */
  impaired: number
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Lengths of the runs of states for which `belongs` holds. */
function runLengths(states: PacketState[], belongs: (state: PacketState) => boolean): number[] {
  const runs: number[] = []
  let length = 0
  for (const state of states) {
    if (belongs(state)) length++
    else if (length > 0) {
      runs.push(length)
      length = 0
    }
  }
  if (length > 0) runs.push(length)
  return runs
}

/** First and last index of each burst: two losses or more, never 16 received in a row between them. */
function findBursts(states: PacketState[]): { first: number; last: number }[] {
  const impaired = states.flatMap((state, i) => (state === 'received' ? [] : [i]))
  const bursts: { first: number; last: number }[] = []
  let start = 0
  for (let i = 0; i < impaired.length; i++) {
    const received = i + 1 < impaired.length ? impaired[i + 1] - impaired[i] - 1 : Infinity
    if (received < GMIN) continue
    // A single loss with 16 received on either side is part of the gap.
    if (i > start) bursts.push({ first: impaired[start], last: impaired[i] })
    start = i + 1
  }
  return bursts
}

/** `segments`: what became of each expected packet, per segment in sequence order. */
export function analyseBursts(segments: PacketState[][], ptimeMs: number): BurstAnalysis {
  const burstLengths: number[] = []
  const gapLengths: number[] = []
  let impairedInBursts = 0
  for (const states of segments) {
    let gapStart = 0
    for (const { first, last } of findBursts(states)) {
      if (first > gapStart) gapLengths.push(first - gapStart)
      burstLengths.push(last - first + 1)
      impairedInBursts += states.slice(first, last + 1).filter((state) => state !== 'received').length
      gapStart = last + 1
    }
    if (states.length > gapStart) gapLengths.push(states.length - gapStart)
  }
  const expected = sum(segments.map((states) => states.length))
  const impaired = sum(segments.map((states) => states.filter((state) => state !== 'received').length))
  const runs = segments.flatMap((states) => runLengths(states, (state) => state !== 'received'))
  const lossRuns = new Array<number>(10).fill(0)
  for (const states of segments) {
    for (const run of runLengths(states, (state) => state === 'lost')) lossRuns[Math.min(run, 10) - 1]++
  }
  const inBursts = sum(burstLengths)
  const inGaps = sum(gapLengths)
  return {
    burstCount: burstLengths.length,
    burstDensity: inBursts === 0 ? 0 : impairedInBursts / inBursts,
    burstDurationMs: burstLengths.length === 0 ? 0 : (inBursts * ptimeMs) / burstLengths.length,
    gapDensity: inGaps === 0 ? 0 : (impaired - impairedInBursts) / inGaps,
    gapDurationMs: gapLengths.length === 0 ? 0 : (inGaps * ptimeMs) / gapLengths.length,
    burstLengths,
    gapLengths,
    lossRuns,
    burstRatio: runs.length === 0 ? undefined : (sum(runs) / runs.length) * (1 - impaired / expected),
    impaired,
  }
}
