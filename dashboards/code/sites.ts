import { BAD_SHARE_STEPS, badAbove, DELAY_STEPS, LOSS_STEPS, MOS_STEPS, NEUTRAL } from './colors.js'
import { badCallTable } from './call-tables.js'
import { graph } from './graphs.js'
import { ask, chosen, percentOf, perStep, ratioOf, show, TRAFFIC, type Value } from './influxql.js'
import { CELL_TO_CALLS, CELL_TO_PAIR, dataLink } from './links.js'
import { alertQuery, type Page } from './page.js'
import type { PanelBuilder, Step, Unit } from './panel.js'
import {
  burstSeconds,
  delayGraph,
  delayVariationTail,
  jitterPercentiles,
  lossGraph,
  mosDistribution,
} from './quality-panels.js'
import { matrix, rows } from './tables.js'
import { datasourceVariable, stepVariable, tagVariable } from './variables.js'

const FILTERS = [chosen('probe'), chosen('caller_site'), chosen('callee_site'), chosen('trunk')]
const scope = { filters: FILTERS, width: 12 }

interface Cell {
  title: string
  description: string
  unit: Unit
  decimals: number
  steps: readonly Step[]
  value: Value
}

function siteMatrix({ value, ...cell }: Cell): PanelBuilder {
  return matrix({
    ...cell,
    width: 12,
    row: 'caller_site',
    column: 'callee_site',
    value: 'value',
    links: [dataLink(CELL_TO_PAIR), dataLink(CELL_TO_CALLS)],
    queries: ask({
      from: TRAFFIC,
      where: FILTERS,
      select: [value],
      group: 'GROUP BY "caller_site", "callee_site"',
    }),
  })
}

const HOW = 'Rows: the caller’s site; columns: the site called. Click a cell for that pair.'

const matrices = [
  siteMatrix({
    title: 'Poor speech',
    description: `Share of ten-second intervals with a MOS under 3.6, both directions. A red row is one site’s own access; a single red cell is a path. ${HOW}`,
    unit: 'percent',
    decimals: 2,
    steps: BAD_SHARE_STEPS,
    value: percentOf('mos_lt_3_6', 'mos_count', 'value'),
  }),
  siteMatrix({
    title: 'Mean MOS',
    description: `Mean conversational MOS of both directions. Pairs with narrowband codecs stay under 4.4 however good the path. ${HOW}`,
    unit: 'none',
    decimals: 2,
    steps: MOS_STEPS,
    value: ratioOf('mos_sum', 'mos_count', 'value'),
  }),
  siteMatrix({
    title: 'Packet loss',
    description: `Lost packets of all expected, before the tap. ${HOW}`,
    unit: 'percent',
    decimals: 2,
    steps: LOSS_STEPS,
    value: percentOf('lost', 'expected_packets', 'value'),
  }),
  siteMatrix({
    title: 'Delay variation over 60 ms',
    description: `Share of packets that took over 60 ms longer than the fastest: too late for a jitter buffer of 60 ms. ${HOW}`,
    unit: 'percent',
    decimals: 2,
    steps: badAbove(0.1, 1),
    value: percentOf('pdv_count-pdv_le_60_ms', 'pdv_count', 'value'),
  }),
  siteMatrix({
    title: 'Mean one-way delay',
    description: `Mean mouth-to-ear delay. Where no round trip is known, 25 ms are assumed for the network. ${HOW}`,
    unit: 'ms',
    decimals: 0,
    steps: DELAY_STEPS,
    value: ratioOf('delay_sum_ms', 'delay_count', 'value'),
  }),
  siteMatrix({
    title: 'Speech',
    description: `How much the other matrices rest on: seconds of speech that should have come, both directions. ${HOW}`,
    unit: 'dtdurations',
    decimals: 0,
    steps: NEUTRAL,
    value: show('sum("media_s")', 'value'),
  }),
]

const byDirection = graph({
  title: 'Loss by direction',
  description:
    'Lost packets of those expected, of media sent by the caller’s and by the called site. Loss in one direction only is a full or faulty link one way, a policer, or a phone.',
  unit: 'percent',
  decimals: 2,
  min: 0,
  width: 12,
  steps: LOSS_STEPS,
  showSteps: true,
  legend: ['mean', 'max'],
  queries: ask({
    from: TRAFFIC,
    where: FILTERS,
    select: [percentOf('lost', 'expected_packets', 'lost')],
    group: perStep(['direction']),
    alias: '$tag_direction',
  }),
})

const byCodec = rows({
  title: 'By codec and trunk',
  description:
    'The same speech by codec and trunk: trouble in one row only points at a codec, a transcoder or a carrier rather than at the path between the sites.',
  unit: 'percent',
  width: 12,
  merge: true,
  columns: {
    codec: { label: 'Codec', width: 110 },
    trunk: { label: 'Trunk' },
    mos: { label: 'MOS', unit: 'none', decimals: 2, width: 80, steps: MOS_STEPS },
    poor: { label: 'Poor', unit: 'percent', decimals: 2, width: 90, steps: BAD_SHARE_STEPS },
    loss: { label: 'Loss', unit: 'percent', decimals: 2, width: 90, steps: LOSS_STEPS },
    speech: { label: 'Speech', unit: 'dtdurations', width: 120 },
  },
  sort: { column: 'speech', descending: true },
  queries: ask({
    from: TRAFFIC,
    where: FILTERS,
    select: [
      ratioOf('mos_sum', 'mos_count', 'mos'),
      percentOf('mos_lt_3_6', 'mos_count', 'poor'),
      percentOf('lost', 'expected_packets', 'loss'),
      show('sum("media_s")', 'speech'),
    ],
    group: 'GROUP BY "codec", "trunk"',
  }),
})

/** Which paths between sites are bad, and one pair in detail. */
export const sites: Page = {
  name: 'sites',
  title: 'Voice: site x site',
  description:
    'Quality between sites as matrices; below them the pairs that are chosen at the top, over time.',
  from: 'now-24h',
  alerts: alertQuery(chosen('caller_site'), chosen('callee_site'), chosen('trunk')),
  variables: [
    datasourceVariable(),
    tagVariable('probe', 'voip_probe'),
    tagVariable('caller_site', 'voip_traffic'),
    tagVariable('callee_site', 'voip_traffic'),
    tagVariable('trunk', 'voip_traffic'),
    stepVariable(),
  ],
  sections: [
    { title: 'Matrices', panels: matrices },
    {
      title: 'The chosen pairs over time',
      panels: [
        mosDistribution(scope),
        lossGraph(scope),
        byDirection,
        jitterPercentiles(scope),
        delayVariationTail(scope),
        burstSeconds(scope, 'direction'),
        delayGraph(scope),
        byCodec,
        badCallTable(FILTERS, 24),
      ],
    },
  ],
}
