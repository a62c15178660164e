import type { StreamControl } from '../rtp/stream-control.js'
import type { CallEntry } from './call-entry.js'
import type { FindingsEngine } from './findings/engine.js'
import type { MediaClaim, MediaClaims } from './media-claims.js'
import { addCodecUse, type CodecUse } from './media-codecs.js'
import type { CallObserver } from './observer.js'
import { hasPayloadMode } from './payload-mode.js'
import type { Direction } from './records.js'
import { SameMedia } from './same-media.js'
import { StreamEntry } from './stream-entry.js'
import type { UnboundStreams } from './unbound-streams.js'

/** Signalling may come to the tap by another way than media does, and so much later. */
const SIGNALLING_LATE_MS = 1000
/** Calls beside the first that may count one stream. */
const MOST_SHARES = 3

/** What is told, or asked, when a stream comes to a call or leaves it. */
export interface StreamBinderParts {
  meter: StreamControl
  claims: MediaClaims
  /** Streams that no signalling explains. */
  unbound: UnboundStreams
  findings: FindingsEngine
  observers: readonly CallObserver[]
  /** The codec of a payload type in the stream's call. */
  resolve: (payloadType: number, stream: StreamEntry) => CodecUse
  /** Time of the packets, ms since the epoch. */
  nowMs: () => number
}

/**
 * Gives streams to calls and takes them away again: by what calls have announced (`MediaClaims`), when SDP comes later
 * than the media, and when a place passes from one call to the next or two calls have one stream.
 */
export class StreamBinder {
  private readonly meter: StreamControl
  private readonly claims: MediaClaims
  private readonly unbound: UnboundStreams
  private readonly sameMedia: SameMedia

  constructor(private readonly parts: StreamBinderParts) {
    this.meter = parts.meter
    this.claims = parts.claims
    this.unbound = parts.unbound
    this.sameMedia = new SameMedia(parts.meter)
  }

  /** Makes a stream part of a call. */
  attach(stream: StreamEntry, call: CallEntry, direction: Direction, kind: string, leg = 0): void {
    stream.call = call
    stream.leg = leg
    stream.direction = direction
    stream.latestUse = undefined
    stream.audio = kind === 'audio'
    stream.lastCall = call
    call.streams.add(stream)
    call.lastStream = stream
    for (const observer of this.parts.observers) observer.onStream?.(call, direction, stream)
    // Packets that came before the SDP were counted under a bare payload type.
    for (const use of stream.takeCodecs()) {
      const named = use.encoding === undefined ? this.parts.resolve(use.payloadType, stream) : use
      addCodecUse(stream.codecs, { ...named, packets: use.packets, mediaMs: use.mediaMs })
    }
    if (this.claims.isOfLosingBranch(stream, call)) stream.audio = false
    else if (stream.audio && this.sameMedia.repeats(stream, call.directions[direction], this.parts.nowMs()))
      stream.audio = false
    if (stream.audio) {
      call.directions[direction].attach(stream)
      this.sameMedia.settle(stream, call.directions[direction])
    }
    if (call.sip && !stream.shareOf) {
      this.meter.setBound(stream.slot, true)
      this.applyFormats(stream, call)
      this.share(stream)
    }
  }

  /** The payload types in force tell the stream's clock rates, and whether its payload headers are worth a look. */
  applyFormats(stream: StreamEntry, call: CallEntry): void {
    if (!stream.direction || stream.shareOf) return
    const formats = call.formats[stream.direction]
    const isTelling = !call.encrypted && formats.some((format) => hasPayloadMode(format.encoding))
    this.meter.setPayloadFormats(stream.slot, formats)
    this.meter.setSampled(stream.slot, isTelling)
  }

  /** The call is over, the stream may go on: it ends with silence, or another call takes it over. */
  release(stream: StreamEntry): void {
    this.meter.conclude(stream.slot)
    const { call, direction } = stream
    if (!call || !direction) return
    this.parts.findings.onStreamLeft(stream)
    if (stream.audio) call.directions[direction].finish(stream)
    call.streams.delete(stream)
    const whole = stream.shareOf
    if (whole) {
      whole.shares = whole.shares.filter((share) => share !== stream)
      stream.giveBack()
      if (!whole.call && whole.shares.length === 0) this.meter.setBound(whole.slot, false)
      return
    }
    stream.leaveCall()
    stream.setApart(this.meter.sequenceState(stream.slot).lost)
    this.meter.setBound(stream.slot, stream.shares.length > 0)
    this.unbound.add(stream.slot)
  }

  /** SDP came after the media: moves a stream to the call that announced it. */
  rebind(stream: StreamEntry): void {
    const binding = this.claims.bind(stream)
    if (!binding || stream.shares.some((share) => share.call === binding.call)) return
    const before = stream.call
    if (before) {
      before.streams.delete(stream)
      if (stream.direction) before.directions[stream.direction].detach(stream)
      if (before.lastStream === stream) before.lastStream = undefined
    }
    this.unbound.remove(stream.slot)
    if (!before) {
      // What belonged to nobody stays in the stream's totals.
      this.meter.cut(stream.slot)
      const earlier = stream.lastCall
      if (earlier && earlier.callId !== binding.call.callId) this.meter.beginSegment(stream.slot)
    }
    this.attach(stream, binding.call, binding.direction, binding.kind, binding.leg)
    // What was measured since its last interval is in the interval of the call that it has now.
    if (before) this.meter.cut(stream.slot)
  }

  /** A stream goes on in a new segment: what its source sends is not missing where it sent from before. */
  onResume(stream: StreamEntry): void {
    const { call, direction, audio } = stream
    if (call && direction && audio) this.sameMedia.settle(stream, call.directions[direction])
  }

  /** A place may have been known from a later leg alone, where media count only when no earlier one carries any. */
  onEarlierLegs(call: CallEntry): void {
    for (const stream of [...call.streams]) {
      if (stream.leg === 0 || stream.shareOf !== undefined) continue
      const binding = this.claims.bind(stream)
      if (binding?.call === call && binding.leg < stream.leg) this.rebind(stream)
    }
  }

  /** What other calls have at a place that a call announced. */
  onClaim(claim: MediaClaim): void {
    for (const rival of this.claims.rivals(claim)) {
      this.takeOver(rival, claim)
      if (rival.sip?.endMs === undefined) this.shareAt(rival, claim)
    }
  }

  /**
   * Streams that another call was given though it announced one end alone, or was over, before this one announced both.
   * Of a call that has ended all of them, once this one is answered: ports are used again before the last packets of the
   * call before were due, and what comes now is this call's.
   */
  private takeOver(rival: CallEntry, { address, port, call }: MediaClaim): void {
    const endsTail = rival.sip?.endMs !== undefined && call.sip?.answerMs !== undefined
    const touching = [...rival.streams].filter((stream) => stream.touches(address, port))
    const strangers = new Set(
      touching.filter(
        (stream) =>
          stream.shareOf === undefined &&
          this.claims.announcedBoth(stream, call) &&
          !this.isOf(stream, rival),
      ),
    )
    const own = endsTail ? touching.filter((stream) => !strangers.has(stream)) : []
    // The rival's own come last: what a stranger of before still has to hand out is of intervals before theirs.
    for (const stream of [...strangers, ...own]) {
      if (stream.shareOf === undefined) this.handOver(stream, rival, call)
      else this.release(stream)
    }
  }

  /** All of a stream that began with the call or after it; of others, what is to come. */
  private handOver(stream: StreamEntry, rival: CallEntry, { sip }: CallEntry): void {
    const slackMs = this.isOf(stream, rival) ? 0 : SIGNALLING_LATE_MS
    if (sip !== undefined && stream.firstArrival >= sip.inviteMs - slackMs) this.rebind(stream)
    else this.release(stream)
  }

  /** It began while the call was on, which had announced both its ends. */
  private isOf(stream: StreamEntry, call: CallEntry): boolean {
    const { endMs = Infinity } = call.sip ?? {}
    return stream.firstArrival <= endMs && this.claims.announcedBoth(stream, call)
  }

  private shareAt(rival: CallEntry, { address, port }: MediaClaim): void {
    for (const stream of [...rival.streams]) {
      if (stream.shareOf === undefined && stream.touches(address, port)) this.share(stream)
    }
  }

  /** Lets other calls that announced the same stream count it too. */
  private share(stream: StreamEntry): void {
    for (const { call, direction, kind, leg } of this.claims.sharers(stream)) {
      if (stream.shares.length >= MOST_SHARES || stream.shares.some((share) => share.call === call)) continue
      this.meter.cut(stream.slot)
      const share = new StreamEntry(stream.slot, this.meter.identity(stream.slot), stream)
      share.lostApart = this.meter.sequenceState(stream.slot).lost
      stream.shares = [...stream.shares, share]
      this.attach(share, call, direction, kind, leg)
    }
  }
}
