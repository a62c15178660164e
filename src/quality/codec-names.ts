/** Codec names as people type them: `g711`, `G.711`, `pcmu`, `amr-wb-12.65`. */
import type { CodecRow } from './codec-row.js'
import { CODEC_ROWS, lookupCodec } from './codecs.js'

function squash(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Row by id (`g711-no-plc`), by codec (`G.711`) or by SDP name (`PCMU`); punctuation and case do not matter. */
export function findCodecByName(name: string): CodecRow | undefined {
  const wanted = squash(name)
  if (wanted === '') return undefined
  const byId = CODEC_ROWS.find((row) => squash(row.id) === wanted)
  if (byId) return byId
  const row = CODEC_ROWS.find(
    ({ codec, aliases }) => squash(codec) === wanted || aliases.some((alias) => squash(alias) === wanted),
  )
  if (row === undefined) return undefined
  // The codec's own default: the alias that was typed, else its first.
  const alias = row.aliases.find((candidate) => squash(candidate) === wanted) ?? row.aliases[0]
  return lookupCodec(alias, 0)
}

/** Every name that `findCodecByName` takes: ids, codecs and SDP names. */
export function codecNames(): string[] {
  return [...new Set(CODEC_ROWS.flatMap(({ id, codec, aliases }) => [id, codec, ...aliases]))]
}
