import { describe, expect, it } from 'vitest'
import type { IntervalRecord } from '../../src/calls/records.js'
import { directionOf, expectNear, only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON } from './hand-made.js'

const seconds = (text: string): number => (Date.parse(text) - NOON) / 1000

function sum(
  intervals: readonly IntervalRecord[],
  field: 'packets' | 'lost' | 'late' | 'duplicates' | 'reordered',
): number {
  return intervals.reduce((total, interval) => total + (interval[field] ?? 0), 0)
}

/** A call from noon on; Alice's media from 0.54 s. */
function fromAlice(packets: number, without: (n: number) => boolean) {
  const call = callByHand({ durationMs: 20 * packets + 1000 })
  return [
    ...call.frames,
    ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: NOON + 540, packets, without }),
  ]
}

describe('intervals', () => {
  it('are aligned to the clock, whenever the call began', async () => {
    const { intervals } = await replay(fromAlice(1700, () => false))
    expect(intervals.map(({ start, end }) => [seconds(start), seconds(end)])).toEqual([
      [0, 10],
      [10, 20],
      [20, 30],
      [30, 40],
    ])
    // 0.54 to 10 s: 473 packets; to 34.54 s: 227.
    expect(intervals.map(({ packets }) => packets)).toEqual([473, 500, 500, 227])
  })

  it('of a stream without signalling that falls silent end with its last packet: nothing was due any more', async () => {
    const { intervals } = await replay([
      ...media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: NOON + 540, packets: 600 }),
      // The other side goes on, so that time does: the stream ends after a minute of silence.
      ...media({ from: BOB_AUDIO, to: ALICE_AUDIO, startMs: NOON + 550, packets: 4500 }),
    ])
    const ofCaller = intervals.filter(({ direction }) => direction === 'from_caller')
    expect(ofCaller.map(({ start, packets }) => [seconds(start), packets])).toEqual([
      [0, 473],
      [10, 127],
    ])
  })

  it('of another length (interval_s) are aligned to that', async () => {
    const { intervals } = await replay(
      fromAlice(1000, () => false),
      { interval_s: 4 },
    )
    expect(intervals.map(({ start, end }) => [seconds(start), seconds(end)])).toEqual([
      [0, 4],
      [4, 8],
      [8, 12],
      [12, 16],
      [16, 20],
      [20, 24],
    ])
  })

  it('have a lost packet where it should have come, at either side of the edge', async () => {
    // Packet 472 is due at 9.98 s, 473 at 10.00 s.
    const { intervals } = await replay(fromAlice(1500, (n) => n === 472 || n === 473 || n === 474))
    expect(intervals.map(({ lost }) => lost)).toEqual([1, 2, 0, 0])
    expect(intervals.map(({ packets }) => packets)).toEqual([472, 498, 500, 27])
  })

  it('of a full outage are there, with lost = expected', async () => {
    // Nothing from 12 s to 47 s.
    const out = (n: number): boolean => n * 20 + 540 >= 12_000 && n * 20 + 540 < 47_000
    const { intervals, calls } = await replay(fromAlice(3000, out))
    expect(intervals.map(({ start, packets, lost }) => [seconds(start), packets, lost])).toEqual([
      [0, 473, 0],
      [10, 100, 400],
      [20, 0, 500],
      [30, 0, 500],
      [40, 150, 350],
      [50, 500, 0],
      [60, 27, 0],
    ])
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction).toMatchObject({ packets: 1250, lost: 1750 })
    // An interval in which everything was lost has the worst score there is.
    const dead = intervals.filter(({ packets }) => packets === 0)
    expect(dead.map(({ loss_percent }) => loss_percent)).toEqual([100, 100])
    expectNear(direction.mos_cq_min, 1, 0.2)
    expect(only(calls).quality).toBe('broken')
  })

  it('with less than a second of media have no MOS', async () => {
    const { intervals } = await replay(fromAlice(1000, () => false))
    // The last one has 20.00 to 20.54 s: 27 packets.
    expect(intervals.map(({ packets }) => packets)).toEqual([473, 500, 27])
    expect(intervals.map(({ mos_cq }) => mos_cq !== undefined)).toEqual([true, true, false])
  })

  it('of a pause (hold, silence) are not written: nothing was expected', async () => {
    const { calls, intervals } = await replayScenario({
      start: '2024-05-01T12:00:00Z',
      calls: [{ duration_s: 60, rtcp: false, hold: [{ at_s: 10, duration_s: 35, mode: 'inactive' }] }],
    })
    expect(only(calls).quality).toBe('good')
    for (const name of ['from_caller', 'from_callee'] as const) {
      const own = intervals.filter((interval) => interval.direction === name)
      expect(own.map(({ start }) => seconds(start))).toEqual([0, 10, 40, 50, 60])
      expect(sum(own, 'lost')).toBe(0)
    }
  })

  it('add up to the call, whatever was done to the packets', async () => {
    const { calls, intervals } = await replayScenario({
      calls: [
        {
          duration_s: 75,
          rtcp: false,
          media: {
            both: {
              loss: { random_percent: 3, outages: [{ at_s: 22, duration_s: 14 }] },
              jitter: { uniform_ms: 45 },
              reorder: { percent: 2, by: 3 },
              duplicates: { percent: 2, after_ms: 25 },
            },
          },
        },
      ],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      const own = intervals.filter((interval) => interval.direction === name)
      for (const field of ['packets', 'lost', 'late', 'duplicates', 'reordered'] as const)
        expect(sum(own, field), field).toBe(direction[field])
      expect(own.every(({ call_id }) => call_id === only(calls).call_id)).toBe(true)
    }
  })
})
