/** Codec names as people type them: `g711`, `G.711`, `pcmu`, `amr-wb-12.65`. */
import type { CodecRow } from './codec-row.js'
import { CODEC_ROWS, CODECS_WITHOUT_ROW, lookupCodec } from './codecs.js'

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

/** Edit distance, insertions, deletions and replacements at 1 each. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      current[j] = Math.min(replaced, previous[j] + 1, current[j - 1] + 1)
    }
    previous = current
  }
  return previous[b.length]
}

/** Up to `count` known names nearest to what was typed, nearest first. */
export function nearestCodecNames(name: string, count = 3): string[] {
  const wanted = squash(name)
  const names = new Set<string>()
  for (const row of CODEC_ROWS) {
    names.add(row.id)
    names.add(row.codec)
    for (const alias of row.aliases) names.add(alias)
  }
  for (const { aliases } of CODECS_WITHOUT_ROW) for (const alias of aliases) names.delete(alias)
  return [...names]
    .map((candidate) => {
      const known = squash(candidate)
      const prefix = known.startsWith(wanted) || wanted.startsWith(known) ? 0.5 : 1
      return { candidate, score: distance(wanted, known) * prefix }
    })
    .sort((a, b) => a.score - b.score || a.candidate.localeCompare(b.candidate))
    .slice(0, count)
    .map(({ candidate }) => candidate)
}
