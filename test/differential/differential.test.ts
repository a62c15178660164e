import { describe, expect, it } from 'vitest'
import type { MediaTotals } from '../../src/calls/media-totals.js'
import type { MeterOptions } from '../../src/rtp/meter.js'
import { measureReference } from '../reference/reference.js'
import { differences, EXACT, type Tolerance } from './compare.js'
import { Feed } from './feed.js'
import { scenario, type Scenario } from './scenario.js'

/** CALLPROBE_SCENARIOS=100000 CALLPROBE_SEED=5001 npx vitest run test/differential for a longer search. */
const SCENARIOS = Number(process.env.CALLPROBE_SCENARIOS ?? 1000)
const FIRST_SEED = Number(process.env.CALLPROBE_SEED ?? 1)
const CHUNKS = 10

const SKEW_FROM_MS = 30_000

/**
 * From 30 s on PDV is read against the skew line. By definition that is Theil-Sen over all seconds so far; the meter
 * makes it anew only every 3 s (later 10 and 30 s) from at most 40 points. Steps and spikes of delay move the two lines
 * by some 10 ppm against each other for a while, which lifts or lowers all PDV by that times the age of the base. The
 * usual case must stay within TIGHT, every case within LOOSE.
 */
function tight(packets: number): Tolerance {
  return { late: Math.max(2, 0.002 * packets), bursts: 2, seconds: 1, pdvMs: 1, depthMs: 2 }
}

/** Both slopes lie within +-500 ppm, so PDV can be apart by that times the duration. */
function loose(packets: number, durationMs: number, slips: boolean): Tolerance {
  // A clock that slips by seconds has no slope: the estimates differ at will.
  return {
    late: Math.max(3, (slips ? 0.25 : 0.05) * packets),
    bursts: 6,
    seconds: 6,
    pdvMs: durationMs * 500e-6,
    depthMs: 15,
  }
}

function durationMs({ packets }: Scenario): number {
  return packets[packets.length - 1].timeMs - packets[0].timeMs
}

function measure(made: Scenario, options: MeterOptions = {}): MediaTotals {
  return new Feed(options, made.formats).announce().sendAll(made.packets).finish()
}

function describeScenario(made: Scenario, line: string): string {
  return `seed ${made.seed} (${made.packets.length} packets, ${made.features.join(', ')}): ${line}`
}

/** Runs `check` on all seeds, a chunk of them per test, and expects no line of complaint. */
function forAllSeeds(name: string, check: (made: Scenario) => string[]): void {
  describe(name, () => {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const first = FIRST_SEED + Math.floor((chunk * SCENARIOS) / CHUNKS)
      const next = FIRST_SEED + Math.floor(((chunk + 1) * SCENARIOS) / CHUNKS)
      it(`seeds ${first} to ${next - 1}`, { timeout: 3_600_000 }, () => {
        const found: string[] = []
        for (let seed = first; seed < next; seed++) {
          const made = scenario(seed)
          found.push(...check(made).map((line) => describeScenario(made, line)))
        }
        expect(found.slice(0, 40)).toEqual([])
      })
    }
  })
}

let long = 0
let beyondTight = 0

forAllSeeds('the streaming meter agrees with the plain reference on random streams', (made) => {
  const reference = measureReference(made.packets, made.options)
  const totals = measure(made)
  const found: string[] = []
  if (totals.dtmfEvents !== made.dtmfEvents && !made.features.some((f) => f.startsWith('outage'))) {
    // An event of which no packet came through is not seen.
    if (totals.dtmfEvents > made.dtmfEvents) found.push(`events: ${totals.dtmfEvents} of ${made.dtmfEvents}`)
  }
  if (durationMs(made) < SKEW_FROM_MS) return [...found, ...differences(totals, reference, EXACT)]
  long++
  if (differences(totals, reference, tight(made.packets.length)).length > 0) beyondTight++
  return [
    ...found,
    ...differences(
      totals,
      reference,
      loose(made.packets.length, durationMs(made), made.features.includes('slips')),
    ),
  ]
})

it('streams that are long enough for skew agree closely in 19 of 20 cases', () => {
  expect(long).toBeGreaterThan(SCENARIOS / 20)
  expect(beyondTight).toBeLessThanOrEqual(Math.ceil(long / 20))
})

/** Everything that adds up over intervals. */
function additive(totals: MediaTotals): Record<string, number | number[]> {
  return Object.fromEntries(
    Object.entries(totals)
      // Sums of floats differ by rounding; the skew of a segment that ended within an interval is not in any row.
      .filter(([name]) => name !== 'depthSum' && name !== 'jitterSum' && name !== 'skewPpm')
      .map(([name, value]: [string, number | ArrayLike<number>]) => [
        name,
        typeof value === 'number' ? value : Array.from(value),
      ]),
  )
}

forAllSeeds('the sum over intervals does not depend on their length', (made) => {
  if (made.seed % 3 !== 0) return []
  const whole = measure(made, { intervalMs: 60_000 })
  const found: string[] = []
  for (const intervalMs of [1000, 7000]) {
    const parts = measure(made, { intervalMs })
    const expected = additive(whole)
    for (const [name, value] of Object.entries(additive(parts))) {
      if (JSON.stringify(value) !== JSON.stringify(expected[name]))
        found.push(`${name} at ${intervalMs} ms: ${value.toString()}, at 60 s ${expected[name].toString()}`)
    }
  }
  return found
})

forAllSeeds('a stream without signalling is counted from its first packet all the same', (made) => {
  if (made.seed % 3 !== 1) return []
  const announced = measure(made)
  const feed = new Feed({}, made.formats).sendAll(made.packets)
  const found = feed.finish()
  const names = [
    'packets',
    'bytes',
    'lost',
    'duplicates',
    'spanDuplicates',
    'reordered',
    'segments',
    'stray',
    'lossRuns',
    'finalPackets',
    'firstPacket',
    'lastPacket',
    'longestGap',
    'dtmfEvents',
    'noisePackets',
  ] as const
  return names.flatMap((name) => {
    const [a, b] = [announced[name], found[name]].map((value) => JSON.stringify(value))
    return a === b ? [] : [`${name}: announced ${a}, not announced ${b}`]
  })
})
