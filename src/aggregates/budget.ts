import type { Config } from '../config/config.js'
import { SIGNALLING, TRAFFIC } from './fields.js'
import { CODEC_TAGS } from './tags.js'

/** How many series a measurement can have at most, before any packet is seen. */
export interface SeriesBudget {
  measurement: string
  /** How the number comes about, for people. */
  formula: string
  /** By tag values; `bound` may be lower. */
  possible: number
  /** With the configured budget. */
  bound: number
}

/** The largest number of series of each aggregate, which also holds for each of its roll-ups. */
export function seriesBudgets(config: Pick<Config, 'sites' | 'trunks' | 'aggregates'>): SeriesBudget[] {
  const sites = config.sites.length + 1
  const trunks = config.trunks.length + 1
  const codecs = CODEC_TAGS.length
  const { series_budget: budget } = config.aggregates
  const traffic = sites * sites * trunks * codecs * 2
  const signalling = trunks * 2
  return [
    {
      measurement: TRAFFIC,
      formula: `${sites} caller sites x ${sites} callee sites x ${trunks} trunks x ${codecs} codecs x 2 directions`,
      possible: traffic,
      bound: Math.min(traffic, budget),
    },
    {
      measurement: SIGNALLING,
      formula: `${trunks} trunks x 2 (first and further legs)`,
      possible: signalling,
      bound: Math.min(signalling, budget),
    },
  ]
}
