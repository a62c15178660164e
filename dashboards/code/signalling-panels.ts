import { GREEN, PLAIN } from './colors.js'
import { bars, graph } from './graphs.js'
import { ask, percentOf, perStep, ratioOf, show, SIGNALLING } from './influxql.js'
import type { PanelBuilder } from './panel.js'

export interface SignallingScope {
  filters: readonly string[]
  width: number
}

export function ratios({ filters, width }: SignallingScope): PanelBuilder {
  return graph({
    title: 'ASR, NER, SER, SEER',
    description:
      'ASR: answered of the attempts that the far end took up (E.425). NER: attempts that reached the other side (answered, busy, no answer, declined), so what the network is to blame for is 100 minus it. SER: answered of all but redirected (RFC 6076 4.6). SEER: the same with busy and declined as success (4.7). People decide ASR and SER; compare them with the same hour of other days.',
    unit: 'percent',
    decimals: 1,
    min: 0,
    max: 100,
    width,
    legend: ['mean', 'min'],
    colors: { NER: GREEN, ASR: 'blue', SER: 'purple', SEER: 'orange' },
    queries: ask({
      from: SIGNALLING,
      where: filters,
      select: [
        percentOf('answered', 'seizures', 'ASR'),
        percentOf('delivered', 'attempts', 'NER'),
        percentOf('answered', 'attempts-redirected', 'SER'),
        percentOf('effective', 'attempts-redirected', 'SEER'),
      ],
      group: perStep(),
      alias: '$col',
    }),
  })
}

export function setupDelays({ filters, width }: SignallingScope): PanelBuilder {
  return graph({
    title: 'Post-dial delay and set-up time',
    description:
      'PDD: INVITE to the first response other than 100, which is what the caller hears as silence. Set-up: INVITE to 2xx, ringing included. Means are over all attempts; p95 is of the trunk and leg that has the highest in this step. Over 5 s of PDD people hang up.',
    unit: 'ms',
    decimals: 0,
    min: 0,
    width,
    legend: ['mean', 'max'],
    queries: ask({
      from: SIGNALLING,
      where: filters,
      select: [
        ratioOf('pdd_sum_ms', 'pdd_count', 'PDD, mean'),
        show('max("pdd_p95_ms")', 'PDD, p95 of the worst trunk'),
        ratioOf('setup_sum_ms', 'setup_count', 'set-up, mean'),
      ],
      group: perStep(),
      alias: '$col',
    }),
  })
}

const PDD_EDGES = [1000, 3000, 5000, 8000] as const

export function slowSetups({ filters, width }: SignallingScope): PanelBuilder {
  return graph({
    title: 'Slow set-up: attempts over 1 to 8 s of post-dial delay',
    description:
      'Share of attempts whose first response other than 100 took longer than 1, 3, 5, 8 s. Exact over any selection. A few slow ones at a steady rate are one slow route tried first; all of them at once is a server.',
    unit: 'percent',
    decimals: 1,
    min: 0,
    width,
    legend: ['mean', 'max'],
    queries: ask({
      from: SIGNALLING,
      where: filters,
      select: PDD_EDGES.map((edge) =>
        percentOf(`pdd_count-pdd_le_${edge}_ms`, 'pdd_count', `over ${edge / 1000} s`),
      ),
      group: perStep(),
      alias: '$col',
    }),
  })
}

const FAILURES = [
  ['failed_codec', 'no common codec (415, 488, 606)'],
  ['failed_auth', 'not authorised (401, 402, 403, 407)'],
  ['failed_not_found', 'no such number (404, 410, 484, 485, 604)'],
  ['failed_unavailable', 'phone unreachable (480)'],
  ['failed_timeout', 'timeout (408, no response)'],
  ['failed_server', 'server or trunk (5xx)'],
  ['failed_other', 'other'],
] as const

export function failuresByCause({ filters, width }: SignallingScope): PanelBuilder {
  return graph({
    title: 'Failures by cause',
    description:
      'Attempts that the network or the far end failed. Codec negotiation is apart: it is a configuration, not an outage. Busy, declined, no answer and given up are not here.',
    unit: 'short',
    decimals: 0,
    min: 0,
    width,
    bars: true,
    stack: 'normal',
    legend: ['sum'],
    queries: ask({
      from: SIGNALLING,
      where: filters,
      select: FAILURES.map(([field, name]) => show(`sum("${field}")`, name)),
      group: perStep(),
      alias: '$col',
    }),
  })
}

const OUTCOMES = [
  ['answered', 'answered'],
  ['busy', 'busy'],
  ['no_answer', 'no answer'],
  ['declined', 'declined'],
  ['abandoned', 'given up before ringing'],
  ['redirected', 'redirected'],
  ['failed', 'failed'],
] as const

export function outcomes({ filters, width }: SignallingScope): PanelBuilder {
  return bars({
    title: 'How attempts ended',
    description:
      'Call attempts by what became of them. Many given up before ringing: a long post-dial delay. Many without an answer at odd hours: test calls or fraud.',
    unit: 'short',
    decimals: 0,
    width,
    steps: PLAIN,
    queries: ask({
      from: SIGNALLING,
      where: filters,
      select: OUTCOMES.map(([field, name]) => show(`sum("${field}")`, name)),
      alias: '$col',
    }),
  })
}

const DURATIONS = [
  ['under 3 s', 'duration_lt_3_s'],
  ['3 to 10 s', 'duration_lt_10_s-duration_lt_3_s'],
  ['10 to 30 s', 'duration_lt_30_s-duration_lt_10_s'],
  ['30 s to 1 min', 'duration_lt_60_s-duration_lt_30_s'],
  ['1 to 3 min', 'duration_lt_180_s-duration_lt_60_s'],
  ['3 to 10 min', 'duration_lt_600_s-duration_lt_180_s'],
  ['over 10 min', 'duration_count-duration_lt_600_s'],
] as const

export function durations({ filters, width }: SignallingScope): PanelBuilder {
  return graph({
    title: 'Duration of calls',
    description:
      'Completed calls by their length, 2xx to BYE. When the share of calls under 10 s grows, people hang up and dial again: one-way audio, bad speech, or a loop. A heap at one length (30 s, 15 min) is a timer.',
    unit: 'percent',
    decimals: 1,
    min: 0,
    max: 100,
    width,
    stack: 'normal',
    queries: ask({
      from: SIGNALLING,
      where: filters,
      select: DURATIONS.map(([name, field]) => percentOf(field, 'duration_count', name)),
      group: perStep(),
      alias: '$col',
    }),
  })
}
