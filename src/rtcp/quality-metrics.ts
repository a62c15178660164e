/**
 * One side's metrics of a report (RFC 6035 4.6). Absent = not said, or said to be unavailable: 127 for levels, echo,
 * R and MOS (RFC 3611's way), 0 for R, MOS and delays, anything outside the metric's range.
 */
export interface QualityMetrics {
  startMs?: number
  stopMs?: number
  payloadType?: number
  payloadName?: string
  sampleRate?: number
  frameDurationMs?: number
  frameOctets?: number
  framesPerPacket?: number
  packetsPerSecond?: number
  fmtp?: string
  /** 0 unspecified, 1 disabled, 2 enhanced, 3 standard. */
  concealment?: number
  silenceSuppression?: boolean
  /** 0 unknown, 1 reserved, 2 fixed, 3 adaptive. */
  bufferKind?: number
  bufferRate?: number
  bufferNominalMs?: number
  bufferMaxMs?: number
  bufferAbsoluteMaxMs?: number
  lossPercent?: number
  discardPercent?: number
  burstDensityPercent?: number
  burstDurationMs?: number
  gapDensityPercent?: number
  gapDurationMs?: number
  gmin?: number
  roundTripMs?: number
  endSystemDelayMs?: number
  oneWayDelayMs?: number
  /** Half the sum of round trip and both ends' delays. */
  symmetricOneWayDelayMs?: number
  interarrivalJitterMs?: number
  /** MAPDV2 of G.1020. */
  meanAbsoluteJitterMs?: number
  signalLevelDbm?: number
  noiseLevelDbm?: number
  echoReturnLossDb?: number
  rLq?: number
  rCq?: number
  externalRIn?: number
  externalROut?: number
  mosLq?: number
  mosCq?: number
  /** How R and MOS were estimated, as the endpoint names it. */
  algorithm?: string
  /** Keys that begin with `x-`, in lower case, at most 16. */
  extensions?: Record<string, string>
}

type NumberField = {
  [K in keyof QualityMetrics]-?: NonNullable<QualityMetrics[K]> extends number ? K : never
}[keyof QualityMetrics]

/** Field and the range in which a value means something. */
type NumberRule = [field: NumberField, least: number, most: number]

const MAX_MS = 3_600_000

const NUMBERS: ReadonlyMap<string, NumberRule> = new Map<string, NumberRule>([
  ['pt', ['payloadType', 0, 127]],
  ['sr', ['sampleRate', 1, 1_000_000]],
  ['fd', ['frameDurationMs', 1, 10_000]],
  ['fo', ['frameOctets', 1, 65_535]],
  ['fpp', ['framesPerPacket', 1, 255]],
  ['pps', ['packetsPerSecond', 1, 65_535]],
  ['plc', ['concealment', 0, 3]],
  ['jba', ['bufferKind', 0, 3]],
  ['jbr', ['bufferRate', 0, 15]],
  ['jbn', ['bufferNominalMs', 0, 65_535]],
  ['jbm', ['bufferMaxMs', 0, 65_535]],
  ['jbx', ['bufferAbsoluteMaxMs', 0, 65_535]],
  ['nlr', ['lossPercent', 0, 100]],
  ['jdr', ['discardPercent', 0, 100]],
  ['bld', ['burstDensityPercent', 0, 100]],
  ['bd', ['burstDurationMs', 0, MAX_MS]],
  ['gld', ['gapDensityPercent', 0, 100]],
  ['gd', ['gapDurationMs', 0, MAX_MS]],
  ['gmin', ['gmin', 1, 255]],
  ['rtd', ['roundTripMs', Number.MIN_VALUE, 65_535]],
  ['esd', ['endSystemDelayMs', Number.MIN_VALUE, 65_535]],
  ['owd', ['oneWayDelayMs', Number.MIN_VALUE, 65_535]],
  ['sowd', ['symmetricOneWayDelayMs', Number.MIN_VALUE, 65_535]],
  ['iaj', ['interarrivalJitterMs', 0, 65_535]],
  ['maj', ['meanAbsoluteJitterMs', 0, 65_535]],
  ['sl', ['signalLevelDbm', -128, 126]],
  ['nl', ['noiseLevelDbm', -128, 126]],
  ['rerl', ['echoReturnLossDb', 0, 126]],
  ['rlq', ['rLq', Number.MIN_VALUE, 120]],
  ['rcq', ['rCq', Number.MIN_VALUE, 120]],
  ['extri', ['externalRIn', Number.MIN_VALUE, 120]],
  ['extro', ['externalROut', Number.MIN_VALUE, 120]],
  ['moslq', ['mosLq', 1, 5]],
  ['moscq', ['mosCq', 1, 5]],
])

const TEXTS = ['start', 'stop', 'pd', 'fmtp', 'ssup', 'qoeestalg', 'moscqestalgo', 'moslqestalgo']

/** Every key that is read, in lower case. */
export const METRIC_KEYS: ReadonlySet<string> = new Set([...NUMBERS.keys(), ...TEXTS])

const MAX_EXTENSIONS = 16

/** Adds what the pairs (keys in lower case) say. Unknown keys are left out, `x-` ones kept as text. */
export function applyMetrics(metrics: QualityMetrics, pairs: readonly [string, string][]): void {
  for (const [key, value] of pairs) {
    const rule = NUMBERS.get(key)
    if (rule !== undefined) {
      const [field, least, most] = rule
      const number = parseNumber(value)
      if (number !== undefined && number >= least && number <= most) metrics[field] = number
    } else if (key.startsWith('x-')) {
      addExtension(metrics, key, value)
    } else if (value !== '') {
      applyText(metrics, key, value)
    }
  }
}

function applyText(metrics: QualityMetrics, key: string, value: string): void {
  if (key === 'start' || key === 'stop') {
    const timeMs = parseTime(value)
    if (timeMs !== undefined) metrics[`${key}Ms`] = timeMs
  } else if (key === 'pd') metrics.payloadName = value
  else if (key === 'fmtp') metrics.fmtp = value
  else if (key === 'ssup') metrics.silenceSuppression = value.toLowerCase() === 'on'
  else if (key === 'qoeestalg') metrics.algorithm = value
  else if (key === 'moscqestalgo' || key === 'moslqestalgo') metrics.algorithm ??= value
}

function addExtension(metrics: QualityMetrics, key: string, value: string): void {
  const extensions = (metrics.extensions ??= {})
  if (Object.keys(extensions).length < MAX_EXTENSIONS) extensions[key] = value
}

/** A number with what follows it (`%`, `ms`) left out; some write a decimal comma. */
function parseNumber(text: string): number | undefined {
  const match = /^[-+]?\d{1,10}(?:[.,]\d{1,10})?/.exec(text)
  return match === null ? undefined : Number(match[0].replace(',', '.'))
}

/** RFC 3339; without a zone it is UTC. */
function parseTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[-+]\d\d:?\d\d)?$/i.exec(text)
  if (match === null) return undefined
  const zone = (match[3] ?? 'Z').toUpperCase().replace(/^([-+]\d\d)(\d\d)$/, '$1:$2')
  const ms = Date.parse(`${match[1]}T${match[2]}${zone}`)
  return Number.isNaN(ms) ? undefined : ms
}
