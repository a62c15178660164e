import { DecodeState } from '../../src/decode/state.js'

export interface PcmuPacket {
  ssrc: number
  /** Taken modulo 65,536. */
  sequence: number
  timeMs: number
  /** Default: 160 for each sequence number. */
  timestamp?: number
  /** IPv4 address; default 10.0.0.2. */
  destination0?: number
}

/**
 * A packet of 20 ms of PCMU as the decoder leaves it, from 10.0.0.1:4000 to port 5000.
 * @param into what was filled before, where many are made
 */
export function pcmuPacket(packet: PcmuPacket, into = new DecodeState()): DecodeState {
  const { ssrc, sequence, timeMs, timestamp = sequence * 160, destination0 = 0x0a000002 } = packet
  const bytes = new Uint8Array(172)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x8000)
  view.setUint16(2, sequence)
  view.setUint32(4, timestamp)
  view.setUint32(8, ssrc)
  return Object.assign(into, {
    ...{ bytes, view, timeMs, payloadOffset: 0, payloadLength: 172, payloadCaptured: 172 },
    ...{ source0: 0x0a000001, destination0, sourcePort: 4000, destinationPort: 5000 },
  })
}
