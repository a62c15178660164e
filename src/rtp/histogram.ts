import { H_HISTOGRAMS, JITTER_BUCKETS, PDV_BUCKETS } from './layout.js'

/**
 * Buckets shared by the jitter and delay-variation histograms: 0.2 ms wide while that is coarser than 6 %, then growing
 * by 6 %, with edges on 0.1 ms. A percentile read from them is off by at most 3 % or 0.1 ms (DESIGN: section 2).
 */
const RESOLUTION_PER_MS = 10
const FINE_LIMIT_MS = 204.8
const COARSE_STEP_MS = 3.2

const upperEdges = computeEdges()

function computeEdges(): Float64Array {
  const edges = new Float64Array(PDV_BUCKETS)
  let edge = 0
  for (let bucket = 0; bucket < PDV_BUCKETS; bucket++) {
    const widthTenths = Math.max(2, Math.floor(edge * 0.0618 * RESOLUTION_PER_MS + 1e-9))
    let next = edge + widthTenths / RESOLUTION_PER_MS
    if (next > FINE_LIMIT_MS && edge < FINE_LIMIT_MS) next = FINE_LIMIT_MS
    if (edge >= FINE_LIMIT_MS) {
      const steps = Math.max(1, Math.floor((edge * 0.0618) / COARSE_STEP_MS + 1e-9))
      next = edge + steps * COARSE_STEP_MS
    }
    edge = Math.round(next * RESOLUTION_PER_MS) / RESOLUTION_PER_MS
    edges[bucket] = edge
  }
  return edges
}

/** Upper edge of the last bucket but one: larger values share the last bucket. */
export const HISTOGRAM_LIMIT_MS = upperEdges[PDV_BUCKETS - 2]

/** Upper edge of a bucket in ms. */
export function upperEdgeOf(bucket: number): number {
  return upperEdges[bucket]
}

function bucketByEdges(valueMs: number): number {
  let bucket = 0
  while (bucket < PDV_BUCKETS - 1 && valueMs >= upperEdges[bucket]) bucket++
  return bucket
}

const FINE_ENTRIES = Math.round(FINE_LIMIT_MS * RESOLUTION_PER_MS)
const COARSE_ENTRIES = Math.ceil(HISTOGRAM_LIMIT_MS / COARSE_STEP_MS) + 1
const fine = new Uint8Array(FINE_ENTRIES)
const coarse = new Uint8Array(COARSE_ENTRIES)
for (let i = 0; i < FINE_ENTRIES; i++) fine[i] = bucketByEdges((i + 0.5) / RESOLUTION_PER_MS)
for (let i = 0; i < COARSE_ENTRIES; i++) coarse[i] = bucketByEdges((i + 0.5) * COARSE_STEP_MS)

/** Bucket of a value in ms (>= 0). */
export function bucketOf(valueMs: number): number {
  if (valueMs < FINE_LIMIT_MS) return fine[(valueMs * RESOLUTION_PER_MS) | 0]
  if (valueMs < HISTOGRAM_LIMIT_MS) return coarse[(valueMs / COARSE_STEP_MS) | 0]
  return PDV_BUCKETS - 1
}

/** The same, with the last bucket of the shorter jitter histogram taking all above. */
export function jitterBucketOf(valueMs: number): number {
  const bucket = bucketOf(valueMs)
  return bucket < JITTER_BUCKETS ? bucket : JITTER_BUCKETS - 1
}

/** Where a PDV bucket's counter stands in a stream's stride (Uint16 index); see layout.ts. */
export function pdvPlaceOf(bucket: number): number {
  if (bucket >= 128) return H_HISTOGRAMS + bucket - 128
  return bucket >= JITTER_BUCKETS ? 576 + bucket - 96 : 384 + ((bucket >> 4) << 5) + (bucket & 15)
}

/** The same of a jitter bucket. */
export function jitterPlaceOf(bucket: number): number {
  return 384 + ((bucket >> 4) << 5) + 16 + (bucket & 15)
}

const finePlaces = Uint16Array.from(fine, pdvPlaceOf)
const coarsePlaces = Uint16Array.from(coarse, pdvPlaceOf)
const LAST_PDV_PLACE = pdvPlaceOf(PDV_BUCKETS - 1)
const fineJitterPlaces = Uint16Array.from(fine, jitterPlaceFrom)
const coarseJitterPlaces = Uint16Array.from(coarse, jitterPlaceFrom)
const LAST_JITTER_PLACE = jitterPlaceOf(JITTER_BUCKETS - 1)

function jitterPlaceFrom(bucket: number): number {
  return jitterPlaceOf(Math.min(bucket, JITTER_BUCKETS - 1))
}

/** Place of the counter for a PDV in ms (>= 0). */
export function pdvPlace(valueMs: number): number {
  if (valueMs < FINE_LIMIT_MS) return finePlaces[(valueMs * RESOLUTION_PER_MS) | 0]
  if (valueMs < HISTOGRAM_LIMIT_MS) return coarsePlaces[(valueMs / COARSE_STEP_MS) | 0]
  return LAST_PDV_PLACE
}

/** Place of the counter for a jitter in ms (>= 0). */
export function jitterPlace(valueMs: number): number {
  if (valueMs < FINE_LIMIT_MS) return fineJitterPlaces[(valueMs * RESOLUTION_PER_MS) | 0]
  if (valueMs < HISTOGRAM_LIMIT_MS) return coarseJitterPlaces[(valueMs / COARSE_STEP_MS) | 0]
  return LAST_JITTER_PLACE
}

/** The value that stands for a bucket: half the width off at most where buckets are 0.2 ms, else 3 %. */
export function representative(bucket: number): number {
  const low = bucket === 0 ? 0 : upperEdges[bucket - 1]
  const high = upperEdges[bucket]
  return low < 3.3 ? (low + high) / 2 : (2 * low * high) / (low + high)
}

/**
 * Percentile by nearest rank, in ms.
 * @param counts bucket counts
 * @param percent 0 < percent <= 100
 * @param maximumMs the exact maximum, which also stands for the open last bucket
 * @returns undefined when the histogram is empty
 */
export function percentile(
  counts: ArrayLike<number>,
  buckets: number,
  percent: number,
  maximumMs: number,
): number | undefined {
  let total = 0
  for (let bucket = 0; bucket < buckets; bucket++) total += counts[bucket]
  if (total === 0) return undefined
  const rank = Math.max(1, Math.ceil((percent / 100) * total - 1e-9))
  if (rank >= total) return maximumMs
  let seen = 0
  for (let bucket = 0; bucket < buckets; bucket++) {
    seen += counts[bucket]
    if (seen >= rank) return bucket === buckets - 1 ? maximumMs : Math.min(representative(bucket), maximumMs)
  }
  return maximumMs
}

/**
 * Several percentiles of one histogram in one pass; as `percentile` gives them.
 * @param percents ascending
 * @param entries how many were counted: behind the last of them nothing is looked at; buckets that are full may hold fewer
 */
export function percentiles(
  counts: ArrayLike<number>,
  buckets: number,
  percents: readonly number[],
  maximumMs: number,
  entries = Infinity,
): number[] {
  let total = 0
  for (let bucket = 0; bucket < buckets && total < entries; bucket++) total += counts[bucket]
  const values: number[] = []
  let seen = 0
  let bucket = -1
  for (const percent of percents) {
    const rank = Math.max(1, Math.ceil((percent / 100) * total - 1e-9))
    while (seen < rank && bucket < buckets - 1) seen += counts[++bucket]
    const isMaximum = rank >= total || bucket === buckets - 1
    values.push(isMaximum ? maximumMs : Math.min(representative(bucket), maximumMs))
  }
  return values
}
