import { describe, expect, it } from 'vitest'
import { generateScenario } from '../../src/generate/generate.js'
import { directionOf, expectTruth, only, replay, type Frame } from '../helpers/replay.js'
import { AGENT, COLLECTOR, hep, overTcp, overUdp } from '../helpers/capture-agent.js'
import { datagram } from './hand-made.js'

describe('a capture agent (HEP version 3)', () => {
  const { packets, truth } = generateScenario({
    calls: [{ duration_s: 12, media: { both: { loss: { packets: [100, 101] } } } }],
  })

  it.each<[string, Frame[]]>([
    ['over UDP', overUdp(packets)],
    [
      'with a clock 5 s behind',
      packets.map((packet) => datagram(packet.timeMs + 5000, AGENT, COLLECTOR, hep(packet))),
    ],
    ['over TCP, many messages in a segment', overTcp(packets, 1400)],
    ['over TCP, many segments for a message', overTcp(packets, 61)],
  ])('%s shows what it captured: signalling, media and RTCP', async (_, frames) => {
    const { calls, streams, summary } = await replay(frames)
    const call = only(calls)
    expect(call).toMatchObject({ state: 'completed', call_id: truth.calls[0].call_id })
    for (const name of ['from_caller', 'from_callee'] as const)
      expectTruth(directionOf(call, name), truth.calls[0].media[name])
    expect(Math.abs((call.rtt_p50_ms ?? 0) - 40)).toBeLessThan(1)
    expect(streams).toHaveLength(2)
    expect(summary).toMatchObject({ tunnels: { hep: packets.length }, skipped: {} })
    expect(summary.packets).toBe(frames.length)
  })

  it('over TCP goes on behind bytes that the capture missed', async () => {
    const frames = overTcp(packets, 700)
    frames.splice(400, 1)
    const { calls, summary } = await replay(frames)
    const { packets: seen, lost } = directionOf(only(calls), 'from_caller')
    const told = truth.calls[0].media.from_caller
    // A segment of 700 bytes holds parts of four messages at most, of both directions.
    expect(seen).toBeGreaterThanOrEqual((told?.packets ?? 0) - 4)
    expect(lost).toBeLessThanOrEqual((told?.lost ?? 0) + 4)
    expect(summary.tunnels?.hep).toBeGreaterThanOrEqual(packets.length - 4)
  })
})
