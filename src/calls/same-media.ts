import type { StreamControl } from '../rtp/stream-control.js'
import type { DirectionMedia } from './direction-media.js'
import type { StreamEntry } from './stream-entry.js'

/** A stream is silent when nothing came for this long. */
const SILENCE_MS = 1000
/** A leg that was alone for longer than this has its part in the call's numbers. */
const ALONE_MS = 2000
/** RFC 3550 A.1, MAX_MISORDER: a first packet this far behind another stream's latest was seen there before. */
const SEEN_BEFORE = 100
/** A direction with more streams than this at once is no call's ordinary one, and is not searched. */
const MOST_STREAMS = 32

/**
 * Tells streams that carry the same media past the tap a second time. A relay passes media on from one leg of the call to
 * the next: the leg nearer to the caller counts, as long as it carries any. A router with address translation changes
 * the addresses of each packet: of what is seen on both its sides the first counts.
 */
export class SameMedia {
  constructor(private readonly meter: StreamControl) {}

  /** Whether a stream that joins the direction repeats another one; if others repeat it, they leave the direction. */
  repeats(stream: StreamEntry, media: DirectionMedia, nowMs: number): boolean {
    if (media.streams.size > MOST_STREAMS) return false
    for (const other of [...media.streams]) {
      if (other === stream || nowMs - this.meter.lastSeen(other.slot) > SILENCE_MS) continue
      if (this.goesOn(stream, other, nowMs)) continue
      if (other.leg === stream.leg) {
        if (this.isCopy(stream, other, nowMs)) return true
      } else if (other.leg < stream.leg) return true
      else this.leave(other, media, nowMs)
    }
    return false
  }

  /** A source is here: what it sent from other addresses may go on there, and this is not missing from that. */
  settle(stream: StreamEntry, media: DirectionMedia): void {
    if (media.streams.size > MOST_STREAMS) return
    for (const other of media.streams) {
      if (other.slot !== stream.slot && other.ssrc === stream.ssrc) this.meter.beginSegment(other.slot)
    }
  }

  private leave(stream: StreamEntry, media: DirectionMedia, nowMs: number): void {
    if (nowMs - stream.firstArrival > ALONE_MS) {
      this.meter.cut(stream.slot)
      media.finish(stream)
    } else media.detach(stream)
    stream.audio = false
  }

  /** A copy begins with a sequence number that was seen. */
  private isCopy(stream: StreamEntry, other: StreamEntry, nowMs: number): boolean {
    const { ssrc, firstSequence, firstArrival } = stream
    if (ssrc !== other.ssrc || stream.slot === other.slot) return false
    if (nowMs - firstArrival > SILENCE_MS) return nowMs - this.meter.lastSeen(stream.slot) <= SILENCE_MS
    return ((this.meter.sequenceState(other.slot).highest - firstSequence) & 0xffff) < SEEN_BEFORE
  }

  /** A source that moved (another port, NAT rebinding) goes on with the next sequence number. */
  private goesOn(
    { slot, ssrc, firstSequence, firstArrival }: StreamEntry,
    other: StreamEntry,
    nowMs: number,
  ): boolean {
    if (ssrc !== other.ssrc || slot === other.slot || nowMs - firstArrival > SILENCE_MS) return false
    const ahead = (firstSequence - this.meter.sequenceState(other.slot).highest) & 0xffff
    return ahead > 0 && ahead < SEEN_BEFORE
  }
}
