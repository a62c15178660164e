/** Scores a stretch of media: one codec row, loss, bursts and delay in; MOS and R out, on the codec's own scale. */
import { clampBurstRatio } from './burst-ratio.js'
import { modelName, type CodecRow, type MosScale } from './codec-row.js'
import { createNarrowbandModel, NARROWBAND_R_MAX } from './g107.js'
import { mosFromWideR, WIDEBAND_R_MAX, wideConversationalR, wideListeningR } from './g1071.js'
import { FULLBAND_R_MAX, fullR, mosFromFullR } from './g1072.js'
import { mosFromR } from './mos-mapping.js'

export interface MediaImpairments {
  codec: CodecRow
  /** Lost and late packets in percent of those expected, 0..100. */
  lossPercent: number
  /** Measured burst ratio; held within the model's range. */
  burstRatio: number
  /** One way, mouth to ear, ms. */
  delayMs: number
}

export interface MediaScore {
  /** Listening quality, 1..4.5: without delay. */
  mosLq: number
  /** Conversational quality, 1..4.5: with delay. */
  mosCq: number
  /** R of `mosCq`, within its scale. */
  rFactor: number
  /** R of `mosLq`, within its scale. */
  rFactorLq: number
  scale: MosScale
  /** Model, edition and codec row, as records' `mos_model` has it. */
  model: string
  /** False when a factor of the row is a stand-in. */
  grounded: boolean
}

export const R_MAX: Readonly<Record<MosScale, number>> = {
  nb: NARROWBAND_R_MAX,
  wb: WIDEBAND_R_MAX,
  fb: FULLBAND_R_MAX,
}

const narrowband = createNarrowbandModel()

/** R of a scale at a one-way delay in ms; `undefined` for listening quality. Burst ratio as given. */
export function ratingFactor(
  row: CodecRow,
  ppl: number,
  burstR: number,
  delayMs: number | undefined,
): number {
  switch (row.scale) {
    case 'nb':
      return narrowband.r(ppl, burstR, row.ie, row.bpl, delayMs ?? 0)
    case 'wb':
      return delayMs === undefined
        ? wideListeningR(row.ie, row.bpl, ppl)
        : wideConversationalR(row.ie, row.bpl, ppl, delayMs)
    case 'fb':
      return fullR(row.ie, row.bpl, ppl, burstR, delayMs ?? 0)
  }
}

/** MOS (1..4.5) of an R on a scale. */
export function mosOnScale(r: number, scale: MosScale): number {
  return scale === 'nb' ? mosFromR(r) : scale === 'wb' ? mosFromWideR(r) : mosFromFullR(r)
}

function score(row: CodecRow, rFactorLq: number, rFactor: number): MediaScore {
  return {
    mosLq: mosOnScale(rFactorLq, row.scale),
    mosCq: mosOnScale(rFactor, row.scale),
    rFactor,
    rFactorLq,
    scale: row.scale,
    model: row.model,
    grounded: row.grounded,
  }
}

/** The E-model at exactly the values given: the burst ratio is not held within the model's range. */
export function scoreExactly({ codec, lossPercent, burstRatio, delayMs }: MediaImpairments): MediaScore {
  return score(
    codec,
    ratingFactor(codec, lossPercent, burstRatio, undefined),
    ratingFactor(codec, lossPercent, burstRatio, delayMs),
  )
}

/** The latest score of each codec row: most media has no loss and the delay of an undisturbed buffer. */
const latestScores = new WeakMap<CodecRow, { media: MediaImpairments; score: MediaScore }>()

/** The score of measured media. Loss is held within 0..100 %, delay at 0 or more, the burst ratio as the model allows. */
export function scoreMedia(media: MediaImpairments): Readonly<MediaScore> {
  const { codec, lossPercent, burstRatio, delayMs } = media
  const latest = latestScores.get(codec)
  if (
    latest?.media.delayMs === delayMs &&
    latest.media.lossPercent === lossPercent &&
    latest.media.burstRatio === burstRatio
  ) {
    return latest.score
  }
  const ppl = Math.min(100, Math.max(0, lossPercent))
  const burstR = clampBurstRatio(burstRatio, ppl)
  const score = scoreExactly({ codec, lossPercent: ppl, burstRatio: burstR, delayMs: Math.max(0, delayMs) })
  latestScores.set(codec, { media, score })
  return score
}

/** Listening quality alone, e.g. for the emulated jitter buffers that are not the configured one. */
export function listeningMos(codec: CodecRow, lossPercent: number, burstRatio: number): number {
  const ppl = Math.min(100, Math.max(0, lossPercent))
  return mosOnScale(ratingFactor(codec, ppl, clampBurstRatio(burstRatio, ppl), undefined), codec.scale)
}

/** One codec's stretch of a direction. */
export interface ScoredStretch {
  codec: CodecRow
  score: Readonly<MediaScore>
  /** Media time, ms. */
  durationMs: number
}

export interface CombinedScore extends MediaScore {
  /** The direction used codecs of different scales; the score is that of the longest codec alone. */
  mixedScale?: boolean
}

/** Time-weighted mean R of stretches on one scale; with no time at all, their plain mean. */
function weighByTime(stretches: readonly ScoredStretch[]): MediaScore {
  const total = stretches.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const share = (durationMs: number): number => (total > 0 ? durationMs / total : 1 / stretches.length)
  let rFactor = 0
  let rFactorLq = 0
  for (const { score: part, durationMs } of stretches) {
    rFactor += part.rFactor * share(durationMs)
    rFactorLq += part.rFactorLq * share(durationMs)
  }
  const { scale } = stretches[0].score
  const models = [...new Set(stretches.map(({ score: part }) => part.model))]
  // The model's name stands first in each; naming it once keeps the text readable.
  const prefix = `${modelName(scale)}; `
  const rows = models.map((model, i) =>
    i > 0 && model.startsWith(prefix) ? model.slice(prefix.length) : model,
  )
  return {
    mosLq: mosOnScale(rFactorLq, scale),
    mosCq: mosOnScale(rFactor, scale),
    rFactor,
    rFactorLq,
    scale,
    model: rows.join(' + ') + (rows.length > 1 ? ', R weighed by time' : ''),
    grounded: stretches.every(({ score: part }) => part.grounded),
  }
}

/**
 * One score for a direction whose codec changed. Within one scale R is weighed by time. Over mixed scales R values
 * cannot be compared: the codec row that was used longest speaks for all, and `mixedScale` says so. undefined for
 * no stretches.
 */
export function combineByTime(stretches: readonly ScoredStretch[]): CombinedScore | undefined {
  if (stretches.length === 0) return undefined
  if (stretches.every(({ score: part }) => part.scale === stretches[0].score.scale)) {
    return { ...weighByTime(stretches), mixedScale: false }
  }
  const timeOf = new Map<string, number>()
  for (const { codec, durationMs } of stretches) {
    timeOf.set(codec.id, (timeOf.get(codec.id) ?? 0) + durationMs)
  }
  let longest = stretches[0].codec.id
  for (const [id, time] of timeOf) if (time > timeOf.get(longest)!) longest = id
  return { ...weighByTime(stretches.filter(({ codec }) => codec.id === longest)), mixedScale: true }
}
