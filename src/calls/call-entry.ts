import { hash } from 'node:crypto'
import type { SipCall } from '../sip/call.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import { DirectionMedia } from './direction-media.js'
import { Few } from './few.js'
import { NO_FORMATS } from './media-codecs.js'
import type { MediaClaim } from './media-claims.js'
import type { Direction, MediaFields } from './records.js'
import type { Leg } from './legs/leg.js'
import type { CallWatch } from './findings/call-watch.js'
import type { RtcpWatch } from './rtcp-watch.js'
import type { StreamEntry } from './stream-entry.js'

const NONE: readonly never[] = []
const NO_FIELDS = {}
const NO_NEGOTIATION = { from_caller: NO_FORMATS, from_callee: NO_FORMATS }

const NO_DIRECTIONS: readonly Direction[] = []

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
  private ownClaims: MediaClaim[] | undefined = undefined
  /** Descriptions of before this time were claimed already, by the times that they carry. */
  claimedUntilMs = -Infinity
  /** For the addresses of a call without signalling, after its streams ended. */
  lastStream: StreamEntry | undefined = undefined
  /** Payload types of either description, the receiver's last. */
  formats: Readonly<Record<Direction, readonly PayloadFormat[]>> = NO_NEGOTIATION
  encrypted = false
  /** RFC 6035: what the endpoints reported of the media that they received. */
  endpointFields: Readonly<Partial<Record<Direction, Partial<MediaFields>>>> = NO_FIELDS
  /** Since the first RTCP of the call. */
  rtcp: RtcpWatch | undefined = undefined
  /** Its place among the legs of one call through a B2BUA. */
  leg: Leg | undefined = undefined
  /** Call-IDs of its other legs, and of the call that a transfer led to. */
  related: readonly string[] | undefined = undefined
  /** What findings rest on beyond the record; made when there is something to note. */
  watch: CallWatch | undefined = undefined
  /** What an observer keeps with it. */
  watched: object | undefined = undefined
  /** Directions with media for which the table of streams had no room. */
  withoutRoom: readonly Direction[] = NO_DIRECTIONS
  /** Its record was written. */
  closed = false

  /** @param origin Call-ID of its signalling, or the first stream of media without signalling */
  constructor(
    private origin: string | StreamEntry,
    readonly sip?: SipCall,
  ) {}

  /** Call-ID; without signalling a hash of addresses and start, made when it is first asked for. */
  get callId(): string {
    if (typeof this.origin !== 'string') this.origin = mediaOnlyCallId(this.origin)
    return this.origin
  }

  get claims(): readonly MediaClaim[] {
    return this.ownClaims ?? NONE
  }

  addClaim(claim: MediaClaim): void {
    if (this.ownClaims) this.ownClaims.push(claim)
    else this.ownClaims = [claim]
  }

  dropClaims(): void {
    this.ownClaims = undefined
  }

  /** Last packet of any of its directions, NaN before any. */
  get lastMediaMs(): number {
    const { from_caller: a, from_callee: b } = this.directions
    return Math.max(
      Number.isNaN(a.lastPacketMs) ? -Infinity : a.lastPacketMs,
      Number.isNaN(b.lastPacketMs) ? -Infinity : b.lastPacketMs,
    )
  }
}

/** Call-ID of media without signalling: a hash of its addresses and start, the same in every replay. */
function mediaOnlyCallId(stream: StreamEntry): string {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort, ssrc, firstArrival } = stream
  const text = `${sourceAddress} ${sourcePort} ${destinationAddress} ${destinationPort} ${ssrc} ${firstArrival}`
  return `media-${hash('sha256', text, 'hex').slice(0, 20)}`
}
