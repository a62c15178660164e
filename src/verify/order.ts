import type { RtpPacket } from './packets.js'

/** RFC 3550 A.1 */
const MAX_DROPOUT = 3000
const MAX_MISORDER = 100
const DEFAULT_PTIME_MS = 20
/** Longest packet time that is learned from the timestamps. */
const MOST_PTIME_MS = 400

/** A packet with its place in the stream by the definition of segments (docs/metrics.md). */
export interface PlacedPacket extends RtpPacket {
  /** `copy`: this sequence number was there. `behind`: a higher one was. `stray`: implausible, and nothing followed. */
  place: 'next' | 'behind' | 'copy' | 'stray'
  /** Runs of one stream, from 0. */
  segment: number
  /** Sequence number without wraps, within the segment. */
  extended: number
  /** Packet time that the stream had shown by then, in RTP ticks; 0 when unknown. */
  ptimeTicks: number
}

/**
 * Places the packets of one stream. Written from the definition, with a set of everything seen and a look at the packet
 * after, so that it shares nothing with the meter on the hot path.
 */
export function placePackets(packets: readonly RtpPacket[]): PlacedPacket[] {
  const placed: PlacedPacket[] = []
  const run = new Segment()
  for (const [k, packet] of packets.entries()) {
    const step = run.started ? wrap16(packet.sequence - run.highest) : 1
    const ptimeTicks = run.ptimeTicks
    const common = { ...packet, ptimeTicks }
    if (!run.started) {
      run.begin(packet)
      placed.push({ ...common, place: 'next', segment: run.segment, extended: run.highest })
    } else if (step <= 0 && step > -MAX_MISORDER) {
      const extended = run.highest + step
      const place = run.seen.has(extended) ? 'copy' : 'behind'
      run.seen.add(extended)
      placed.push({ ...common, place, segment: run.segment, extended })
    } else if (isPlausible(run, packet, step)) {
      run.goOn(packet, step)
      placed.push({ ...common, place: 'next', segment: run.segment, extended: run.highest })
    } else if (confirms(packets, k)) {
      run.begin(packet)
      placed.push({ ...common, place: 'next', segment: run.segment, extended: run.highest })
    } else {
      placed.push({ ...common, place: 'stray', segment: run.segment, extended: run.highest })
    }
  }
  return placed
}

/** Forward within the dropout limit, or as far as the timestamp went in step: an outage. */
function isPlausible(run: Segment, packet: RtpPacket, step: number): boolean {
  if (step > 0 && step < MAX_DROPOUT) return true
  if (step <= 0 || run.ptimeTicks === 0) return false
  const expected = step * run.ptimeTicks
  return Math.abs(((packet.timestamp - run.timestamp) >>> 0) - expected) <= 0.2 * expected
}

/** The next packet that is no repeat of this one carries the sequence on. */
function confirms(packets: readonly RtpPacket[], k: number): boolean {
  const { sequence } = packets[k]
  for (let n = k + 1; n < packets.length; n++) {
    if (packets[n].sequence === sequence) continue
    return packets[n].sequence === ((sequence + 1) & 0xffff)
  }
  return false
}

/** One run of sequence numbers. */
class Segment {
  started = false
  segment = -1
  highest = 0
  seen = new Set<number>()
  timestamp = 0
  ptimeTicks = 0
  private lastStep = 0
  private lastStepAt = 0

  begin(packet: RtpPacket): void {
    this.started = true
    this.segment++
    this.highest = 65_536 + packet.sequence
    this.seen = new Set([this.highest])
    this.timestamp = packet.timestamp
  }

  goOn(packet: RtpPacket, step: number): void {
    this.highest += step
    this.seen.add(this.highest)
    if (packet.kind !== 'media') return
    const ticks = (packet.timestamp - this.timestamp) | 0
    this.timestamp = packet.timestamp
    if (step !== 1) return
    // The packet time is a step of the timestamp that two packets in a row show.
    const inARow = this.lastStepAt === this.highest - 1
    const mostTicks = packet.clockRateHz > 0 ? (MOST_PTIME_MS * packet.clockRateHz) / 1000 : Infinity
    if (ticks > 0 && inARow && ticks === this.lastStep && ticks <= mostTicks) this.ptimeTicks = ticks
    this.lastStepAt = this.highest
    this.lastStep = ticks
  }
}

function wrap16(difference: number): number {
  return (difference << 16) >> 16
}

/** How far the RTP timestamp goes in so many packets, in ticks. */
export function expectedTicks(packets: number, ptimeTicks: number, clockRateHz: number): number {
  return packets * (ptimeTicks > 0 ? ptimeTicks : (DEFAULT_PTIME_MS * clockRateHz) / 1000)
}
