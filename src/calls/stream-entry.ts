import { formatAddress } from '../decode/address.js'
import type { StreamIdentity } from '../rtp/row.js'
import type { Direction } from './records.js'
import type { CallEntry } from './call-entry.js'
import type { CodecUse } from './media-codecs.js'
import { MediaTotals } from './media-totals.js'

/** An RTP stream that is being followed, and the call it was bound to. */
export class StreamEntry {
  readonly sourceAddress: string
  readonly destinationAddress: string
  call?: CallEntry
  direction?: Direction
  /** False for video and the like: such a stream is recorded, but not part of its direction's audio. */
  audio = true
  /** Media of a call that is over. */
  leftover = false
  totals?: MediaTotals
  readonly codecs: CodecUse[] = []
  segments = 0
  lowestSequence = 0
  highestSequence = 0

  constructor(
    readonly slot: number,
    readonly identity: StreamIdentity,
  ) {
    const { ipVersion, source, destination } = identity
    this.sourceAddress = formatAddress(ipVersion, ...source)
    this.destinationAddress = formatAddress(ipVersion, ...destination)
  }

  get ssrcText(): string {
    return ssrcText(this.identity.ssrc)
  }
}

/** As records print it: "0x1234abcd". */
export function ssrcText(ssrc: number): string {
  return `0x${ssrc.toString(16).padStart(8, '0')}`
}
