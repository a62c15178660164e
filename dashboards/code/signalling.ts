import { badAbove, badBelow, PLAIN, RED } from './colors.js'
import { callColumns, CALL_COLUMNS } from './call-tables.js'
import { graph, stat_ } from './graphs.js'
import { ask, chosen, percentOf, perStep, ratioOf, show, SIGNALLING, where, type Value } from './influxql.js'
import { alertQuery, type Page } from './page.js'
import { durations, failuresByCause, outcomes, ratios, setupDelays, slowSetups } from './signalling-panels.js'
import { rows } from './tables.js'
import { datasourceVariable, listVariable, stepVariable, tagVariable } from './variables.js'

const FILTERS = [chosen('probe'), chosen('trunk'), '"leg" =~ /^${leg:regex}$/']
const CALLS = [chosen('probe'), chosen('trunk')]
const scope = { filters: FILTERS, width: 12 }

function number_(
  title: string,
  description: string,
  value: Value,
  steps: Parameters<typeof stat_>[0]['steps'],
  unit: 'percent' | 'ms' | 'short' = 'percent',
) {
  return stat_({
    title,
    description,
    unit,
    decimals: unit === 'percent' ? 1 : 0,
    width: 4,
    steps,
    queries: ask({ from: SIGNALLING, where: FILTERS, select: [value] }),
  })
}

const summary = [
  number_(
    'Attempts',
    'Call attempts that were decided in the time shown: answered, refused, given up or timed out. A challenge and the repeated INVITE are one attempt.',
    show('sum("attempts")', 'attempts'),
    PLAIN,
    'short',
  ),
  number_(
    'ASR',
    'Answer-seizure ratio (E.425): answered of the attempts that the far end took up. People decide it too.',
    percentOf('answered', 'seizures', 'ASR'),
    badBelow(30, 45),
  ),
  number_(
    'NER',
    'Network effectiveness ratio (E.425): attempts that reached the other side. 100 minus it is what the network lost.',
    percentOf('delivered', 'attempts', 'NER'),
    badBelow(90, 95),
  ),
  number_(
    'SER',
    'Session establishment ratio (RFC 6076 4.6): answered of all attempts but the redirected.',
    percentOf('answered', 'attempts-redirected', 'SER'),
    badBelow(30, 45),
  ),
  number_(
    'Ineffective',
    'Ineffective session attempts (RFC 6076 4.8): 408, 500, 503, 504 or no final response.',
    percentOf('ineffective', 'attempts', 'ISA'),
    badAbove(1, 3),
  ),
  number_(
    'Post-dial delay',
    'Mean time from INVITE to the first response other than 100: how long callers hear nothing.',
    ratioOf('pdd_sum_ms', 'pdd_count', 'PDD'),
    badAbove(3000, 5000),
    'ms',
  ),
]

const failuresByStatusClass = graph({
  title: 'Failures by status class',
  description:
    'Attempts by the class of their final status. 4xx is about this call (number, authorisation, codec, busy), 5xx a server or trunk that fails, 6xx a final no.',
  unit: 'short',
  decimals: 0,
  min: 0,
  width: 12,
  bars: true,
  stack: 'normal',
  legend: ['sum'],
  colors: { '5xx': RED },
  queries: ask({
    from: SIGNALLING,
    where: FILTERS,
    select: ['3xx', '4xx', '5xx', '6xx'].map((name) => show(`sum("status_${name}")`, name)),
    group: perStep(),
    alias: '$col',
  }),
})

const failuresByCode = rows({
  title: 'Failures by code',
  description:
    'Failed calls by final status and reason, counted over the latest 5,000 failed calls of the time shown.',
  unit: 'short',
  width: 12,
  countBy: ['sip_status', 'sip_reason', 'trunk'],
  columns: {
    sip_status: { label: 'Status', unit: 'none', decimals: 0, width: 90 },
    sip_reason: { label: 'Reason' },
    trunk: { label: 'Trunk', width: 150 },
    'call_id (count)': { label: 'Calls', unit: 'none', decimals: 0, width: 90, steps: PLAIN },
  },
  sort: { column: 'call_id (count)', descending: true },
  queries: [
    {
      query: `SELECT "call_id", "sip_status", "sip_reason", "trunk" FROM "voip_call" WHERE ${where('"state" =~ /^(failed|timeout)$/', ...CALLS)} ORDER BY time DESC LIMIT 5000`,
    },
  ],
})

const latestFailed = rows({
  title: 'Latest failed calls',
  description: 'Calls that failed or got no final response, the latest first; click one for its page.',
  unit: 'none',
  width: 12,
  columns: { ...callColumns('Time', 'sip_status', 'caller', 'callee', 'trunk') },
  queries: [
    {
      query: `SELECT ${CALL_COLUMNS} FROM "voip_call" WHERE ${where('"state" =~ /^(failed|timeout)$/', ...CALLS)} ORDER BY time DESC LIMIT 100`,
    },
  ],
})

const registrations = graph({
  title: 'Registrations',
  description:
    'Registration attempts that were decided, by result; a challenge belongs to its attempt. Failures on many phones at once are the registrar; on one, a wrong password.',
  unit: 'short',
  decimals: 0,
  min: 0,
  width: 8,
  bars: true,
  stack: 'normal',
  colors: { successful: 'green', failed: RED },
  queries: ask({
    from: SIGNALLING,
    where: FILTERS,
    select: [show('sum("registrations_ok")', 'successful'), show('sum("registrations_failed")', 'failed')],
    group: perStep(),
    alias: '$col',
  }),
})

const registrationStorm = graph({
  title: 'Registration attempts per second, peak',
  description:
    'Most registration attempts begun in any one second of the step. A spike is a storm: a power cut that ended, a registrar that came back, a scanner.',
  unit: 'short',
  decimals: 0,
  min: 0,
  width: 8,
  queries: ask({
    from: SIGNALLING,
    where: FILTERS,
    select: [
      show('max("registers_peak_per_s")', 'attempts per second'),
      show('sum("registration_storm_s")', 'seconds of storm'),
    ],
    group: perStep(),
    alias: '$col',
  }),
})

const reachability = graph({
  title: 'Reachability by OPTIONS',
  description:
    'Share of OPTIONS that got any answer, by trunk. Servers send them as keep-alive: under 100 % a peer is away or the path loses packets.',
  unit: 'percent',
  decimals: 1,
  min: 0,
  max: 100,
  width: 8,
  steps: badBelow(90, 99),
  queries: ask({
    from: SIGNALLING,
    where: FILTERS,
    select: [percentOf('options_answered', 'options', 'answered')],
    group: perStep(['trunk']),
    alias: '$tag_trunk',
  }),
})

const resent = graph({
  title: 'SIP messages sent again',
  description:
    'Retransmissions, by trunk. UDP repeats after half a second: a rise is packet loss on the signalling path or a server that answers late. Six or seven at once are an INVITE that nobody answers.',
  unit: 'short',
  decimals: 0,
  min: 0,
  width: 12,
  bars: true,
  stack: 'normal',
  legend: ['sum', 'max'],
  queries: ask({
    from: SIGNALLING,
    where: FILTERS,
    select: [show('sum("retransmissions")', 'sent again')],
    group: perStep(['trunk']),
    alias: '$tag_trunk',
  }),
})

const releases = graph({
  title: 'Session disconnect delay and unanswered BYEs',
  description:
    'Mean time from BYE to its response (RFC 6076 4.4), and BYEs that nobody answered within 32 s: those leave calls up on one side and are billed.',
  unit: 'ms',
  decimals: 0,
  min: 0,
  width: 12,
  legend: ['mean', 'max'],
  queries: [
    ...ask({
      from: SIGNALLING,
      where: FILTERS,
      select: [ratioOf('sdd_sum_ms', 'sdd_count', 'disconnect delay')],
      group: perStep(),
      alias: '$col',
    }),
    ...ask({
      from: SIGNALLING,
      where: FILTERS,
      select: [show('sum("disconnects_unanswered")', 'unanswered BYEs (count)')],
      group: perStep(),
      alias: '$col',
    }),
  ],
})

/** Health of call set-up and registration. */
export const signalling: Page = {
  name: 'signalling',
  title: 'Voice: signalling',
  description:
    'Set-up ratios (RFC 6076, E.425), delays, failures by cause and code, registrations, reachability.',
  from: 'now-24h',
  alerts: alertQuery(chosen('probe'), chosen('trunk')),
  variables: [
    datasourceVariable(),
    tagVariable('probe', 'voip_probe'),
    tagVariable('trunk', 'voip_signalling'),
    listVariable(
      'leg',
      'Leg',
      'first: each call once, also behind an SBC. All: each leg for itself.',
      ['first', 'further'],
      'first',
    ),
    stepVariable(),
  ],
  sections: [
    { title: 'In the time shown', panels: summary },
    {
      title: 'Set-up',
      panels: [ratios(scope), outcomes(scope), setupDelays(scope), slowSetups(scope)],
    },
    {
      title: 'Failures',
      panels: [failuresByCause(scope), failuresByStatusClass, failuresByCode, latestFailed],
    },
    { title: 'Registration and reachability', panels: [registrations, registrationStorm, reachability] },
    {
      title: 'Transactions and calls',
      panels: [resent, releases, durations({ filters: FILTERS, width: 24 })],
    },
  ],
}
