import { describe, expect, it } from 'vitest'
import { pcapOf } from '../../test/helpers/replay.js'
import { MemorySource } from '../capture/memory-source.js'
import { DEFAULT_CONFIG } from '../config/config.js'
import { generateScenario } from '../generate/generate.js'
import type { Scenario } from '../generate/scenario.js'
import { Probe } from '../pipeline/probe.js'
import type { CallObserver } from './observer.js'
import type { CallRecord, Direction } from './records.js'

interface Sums {
  packets: number
  lost: number
  late: number
  measured: number
  jitterUpdates: number
  dtmfEvents: number
  pdvMax: number
}

/** Sums over the seconds of each direction, and the call's record. */
async function secondsOf(
  scenario: Scenario,
): Promise<{ call: CallRecord; sums: Record<Direction, Sums>; starts: number[] }> {
  const none = (): Sums => ({
    packets: 0,
    lost: 0,
    late: 0,
    measured: 0,
    jitterUpdates: 0,
    dtmfEvents: 0,
    pdvMax: 0,
  })
  const sums: Record<Direction, Sums> = { from_caller: none(), from_callee: none() }
  const starts: number[] = []
  const calls: CallRecord[] = []
  const observer: CallObserver = {
    onSecond(_call, direction, stream, second) {
      const sum = sums[direction]
      if (!stream.audio) return
      starts.push(second.startMs)
      for (const name of ['packets', 'lost', 'late', 'measured', 'jitterUpdates', 'dtmfEvents'] as const)
        sum[name] += second[name]
      expect(second.pdv.reduce((a, b) => a + b, 0)).toBe(second.measured)
      expect(second.jitter.reduce((a, b) => a + b, 0)).toBe(second.jitterUpdates)
      sum.pdvMax = Math.max(sum.pdvMax, second.pdvMax)
    },
  }
  const probe = new Probe(DEFAULT_CONFIG, 'file', (record) => record.type === 'call' && calls.push(record), [
    observer,
  ])
  const source = new MemorySource(pcapOf(generateScenario(scenario).packets))
  for (let batch = await source.next(); batch !== null; batch = await source.next()) probe.onBatch(batch)
  for (const _ of probe.finish());
  return { call: calls[0], sums, starts }
}

describe('seconds of a stream', () => {
  it('add up to what the call has: bursts, outages, late packets, digits, a re-INVITE with another codec', async () => {
    const { call, sums } = await secondsOf({
      seed: 5,
      calls: [
        {
          duration_s: 41,
          reinvite: [{ at_s: 20.5, by: 'caller', codec: 'PCMA' }],
          media: {
            from_caller: { loss: { gilbert: { p: 0.01, q: 0.2 } }, dtmf: [{ at_s: 7, digit: '5' }] },
            from_callee: {
              loss: { outages: [{ at_s: 12, duration_s: 15 }] },
              jitter: { spikes: { every_s: 3, size_ms: 90, packets: 4 }, preserve_order: true },
            },
          },
        },
      ],
    })
    for (const direction of ['from_caller', 'from_callee'] as const) {
      const media = call.media[direction]
      expect(sums[direction]).toMatchObject({
        packets: media?.packets,
        lost: media?.lost,
        late: media?.late,
        dtmfEvents: media?.dtmf_events,
      })
      expect(sums[direction].pdvMax).toBeCloseTo(media?.pdv_max_ms ?? NaN, 3)
    }
    expect(sums.from_callee.lost).toBe(750)
  })

  it('begin on whole seconds', async () => {
    const { starts } = await secondsOf({ seed: 1, calls: [{ duration_s: 3 }] })
    expect(starts.every((start) => start % 1000 === 0)).toBe(true)
  })
})
