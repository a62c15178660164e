import { CODEC_ROWS, CODECS_WITHOUT_ROW } from '../quality/codecs.js'

/** A value that nothing in the configuration, or nothing in the packets, tells. */
export const UNKNOWN = 'unknown'
/** A value that is not one of those known beforehand. */
export const OTHER = 'other'

/** Payloads that are no speech codec and still common. */
const NOT_SPEECH = ['T38', 'CN', 'TELEPHONE-EVENT', 'CLEARMODE']

const CODECS: ReadonlySet<string> = new Set([
  ...CODEC_ROWS.flatMap(({ aliases }) => aliases),
  ...CODECS_WITHOUT_ROW.flatMap(({ aliases }) => aliases),
  ...NOT_SPEECH,
])

/** Every value that the tag `codec` can have. */
export const CODEC_TAGS: readonly string[] = [...CODECS, OTHER, UNKNOWN]

/**
 * The codec as a tag: the SDP name of a codec of the table (`PCMA`, `OPUS`, `AMR-WB`), in capitals; `other` for any other
 * name, for what comes out of SDP is anybody's text; `unknown` without a codec.
 */
export function codecTag(codec: string | undefined): string {
  if (codec === undefined || codec === '') return UNKNOWN
  if (CODECS.has(codec)) return codec
  const name = codec.toUpperCase()
  return CODECS.has(name) ? name : OTHER
}

/** Per-hop behaviour that a DSCP stands for (RFC 2474, 2597, 3246, 5865), as a tag of few values. */
export function dscpClass(dscp: number | undefined): string {
  if (dscp === undefined) return UNKNOWN
  if (dscp === 0) return 'default'
  if (dscp === 46 || dscp === 44) return 'ef'
  if (dscp % 8 === 0) return 'cs'
  return dscp >= 10 && dscp <= 38 && dscp % 2 === 0 ? 'af' : OTHER
}
