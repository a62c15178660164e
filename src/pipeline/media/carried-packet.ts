import type { DecodedPacket } from '../../decode/packet.js'

/** Bytes of a packet's payload that are carried: the longest RTP header with room for what tells a codec's mode. */
const MOST_PAYLOAD = 128
const HEAD_BYTES = 80

/** Bytes of the message's part that holds the packet. */
export function carriedBytes(p: DecodedPacket): number {
  return HEAD_BYTES + Math.min(p.payloadCaptured, MOST_PAYLOAD)
}

interface Memory {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly i32: Int32Array
  readonly f64: Float64Array
}

/** A decoded packet of the UDP, on its way from one thread to another: its fields and the beginning of its payload. */
export class CarriedPacket implements DecodedPacket {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  payloadOffset = 0
  payloadLength = 0
  payloadCaptured = 0
  ipVersion = 4
  source0 = 0
  source1 = 0
  source2 = 0
  source3 = 0
  destination0 = 0
  destination1 = 0
  destination2 = 0
  destination3 = 0
  sourcePort = 0
  destinationPort = 0
  dscp = 0
  ttl = 0
  vlan = -1
  timeMs = 0
  ipLength = 0
  udpChecksum = 0
  readonly tcpSequence = 0
  readonly tcpAcknowledgement = 0
  readonly tcpFlags = 0
  readonly reassembled = false
  readonly fromHep = false
  readonly hepTransport = 0
  readonly hepProtocolType = 0

  /** Writes a packet; `at` is a multiple of 8. */
  static write(p: DecodedPacket, { bytes, i32, f64 }: Memory, at: number): void {
    const payload = Math.min(p.payloadCaptured, MOST_PAYLOAD)
    f64[at >> 3] = p.timeMs
    const i = (at >> 2) + 2
    i32[i] = p.payloadLength
    i32[i + 1] = payload
    i32[i + 2] = p.ipVersion
    i32[i + 3] = p.source0
    i32[i + 4] = p.source1
    i32[i + 5] = p.source2
    i32[i + 6] = p.source3
    i32[i + 7] = p.destination0
    i32[i + 8] = p.destination1
    i32[i + 9] = p.destination2
    i32[i + 10] = p.destination3
    i32[i + 11] = p.sourcePort
    i32[i + 12] = p.destinationPort
    i32[i + 13] = p.dscp
    i32[i + 14] = p.vlan
    i32[i + 15] = p.udpChecksum
    i32[i + 16] = p.ipLength
    i32[i + 17] = p.ttl
    bytes.set(p.bytes.subarray(p.payloadOffset, p.payloadOffset + payload), at + HEAD_BYTES)
  }

  /** Becomes the packet that was written there. Valid as long as the memory is not used again. */
  read({ bytes, view, i32, f64 }: Memory, at: number): this {
    this.bytes = bytes
    this.view = view
    this.timeMs = f64[at >> 3]
    const i = (at >> 2) + 2
    this.payloadOffset = at + HEAD_BYTES
    this.payloadLength = i32[i]
    this.payloadCaptured = i32[i + 1]
    this.ipVersion = i32[i + 2]
    this.source0 = i32[i + 3]
    this.source1 = i32[i + 4]
    this.source2 = i32[i + 5]
    this.source3 = i32[i + 6]
    this.destination0 = i32[i + 7]
    this.destination1 = i32[i + 8]
    this.destination2 = i32[i + 9]
    this.destination3 = i32[i + 10]
    this.sourcePort = i32[i + 11]
    this.destinationPort = i32[i + 12]
    this.dscp = i32[i + 13]
    this.vlan = i32[i + 14]
    this.udpChecksum = i32[i + 15]
    this.ipLength = i32[i + 16]
    this.ttl = i32[i + 17]
    return this
  }
}
