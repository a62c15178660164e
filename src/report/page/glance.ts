import type { CallRecordView, DirectionName } from './data.js'
import { el, type Child } from './dom.js'
import { mos, ms, percent, plain } from './text.js'
import { term } from './tooltip.js'

type Shown = (value: number) => string

interface Line {
  label: string
  field: string
  shown: Shown
  /** Second number behind the first, in brackets. */
  beside?: { field: string; shown: Shown }
  /** Left out when neither direction has it. */
  optional?: boolean
  /** Words, which go on in the next line. */
  isText?: boolean
}

const LINES: readonly (Line | string)[] = [
  'Quality',
  { label: 'MOS, conversational', field: 'mos_cq', shown: mos },
  { label: 'Lowest of its intervals', field: 'mos_cq_min', shown: mos },
  { label: 'MOS, listening', field: 'mos_lq', shown: mos },
  { label: '… with a fixed buffer of 50 ms', field: 'mos_fixed50', shown: mos },
  { label: '… with a fixed buffer of 200 ms', field: 'mos_fixed200', shown: mos },
  { label: 'MOS at the receiver', field: 'mos_cq_receiver', shown: mos, optional: true },
  { label: 'Scored by', field: 'mos_model', shown: plain, isText: true },
  'Packets',
  { label: 'Packets', field: 'packets', shown: plain },
  { label: 'Lost', field: 'loss_percent', shown: percent, beside: { field: 'lost', shown: plain } },
  {
    label: 'Too late for the jitter buffer',
    field: 'late_percent',
    shown: percent,
    beside: { field: 'late', shown: plain },
  },
  { label: 'Reordered', field: 'reordered', shown: plain, optional: true },
  { label: 'Duplicates', field: 'duplicates', shown: plain, optional: true },
  { label: 'Bursts of loss', field: 'burst_count', shown: plain },
  { label: 'Mean length of a burst', field: 'burst_duration_ms', shown: ms, optional: true },
  { label: 'Longest gap', field: 'longest_gap_ms', shown: ms },
  'Timing',
  { label: 'Jitter, mean', field: 'jitter_mean_ms', shown: ms },
  { label: 'Jitter, 95 % below', field: 'jitter_p95_ms', shown: ms },
  { label: 'Delay variation, 95 % below', field: 'pdv_p95_ms', shown: ms },
  { label: 'Delay variation, 99 % below', field: 'pdv_p99_ms', shown: ms },
  { label: 'Highest delay variation', field: 'pdv_max_ms', shown: ms },
  { label: 'Seconds with burst jitter', field: 'burst_seconds', shown: plain },
  { label: 'Delay, mouth to ear', field: 'delay_p50_ms', shown: ms },
  { label: 'Clock skew', field: 'skew_ppm', shown: (value) => `${value.toFixed(1)} ppm`, optional: true },
  'Reported by RTCP',
  {
    label: 'Loss that the receiver reported',
    field: 'rtcp_loss_percent',
    shown: percent,
    optional: true,
    beside: { field: 'rtcp_lost', shown: plain },
  },
  { label: 'Jitter that it reported', field: 'rtcp_jitter_ms', shown: ms, optional: true },
  { label: 'Lost before the tap', field: 'lost_before_tap', shown: plain, optional: true },
  { label: 'Lost after the tap', field: 'lost_after_tap', shown: plain, optional: true },
  'Media',
  { label: 'Codec', field: 'codec', shown: plain },
  { label: 'Packet time', field: 'ptime_ms', shown: ms },
  { label: 'DSCP', field: 'dscp', shown: plain },
  { label: 'Digits pressed', field: 'dtmf_events', shown: plain, optional: true },
]

/** Both directions side by side, number by number, each with its definition. */
export function glance(record: CallRecordView, heads: Record<DirectionName, Node>): HTMLElement {
  const { from_caller, from_callee } = record.media
  const values = [from_caller, from_callee].map((media) => new Map(Object.entries(media ?? {})))
  const body = el('tbody')
  let heading: string | undefined
  for (const line of LINES) {
    if (typeof line === 'string') {
      heading = line
      continue
    }
    const present = values.some((fields) => fields.has(line.field) && fields.get(line.field) !== 0)
    if (line.optional && !present) continue
    if (!line.optional && !values.some((fields) => fields.has(line.field))) continue
    if (heading !== undefined)
      body.appendChild(el('tr', { class: 'group' }, el('th', { colspan: 3, scope: 'colgroup' }, heading)))
    heading = undefined
    body.appendChild(
      el(
        'tr',
        {},
        el('th', { scope: 'row' }, term(line.label, line.field)),
        ...values.map((fields) => el('td', { class: line.isText ? 'words' : 'num' }, ...cell(fields, line))),
      ),
    )
  }
  return el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Numbers of both directions' },
    el(
      'table',
      { class: 'grid glance' },
      el('caption', { class: 'hidden' }, 'Numbers of both directions'),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('td'),
          el('th', { scope: 'col', class: 'num' }, heads.from_caller),
          el('th', { scope: 'col', class: 'num' }, heads.from_callee),
        ),
      ),
      body,
    ),
  )
}

function cell(fields: ReadonlyMap<string, unknown>, { field, shown, beside }: Line): Child[] {
  const value = fields.get(field)
  if (typeof value === 'string') return [value]
  if (typeof value !== 'number') return ['–']
  const second = beside && fields.get(beside.field)
  if (beside && typeof second === 'number' && second > 0)
    return [el('span', { class: 'dim' }, `${beside.shown(second)}  `), shown(value)]
  return [shown(value)]
}
