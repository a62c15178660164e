import { describe, expect, it } from 'vitest'
import { measureReference } from '../reference/reference.js'
import { differences, type Tolerance } from './compare.js'
import { Feed } from './feed.js'
import { scenario, type Scenario } from './scenario.js'

const SCENARIOS = Number(process.env.CALLPROBE_SCENARIOS ?? 1000)
const FIRST_SEED = Number(process.env.CALLPROBE_SEED ?? 1)
const CHUNKS = 10

function toleranceFor(made: Scenario): Tolerance {
  const durationMs = made.packets[made.packets.length - 1].timeMs - made.packets[0].timeMs
  if (durationMs < 30_000) return { late: 0, bursts: 0, pdvMs: 0 }
  return { late: Math.max(2, 0.002 * made.packets.length), bursts: 2, pdvMs: 1 }
}

function check(seed: number): string[] {
  const made = scenario(seed)
  const reference = measureReference(made.packets, made.options)
  const totals = new Feed({}, made.formats).announce().sendAll(made.packets).finish()
  return differences(totals, reference, toleranceFor(made)).map(
    (line) => `seed ${seed} (${made.packets.length} packets, ${made.features.join(', ')}): ${line}`,
  )
}

describe('the streaming meter agrees with the plain reference on random streams', () => {
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const first = FIRST_SEED + Math.floor((chunk * SCENARIOS) / CHUNKS)
    const next = FIRST_SEED + Math.floor(((chunk + 1) * SCENARIOS) / CHUNKS)
    it(`seeds ${first} to ${next - 1}`, { timeout: 600_000 }, () => {
      const found: string[] = []
      for (let seed = first; seed < next; seed++) found.push(...check(seed))
      expect(found.slice(0, 40)).toEqual([])
    })
  }
})
