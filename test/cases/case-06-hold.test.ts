import { describe, expect, it } from 'vitest'
import { directionOf, expectTruth, only, replayScenario } from '../helpers/replay.js'

describe('case 6: hold and resume', () => {
  it.each(['sendonly', 'inactive'] as const)(
    '%s: the held time is no loss and no broken call',
    async (mode) => {
      const { calls, truth, streams } = await replayScenario({
        calls: [{ duration_s: 40, rtcp: false, hold: [{ at_s: 10, duration_s: 15, by: 'caller', mode }] }],
      })
      const call = only(calls)
      const told = truth.calls[0]
      expect(call.hold_ms).toBe(told.hold_ms)
      expect(call.hold_ms).toBeGreaterThan(14_900)
      expect(call).toMatchObject({
        state: 'completed',
        duration_s: 40,
        quality: 'good',
        sip: { status: 200 },
      })
      for (const name of ['from_caller', 'from_callee'] as const) {
        const media = directionOf(call, name)
        expectTruth(media, told.media[name])
        expect(media).toMatchObject({ lost: 0, late: 0, expected: true, segments: 1 })
        expect(media.longest_gap_ms).toBeGreaterThan(14_900)
      }
      expect(streams).toHaveLength(2)
      expect(streams.every((stream) => stream.call_id === call.call_id)).toBe(true)
    },
  )

  it('music on hold comes from the holder alone, and is measured', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        { duration_s: 40, rtcp: false, hold: [{ at_s: 10, duration_s: 15, by: 'callee', music: true }] },
      ],
    })
    const call = only(calls)
    const [caller, callee] = [directionOf(call, 'from_caller'), directionOf(call, 'from_callee')]
    expectTruth(caller, truth.calls[0].media.from_caller)
    expectTruth(callee, truth.calls[0].media.from_callee)
    expect(callee.packets - caller.packets).toBeGreaterThan(700)
    expect(call.quality).toBe('good')
  })

  it('two holds add up, one from each side', async () => {
    const { calls, truth } = await replayScenario({
      calls: [
        {
          duration_s: 60,
          rtcp: false,
          hold: [
            { at_s: 5, duration_s: 10, by: 'caller' },
            { at_s: 30, duration_s: 12, by: 'callee', mode: 'inactive' },
          ],
        },
      ],
    })
    expect(only(calls).hold_ms).toBe(truth.calls[0].hold_ms)
  })

  it('a call that is held to its end is not broken: nobody was to speak', async () => {
    const { calls, truth } = await replayScenario({
      calls: [{ duration_s: 30, rtcp: false, hold: [{ at_s: 0.5, duration_s: 60, mode: 'inactive' }] }],
    })
    const call = only(calls)
    expect(call.hold_ms).toBe(truth.calls[0].hold_ms)
    expect(call.quality).not.toBe('broken')
    expect(directionOf(call, 'from_caller').expected).toBe(false)
  })

  it('a re-INVITE that moves the media keeps the direction in one piece', async () => {
    const { calls, truth, streams } = await replayScenario({
      calls: [
        {
          duration_s: 30,
          rtcp: false,
          reinvite: [{ at_s: 12, by: 'caller', media_port: 12_346, media_address: '192.0.2.99' }],
        },
      ],
    })
    const call = only(calls)
    for (const name of ['from_caller', 'from_callee'] as const) {
      const media = directionOf(call, name)
      expectTruth(media, truth.calls[0].media[name])
      expect(media).toMatchObject({ lost: 0, expected: true })
    }
    // Both directions on both of the caller's places.
    expect(streams.map((stream) => `${stream.source_address}>${stream.destination_address}`).sort()).toEqual([
      '192.0.2.10>198.51.100.20',
      '192.0.2.99>198.51.100.20',
      '198.51.100.20>192.0.2.10',
      '198.51.100.20>192.0.2.99',
    ])
    expect(streams.every((stream) => stream.call_id === call.call_id)).toBe(true)
    expect(streams.reduce((sum, stream) => sum + stream.packets, 0)).toBe(
      directionOf(call, 'from_caller').packets + directionOf(call, 'from_callee').packets,
    )
  })
})
