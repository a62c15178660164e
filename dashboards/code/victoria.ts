import { ANY_IS_BAD, BAD_SHARE_STEPS, GREEN, LOSS_STEPS, MOS_STEPS, ORANGE, RED, YELLOW } from './colors.js'
import { graph, type GraphSpec } from './graphs.js'
import { chosenLabels, highest, onVictoria, quotient, total, type MetricsQuery } from './metricsql.js'
import type { Page } from './page.js'
import { dashboard, type PanelBuilder } from './panel.js'
import { datasourceVariable, type Variable } from './variables.js'

const MEDIA = chosenLabels('probe', 'trunk')
const CALLS = { ...chosenLabels('probe', 'trunk'), leg: 'first' }
const PROBES = chosenLabels('probe')

const traffic = (field: string, by?: string) => total(`voip_traffic_1m_${field}`, MEDIA, by)
const signalling = (field: string, by?: string) => total(`voip_signalling_1m_${field}`, CALLS, by)

function panel(
  spec: Omit<GraphSpec, 'queries' | 'width'>,
  ...queries: readonly MetricsQuery[]
): PanelBuilder {
  return onVictoria(graph({ ...spec, width: 12, queries: [] }), queries)
}

function labelVariable(name: string, label: string, metric: string): Variable {
  const query = `label_values(${metric}, ${name})`
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .description(`Values of the label ${name}, as the database knows them.`)
    .datasource({ type: 'prometheus', uid: '${datasource}' })
    .query({ query, refId: name })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnDashboardLoad)
    .sort(dashboard.VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'], selected: true })
}

const MOS_CLASSES = [
  ['under 3.1', traffic('mos_lt_3_1'), RED],
  ['3.1 to 3.6', `${traffic('mos_lt_3_6')} - ${traffic('mos_lt_3_1')}`, ORANGE],
  ['3.6 to 4.0', `${traffic('mos_lt_4_0')} - ${traffic('mos_lt_3_6')}`, YELLOW],
  ['4.0 and over', `${traffic('mos_count')} - ${traffic('mos_lt_4_0')}`, GREEN],
] as const

const calls = [
  panel(
    {
      title: 'Calls at once',
      description:
        'Most answered calls at once, by trunk and added over probes. Trunks need not peak together.',
      unit: 'short',
      decimals: 0,
      min: 0,
      stack: 'normal',
      legend: ['max', 'lastNotNull'],
    },
    {
      expr: `sum by (trunk) (max by (probe, trunk) (max_over_time(voip_signalling_1m_calls_peak{probe=~"$probe", trunk=~"$trunk", leg="first"}[$__interval])))`,
      legend: '{{trunk}}',
    },
  ),
  panel(
    {
      title: 'Failure rate and answer ratio',
      description:
        'Failed: attempts that the network or the far end failed. ASR: answered of those that the far end took up. NER: attempts that reached the other side; the network decides it.',
      unit: 'percent',
      decimals: 1,
      min: 0,
      max: 100,
      legend: ['mean', 'min', 'max'],
      colors: { failed: RED, NER: GREEN, ASR: 'blue' },
    },
    { expr: quotient(signalling('failed'), signalling('attempts'), 100), legend: 'failed' },
    { expr: quotient(signalling('answered'), signalling('seizures'), 100), legend: 'ASR' },
    { expr: quotient(signalling('delivered'), signalling('attempts'), 100), legend: 'NER' },
  ),
]

const quality = [
  panel(
    {
      title: 'MOS distribution',
      description:
        'Share of ten-second intervals (one direction of one call) by conversational MOS. From additive counts, so it is exact over any time, selection and number of probes.',
      unit: 'percent',
      decimals: 1,
      min: 0,
      max: 100,
      stack: 'normal',
      colors: Object.fromEntries(MOS_CLASSES.map(([name, , color]) => [name, color])),
    },
    ...MOS_CLASSES.map(([legend, part]) => ({ expr: quotient(part, traffic('mos_count'), 100), legend })),
  ),
  panel(
    {
      title: 'Mean MOS by trunk',
      description:
        'Mean conversational MOS over ten-second intervals. 4.0 and more is good, under 3.6 poor. A mean hides the tail: look at the distribution.',
      unit: 'none',
      decimals: 2,
      min: 1,
      max: 5,
      bare: true,
      steps: MOS_STEPS,
      showSteps: true,
      legend: ['min', 'mean'],
    },
    { expr: quotient(traffic('mos_sum', 'trunk'), traffic('mos_count', 'trunk')), legend: '{{trunk}}' },
  ),
  panel(
    {
      title: 'Loss and late packets',
      description:
        'Lost: packets that never reached the tap, of those expected. Late: too late for the configured jitter buffer. Over 1 % is audible with most codecs.',
      unit: 'percent',
      decimals: 2,
      min: 0,
      steps: LOSS_STEPS,
      showSteps: true,
      legend: ['mean', 'max'],
    },
    { expr: quotient(traffic('lost'), traffic('expected_packets'), 100), legend: 'lost' },
    { expr: quotient(traffic('late'), traffic('expected_packets'), 100), legend: 'late' },
  ),
  panel(
    {
      title: 'Delay variation: packets over 20 to 200 ms',
      description:
        'Share of packets that took longer than the fastest by more than 20, 60, 200 ms: what a jitter buffer of that depth would lose. Exact over any selection.',
      unit: 'percent',
      decimals: 2,
      min: 0,
      steps: BAD_SHARE_STEPS,
      legend: ['mean', 'max'],
    },
    ...[20, 60, 200].map((edge) => ({
      expr: quotient(`${traffic('pdv_count')} - ${traffic(`pdv_le_${edge}_ms`)}`, traffic('pdv_count'), 100),
      legend: `over ${edge} ms`,
    })),
  ),
  panel(
    {
      title: 'Jitter percentile, worst path',
      description:
        'RFC 3550 jitter: the 95th percentile of the path (site pair, trunk, codec, direction, probe) that has the highest in this step. Percentiles of several paths cannot be added.',
      unit: 'ms',
      decimals: 1,
      min: 0,
      legend: ['mean', 'max'],
    },
    { expr: highest('voip_traffic_1m_jitter_p95_ms', MEDIA, 'trunk'), legend: '{{trunk}}' },
  ),
  panel(
    {
      title: 'Burst seconds',
      description:
        'Seconds with three or more packets of over 60 ms delay variation, added over all directions of calls. Bursts that repeat on several calls of one path are a queue that fills up.',
      unit: 'short',
      decimals: 0,
      min: 0,
      bars: true,
      stack: 'normal',
    },
    { expr: traffic('burst_seconds', 'trunk'), legend: '{{trunk}}' },
  ),
]

const probes = [
  panel(
    {
      title: 'Packets dropped at the probes',
      description:
        'Packets that a probe’s kernel dropped. Loss and jitter that appear together with these drops are the probe’s doing, not the network’s.',
      unit: 'short',
      decimals: 0,
      min: 0,
      bars: true,
      steps: ANY_IS_BAD,
    },
    { expr: total('voip_probe_capture_drops', PROBES, 'probe'), legend: '{{probe}}' },
  ),
  panel(
    {
      title: 'Packets seen',
      description:
        'Packets per second that each probe reads. A mirror port that goes quiet looks like a quiet night.',
      unit: 'pps',
      decimals: 0,
      min: 0,
    },
    {
      expr: 'avg by (probe) (avg_over_time(voip_probe_packets_per_s{probe=~"$probe"}[$__interval]))',
      legend: '{{probe}}',
    },
  ),
]

/** The overview for a VictoriaMetrics that many probes write their aggregates to. */
export const victoria: Page = {
  name: 'victoria',
  title: 'Voice: NOC overview (VictoriaMetrics)',
  description:
    'Calls, quality and probe health from aggregates in VictoriaMetrics. It holds numbers only: single calls, findings and alerts stay in InfluxDB, or in the probes’ own records.',
  from: 'now-6h',
  refresh: '1m',
  variables: [
    datasourceVariable('prometheus'),
    labelVariable('probe', 'Probe', 'voip_probe_packets'),
    labelVariable('trunk', 'Trunk', 'voip_signalling_1m_attempts'),
  ],
  sections: [
    { title: 'Calls', panels: calls },
    { title: 'Quality', panels: quality },
    { title: 'Can the probes be trusted?', panels: probes },
  ],
}
