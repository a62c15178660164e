import { describe, expect, it } from 'vitest'
import { generateScenario } from '../../src/generate/generate.js'
import { directionOf, expectTruth, only, replay, type Frame } from '../helpers/replay.js'
import { datagram, segment } from './hand-made.js'

const AGENT = '203.0.113.1:4000'
const COLLECTOR = '203.0.113.2:9060'

/** One chunk of HEP/EEP rev. 37: vendor 0, type, length with this header. */
function chunk(type: number, value: Uint8Array): Uint8Array {
  const header = new Uint8Array(6)
  const view = new DataView(header.buffer)
  view.setUint16(2, type)
  view.setUint16(4, 6 + value.length)
  return Buffer.concat([header, value])
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** What a capture agent makes of a frame with UDP over IPv4, no VLAN. */
function hep({ timeMs, frame }: Frame): Uint8Array {
  const [ip, udp] = [frame.subarray(14, 34), frame.subarray(34)]
  const chunks = Buffer.concat([
    chunk(1, Uint8Array.of(2)),
    chunk(2, Uint8Array.of(17)),
    chunk(3, ip.subarray(12, 16)),
    chunk(4, ip.subarray(16, 20)),
    chunk(7, udp.subarray(0, 2)),
    chunk(8, udp.subarray(2, 4)),
    chunk(9, word(Math.floor(timeMs / 1000))),
    chunk(10, word(Math.round((timeMs % 1000) * 1000))),
    chunk(15, udp.subarray(8)),
    chunk(24, ip.subarray(1, 2)),
  ])
  const header = new Uint8Array(6)
  header.set(new TextEncoder().encode('HEP3'))
  new DataView(header.buffer).setUint16(4, 6 + chunks.length)
  return Buffer.concat([header, chunks])
}

/** The messages as one stream of bytes, in segments of up to so many bytes; the agent waits for a full one for 100 ms. */
function overTcp(messages: readonly Frame[], segmentBytes: number): Frame[] {
  const frames: Frame[] = []
  let sequence = 1
  let waiting = Buffer.alloc(0)
  messages.forEach((message, n) => {
    waiting = Buffer.concat([waiting, hep(message)])
    const isPause = (messages.at(n + 1)?.timeMs ?? Infinity) >= message.timeMs + 100
    while (waiting.length >= segmentBytes || (isPause && waiting.length > 0)) {
      const payload = waiting.subarray(0, segmentBytes)
      frames.push(segment(message.timeMs, AGENT, COLLECTOR, sequence, payload))
      sequence += payload.length
      waiting = waiting.subarray(segmentBytes)
    }
  })
  return frames
}

describe('a capture agent (HEP version 3)', () => {
  const { packets, truth } = generateScenario({
    calls: [{ duration_s: 12, media: { both: { loss: { packets: [100, 101] } } } }],
  })

  it.each<[string, Frame[]]>([
    ['over UDP', packets.map((packet) => datagram(packet.timeMs, AGENT, COLLECTOR, hep(packet)))],
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
