import { Aggregates } from '../../src/aggregates/aggregates.js'
import type { MetricPoint } from '../../src/aggregates/point.js'
import type { CallRecord, ProbeRecord } from '../../src/calls/records.js'
import { DEFAULT_CONFIG, type Config } from '../../src/config/config.js'
import { Probe } from '../../src/pipeline/probe.js'
import { ladderPackets } from '../../src/sip/tracker-ladder.js'

export interface LadderRun {
  points: MetricPoint[]
  calls: CallRecord[]
  counts: Aggregates['counts']
}

/** Lets a whole probe follow a ladder (src/sip/tracker-ladder.ts), and `quietMs` of silence after it. */
export function runLadder(ladder: string, config: Partial<Config> = {}, quietMs = 120_000): LadderRun {
  const inForce: Config = { ...DEFAULT_CONFIG, ...config }
  const points: MetricPoint[] = []
  const records: ProbeRecord[] = []
  const aggregates = new Aggregates(inForce, (due) => points.push(...due))
  const probe = new Probe(inForce, 'file', (record) => records.push(record), [aggregates])
  let lastMs = 0
  for (const packet of ladderPackets(ladder)) {
    probe.onQuiet(packet.timeMs)
    probe.tracker.onMessage(packet)
    lastMs = packet.timeMs
  }
  for (let waited = 0; waited <= quietMs; waited += 500) probe.onQuiet(lastMs + waited)
  for (const _ of probe.finish());
  aggregates.finish()
  return {
    points,
    calls: records.filter((record): record is CallRecord => record.type === 'call'),
    counts: aggregates.counts,
  }
}

/** Fields of the points of a measurement with these tags, added up over time where that is what they are for. */
export function totalOf(
  points: readonly MetricPoint[],
  measurement: string,
  tags: Readonly<Record<string, string>> = {},
): Record<string, number> {
  const total: Record<string, number> = {}
  for (const point of points) {
    if (point.measurement !== measurement) continue
    if (Object.entries(tags).some(([name, value]) => point.tags[name] !== value)) continue
    for (const [name, value] of Object.entries(point.fields))
      if (typeof value === 'number') total[name] = (total[name] ?? 0) + value
  }
  return total
}
