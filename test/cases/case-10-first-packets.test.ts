import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replay, replayScenario } from '../helpers/replay.js'
import { media, NOON } from './hand-made.js'

describe('case 10: the first packets of a stream are reordered', () => {
  it.each([1, 3])('the first packet arrives %d places late: not lost, not a segment', async (by) => {
    const { calls, truth } = await replayScenario({
      calls: [{ duration_s: 10, rtcp: false, media: { both: { reorder: { packets: [0], by } } } }],
    })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(only(calls), name)
      // The delay of the first packets is the origin of all others: the generator has the same rule.
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ lost: 0, reordered: 1, segments: 1 })
    }
  })

  it('with sequence numbers that wrap among them', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 10,
          rtcp: false,
          media: { both: { initial_sequence: 65_535, reorder: { packets: [0, 1, 2], by: 2 } } },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.calls[0].media.from_caller)
    expect(direction).toMatchObject({ lost: 0, segments: 1 })
  })

  it('without any signalling: a stream on probation keeps all its packets', async () => {
    const order = [2, 1, 0, 4, 3, 5]
    const frames = media({
      from: '192.0.2.1:4000',
      to: '192.0.2.2:5000',
      startMs: NOON,
      packets: 300,
      sequence: 9,
    })
    const shuffled = frames.map((frame, n) =>
      n < order.length ? { ...frames[order[n]], timeMs: frame.timeMs } : frame,
    )
    const { streams, calls } = await replay(shuffled)
    // 1 and 0 came behind 2, and 3 behind 4.
    expect(only(streams)).toMatchObject({ packets: 300, lost: 0, reordered: 3, duplicates: 0, segments: 1 })
    expect(only(calls).state).toBe('media_only')
  })
})
