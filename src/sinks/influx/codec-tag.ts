import { CODEC_ROWS } from '../../quality/codecs.js'

/** Payloads that are no speech codec and still common. */
const NOT_SPEECH = ['T38', 'CN', 'TELEPHONE-EVENT', 'CLEARMODE']

const TAGS = new Set([...CODEC_ROWS.flatMap(({ aliases }) => aliases), ...NOT_SPEECH])

/**
 * The codec as a tag: the SDP name of a codec of the table (`PCMA`, `OPUS`, `AMR-WB`), in capitals; `other` for any other
 * name, for what comes out of SDP is anybody's text; `unknown` without a codec.
 */
export function codecTag(codec: string | undefined): string {
  if (codec === undefined || codec === '') return 'unknown'
  const name = codec.toUpperCase()
  return TAGS.has(name) ? name : 'other'
}

/** Every value that the tag can have. */
export const CODEC_TAGS: readonly string[] = [...TAGS, 'other', 'unknown']

/** Per-hop behaviour that a DSCP stands for (RFC 2474, 2597, 3246, 5865), as a tag of few values. */
export function dscpClass(dscp: number | undefined): string {
  if (dscp === undefined) return 'unknown'
  if (dscp === 0) return 'default'
  if (dscp === 46 || dscp === 44) return 'ef'
  if (dscp % 8 === 0) return 'cs'
  return dscp >= 10 && dscp <= 38 && dscp % 2 === 0 ? 'af' : 'other'
}
