import { formatAddress } from '../decode/address.js'
import type { StreamIdentity } from '../rtp/row.js'
import type { Direction } from './records.js'
import type { CallEntry } from './call-entry.js'
import { addCodecUse, type CodecUse } from './media-codecs.js'
import type { PayloadModes } from './payload-mode.js'
import { giveBack, MediaTotals } from './media-totals.js'

/** An RTP stream that is being followed, and the call it was bound to. */
export class StreamEntry {
  /** Its key, but for the addresses, which stand beside it as text. */
  readonly identity: Omit<StreamIdentity, 'ipVersion' | 'source' | 'destination'>
  readonly sourceAddress: string
  readonly destinationAddress: string
  call?: CallEntry
  direction?: Direction
  /** False for video and for a fork that lost: such a stream is recorded, but not part of its direction. */
  audio = true
  /** Leg of its call: 0 is the one on which the first INVITE was seen. */
  leg = 0
  /** The same stream as other calls count it: a PBX that stays out of the media has two calls on one stream. */
  readonly shares: StreamEntry[] = []
  /** The call that its record names: the last one that held it, even when that is over. */
  recordedCallId?: string
  /** Since it was bound to its call (media that came before its SDP included). */
  totals?: MediaTotals
  /** From before: the part that an earlier call had, or that came after its end. */
  earlier?: MediaTotals
  codecs: CodecUse[] = []
  private earlierCodecs: CodecUse[] = []
  /** Modes seen in the payload headers, for codecs that have them. */
  modes?: PayloadModes
  segments = 0
  lowestSequence = 0
  highestSequence = 0

  constructor(
    readonly slot: number,
    identity: StreamIdentity,
    /** The stream that this is another call's share of; a share has no record of its own. */
    readonly shareOf?: StreamEntry,
  ) {
    const { ipVersion, source, destination, sourcePort, destinationPort, ssrc, vlan } = identity
    const { firstArrival, firstSequence } = identity
    this.identity = { sourcePort, destinationPort, ssrc, vlan, firstArrival, firstSequence }
    this.sourceAddress = formatAddress(ipVersion, ...source)
    this.destinationAddress = formatAddress(ipVersion, ...destination)
  }

  /** Sets apart what was counted so far: what follows is no longer, or not yet, a call's. */
  setApart(): void {
    if (this.totals) (this.earlier ??= new MediaTotals()).add(this.totals)
    this.totals = undefined
    for (const use of this.codecs) addCodecUse(this.earlierCodecs, use, use.packets)
    this.codecs = []
    this.segments = 0
  }

  /** Codec uses over the whole stream. */
  wholeCodecs(): CodecUse[] {
    const uses = [...this.earlierCodecs.map((use) => ({ ...use }))]
    for (const use of this.codecs) addCodecUse(uses, use, use.packets)
    return uses
  }

  /** The stream's record was written. */
  giveBack(): void {
    if (this.totals) giveBack(this.totals)
    if (this.earlier) giveBack(this.earlier)
    this.totals = this.earlier = undefined
    this.codecs.length = this.earlierCodecs.length = 0
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
    const { sourcePort, destinationPort } = this.identity
    return (
      (address === this.sourceAddress && port === sourcePort) ||
      (address === this.destinationAddress && port === destinationPort)
    )
  }

  get ssrcText(): string {
    return ssrcText(this.identity.ssrc)
  }
}

/** As records print it: "0x1234abcd". */
export function ssrcText(ssrc: number): string {
  return `0x${ssrc.toString(16).padStart(8, '0')}`
}
