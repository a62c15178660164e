import { datagram, segment } from '../cases/hand-made.js'
import type { Frame } from './replay.js'

export const AGENT = '203.0.113.1:4000'
export const COLLECTOR = '203.0.113.2:9060'

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
export function hep({ timeMs, frame }: Frame): Uint8Array {
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
export function overTcp(messages: readonly Frame[], segmentBytes: number): Frame[] {
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

export function overUdp(messages: readonly Frame[]): Frame[] {
  return messages.map((message) => datagram(message.timeMs, AGENT, COLLECTOR, hep(message)))
}
