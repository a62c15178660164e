import { lookupCodec, type CodecHints } from '../quality/codecs.js'
import type { CodecRow } from '../quality/codec-row.js'
import { STATIC_PAYLOAD_TYPES } from '../sip/payload-types.js'
import type { PayloadFormat } from '../sip/sdp-types.js'
import type { PayloadModes } from './payload-mode.js'

/** How long a direction used one codec. */
export interface CodecUse {
  /** Encoding name as in SDP, upper case; undefined for a dynamic type that nothing explains. */
  encoding?: string
  payloadType: number
  clockRateHz: number
  /** Row of the impairment table; undefined: no MOS. */
  row?: CodecRow
  /** Packets that were timed with it. */
  packets: number
  /** The media in them, ms. */
  mediaMs: number
}

/** The format of a payload type: as negotiated, else RFC 3551's static one. */
export function formatOf(payloadType: number, formats: readonly PayloadFormat[]): PayloadFormat | undefined {
  for (let k = formats.length - 1; k >= 0; k--) {
    if (formats[k].payloadType === payloadType && formats[k].encoding !== '') return formats[k]
  }
  const entry = STATIC_PAYLOAD_TYPES[payloadType]
  return entry && { payloadType, ...entry }
}

/** For media without signalling: only the static payload types mean anything. */
export const NO_FORMATS: readonly PayloadFormat[] = []

/** Resolved payload types of each negotiation, as long as that is in force. */
const resolved = new WeakMap<readonly PayloadFormat[], Map<number, CodecUse>>()

/**
 * What a payload type stands for under these formats, with its row of the impairment table. Shared: copy to change.
 * @param modes what the payload headers said, when there is anything
 */
export function resolveCodec(
  payloadType: number,
  formats: readonly PayloadFormat[],
  g711Plc: boolean,
  modes?: PayloadModes,
): Readonly<CodecUse> {
  let known = resolved.get(formats)
  if (known === undefined) resolved.set(formats, (known = new Map()))
  const key = payloadType + 128 * (modes?.key ?? 0)
  let use = known.get(key)
  if (use === undefined) {
    use = lookUp(payloadType, formats, { ...modes?.hints, g711Plc })
    known.set(key, use)
  }
  return use
}

function lookUp(payloadType: number, formats: readonly PayloadFormat[], hints: CodecHints): CodecUse {
  const format = formatOf(payloadType, formats)
  if (format === undefined) return { payloadType, clockRateHz: 0, packets: 0, mediaMs: 0 }
  const row = lookupCodec(format.encoding, format.clockRateHz, { ...hints, fmtp: format.fmtp })
  const { encoding, clockRateHz } = format
  return { encoding, payloadType, clockRateHz, row, packets: 0, mediaMs: 0 }
}

/** Adds a use to the list's entry for the same codec, or as a new entry. */
export function addCodecUse(uses: CodecUse[], use: CodecUse): void {
  for (const known of uses) {
    if (
      known.payloadType === use.payloadType &&
      known.encoding === use.encoding &&
      known.row?.id === use.row?.id
    ) {
      known.packets += use.packets
      known.mediaMs += use.mediaMs
      return
    }
  }
  uses.push({
    encoding: use.encoding,
    payloadType: use.payloadType,
    clockRateHz: use.clockRateHz,
    row: use.row,
    packets: use.packets,
    mediaMs: use.mediaMs,
  })
}

/** The codec of most media time, as that of a score over mixed scales; of as much, that of most packets. */
export function mainCodec(uses: readonly CodecUse[]): CodecUse | undefined {
  let main: CodecUse | undefined
  for (const use of uses) {
    const isMore = main === undefined || use.mediaMs > main.mediaMs
    if (isMore || (use.mediaMs === main?.mediaMs && use.packets > main.packets)) main = use
  }
  return main
}
