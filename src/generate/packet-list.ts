export const KIND_AUDIO = 0
export const KIND_COMFORT_NOISE = 1
export const KIND_EVENT = 2

/** Lost between sender and tap. */
export const LOST_BEFORE_TAP = 1
/** Passed the tap and never reached the receiver. */
export const LOST_AFTER_TAP = 2
/** The mirror did not show it; the receiver has it. */
export const MIRROR_DROPPED = 4
/** Delayed by `jitter.late`. */
export const MADE_LATE = 8
export const MARKER = 16
/** First packet after `timestamp_jump`. */
export const AFTER_JUMP = 32
/** Last packet of a telephone event (E bit; sent three times). */
export const EVENT_END = 64
/** Seen twice. */
export const DUPLICATED = 128

/** A run of one SSRC and one numbering, as its sender made it. */
export interface SenderSegment {
  ssrc: number
  /** Clock of its timestamps. */
  clockRateHz: number
}

/**
 * The packets that one sender made, in sending order, as columns (about 50 bytes each, so that an hour of 20-ms packets
 * costs 9 MB). `extended` counts sequence numbers without wrapping, per segment.
 */
export class PacketList {
  length = 0
  /** When it left the sender, plus the constant delay to the tap: arrival at the tap if nothing disturbed it. */
  sentMs = new Float64Array(1024)
  /** Arrival at the tap. */
  arrivalMs = new Float64Array(1024)
  /** Sampling instant in the sender's own clock, ms since its first packet, without timestamp jumps. */
  mediaMs = new Float64Array(1024)
  extended = new Float64Array(1024)
  timestamp = new Uint32Array(1024)
  segment = new Uint16Array(1024)
  flags = new Uint8Array(1024)
  kind = new Uint8Array(1024)
  payloadType = new Uint8Array(1024)
  /** Index into the sender's formats (codec and ptime). */
  format = new Uint8Array(1024)
  /** Index into the sender's source endpoints. */
  source = new Uint8Array(1024)
  /** Telephone event: digit and duration so far in timestamp units. */
  event = new Uint8Array(1024)
  eventDuration = new Uint16Array(1024)

  /** Adds a packet with all columns zero and returns its index. */
  add(): number {
    if (this.length === this.sentMs.length) this.grow()
    return this.length++
  }

  has(index: number, flag: number): boolean {
    return (this.flags[index] & flag) !== 0
  }

  private grow(): void {
    const size = this.length * 2
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.sentMs = grown(new Float64Array(size), this.sentMs)
    this.arrivalMs = grown(new Float64Array(size), this.arrivalMs)
    this.mediaMs = grown(new Float64Array(size), this.mediaMs)
    this.extended = grown(new Float64Array(size), this.extended)
    this.timestamp = grown(new Uint32Array(size), this.timestamp)
    this.segment = grown(new Uint16Array(size), this.segment)
    this.flags = grown(new Uint8Array(size), this.flags)
    this.kind = grown(new Uint8Array(size), this.kind)
    this.payloadType = grown(new Uint8Array(size), this.payloadType)
    this.format = grown(new Uint8Array(size), this.format)
    this.source = grown(new Uint8Array(size), this.source)
    this.event = grown(new Uint8Array(size), this.event)
    this.eventDuration = grown(new Uint16Array(size), this.eventDuration)
  }
}
