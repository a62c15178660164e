import { expect } from 'vitest'
import { MemorySource } from '../../src/capture/memory-source.js'
import { PcapWriter, type PcapWriterOptions } from '../../src/capture/pcap-writer.js'
import type { SourceWarning } from '../../src/capture/batch.js'
import {
  RECORD_SCHEMA,
  type CallRecord,
  type DirectionRecord,
  type IntervalRecord,
  type ProbeRecord,
  type StreamRecord,
  type SummaryRecord,
} from '../../src/calls/records.js'
import { validateRecord } from '../../src/calls/validate.js'
import { DEFAULT_CONFIG, type Config } from '../../src/config/config.js'
import { generateScenario } from '../../src/generate/generate.js'
import type { Scenario } from '../../src/generate/scenario.js'
import type { DirectionTruth, ScenarioTruth } from '../../src/generate/truth.js'
import { Probe } from '../../src/pipeline/probe.js'

/** A frame as a tap saw it. `timeMs`: ms since the epoch; `wireLength`: when the file holds less than the wire did. */
export interface Frame {
  timeMs: number
  frame: Uint8Array
  wireLength?: number
}

/** Everything that a replay said, in the order of its saying. */
export interface Replayed {
  records: ProbeRecord[]
  calls: CallRecord[]
  streams: StreamRecord[]
  intervals: IntervalRecord[]
  summary: SummaryRecord
  warnings: readonly SourceWarning[]
}

/** Classic pcap with nanoseconds, frames in order of time (equal times keep their order). */
export function pcapOf(frames: readonly Frame[], options: PcapWriterOptions = {}): Uint8Array {
  const writer = new PcapWriter({ nanoseconds: true, ...options })
  const sorted = [...frames].sort((a, b) => a.timeMs - b.timeMs)
  for (const { timeMs, frame, wireLength } of sorted) writer.write(timeMs, frame, wireLength ?? frame.length)
  return writer.toBytes()
}

/** Replays a capture that lies in memory. Every record is held to its published schema. */
export async function replayBytes(bytes: Uint8Array, config: Partial<Config> = {}): Promise<Replayed> {
  const records: ProbeRecord[] = []
  const inForce: Config = { ...DEFAULT_CONFIG, ...config }
  const probe = new Probe(inForce, 'file', (record) => records.push(written(record)))
  const source = new MemorySource(bytes)
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  probe.noteCuts(source.cuts)
  for (const _ of probe.finish());
  const summary: SummaryRecord = {
    type: 'summary',
    schema: RECORD_SCHEMA,
    probe: inForce.probe,
    ...probe.counts(),
    ...probe.groupedFindings(),
    truncated_files: [],
  }
  for (const record of [...records, written(summary)])
    expect(validateRecord(record), JSON.stringify(record)).toEqual([])
  return {
    records,
    calls: records.filter((record) => record.type === 'call'),
    streams: records.filter((record) => record.type === 'stream'),
    intervals: records.filter((record) => record.type === 'interval'),
    summary,
    warnings: source.warnings,
  }
}

/** A record as its reader gets it, not rounded: without the fields that are undefined. */
function written<T extends ProbeRecord>(record: T): T {
  return JSON.parse(JSON.stringify(record))
}

export function replay(frames: readonly Frame[], config: Partial<Config> = {}): Promise<Replayed> {
  return replayBytes(pcapOf(frames), config)
}

/** Generates a scenario and replays it: the records, and what is true of them. */
export async function replayScenario(
  scenario: Scenario,
  config: Partial<Config> = {},
): Promise<Replayed & { truth: ScenarioTruth; packets: Frame[] }> {
  const { packets, truth } = generateScenario(scenario)
  return { ...(await replay(packets, config)), truth, packets }
}

/** The single element. */
export function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1)
  return list[0]
}

/** A direction that must be there. */
export function directionOf(call: CallRecord, direction: 'from_caller' | 'from_callee'): DirectionRecord {
  const found = call.media[direction]
  if (!found) throw new Error(`the call has no ${direction}`)
  return found
}

/** The record's percentage of lost packets, when so many came and so many did not. */
export function percentOf(lost: number, packets: number): number {
  return (100 * lost) / (packets + lost)
}

/** Fields that must be exactly as the generator knows them. */
const EXACT = [
  'packets',
  'lost',
  'duplicates',
  'reordered',
  'timestamp_jumps',
  'dtmf_events',
  'burst_seconds',
  'loss_runs',
  'dscp',
  'first_packet',
  'last_packet',
] as const

/**
 * Holds measured media to the generator's truth: counts exactly, jitter to rounding, percentiles to what histograms
 * may be off (3 % or 0.1 ms).
 */
export function expectTruth(
  media: DirectionRecord | StreamRecord,
  truth: DirectionTruth | undefined,
  ...except: string[]
): void {
  if (!truth) throw new Error('the truth says nothing of it')
  for (const field of EXACT) {
    if (except.includes(field)) continue
    // Records have times in whole milliseconds.
    const expected =
      field === 'first_packet' || field === 'last_packet' ? truth[field]?.slice(0, 23) + 'Z' : truth[field]
    if (field in media || (field !== 'first_packet' && field !== 'last_packet'))
      expect(media[field], field).toEqual(expected)
  }
  if (!except.includes('ssrcs') && 'ssrcs' in media) expect(media.ssrcs).toEqual(truth.ssrcs)
  for (const field of ['jitter_mean_ms', 'jitter_max_ms', 'pdv_max_ms', 'longest_gap_ms'] as const) {
    const expected = truth[field]
    if (expected === undefined || except.includes(field)) continue
    expectNear(media[field], expected, 0.002 + expected * 1e-4, field)
  }
  for (const field of ['jitter_p95_ms', 'jitter_p99_ms', 'pdv_p50_ms', 'pdv_p95_ms', 'pdv_p99_ms'] as const) {
    const expected = truth[field]
    if (expected === undefined || except.includes(field)) continue
    expectNear(media[field], expected, Math.max(0.1, expected * 0.03), field)
  }
}

export function expectNear(actual: number | undefined, expected: number, within: number, name = ''): void {
  expect(actual, name).toBeDefined()
  expect(
    Math.abs((actual ?? NaN) - expected),
    `${name} is ${actual}, expected ${expected}`,
  ).toBeLessThanOrEqual(within)
}
