import type { GeneratedPacket } from './frame-source.js'

const NANOSECOND_MAGIC = 0xa1b23c4d
const LINKTYPE_ETHERNET = 1
const MAX_SNAPLEN = 262144
const BUFFER_BYTES = 1 << 20

/** Encodes a classic nanosecond pcap (little-endian, Ethernet) piece by piece. */
export class PcapEncoder {
  private buffer = new Uint8Array(BUFFER_BYTES)
  private view = new DataView(this.buffer.buffer)
  private used = 0

  /** @param snaplen written into the file header; 0 = no limit */
  constructor(snaplen: number) {
    this.view.setUint32(0, NANOSECOND_MAGIC, true)
    this.view.setUint16(4, 2, true)
    this.view.setUint16(6, 4, true)
    this.view.setUint32(16, snaplen || MAX_SNAPLEN, true)
    this.view.setUint32(20, LINKTYPE_ETHERNET, true)
    this.used = 24
  }

  /** Bytes waiting to be taken. */
  get pending(): number {
    return this.used
  }

  add(packet: GeneratedPacket): void {
    const { frame, timeMs } = packet
    const needed = this.used + 16 + frame.length
    if (needed > this.buffer.length) this.grow(needed)
    // Nanoseconds of the fraction alone: a whole time in ns would not fit a float64.
    let seconds = Math.floor(timeMs / 1000)
    let nanoseconds = Math.round((timeMs - seconds * 1000) * 1e6)
    if (nanoseconds >= 1e9) {
      seconds++
      nanoseconds -= 1e9
    }
    this.view.setUint32(this.used, seconds, true)
    this.view.setUint32(this.used + 4, nanoseconds, true)
    this.view.setUint32(this.used + 8, frame.length, true)
    this.view.setUint32(this.used + 12, packet.wireLength ?? frame.length, true)
    this.buffer.set(frame, this.used + 16)
    this.used = needed
  }

  /** The bytes so far; the encoder starts a new piece. */
  take(): Uint8Array {
    const bytes = this.buffer.slice(0, this.used)
    this.used = 0
    return bytes
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    larger.set(this.buffer.subarray(0, this.used))
    this.buffer = larger
    this.view = new DataView(larger.buffer)
  }
}

/** A whole capture as one pcap file. */
export function pcapBytes(packets: GeneratedPacket[], snaplen = 0): Uint8Array {
  const encoder = new PcapEncoder(snaplen)
  for (const packet of packets) encoder.add(packet)
  return encoder.take()
}
