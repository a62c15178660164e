import { describe, expect, it } from 'vitest'
import { DEFAULT_CONFIG } from '../../src/config/config.js'
import { parseEndpoint } from '../../src/generate/addresses.js'
import { ethernetFrame, ipPackets, PROTOCOL_UDP, udpDatagram } from '../../src/generate/frames.js'
import { only, replay, replayScenario } from '../helpers/replay.js'
import { ALICE_AUDIO, BOB_AUDIO, callByHand, media, NOON } from './hand-made.js'

const limited = (streams: number) => ({ limits: { ...DEFAULT_CONFIG.limits, streams } })

describe('a table of streams that is full (limits.streams)', () => {
  const calls = {
    seed: 4,
    calls: [
      { duration_s: 20, repeat: { count: 3, spacing_s: 0.1 }, media: { both: { codec: 'PCMU' as const } } },
    ],
  }

  it('marks the directions whose media it had no room for: they are neither one-way nor broken', async () => {
    const { calls: records, truth } = await replayScenario(calls, limited(3))
    for (const { media } of truth.calls) expect(media.from_callee?.packets).toBeGreaterThan(990)
    let missing = 0
    for (const { validity, findings, quality, mos_cq_min } of records) {
      const without = validity.directions_without_room ?? []
      const seen = validity.directions_seen ?? []
      missing += without.length
      expect([...seen, ...without].sort()).toEqual(['from_callee', 'from_caller'])
      expect(findings.map(({ code }) => code)).toEqual([])
      if (without.length > 0) expect([quality, mos_cq_min]).toEqual(['unknown', undefined])
      else expect(quality).toBe('good')
    }
    expect(missing).toBe(3)
  })

  it('says nothing of it when there is room', async () => {
    const { calls: records } = await replayScenario(calls)
    for (const { validity } of records) expect(validity).not.toHaveProperty('directions_without_room')
  })

  it('hides no silence of the side that sent nothing', async () => {
    const filler = {
      seed: 9,
      calls: [
        {
          duration_s: 9,
          caller: { address: '203.0.113.50' },
          callee: { address: '203.0.113.60' },
          media: { both: {} },
        },
      ],
    }
    const { packets } = await replayScenario(filler)
    const shift = NOON - packets[0].timeMs - 500
    const full = packets.map(({ timeMs, frame }) => ({ timeMs: timeMs + shift, frame }))
    const byHand = callByHand({ durationMs: 6000 }).frames
    const fromCaller = media({ from: ALICE_AUDIO, to: BOB_AUDIO, startMs: NOON + 2600, packets: 200 })
    const { calls: records } = await replay([...full, ...byHand, ...fromCaller], limited(2))
    const call = only(records.filter(({ call_id }) => call_id === 'by-hand'))
    expect(call.validity.directions_without_room).toEqual(['from_caller'])
    // What is missing of the other side is not known either: its own media might have found no room.
    expect(call.findings.map(({ code }) => code)).not.toContain('no_media')
    expect(call.media.from_callee).toEqual({ expected: true, packets: 0, bytes: 0 })
  })
})

describe('a table of fragments that is full (limits.fragments)', () => {
  it('is among the limits that were reached, with the datagrams it cost', async () => {
    const [from, to] = [parseEndpoint('192.0.2.1:5060', 'from'), parseEndpoint('192.0.2.2:5060', 'to')]
    const udp = udpDatagram(from, to, new Uint8Array(3000))
    // Of seven datagrams only the first fragment comes.
    const frames = Array.from({ length: 7 }, (_, identification) => {
      const fields = { dscp: 0, ttl: 64, identification }
      const [first] = ipPackets(from.address, to.address, PROTOCOL_UDP, udp, fields, 1500)
      return { timeMs: NOON + identification, frame: ethernetFrame(from.address, to.address, [], first) }
    })
    const { summary } = await replay(frames, { limits: { ...DEFAULT_CONFIG.limits, fragments: 4 } })
    expect(summary.evictions).toEqual({ fragmented_datagrams: 3 })
    expect(summary.skipped).toEqual({ fragment_table_full: 3, fragment_incomplete: 4 })
  })
})
