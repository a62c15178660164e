/** Encoding and clock of a payload type. */
export interface PayloadTypeEntry {
  /** Upper case, as in SDP. */
  readonly encoding: string
  /** RTP clock rate in Hz. */
  readonly clockRateHz: number
  readonly channels: number
}

const entry = (encoding: string, clockRateHz: number, channels = 1): PayloadTypeEntry => ({
  encoding,
  clockRateHz,
  channels,
})

function staticTable(): (PayloadTypeEntry | undefined)[] {
  const table = new Array<PayloadTypeEntry | undefined>(128).fill(undefined)
  table[0] = entry('PCMU', 8000)
  // RFC 3551 table 4 marks 1, 2 and 19 reserved; 2 and 19 are still sent with the meaning of RFC 1890 and its drafts.
  table[2] = entry('G726-32', 8000)
  table[3] = entry('GSM', 8000)
  table[4] = entry('G723', 8000)
  table[5] = entry('DVI4', 8000)
  table[6] = entry('DVI4', 16000)
  table[7] = entry('LPC', 8000)
  table[8] = entry('PCMA', 8000)
  // RFC 3551 4.5.2: G722 samples at 16 kHz, its RTP clock is 8000 by a mistake that is kept.
  table[9] = entry('G722', 8000)
  table[10] = entry('L16', 44100, 2)
  table[11] = entry('L16', 44100)
  table[12] = entry('QCELP', 8000)
  table[13] = entry('CN', 8000)
  table[14] = entry('MPA', 90000)
  table[15] = entry('G728', 8000)
  table[16] = entry('DVI4', 11025)
  table[17] = entry('DVI4', 22050)
  table[18] = entry('G729', 8000)
  table[19] = entry('CN', 8000)
  table[25] = entry('CELB', 90000)
  table[26] = entry('JPEG', 90000)
  table[28] = entry('NV', 90000)
  table[31] = entry('H261', 90000)
  table[32] = entry('MPV', 90000)
  table[33] = entry('MP2T', 90000)
  table[34] = entry('H263', 90000)
  return table
}

/** RFC 3551 tables 4 and 5, indexed by payload type 0..127; undefined where unassigned, reserved or dynamic. */
export const STATIC_PAYLOAD_TYPES: readonly (PayloadTypeEntry | undefined)[] = staticTable()

/** Encodings with one RTP clock whatever the SDP says: RFC 3551 4.5.2 (G722), RFC 7587 4.1 (Opus). */
const FIXED_CLOCKS: Readonly<Record<string, number>> = { G722: 8000, OPUS: 48000 }

/** Clock of encodings whose rtpmap was cut short, where their RFC allows one only. */
const USUAL_CLOCKS: Readonly<Record<string, number>> = {
  PCMU: 8000,
  PCMA: 8000,
  GSM: 8000,
  G723: 8000,
  G728: 8000,
  G729: 8000,
  'G726-16': 8000,
  'G726-24': 8000,
  'G726-32': 8000,
  'G726-40': 8000,
  ILBC: 8000,
  LPC: 8000,
  QCELP: 8000,
  AMR: 8000,
  'AMR-WB': 16000,
  EVS: 16000,
  G719: 48000,
  T140: 1000,
  H261: 90000,
  H263: 90000,
  H264: 90000,
  VP8: 90000,
  VP9: 90000,
}

/**
 * RTP clock of an encoding.
 * @param encoding upper case
 * @param declaredHz from rtpmap, 0 when it gives none
 * @returns Hz, 0 when unknown
 */
export function rtpClockRateHz(encoding: string, declaredHz: number): number {
  return FIXED_CLOCKS[encoding] ?? (declaredHz > 0 ? declaredHz : (USUAL_CLOCKS[encoding] ?? 0))
}
