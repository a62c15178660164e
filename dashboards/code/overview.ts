import { ANY_IS_BAD, BAD_SHARE_STEPS, badAbove, GREEN, LOSS_STEPS, MOS_STEPS, PLAIN, RED } from './colors.js'
import { alertTable, badCallTable, groupTable } from './call-tables.js'
import { graph, stat_ } from './graphs.js'
import { ask, chosen, percentOf, perStep, ratioOf, show, SIGNALLING, TRAFFIC, where } from './influxql.js'
import { dataLink, TO_CALLS_OF_TRUNK, TO_TRUNK, UID } from './links.js'
import { alertQuery, type Page } from './page.js'
import {
  burstSeconds,
  delayVariationTail,
  jitterPercentiles,
  lossGraph,
  lossShares,
  meanMos,
  mosDistribution,
} from './quality-panels.js'
import { rows } from './tables.js'
import { datasourceVariable, stepVariable, tagVariable } from './variables.js'

const MEDIA = [chosen('probe'), chosen('caller_site'), chosen('callee_site'), chosen('trunk')]
/** Each call once: a call through an SBC has a further leg. */
const CALLS = [chosen('probe'), chosen('trunk'), '"leg" = \'first\'']
const PROBES = [chosen('probe')]

const now = [
  stat_({
    title: 'Calls now',
    description:
      'Answered calls at this moment: the peak of the latest interval of each trunk, added. Each call once, whatever number of legs it has.',
    unit: 'short',
    decimals: 0,
    width: 4,
    steps: PLAIN,
    noValue: '0',
    lastTime: '2m',
    queries: [
      {
        query: `SELECT sum("calls") AS "calls" FROM (SELECT last("calls_peak") AS "calls" FROM "voip_signalling" WHERE ${where(...CALLS)} GROUP BY "probe", "trunk")`,
      },
    ],
  }),
  stat_({
    title: 'Set-up failures',
    description:
      'Share of call attempts that the network or the far end failed, over the time shown. Busy, no answer, declined and given up are not failures; a challenge (401, 407) is part of its attempt.',
    unit: 'percent',
    decimals: 1,
    width: 4,
    steps: badAbove(2, 5),
    queries: ask({ from: SIGNALLING, where: CALLS, select: [percentOf('failed', 'attempts', 'failed')] }),
  }),
  stat_({
    title: 'Mean MOS',
    description:
      'Mean conversational MOS over all ten-second intervals in the time shown. Good from 4.0, poor under 3.6. A mean hides the tail: look at the distribution.',
    unit: 'none',
    decimals: 2,
    width: 4,
    steps: MOS_STEPS,
    queries: ask({ from: TRAFFIC, where: MEDIA, select: [ratioOf('mos_sum', 'mos_count', 'MOS')] }),
  }),
  stat_({
    title: 'Poor intervals',
    description: 'Share of ten-second intervals with a MOS under 3.6: how much speech was poor.',
    unit: 'percent',
    decimals: 2,
    width: 4,
    steps: BAD_SHARE_STEPS,
    queries: ask({ from: TRAFFIC, where: MEDIA, select: [percentOf('mos_lt_3_6', 'mos_count', 'poor')] }),
  }),
  stat_({
    title: 'Packet loss',
    description: 'Lost packets of all expected, over the time shown. Loss behind the tap is not in here.',
    unit: 'percent',
    decimals: 2,
    width: 4,
    steps: LOSS_STEPS,
    queries: ask({ from: TRAFFIC, where: MEDIA, select: [percentOf('lost', 'expected_packets', 'lost')] }),
  }),
  stat_({
    title: 'Missed by the probes',
    description:
      'Share of packets that the probes’ kernels dropped before callprobe could read them. Above 0 the numbers of these calls are the probe’s, not the network’s: look here before you trust a red graph. Unknown: no probe that captures live has reported.',
    unit: 'percent',
    decimals: 3,
    width: 4,
    filled: true,
    steps: badAbove(0.001, 0.1),
    noValue: 'unknown',
    links: [dataLink({ title: 'Probe health', url: `/d/${UID.probes}?\${__url_time_range}` })],
    queries: ask({
      from: '"voip_probe"',
      where: PROBES,
      select: [percentOf('capture_drops', 'packets+capture_drops', 'dropped')],
    }),
  }),
]

const calls = [
  graph({
    title: 'Calls at once',
    description:
      'Most answered calls at once, by trunk, in each step. Added up it is an upper bound: trunks need not peak together.',
    unit: 'short',
    decimals: 0,
    min: 0,
    width: 12,
    stack: 'normal',
    legend: ['max', 'lastNotNull'],
    queries: ask({
      from: SIGNALLING,
      where: CALLS,
      select: [show('max("calls_peak")', 'calls')],
      group: perStep(['trunk']),
      alias: '$tag_trunk',
    }),
  }),
  graph({
    title: 'Failure rate and answer ratio',
    description:
      'Failed: attempts that the network or the far end failed. ASR: answered of those that the far end took up (E.425); people decide it too, so compare with the same hour of other days. NER: reached the other side at all (answered, busy, no answer, declined); the network decides it.',
    unit: 'percent',
    decimals: 1,
    min: 0,
    max: 100,
    width: 12,
    legend: ['mean', 'min', 'max'],
    colors: { failed: RED, NER: GREEN, ASR: 'blue' },
    queries: ask({
      from: SIGNALLING,
      where: CALLS,
      select: [
        percentOf('failed', 'attempts', 'failed'),
        percentOf('answered', 'seizures', 'ASR'),
        percentOf('delivered', 'attempts', 'NER'),
      ],
      group: perStep(),
      alias: '$col',
    }),
  }),
]

const worstTrunks = rows({
  title: 'Worst trunks',
  description:
    'Trunks by the share of poor speech (ten-second intervals with a MOS under 3.6). Speech tells how much the line rests on: ten minutes of one bad phone can top the list. Jitter is the highest 95th percentile of any path of the trunk in one step.',
  unit: 'percent',
  width: 12,
  joinBy: 'trunk',
  columns: {
    trunk: { label: 'Trunk', link: TO_TRUNK },
    poor: { label: 'Poor', unit: 'percent', decimals: 2, steps: BAD_SHARE_STEPS, show: 'cell', width: 90 },
    mos: { label: 'MOS', unit: 'none', decimals: 2, steps: MOS_STEPS, width: 80 },
    loss: { label: 'Loss', unit: 'percent', decimals: 2, steps: LOSS_STEPS, width: 90 },
    late: { label: 'Late', unit: 'percent', decimals: 2, steps: LOSS_STEPS, width: 90 },
    jitter: { label: 'Jitter p95', unit: 'ms', decimals: 1, width: 100 },
    speech: { label: 'Speech', unit: 'dtdurations', width: 130, link: TO_CALLS_OF_TRUNK },
  },
  sort: { column: 'poor', descending: true },
  queries: ask({
    from: TRAFFIC,
    where: MEDIA,
    select: [
      percentOf('mos_lt_3_6', 'mos_count', 'poor'),
      ratioOf('mos_sum', 'mos_count', 'mos'),
      percentOf('lost', 'expected_packets', 'loss'),
      percentOf('late', 'expected_packets', 'late'),
      show('max("jitter_p95_ms")', 'jitter'),
      show('sum("media_s")', 'speech'),
    ],
    group: 'GROUP BY "trunk"',
  }),
})

const scope = { filters: MEDIA, width: 12 }

const probeHealth = [
  graph({
    title: 'Packets dropped at the probes',
    description:
      'Packets that a probe’s kernel or network card dropped. Loss and jitter that appear together with these drops are the probe’s doing: the calls carry validity_capture_drops.',
    unit: 'short',
    decimals: 0,
    min: 0,
    width: 8,
    height: 7,
    bars: true,
    steps: ANY_IS_BAD,
    queries: [
      {
        query: `SELECT sum("capture_drops") AS "kernel", sum("interface_drops") AS "interface" FROM "voip_probe" WHERE ${where(...PROBES)} ${perStep(['probe'])}`,
        alias: '$tag_probe: $col',
      },
    ],
  }),
  graph({
    title: 'Packets seen',
    description:
      'Packets per second that each probe reads. A mirror port that goes quiet looks like a quiet night: compare with the calls above.',
    unit: 'pps',
    decimals: 0,
    min: 0,
    width: 8,
    height: 7,
    queries: [
      {
        query: `SELECT mean("packets_per_s") AS "packets" FROM "voip_probe" WHERE ${where(...PROBES)} ${perStep(['probe'])}`,
        alias: '$tag_probe',
      },
    ],
  }),
  graph({
    title: 'Probe load',
    description:
      'CPU time of each probe, 100 % is one core. From about 80 % of its cores on, drops are near.',
    unit: 'percent',
    decimals: 0,
    min: 0,
    width: 8,
    height: 7,
    steps: badAbove(60, 80),
    queries: [
      {
        query: `SELECT max("load_percent") AS "load" FROM "voip_probe" WHERE ${where(...PROBES)} ${perStep(['probe'])}`,
        alias: '$tag_probe',
      },
    ],
  }),
]

/** What the NOC has on its wall. */
export const overview: Page = {
  name: 'overview',
  title: 'Voice: NOC overview',
  description:
    'Calls, failures, speech quality and alerts at a glance, with the health of the probes beside them.',
  from: 'now-6h',
  refresh: '30s',
  alerts: alertQuery(chosen('probe'), chosen('trunk')),
  variables: [
    datasourceVariable(),
    tagVariable('probe', 'voip_probe'),
    tagVariable('caller_site', 'voip_traffic'),
    tagVariable('callee_site', 'voip_traffic'),
    tagVariable('trunk', 'voip_signalling'),
    stepVariable(),
  ],
  sections: [
    { title: 'Now', panels: now },
    { title: 'Calls', panels: calls },
    {
      title: 'Quality',
      panels: [
        mosDistribution(scope),
        worstTrunks,
        lossGraph(scope),
        lossShares(scope),
        jitterPercentiles(scope),
        delayVariationTail(scope),
        burstSeconds(scope),
        meanMos(scope, 'trunk', 'Mean MOS by trunk'),
      ],
    },
    { title: 'Can the probes be trusted?', panels: probeHealth },
    {
      title: 'Alerts and bad calls',
      panels: [
        alertTable([chosen('probe'), chosen('trunk')], 24),
        groupTable([chosen('probe')], 24),
        badCallTable([chosen('probe'), chosen('caller_site'), chosen('callee_site'), chosen('trunk')], 24),
      ],
    },
  ],
}
