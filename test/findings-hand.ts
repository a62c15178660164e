/** Frames for faults that no scenario has. */
import { parseEndpoint } from '../src/generate/addresses.js'
import { ethernetFrame, ipPackets, PROTOCOL_UDP, udpDatagram } from '../src/generate/frames.js'
import type { Frame } from './helpers/replay.js'

const PROTOCOL_ICMP = 1

/** RFC 792: `reporter` says that a datagram between these ends could not be delivered. Code 3: port unreachable. */
export function icmpUnreachable(timeMs: number, reporter: string, from: string, to: string, code = 3): Frame {
  const [source, destination] = [parseEndpoint(from, 'from'), parseEndpoint(to, 'to')]
  const udp = udpDatagram(source, destination, new Uint8Array(8))
  const fields = { dscp: 0, ttl: 64, identification: 1 }
  const [quoted] = ipPackets(source.address, destination.address, PROTOCOL_UDP, udp, fields, 65_535)
  const message = new Uint8Array(8 + quoted.length)
  message.set([3, code], 0)
  message.set(quoted, 8)
  const by = parseEndpoint(`${reporter}:1`, 'reporter').address
  const [packet] = ipPackets(by, source.address, PROTOCOL_ICMP, message, fields, 65_535)
  return { timeMs, frame: ethernetFrame(by, source.address, [], packet) }
}
