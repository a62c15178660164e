import { describe, expect, it } from 'vitest'
import type { LinkSpec, Scenario } from '../../src/generate/scenario.js'
import { directionOf, expectTruth, only, replay, replayScenario, type Frame } from '../helpers/replay.js'

/** SDP with many codecs makes INVITEs of more than 500 bytes; media packets are 1,212 bytes with 1,200 of payload. */
function scenario(link: LinkSpec): Scenario {
  return {
    link,
    calls: [
      {
        duration_s: 10,
        rtcp: false,
        offer: ['PCMA', 'G722', 'G729', 'GSM', 'iLBC', 'opus'],
        media: { both: { payload_bytes: 1200, loss: { packets: [50, 200, 201] } } },
      },
    ],
  }
}

describe('case 23: IP fragments and cut frames', () => {
  it.each<[string, LinkSpec]>([
    ['bare', { mtu: 600 }],
    ['inside VXLAN', { mtu: 600, encapsulation: 'vxlan' }],
    ['inside ERSPAN', { mtu: 600, encapsulation: 'erspan' }],
    ['behind two VLAN tags', { mtu: 600, vlan: [100, 200] }],
  ])('fragmented SIP and RTP, %s, are put together', async (_, link) => {
    const { calls, truth, packets, summary } = await replayScenario(scenario(link))
    const call = only(calls)
    expect(call).toMatchObject({ state: 'completed', duration_s: 10, sip: { status: 200 } })
    for (const name of ['from_caller', 'from_callee'] as const) {
      const direction = directionOf(call, name)
      expectTruth(direction, truth.calls[0].media[name])
      expect(direction).toMatchObject({ lost: 3, bytes: direction.packets * 1212 })
    }
    // Two fragments and a third of the rest per media packet.
    expect(packets.length).toBeGreaterThan(2500)
    expect(summary.sip_malformed).toBe(0)
  })

  it('fragments in the wrong order give the packet all the same', async () => {
    const { packets, truth } = await replayScenario(scenario({ mtu: 600 }))
    // Neighbours within one packet change places: the frames of one datagram have the same time.
    const shuffled: Frame[] = []
    for (let at = 0; at < packets.length;) {
      let end = at + 1
      while (end < packets.length && packets[end].timeMs === packets[at].timeMs) end++
      shuffled.push(...packets.slice(at, end).reverse())
      at = end
    }
    const { calls } = await replay(shuffled)
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(only(calls), name), truth.calls[0].media[name])
  })

  it('frames cut at 64 bytes keep all that a header tells: RTP is counted in full', async () => {
    const { calls, truth, summary } = await replayScenario({
      link: { snaplen: 64 },
      streams: [
        {
          from: '192.0.2.1:4000',
          to: '192.0.2.2:5000',
          duration_s: 20,
          jitter: { uniform_ms: 8 },
          loss: { random_percent: 3 },
          duplicates: { every: 10, after_ms: 5 },
        },
      ],
    })
    const direction = directionOf(only(calls), 'from_caller')
    expectTruth(direction, truth.streams[0], 'first_packet', 'last_packet')
    // Its length is in the UDP header.
    expect(direction.bytes).toBe(direction.packets * 172)
    expect(summary.bytes).toBeGreaterThan((summary.packets ?? 0) * 200)
  })

  it('frames cut inside the RTP header are counted as skipped, under a reason', async () => {
    const { streams, summary } = await replayScenario({
      link: { snaplen: 48 },
      streams: [{ from: '192.0.2.1:4000', to: '192.0.2.2:5000', duration_s: 2 }],
    })
    expect(streams).toEqual([])
    expect(summary.packets).toBe(100)
  })

  it('a fragment whose brothers never come is no packet', async () => {
    const { packets, truth } = await replayScenario(scenario({ mtu: 600 }))
    const told = truth.calls[0].media.from_caller
    // Drop the last fragment of one media packet of the caller.
    const fromCaller = (frame: Uint8Array): boolean => frame.subarray(26, 30).join('.') === '192.0.2.10'
    const lastFragments = packets.filter(
      ({ frame }) =>
        fromCaller(frame) && (frame[20] & 0x20) === 0 && ((frame[20] & 0x1f) << 8) + frame[21] === 144,
    )
    const victim = lastFragments[300]
    const { calls, summary } = await replay(packets.filter((packet) => packet !== victim))
    expect(summary.skipped).toEqual({ fragment_incomplete: 1 })
    const direction = directionOf(only(calls), 'from_caller')
    expect(direction.packets).toBe((told?.packets ?? 0) - 1)
    expect(direction.lost).toBe((told?.lost ?? 0) + 1)
  })
})
