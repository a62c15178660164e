import type { DecodedPacket } from '../../decode/packet.js'
import { parseRtcp } from '../../rtcp/parse.js'

/** Streams of one SSRC that are looked at. */
const MOST_OF_SSRC = 4
/** Streams named in one compound that are looked at: both ends' and a few more. */
export const MOST_REPORTED = 16

/**
 * Which streams an RTCP compound is about (RFC 3550 6.4): those of its sender and those that it reports on. A thread that
 * reads the compound later than another measures its media has to know how far the media was when the compound came.
 */
export class ReportedStreams {
  private readonly slots = new Map<number, number[]>()
  /** What `find` found. */
  readonly found: number[] = []

  add(ssrc: number, slot: number): void {
    const slots = this.slots.get(ssrc)
    if (!slots) this.slots.set(ssrc, [slot])
    else if (slots.length < MOST_OF_SSRC) slots.push(slot)
  }

  remove(ssrc: number, slot: number): void {
    const left = this.slots.get(ssrc)?.filter((other) => other !== slot)
    if (left && left.length > 0) this.slots.set(ssrc, left)
    else this.slots.delete(ssrc)
  }

  /** Puts the slots of the streams that the packet's reports are about into `found`; none for what is not RTCP. */
  find({ bytes, payloadOffset, payloadCaptured, payloadLength }: DecodedPacket): void {
    this.found.length = 0
    const { packets } = parseRtcp(bytes, payloadOffset, payloadCaptured, { wireLength: payloadLength })
    for (const packet of packets) {
      if (packet.type !== 'sr' && packet.type !== 'rr') continue
      this.note(packet.ssrc)
      for (const { ssrc } of packet.reports) this.note(ssrc)
    }
  }

  private note(ssrc: number): void {
    for (const slot of this.slots.get(ssrc) ?? [])
      if (this.found.length < MOST_REPORTED && !this.found.includes(slot)) this.found.push(slot)
  }
}
