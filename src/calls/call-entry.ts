import type { SipCall } from '../sip/call.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import { DirectionMedia } from './direction-media.js'
import { Few } from './few.js'
import { NO_FORMATS } from './media-codecs.js'
import type { MediaClaim } from './media-claims.js'
import type { Direction, MediaFields } from './records.js'
import type { RtcpWatch } from './rtcp-watch.js'
import type { StreamEntry } from './stream-entry.js'

/** Both directions, each made when it is first asked for: media without signalling mostly has one. */
class Directions implements Readonly<Record<Direction, DirectionMedia>> {
  private caller?: DirectionMedia
  private callee?: DirectionMedia

  get from_caller(): DirectionMedia {
    return (this.caller ??= new DirectionMedia())
  }

  get from_callee(): DirectionMedia {
    return (this.callee ??= new DirectionMedia())
  }
}

/** A call with its media. `sip` is absent for media without signalling. */
export class CallEntry {
  readonly directions: Readonly<Record<Direction, DirectionMedia>> = new Directions()
  /** Every stream bound to it, video included. */
  readonly streams = new Few<StreamEntry>()
  readonly claims: MediaClaim[] = []
  /** Descriptions before this time were claimed already. */
  claimedUntilMs = -Infinity
  /** For the addresses of a call without signalling, after its streams ended. */
  lastStream?: StreamEntry
  /** Payload types of either description, the receiver's last. */
  formats: Record<Direction, readonly PayloadFormat[]> = { from_caller: NO_FORMATS, from_callee: NO_FORMATS }
  encrypted = false
  /** RFC 6035: what the endpoints reported of the media that they received. */
  readonly endpointFields: Partial<Record<Direction, Partial<MediaFields>>> = {}
  /** Since the first RTCP of the call. */
  rtcp?: RtcpWatch
  /** Its record was written. */
  closed = false

  constructor(
    readonly callId: string,
    readonly sip?: SipCall,
  ) {}

  /** Last packet of any of its directions, NaN before any. */
  get lastMediaMs(): number {
    const { from_caller: a, from_callee: b } = this.directions
    return Math.max(
      Number.isNaN(a.lastPacketMs) ? -Infinity : a.lastPacketMs,
      Number.isNaN(b.lastPacketMs) ? -Infinity : b.lastPacketMs,
    )
  }
}
