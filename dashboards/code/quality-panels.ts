import {
  BAD_SHARE_STEPS,
  DELAY_STEPS,
  GREEN,
  JITTER_STEPS,
  LATE_STEPS,
  LOSS_STEPS,
  MOS_STEPS,
  ORANGE,
  RED,
  YELLOW,
} from './colors.js'
import { graph } from './graphs.js'
import { ask, percentOf, perStep, ratioOf, show, TRAFFIC } from './influxql.js'
import type { PanelBuilder } from './panel.js'

/** Graphs of media quality that several dashboards have, over the streams that `filters` choose. */
export interface QualityScope {
  filters: readonly string[]
  width: number
  height?: number
}

/** Edges of the MOS classes, with the colour of what lies below each. */
const MOS_CLASSES = [
  { name: 'under 2.6', field: 'mos_lt_2_6', color: 'dark-red' },
  { name: '2.6 to 3.1', field: 'mos_lt_3_1-mos_lt_2_6', color: RED },
  { name: '3.1 to 3.6', field: 'mos_lt_3_6-mos_lt_3_1', color: ORANGE },
  { name: '3.6 to 4.0', field: 'mos_lt_4_0-mos_lt_3_6', color: YELLOW },
  { name: '4.0 to 4.3', field: 'mos_lt_4_3-mos_lt_4_0', color: 'light-green' },
  { name: '4.3 and over', field: 'mos_count-mos_lt_4_3', color: GREEN },
] as const

/** How the listening experience is spread, not only its mean. */
export function mosDistribution({ filters, width, height }: QualityScope): PanelBuilder {
  const shares = MOS_CLASSES.map(({ name, field }) => percentOf(field, 'mos_count', name))
  return graph({
    title: 'MOS distribution',
    description:
      'Share of ten-second intervals (one direction of one call) by conversational MOS, G.107. From additive counts, so it is exact over any time and any selection. A mean hides the calls that users complain about: watch the red and orange bands. Under 3.6 many users are dissatisfied.',
    unit: 'percent',
    decimals: 1,
    min: 0,
    max: 100,
    width,
    height,
    stack: 'normal',
    colors: Object.fromEntries(MOS_CLASSES.map(({ name, color }) => [name, color])),
    queries: ask({ from: TRAFFIC, where: filters, select: shares, group: perStep(), alias: '$col' }),
  })
}

export function meanMos({ filters, width, height }: QualityScope, tag: string, title: string): PanelBuilder {
  return graph({
    title,
    description:
      'Mean conversational MOS (G.107: loss, late packets and delay) over ten-second intervals. 4.0 and more is good, under 3.6 poor. Narrowband codecs cannot exceed 4.4 or so.',
    unit: 'none',
    decimals: 2,
    min: 1,
    max: 5,
    bare: true,
    width,
    height,
    steps: MOS_STEPS,
    showSteps: true,
    legend: ['min', 'mean'],
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: [ratioOf('mos_sum', 'mos_count', 'MOS')],
      group: perStep([tag]),
      alias: `$tag_${tag}`,
    }),
  })
}

export function lossGraph({ filters, width, height }: QualityScope): PanelBuilder {
  return graph({
    title: 'Loss and late packets',
    description:
      'Lost: packets that never reached the tap, of those expected. Late: packets that came too late for the configured jitter buffer, which the listener loses as well. Loss behind the tap is not in here: see RTCP in the call. Over 1 % is audible with most codecs.',
    unit: 'percent',
    decimals: 2,
    min: 0,
    width,
    height,
    steps: LOSS_STEPS,
    showSteps: true,
    legend: ['mean', 'max'],
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: [percentOf('lost', 'expected_packets', 'lost'), percentOf('late', 'expected_packets', 'late')],
      group: perStep(),
      alias: '$col',
    }),
  })
}

export function lossShares({ filters, width, height }: QualityScope): PanelBuilder {
  return graph({
    title: 'How many are hit by loss',
    description:
      'Share of ten-second intervals that lost more than 0.5, 1, 3 and 5 % of their packets: the percentiles of loss the other way round. Few intervals with much loss is a bad link or phone; many with a little is a full one.',
    unit: 'percent',
    decimals: 2,
    min: 0,
    width,
    height,
    steps: BAD_SHARE_STEPS,
    legend: ['mean', 'max'],
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: ['0_5', '1', '3', '5'].map((edge) =>
        percentOf(`loss_gt_${edge}_percent`, 'stream_intervals', `over ${edge.replace('_', '.')} %`),
      ),
      group: perStep(),
      alias: '$col',
    }),
  })
}

export function jitterPercentiles({ filters, width, height }: QualityScope): PanelBuilder {
  return graph({
    title: 'Jitter percentiles, worst path',
    description:
      'RFC 3550 jitter per packet. Mean: over all packets. p95 and p99: of the path (site pair, trunk, codec, direction) that has the highest in this step; each path’s percentile is of its merged histograms, never an average of averages. Jitter smooths spikes away: see delay variation beside it.',
    unit: 'ms',
    decimals: 1,
    min: 0,
    width,
    height,
    steps: JITTER_STEPS,
    showSteps: true,
    legend: ['mean', 'max'],
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: [
        ratioOf('jitter_sum_ms', 'jitter_count', 'mean'),
        show('max("jitter_p95_ms")', 'p95, worst path'),
        show('max("jitter_p99_ms")', 'p99, worst path'),
      ],
      group: perStep(),
      alias: '$col',
    }),
  })
}

const PDV_EDGES = [20, 60, 200] as const

export function delayVariationTail({ filters, width, height }: QualityScope): PanelBuilder {
  return graph({
    title: 'Delay variation: packets over 20 to 200 ms',
    description:
      'Share of packets that took longer than the fastest by more than 20, 60 and 200 ms: what a jitter buffer of that depth would lose. Exact over any selection. A tail that rises in bursts is queueing; the lines together going up is a path change.',
    unit: 'percent',
    decimals: 2,
    min: 0,
    width,
    height,
    steps: LATE_STEPS,
    legend: ['mean', 'max'],
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: PDV_EDGES.map((edge) =>
        percentOf(`pdv_count-pdv_le_${edge}_ms`, 'pdv_count', `over ${edge} ms`),
      ),
      group: perStep(),
      alias: '$col',
    }),
  })
}

export function burstSeconds({ filters, width, height }: QualityScope, tag = 'trunk'): PanelBuilder {
  return graph({
    title: 'Burst seconds',
    description:
      'Seconds with three or more packets of over 60 ms delay variation, added over all directions of calls. Bursts that repeat on several calls of one path are a queue that fills up: that is what the burst-jitter alert waits for. One noisy phone gives a steady few.',
    unit: 'short',
    decimals: 0,
    min: 0,
    width,
    height,
    bars: true,
    stack: 'normal',
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: [show('sum("burst_seconds")', 'burst seconds')],
      group: perStep([tag]),
      alias: `$tag_${tag}`,
    }),
  })
}

export function delayGraph({ filters, width, height }: QualityScope): PanelBuilder {
  return graph({
    title: 'One-way delay',
    description:
      'Mouth to ear: packet time, codec, jitter buffer and half the round trip. Where RTCP tells no round trip, 25 ms are assumed for the network (configurable), so a flat line may be an assumption: each call says its delay_source. G.114: up to 150 ms is transparent, over 400 ms unacceptable.',
    unit: 'ms',
    decimals: 0,
    min: 0,
    width,
    height,
    steps: DELAY_STEPS,
    showSteps: true,
    legend: ['mean', 'max'],
    queries: ask({
      from: TRAFFIC,
      where: filters,
      select: [ratioOf('delay_sum_ms', 'delay_count', 'mean'), show('max("delay_max_ms")', 'highest')],
      group: perStep(),
      alias: '$col',
    }),
  })
}
