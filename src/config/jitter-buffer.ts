import { CallprobeError } from '../errors.js'

/** Depth that an adaptive buffer starts from and returns to, and its ceiling, in ms. */
export const ADAPTIVE_MINIMUM_MS = 40
export const ADAPTIVE_MAXIMUM_MS = 500
/** Deepest buffer that can be asked for, in ms. */
export const DEEPEST_BUFFER_MS = 2000

/** The jitter buffer that `late`, delay and MOS refer to. Depths in whole ms. */
export type JitterBufferSpec =
  { kind: 'adaptive'; minimumMs: number; maximumMs: number } | { kind: 'fixed'; depthMs: number }

export const DEFAULT_JITTER_BUFFER: JitterBufferSpec = {
  kind: 'adaptive',
  minimumMs: ADAPTIVE_MINIMUM_MS,
  maximumMs: ADAPTIVE_MAXIMUM_MS,
}

/**
 * Reads `adaptive`, `adaptive:40-500` or `fixed:60` (ms; a trailing `ms` is allowed).
 * @throws CallprobeError USAGE
 */
export function parseJitterBufferSpec(text: string): JitterBufferSpec {
  const match =
    /^\s*(adaptive|fixed)\s*(?::\s*(\d{1,9})\s*(?:ms)?\s*(?:-\s*(\d{1,9})\s*(?:ms)?)?)?\s*$/i.exec(text)
  if (match === null) throw badSpec(text, 'is not a jitter buffer')
  const [kind, first, second] = [match[1].toLowerCase(), numberOf(match[2]), numberOf(match[3])]
  if (Math.max(first ?? 0, second ?? 0) > DEEPEST_BUFFER_MS)
    throw badSpec(text, `is deeper than ${DEEPEST_BUFFER_MS} ms, the deepest buffer that is emulated`)
  if (first === 0) throw badSpec(text, 'is no buffer: the least depth is 1 ms')
  if (kind === 'fixed') {
    if (first === undefined || second !== undefined) throw badSpec(text, 'needs one depth')
    return { kind: 'fixed', depthMs: first }
  }
  if (first === undefined) return DEFAULT_JITTER_BUFFER
  if (second === undefined || first > second)
    throw badSpec(text, 'needs a range from the smaller to the larger depth')
  return { kind: 'adaptive', minimumMs: first, maximumMs: second }
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits)
}

function badSpec(text: string, what: string): CallprobeError {
  return new CallprobeError('USAGE', `jitter buffer "${text}" ${what}`, {
    hint: 'write adaptive, adaptive:MIN-MAX or fixed:DEPTH in ms, e.g. adaptive:40-500 or fixed:60',
  })
}

/** The spec as it is written in configuration and in summary records, e.g. `adaptive:40-500`. */
export function formatJitterBufferSpec(spec: JitterBufferSpec): string {
  return spec.kind === 'fixed' ? `fixed:${spec.depthMs}` : `adaptive:${spec.minimumMs}-${spec.maximumMs}`
}
