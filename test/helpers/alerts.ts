import { expect } from 'vitest'
import { AlertEngine, type AlertEngineOptions } from '../../src/alerts/engine.js'
import type { AlertRecord } from '../../src/calls/records.js'
import { validateRecord } from '../../src/calls/validate.js'
import { MemorySource } from '../../src/capture/memory-source.js'
import { DEFAULT_CONFIG, type Config } from '../../src/config/config.js'
import { generateScenario } from '../../src/generate/generate.js'
import type { CallSpec, Scenario } from '../../src/generate/scenario.js'
import { Probe } from '../../src/pipeline/probe.js'
import { pcapOf, type Frame } from './replay.js'

export interface Watched {
  alerts: AlertRecord[]
  engine: AlertEngine
}

/** Replays frames with the rules in force; every alert record is held to its schema. */
export async function watch(
  frames: readonly Frame[],
  config: Partial<Config> = {},
  options: Partial<AlertEngineOptions> = {},
): Promise<Watched> {
  const inForce: Config = { ...DEFAULT_CONFIG, ...config }
  const alerts: AlertRecord[] = []
  const engine = new AlertEngine(inForce, { ...options, emit: (record) => alerts.push(written(record)) })
  const probe = new Probe(inForce, 'file', () => {}, [engine])
  const source = new MemorySource(pcapOf(frames))
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  engine.finish(frames.reduce((last, { timeMs }) => Math.max(last, timeMs), 0))
  return { alerts, engine }
}

export async function watchScenario(
  scenario: Scenario,
  config: Partial<Config> = {},
  options: Partial<AlertEngineOptions> = {},
): Promise<Watched & { packets: Frame[] }> {
  const { packets } = generateScenario(scenario)
  return { ...(await watch(packets, config, options)), packets }
}

/** Two sites and a trunk that generated calls are between. */
export const PLACES: Pick<Config, 'sites' | 'trunks'> = {
  sites: [
    { name: 'berlin', networks: ['192.0.2.0/25'] },
    { name: 'hamburg', networks: ['192.0.2.128/25'] },
  ],
  trunks: [{ name: 'carrier-a', addresses: ['198.51.100.0/24'] }],
}

/** Calls from Berlin over the trunk, each with its own phone. */
export function trunkCalls(count: number, spec: CallSpec): CallSpec[] {
  return Array.from({ length: count }, (_, n) => ({
    ...spec,
    caller: { user: `10${n}`, address: `192.0.2.${n + 1}`, ...spec.caller },
    callee: { user: `0049${n}`, address: `198.51.100.${n + 1}`, ...spec.callee },
  }))
}

export function ruleNames(alerts: readonly AlertRecord[]): string[] {
  return alerts.map(({ rule, state }) => `${rule} ${state}`)
}

function written(record: AlertRecord): AlertRecord {
  const copy: AlertRecord = JSON.parse(JSON.stringify(record))
  expect(validateRecord(copy), JSON.stringify(copy)).toEqual([])
  return copy
}
