import { ANY_IS_BAD, badAbove, RED } from './colors.js'
import { graph, stat_, type GraphSpec } from './graphs.js'
import { ask, chosen, percentOf, perStep, show, where, type Value } from './influxql.js'
import { alertQuery, type Page } from './page.js'
import type { PanelBuilder } from './panel.js'
import { rows } from './tables.js'
import { datasourceVariable, stepVariable, tagVariable } from './variables.js'

const PROBE = '"voip_probe"'
const FILTERS = [chosen('probe')]
const FROM = `FROM ${PROBE} WHERE ${where(...FILTERS)}`

/** A graph with a line per probe and value. */
function perProbe(
  spec: Omit<GraphSpec, 'queries' | 'width' | 'min' | 'alias'> & { width?: number },
  ...select: readonly Value[]
): PanelBuilder {
  const alias = select.length === 1 ? '$tag_probe' : '$tag_probe: $col'
  const queries = ask({ from: PROBE, where: FILTERS, select, group: perStep(['probe']), alias })
  return graph({ min: 0, width: 8, ...spec, queries })
}

const summary = [
  stat_({
    title: 'Probes reporting',
    description:
      'Probes that wrote within the last two minutes. One fewer than you own means a part of the network that nobody watches: its graphs are not good, they are empty.',
    unit: 'short',
    decimals: 0,
    width: 6,
    steps: [{ color: RED }, { from: 1, color: 'green' }],
    noValue: 'none',
    lastTime: '2m',
    queries: [
      {
        query: `SELECT count("packets") AS "probes" FROM (SELECT last("packets") AS "packets" ${FROM} GROUP BY "probe")`,
      },
    ],
  }),
  stat_({
    title: 'Dropped by the kernel',
    description:
      'Packets that the probes were too slow for, of all that came, over the time shown. Should be 0.',
    unit: 'percent',
    decimals: 3,
    width: 6,
    filled: true,
    steps: badAbove(0.001, 0.1),
    queries: ask({
      from: PROBE,
      where: FILTERS,
      select: [percentOf('capture_drops', 'packets+capture_drops', 'dropped')],
    }),
  }),
  stat_({
    title: 'Records lost',
    description:
      'Records given up because the spool was full: the database was away for longer than the spool lasts. Should be 0.',
    unit: 'short',
    decimals: 0,
    width: 6,
    steps: ANY_IS_BAD,
    queries: [{ query: `SELECT sum("spool_lost") AS "records" ${FROM}` }],
  }),
  stat_({
    title: 'Points refused',
    description:
      'Points that the database refused, by line. Should be 0: the probe’s log says which and why.',
    unit: 'short',
    decimals: 0,
    width: 6,
    steps: ANY_IS_BAD,
    queries: [{ query: `SELECT sum("points_rejected") AS "points" ${FROM}` }],
  }),
]

const table = rows({
  title: 'Probes',
  description: 'Latest values of each probe in the time shown, and its drops over that time.',
  unit: 'none',
  width: 24,
  height: 6,
  joinBy: 'probe',
  columns: {
    probe: { label: 'Probe' },
    packets_per_s: { label: 'Packets/s', unit: 'pps', decimals: 0 },
    calls: { label: 'Calls', unit: 'short', decimals: 0 },
    streams: { label: 'Streams', unit: 'short', decimals: 0 },
    load: { label: 'Load', unit: 'percent', decimals: 0, steps: badAbove(60, 80) },
    memory: { label: 'Memory', unit: 'bytes', decimals: 0 },
    lag: { label: 'Behind the clock', unit: 'ms', decimals: 0, steps: badAbove(2000, 10_000) },
    spool: { label: 'Spool', unit: 'bytes', decimals: 0, steps: badAbove(10_000_000, 100_000_000) },
    drops: { label: 'Kernel drops', unit: 'none', decimals: 0, steps: ANY_IS_BAD, show: 'cell' },
    interface_drops: { label: 'Interface drops', unit: 'none', decimals: 0, steps: ANY_IS_BAD },
    evictions: { label: 'Evictions', unit: 'none', decimals: 0, steps: ANY_IS_BAD },
  },
  queries: [
    {
      query: `SELECT last("packets_per_s") AS "packets_per_s", last("calls") AS "calls", last("streams") AS "streams", last("load_percent") AS "load", last("memory_bytes") AS "memory", last("lag_ms") AS "lag", last("spool_bytes") AS "spool" ${FROM} GROUP BY "probe"`,
    },
    {
      query: `SELECT sum("capture_drops") AS "drops", sum("interface_drops") AS "interface_drops", sum("evictions") AS "evictions" ${FROM} GROUP BY "probe"`,
    },
  ],
})

const input = [
  perProbe(
    {
      title: 'Packets per second',
      description:
        'What each probe reads. A sudden fall with calls going on elsewhere is a mirror port that was changed.',
      unit: 'pps',
      decimals: 0,
      legend: ['mean', 'max'],
    },
    show('mean("packets_per_s")', 'packets'),
  ),
  perProbe(
    {
      title: 'What the packets are',
      description:
        'Share of all packets that are RTP, RTCP or SIP, by probe. The rest is other traffic on the mirror: filter it in the switch or with --bpf when the probe is short of CPU.',
      unit: 'percent',
      decimals: 1,
    },
    percentOf('rtp_packets', 'packets', 'RTP'),
    percentOf('rtcp_packets', 'packets', 'RTCP'),
    percentOf('sip_messages', 'packets', 'SIP'),
  ),
  perProbe(
    {
      title: 'Drops',
      description:
        'Packets that the kernel (probe too slow) or the network card (port overrun) dropped. Calls that ran then carry validity_capture_drops, and their loss is not the network’s.',
      unit: 'short',
      decimals: 0,
      bars: true,
      legend: ['sum'],
      steps: ANY_IS_BAD,
    },
    show('sum("capture_drops")', 'kernel'),
    show('sum("interface_drops")', 'interface'),
  ),
]

const work = [
  perProbe(
    {
      title: 'Calls and streams followed',
      description:
        'Highest number of calls and RTP streams in the tables. Tables are bounded: see evictions.',
      unit: 'short',
      decimals: 0,
      legend: ['max', 'lastNotNull'],
    },
    show('max("calls")', 'calls'),
    show('max("streams")', 'streams'),
  ),
  perProbe(
    {
      title: 'Load',
      description: 'CPU time of the process, 100 % is one core. With N workers N cores are the limit.',
      unit: 'percent',
      decimals: 0,
      steps: badAbove(60, 80),
      showSteps: true,
    },
    show('max("load_percent")', 'load'),
  ),
  perProbe(
    {
      title: 'Memory',
      description: 'Resident memory. It grows with the number of streams and stays flat after that.',
      unit: 'bytes',
      decimals: 0,
    },
    show('max("memory_bytes")', 'memory'),
  ),
  perProbe(
    {
      title: 'Behind the clock',
      description:
        'How far the newest packet read lies behind the wall clock. Growing: the probe cannot keep up. Steady at hours: a clock is wrong.',
      unit: 'ms',
      decimals: 0,
    },
    show('max("lag_ms")', 'lag'),
  ),
  perProbe(
    {
      title: 'Skipped and evicted',
      description:
        'Packets and messages skipped as malformed or unknown, and how often a bounded table was full. Skipped ones are normal on a mixed mirror; evictions mean that calls were cut short.',
      unit: 'short',
      decimals: 0,
      bars: true,
      legend: ['sum'],
    },
    show('sum("skipped")', 'skipped'),
    show('sum("evictions")', 'evictions'),
  ),
  perProbe(
    {
      title: 'Beyond the series budget',
      description:
        'Values counted under `other` because the budget of time series was used up: more sites, trunks or codecs than configured for. Raise aggregates.series_budget.',
      unit: 'short',
      decimals: 0,
      bars: true,
    },
    show('sum("series_other")', 'other'),
  ),
]

const delivery = [
  perProbe(
    {
      title: 'Waiting in the spool',
      description:
        'Bytes on disk that the database has not taken yet. Rising: the database is away or too slow. Nothing is lost until the spool is full.',
      unit: 'bytes',
      decimals: 0,
      width: 12,
    },
    show('max("spool_bytes")', 'spool'),
  ),
  perProbe(
    {
      title: 'Points delivered and lost',
      description:
        'Points that the database has, that it refused, and records that were given up at the spool’s bound, in each step.',
      unit: 'short',
      decimals: 0,
      width: 12,
      bars: true,
      legend: ['sum'],
    },
    show('sum("points_sent")', 'sent'),
    show('sum("points_rejected")', 'refused'),
    show('sum("spool_lost")', 'lost'),
  ),
]

/** Whether the probes can be believed. */
export const probes: Page = {
  name: 'probes',
  title: 'Voice: probe health',
  description:
    'What the probes read, dropped and delivered. Look here before you trust a red graph elsewhere.',
  from: 'now-6h',
  refresh: '30s',
  alerts: alertQuery(chosen('probe')),
  variables: [datasourceVariable(), tagVariable('probe', 'voip_probe'), stepVariable()],
  sections: [
    { title: 'Can they be trusted?', panels: [...summary, table] },
    { title: 'What they read', panels: input },
    { title: 'What they do', panels: work },
    { title: 'What they deliver', panels: delivery },
  ],
}
