import { describe, expect, it } from 'vitest'
import { directionOf, only, replayScenario } from '../helpers/replay.js'

describe('a codec change with another packet time', () => {
  it('the codec of most media time is named, not that of most packets, and the scale is its own', async () => {
    // 6 s in packets of 20 ms, then 12 s in packets of 60 ms: 300 packets, then 200.
    const { calls } = await replayScenario({
      calls: [
        {
          duration_s: 18,
          rtcp: false,
          offer: ['G722'],
          media: { both: { codec: 'PCMA' } },
          reinvite: [{ at_s: 6, by: 'caller', codec: 'G722', ptime_ms: 60 }],
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction.packets).toBeGreaterThan(480)
    expect(direction.packets).toBeLessThan(520)
    expect(direction).toMatchObject({
      codec: 'G722',
      payload_type: 9,
      mos_mixed_scale: true,
      mos_scale: 'wb',
    })
  })
})
