import { BAD_SHARE_STEPS, badAbove, badBelow, LOSS_STEPS, MOS_STEPS } from './colors.js'
import { badCallTable } from './call-tables.js'
import { graph } from './graphs.js'
import { ask, chosen, percentOf, perStep, ratioOf, show, SIGNALLING, TRAFFIC } from './influxql.js'
import { TO_CALLS_OF_TRUNK, TO_TRUNK } from './links.js'
import { alertQuery, type Page } from './page.js'
import {
  burstSeconds,
  delayVariationTail,
  jitterPercentiles,
  lossGraph,
  meanMos,
  mosDistribution,
} from './quality-panels.js'
import { durations, failuresByCause, outcomes, ratios, setupDelays, slowSetups } from './signalling-panels.js'
import { rows } from './tables.js'
import { datasourceVariable, stepVariable, tagVariable } from './variables.js'

const FILTERS = [chosen('probe'), chosen('trunk')]
const scope = { filters: FILTERS, width: 12 }

const scorecard = rows({
  title: 'Scorecard',
  description:
    'One row per trunk over the time shown: signalling left, media right. ASR depends on whom people call, NER on the network alone. PDD p95 is the highest of any step. A trunk sees a call once, so both legs of a call through an SBC count, each at its own trunk.',
  unit: 'percent',
  width: 24,
  height: 10,
  joinBy: 'trunk',
  columns: {
    trunk: { label: 'Trunk', link: TO_TRUNK },
    attempts: { label: 'Attempts', unit: 'short', decimals: 0, width: 95, link: TO_CALLS_OF_TRUNK },
    asr: { label: 'ASR', unit: 'percent', decimals: 1, width: 85, steps: badBelow(30, 45) },
    ner: { label: 'NER', unit: 'percent', decimals: 1, width: 85, steps: badBelow(90, 95) },
    failed: { label: 'Failed', unit: 'percent', decimals: 1, width: 85, steps: badAbove(2, 5) },
    pdd: { label: 'PDD mean', unit: 'ms', decimals: 0, width: 100, steps: badAbove(3000, 5000) },
    pdd95: { label: 'PDD p95', unit: 'ms', decimals: 0, width: 95, steps: badAbove(5000, 8000) },
    duration: { label: 'Mean length', unit: 'dtdurations', width: 115 },
    short: { label: 'Under 10 s', unit: 'percent', decimals: 1, width: 95, steps: badAbove(15, 30) },
    peak: { label: 'Peak calls', unit: 'short', decimals: 0, width: 95 },
    mos: { label: 'MOS', unit: 'none', decimals: 2, width: 75, steps: MOS_STEPS },
    poor: { label: 'Poor', unit: 'percent', decimals: 2, width: 85, steps: BAD_SHARE_STEPS, show: 'cell' },
    loss: { label: 'Loss', unit: 'percent', decimals: 2, width: 80, steps: LOSS_STEPS },
    late: { label: 'Late', unit: 'percent', decimals: 2, width: 80, steps: LOSS_STEPS },
    jitter: { label: 'Jitter p95', unit: 'ms', decimals: 1, width: 95 },
    bursts: { label: 'Burst s', unit: 'short', decimals: 0, width: 80 },
  },
  sort: { column: 'poor', descending: true },
  queries: [
    ...ask({
      from: SIGNALLING,
      where: FILTERS,
      select: [
        show('sum("attempts")', 'attempts'),
        percentOf('answered', 'seizures', 'asr'),
        percentOf('delivered', 'attempts', 'ner'),
        percentOf('failed', 'attempts', 'failed'),
        ratioOf('pdd_sum_ms', 'pdd_count', 'pdd'),
        show('max("pdd_p95_ms")', 'pdd95'),
        ratioOf('duration_sum_s', 'duration_count', 'duration'),
        percentOf('duration_lt_10_s', 'duration_count', 'short'),
        show('max("calls_peak")', 'peak'),
      ],
      group: 'GROUP BY "trunk"',
    }),
    ...ask({
      from: TRAFFIC,
      where: FILTERS,
      select: [
        ratioOf('mos_sum', 'mos_count', 'mos'),
        percentOf('mos_lt_3_6', 'mos_count', 'poor'),
        percentOf('lost', 'expected_packets', 'loss'),
        percentOf('late', 'expected_packets', 'late'),
        show('max("jitter_p95_ms")', 'jitter'),
        show('sum("burst_seconds")', 'bursts'),
      ],
      group: 'GROUP BY "trunk"',
    }),
  ],
})

const callsAtOnce = graph({
  title: 'Calls at once',
  description:
    'Most answered calls at once on each trunk in each step: against what the trunk is licensed for.',
  unit: 'short',
  decimals: 0,
  min: 0,
  width: 12,
  legend: ['max', 'lastNotNull'],
  queries: ask({
    from: SIGNALLING,
    where: FILTERS,
    select: [show('max("calls_peak")', 'calls')],
    group: perStep(['trunk']),
    alias: '$tag_trunk',
  }),
})

const codecs = graph({
  title: 'Speech by codec',
  description:
    'Seconds of speech in each step by codec. A carrier that begins to answer with another codec shows here before users complain.',
  unit: 's',
  decimals: 0,
  min: 0,
  width: 12,
  stack: 'normal',
  queries: ask({
    from: TRAFFIC,
    where: FILTERS,
    select: [show('sum("media_s")', 'speech')],
    group: perStep(['codec']),
    alias: '$tag_codec',
  }),
})

/** How each trunk or carrier does. */
export const trunks: Page = {
  name: 'trunks',
  title: 'Voice: trunk scorecard',
  description: 'Trunks and carriers side by side; below, the chosen ones over time.',
  from: 'now-24h',
  alerts: alertQuery(chosen('trunk')),
  variables: [
    datasourceVariable(),
    tagVariable('probe', 'voip_probe'),
    tagVariable('trunk', 'voip_signalling'),
    stepVariable(),
  ],
  sections: [
    { title: 'All trunks', panels: [scorecard] },
    {
      title: 'Signalling',
      panels: [
        ratios(scope),
        failuresByCause(scope),
        setupDelays(scope),
        slowSetups(scope),
        outcomes(scope),
        durations(scope),
      ],
    },
    {
      title: 'Media',
      panels: [
        mosDistribution(scope),
        meanMos(scope, 'trunk', 'Mean MOS by trunk'),
        lossGraph(scope),
        jitterPercentiles(scope),
        delayVariationTail(scope),
        burstSeconds(scope),
        callsAtOnce,
        codecs,
        badCallTable(FILTERS, 24),
      ],
    },
  ],
}
