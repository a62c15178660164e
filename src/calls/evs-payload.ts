import type { EvsBandwidth, EvsMode } from '../quality/codecs.js'

/** Primary mode: kbit/s and bytes of a frame, by the number in the table of contents (TS 26.445 tables A.1, A.4). */
const PRIMARY_KBPS = [2.8, 7.2, 8, 9.6, 13.2, 16.4, 24.4, 32, 48, 64, 96, 128]
const PRIMARY_BYTES = [7, 18, 20, 24, 33, 41, 61, 80, 120, 160, 240, 320]
const PRIMARY_SID_BYTES = 6
/** AMR-WB interoperable mode: bytes of a compact payload, by AMR-WB's mode (table A.1). */
const INTEROPERABLE_BYTES = [17, 23, 32, 36, 40, 46, 50, 58, 60]
/** Its comfort noise is as large as a primary frame of 2.8 kbit/s, and begins with a one (A.2.1.3). */
const INTEROPERABLE_SID_BYTES = 7

/** Where these lie in `PRIMARY_KBPS`. */
const KBPS_13 = 4
const KBPS_32 = 7

/** 13.2 kbit/s: bandwidth, coding type and channel awareness are one index of 5 bits (7.1.2). */
const BANDWIDTHS_13 = 'NNNNNWWWWWSSSSSNNWWSSWWWWSSSSNWS'
/** 32 kbit/s with the CELP core: bandwidth and coding type are one index of 4 bits (7.1.4). */
const BANDWIDTHS_32 = 'WWWSSSFFFWWSSFF'
const NAMES: Partial<Record<string, EvsBandwidth>> = { N: 'NB', W: 'WB', S: 'SWB', F: 'FB' }
const BY_TWO_BITS: readonly EvsBandwidth[] = ['NB', 'WB', 'SWB', 'FB']
/** Rates whose frames begin with the bandwidth in two bits: 9.6, 16.4, 24.4, 48, 96, 128 (7.1.1, 7.1.3, 7.1.5). */
const PLAIN_BANDWIDTH = new Set([3, 5, 6, 8, 10, 11])

const BANDWIDTHS: readonly (EvsBandwidth | undefined)[] = [undefined, ...BY_TWO_BITS]
const INTEROPERABLE: EvsMode = {}
/** Every mode that `evsMode` returns. */
export const EVS_MODES: readonly EvsMode[] = [
  INTEROPERABLE,
  ...PRIMARY_KBPS.flatMap((kbps) => BANDWIDTHS.map((bandwidth) => ({ kbps, bandwidth }))),
]

/**
 * Mode of an EVS payload (3GPP TS 26.445 A.2): by its size in the compact format, by its table of contents in the
 * header-full one; one of `EVS_MODES`. undefined for comfort noise, lost and empty frames, and what is neither.
 * @param bytes holds the payload at `start`, as far as it was captured (`end`)
 * @param length bytes of the whole payload, padding left out
 * @param headerFullOnly SDP's `hf-only=1`: no size means anything
 */
export function evsMode(
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  headerFullOnly: boolean,
): EvsMode | undefined {
  if (start >= end) return undefined
  if (!headerFullOnly) {
    if (length === PRIMARY_SID_BYTES) return undefined
    if (length === INTEROPERABLE_SID_BYTES && bytes[start] & 0x80) return undefined
    const rate = PRIMARY_BYTES.indexOf(length)
    if (rate >= 0) return primary(rate, bytes[start])
    if (INTEROPERABLE_BYTES.includes(length)) return INTEROPERABLE
  }
  // H(1): 1 a mode request, which a table of contents follows. H(1) = 0, F(1): another follows, mode(1), Q(1), rate(4).
  let at = bytes[start] & 0x80 ? start + 1 : start
  if (at >= end) return undefined
  const contents = bytes[at]
  if (contents & 0x80) return undefined
  const rate = contents & 15
  if (contents & 0x20) return rate < INTEROPERABLE_BYTES.length ? INTEROPERABLE : undefined
  if (rate >= PRIMARY_KBPS.length) return undefined
  while (at < end && bytes[at] & 0x40) at++
  return primary(rate, at + 1 < end ? bytes[at + 1] : undefined)
}

/**
 * Bytes of an EVS payload that `evsMode` reads: a mode request and the table of contents, if there are any, and the first
 * byte of the first frame. Parameters as there.
 */
export function evsHeaderBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  headerFullOnly: boolean,
): number {
  if (start >= end) return 0
  const isCompact = length === PRIMARY_SID_BYTES || PRIMARY_BYTES.includes(length)
  if (!headerFullOnly && (isCompact || INTEROPERABLE_BYTES.includes(length))) return 1
  let at = bytes[start] & 0x80 ? start + 1 : start
  while (at < end && bytes[at] & 0x40 && (bytes[at] & 0x80) === 0) at++
  return Math.min(at + 2, end) - start
}

/** @param first byte of the frame, undefined when it was not captured */
function primary(rate: number, first: number | undefined): EvsMode {
  const bandwidth = first === undefined ? undefined : bandwidthOf(rate, first)
  return EVS_MODES[1 + rate * BANDWIDTHS.length + BANDWIDTHS.indexOf(bandwidth)]
}

function bandwidthOf(rate: number, first: number): EvsBandwidth | undefined {
  if (PLAIN_BANDWIDTH.has(rate)) return BY_TWO_BITS[first >> 6]
  if (rate === KBPS_13) return NAMES[BANDWIDTHS_13[first >> 3]]
  if (rate !== KBPS_32) return undefined
  // MDCT(1): 0 CELP, index(4) ...; 1 TCX(1): 1 bandwidth(2) ..., 0 no bandwidth here.
  if (first < 0x80) return NAMES[BANDWIDTHS_32[(first >> 3) & 15] ?? '']
  return first & 0x40 ? BY_TWO_BITS[(first >> 4) & 3] : undefined
}
