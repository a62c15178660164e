import { formatAddress } from '../decode/address.js'
import type { StreamIdentity } from '../rtp/row.js'
import type { Direction } from './records.js'
import type { CallEntry } from './call-entry.js'
import { addCodecUse, type CodecUse } from './media-codecs.js'
import type { PayloadModes } from './payload-mode.js'
import { giveBack, MediaTotals } from './media-totals.js'

const NONE: readonly never[] = []

/** An RTP stream that is being followed, and the call it was bound to. Lean: hundreds of thousands are held at once. */
export class StreamEntry {
  // Its key. Addresses are int32 words as in DecodedPacket; the last three words exist for IPv6 only.
  readonly ipVersion: number
  readonly source0: number
  readonly destination0: number
  private readonly source123: Int32Array | undefined
  private readonly destination123: Int32Array | undefined
  readonly sourcePort: number
  readonly destinationPort: number
  readonly vlan: number
  private readonly ssrcWord: number
  /** Arrival of its first packet. */
  readonly firstArrival: number
  readonly firstSequence: number
  call: CallEntry | undefined = undefined
  direction: Direction | undefined = undefined
  /** False for video and for a fork that lost: such a stream is recorded, but not part of its direction. */
  audio = true
  /** Leg of its call: 0 is the one on which the first INVITE was seen. */
  leg = 0
  /** The same stream as other calls count it: a PBX that stays out of the media has two calls on one stream. */
  shares: readonly StreamEntry[] = NONE
  /** The last call that held it, even when that is over. */
  lastCall: CallEntry | undefined = undefined
  /** Of the calls that had it and ended, the one with most of its packets. */
  private formerCall: CallEntry | undefined = undefined
  private formerDirection: Direction | undefined = undefined
  private formerPackets = 0
  /** Since it was bound to its call (media that came before its SDP included). */
  totals: MediaTotals | undefined = undefined
  /** Losses until then. */
  lostApart = 0
  /** From before: the part that an earlier call had, or that came after its end. */
  earlier: MediaTotals | undefined = undefined
  private uses: CodecUse[] | undefined = undefined
  private earlierUses: CodecUse[] | undefined = undefined
  /** Modes seen in the payload headers, for codecs that have them. */
  modes: PayloadModes | undefined = undefined
  /** The codec that was looked up last, as long as its call and the formats in force are the same. */
  latestUse: CodecUse | undefined = undefined
  /** What an observer that looks at each second keeps with it. */
  watched: object | undefined = undefined
  /** Its packets until then are in rows that its call has, ms since the epoch. */
  handedOutMs = -Infinity
  segments = 0
  lowestSequence = 0
  highestSequence = 0

  constructor(
    readonly slot: number,
    identity: StreamIdentity,
    /** The stream that this is another call's share of; a share has no record of its own. */
    readonly shareOf?: StreamEntry,
  ) {
    const { ipVersion, source, destination } = identity
    this.ipVersion = ipVersion
    this.source0 = source[0]
    this.destination0 = destination[0]
    this.source123 = ipVersion === 6 ? Int32Array.from(source.slice(1)) : undefined
    this.destination123 = ipVersion === 6 ? Int32Array.from(destination.slice(1)) : undefined
    this.sourcePort = identity.sourcePort
    this.destinationPort = identity.destinationPort
    this.vlan = identity.vlan
    this.ssrcWord = identity.ssrc | 0
    this.firstArrival = identity.firstArrival
    this.firstSequence = identity.firstSequence
  }

  handOutUntil(timeMs: number): void {
    if (timeMs > this.handedOutMs) this.handedOutMs = timeMs
  }

  get ssrc(): number {
    return this.ssrcWord >>> 0
  }

  /** As records print it, RFC 5952 for IPv6. */
  get sourceAddress(): string {
    const w = this.source123
    return formatAddress(this.ipVersion, this.source0, w?.[0] ?? 0, w?.[1] ?? 0, w?.[2] ?? 0)
  }

  get destinationAddress(): string {
    const w = this.destination123
    return formatAddress(this.ipVersion, this.destination0, w?.[0] ?? 0, w?.[1] ?? 0, w?.[2] ?? 0)
  }

  /**
   * The call that its record names: that which had most of its packets. A source that keeps its SSRC from one call to the
   * next sends one stream.
   */
  get recordedCall(): CallEntry | undefined {
    return this.holdsMost ? this.call : this.formerCall
  }

  get recordedDirection(): Direction | undefined {
    return this.holdsMost ? this.direction : this.formerDirection
  }

  private get holdsMost(): boolean {
    return this.call !== undefined && (this.totals?.packets ?? 0) >= this.formerPackets
  }

  /** Its call ends, or lets go of it. */
  leaveCall(): void {
    const packets = this.totals?.packets ?? 0
    if (this.formerCall === undefined || packets > this.formerPackets) {
      this.formerCall = this.call
      this.formerDirection = this.direction
      this.formerPackets = packets
    }
    this.call = undefined
    this.latestUse = undefined
  }

  /** Codecs since it was bound to its call. */
  get codecs(): CodecUse[] {
    return (this.uses ??= [])
  }

  /** The codecs so far, which then start anew. */
  takeCodecs(): readonly CodecUse[] {
    const taken = this.uses ?? NONE
    this.uses = undefined
    return taken
  }

  /**
   * Sets apart what was counted so far: what follows is no longer, or not yet, a call's.
   * @param lost losses since the stream began
   */
  setApart(lost: number): void {
    this.lostApart = lost
    if (this.totals) (this.earlier ??= new MediaTotals()).add(this.totals)
    this.totals = undefined
    for (const use of this.takeCodecs()) addCodecUse((this.earlierUses ??= []), use)
    this.segments = 0
  }

  /** Codec uses over the whole stream. */
  wholeCodecs(): CodecUse[] {
    const uses = (this.earlierUses ?? NONE).map((use: CodecUse) => ({ ...use }))
    for (const use of this.uses ?? NONE) addCodecUse(uses, use)
    return uses
  }

  /** The stream's record was written. */
  giveBack(): void {
    if (this.totals) giveBack(this.totals)
    if (this.earlier) giveBack(this.earlier)
    this.totals = this.earlier = undefined
    this.uses = this.earlierUses = undefined
  }

  /** Everything the stream carried. */
  wholeTotals(): MediaTotals {
    if (!this.earlier) return this.totals ?? new MediaTotals()
    const whole = new MediaTotals()
    whole.add(this.earlier)
    if (this.totals) whole.add(this.totals)
    return whole
  }

  /** Whether it comes from or goes to this address and port. */
  touches(address: string, port: number): boolean {
    return (
      (port === this.sourcePort && address === this.sourceAddress) ||
      (port === this.destinationPort && address === this.destinationAddress)
    )
  }

  get ssrcText(): string {
    return ssrcText(this.ssrc)
  }
}

/** As records print it: "0x1234abcd". */
export function ssrcText(ssrc: number): string {
  return `0x${ssrc.toString(16).padStart(8, '0')}`
}
