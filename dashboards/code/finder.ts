import { FINDING_CODES, QUALITIES, RECORD_STATES } from '../../src/calls/records.js'
import { CALL_COLUMNS, callColumns, QUALITY_COLORS } from './call-tables.js'
import { BAD_SHARE_STEPS, PLAIN } from './colors.js'
import { bars, graph, stat_ } from './graphs.js'
import { chosen, where } from './influxql.js'
import type { Page } from './page.js'
import { rows } from './tables.js'
import { datasourceVariable, listVariable, tagVariable, textVariable } from './variables.js'

/**
 * Text that is typed or chosen may be in any of several fields, each of which a call may lack: a field that is absent
 * matches nothing, not even `.*`. The Call-ID is always there, so that an empty search finds every call. What stands
 * behind the text keeps a backslash at its end from eating the slash.
 */
function anywhere(variable: string, fields: readonly string[]): string {
  return `(${fields.map((field) => `"${field}" =~ /(?i).*\${${variable}:regex}.*/`).join(' OR ')})`
}

const SEARCH = anywhere('search', ['call_id', 'caller', 'callee', 'caller_address', 'callee_address'])
/** "All" is `.*`, which a Call-ID matches; a finding’s code never is one. */
const FINDING = '("findings" =~ /${finding:regex}/ OR "call_id" =~ /^${finding:regex}$/)'

const FILTERS = [
  chosen('probe'),
  chosen('caller_site'),
  chosen('callee_site'),
  chosen('trunk'),
  chosen('quality'),
  chosen('state'),
  SEARCH,
  FINDING,
]

const counts = graph({
  title: 'Matching calls',
  description:
    'Calls that ended in each step and match what is chosen and typed at the top, by verdict. Broken: an expected direction had no media or lost over half of it.',
  unit: 'short',
  decimals: 0,
  min: 0,
  width: 10,
  height: 7,
  bars: true,
  stack: 'normal',
  colors: QUALITY_COLORS,
  legend: ['sum'],
  queries: [
    {
      query: `SELECT count("call_id") AS "calls" FROM "voip_call" WHERE ${where(...FILTERS)} GROUP BY time($__interval), "quality" fill(none)`,
      alias: '$tag_quality',
    },
  ],
})

const total = stat_({
  title: 'Calls found',
  description:
    'Calls in the time shown that match. The lists below hold at most 200 each: narrow the search if there are more.',
  unit: 'short',
  decimals: 0,
  width: 3,
  height: 7,
  steps: PLAIN,
  noValue: '0',
  queries: [{ query: `SELECT count("call_id") AS "calls" FROM "voip_call" WHERE ${where(...FILTERS)}` }],
})

const withFindings = stat_({
  title: 'With findings',
  description: 'Share of the matching calls that have at least one finding, of whatever severity.',
  unit: 'percent',
  decimals: 1,
  width: 3,
  height: 7,
  steps: BAD_SHARE_STEPS,
  noValue: '0',
  queries: [
    {
      query: `SELECT 100.0 * count("findings") / count("call_id") AS "with findings" FROM "voip_call" WHERE ${where(...FILTERS)}`,
    },
  ],
})

const byFinding = bars({
  title: 'By finding',
  description:
    'Calls with each finding, in the time shown, at the chosen sites and trunks (not by number, address or verdict). One call may have several.',
  unit: 'short',
  decimals: 0,
  width: 8,
  height: 7,
  steps: PLAIN,
  queries: [
    {
      query: `SELECT sum("count") AS "calls" FROM "voip_finding" WHERE ${where(chosen('probe'), chosen('caller_site'), chosen('callee_site'), chosen('trunk'), '"code" =~ /^${finding:regex}$/')} GROUP BY "code"`,
      alias: '$tag_code',
    },
  ],
})

const worst = rows({
  title: 'Worst calls',
  description:
    'The 200 matching calls with the lowest MOS in any ten seconds of either direction; click one for its page. → is media from the caller, ← from the callee. Calls without media have no MOS: they are in the list below.',
  unit: 'none',
  width: 24,
  height: 14,
  columns: callColumns(
    'mos_cq_min',
    'quality',
    'Time',
    'caller',
    'callee',
    'duration_s',
    'from_caller_loss_percent',
    'from_callee_loss_percent',
    'from_caller_late_percent',
    'from_callee_late_percent',
    'trunk',
    'findings',
    'call_id',
  ),
  sort: { column: 'mos_cq_min', descending: false },
  queries: [
    {
      query: `SELECT bottom("mos_cq_min", 200) AS "mos_cq_min", ${CALL_COLUMNS.replace('"mos_cq_min", ', '')} FROM "voip_call" WHERE ${where(...FILTERS)}`,
    },
  ],
})

const latest = rows({
  title: 'Latest calls',
  description:
    'The 200 latest matching calls, answered or not; click one for its page. SIP: the final status. Findings name the likely causes, the worst first.',
  unit: 'none',
  width: 24,
  height: 14,
  columns: callColumns(
    'Time',
    'quality',
    'state',
    'sip_status',
    'caller',
    'callee',
    'duration_s',
    'mos_cq_min',
    'from_caller_loss_percent',
    'from_callee_loss_percent',
    'trunk',
    'findings',
    'call_id',
  ),
  queries: [
    {
      query: `SELECT ${CALL_COLUMNS} FROM "voip_call" WHERE ${where(...FILTERS)} ORDER BY time DESC LIMIT 200`,
    },
  ],
})

/** From a complaint to the call. */
export const finder: Page = {
  name: 'finder',
  title: 'Voice: find a call',
  description: 'Worst and latest calls; by number, address, Call-ID, finding, verdict, site or trunk.',
  from: 'now-6h',
  variables: [
    datasourceVariable(),
    textVariable('search', 'Number, address or Call-ID', 'A part of it is enough. Empty finds every call.'),
    listVariable('finding', 'Finding', 'Named cause; docs/findings.md says what each means.', FINDING_CODES),
    listVariable('quality', 'Quality', 'Verdict on the call.', QUALITIES),
    listVariable('state', 'State', 'How the call ended.', RECORD_STATES),
    tagVariable('trunk', 'voip_call'),
    tagVariable('caller_site', 'voip_call'),
    tagVariable('callee_site', 'voip_call'),
    tagVariable('probe', 'voip_call'),
  ],
  sections: [
    { title: 'How many', panels: [counts, total, withFindings, byFinding] },
    { title: 'Which', panels: [worst, latest] },
  ],
}
