import { BAD_SHARE_STEPS, GREEN, GREY, LOSS_STEPS, MOS_STEPS, ORANGE, RED, YELLOW } from './colors.js'
import { where } from './influxql.js'
import { CALL_RANGE, TO_CALL } from './links.js'
import type { PanelBuilder } from './panel.js'
import { rows, type Column } from './tables.js'

export const QUALITY_COLORS = { good: GREEN, fair: YELLOW, poor: ORANGE, broken: RED, unknown: GREY } as const
export const SEVERITY_COLORS = { info: GREY, warning: ORANGE, critical: RED } as const

/** What a list of calls reads of each call: one row of voip_call has both directions. */
export const CALL_COLUMNS = [
  '"call_id"',
  CALL_RANGE,
  '"caller"',
  '"callee"',
  '"duration_s"',
  '"mos_cq_min"',
  '"from_caller_loss_percent"',
  '"from_callee_loss_percent"',
  '"from_caller_late_percent"',
  '"from_callee_late_percent"',
  '"sip_status"',
  '"findings"',
  '"quality"',
  '"state"',
  '"trunk"',
].join(', ')

const HIDDEN: Column = { label: '', hidden: true, unit: 'none', decimals: 0 }

/** Columns by name, so that each table says which it shows and in which order. */
export const CALL_COLUMN: Readonly<Record<string, Column>> = {
  Time: { label: 'Ended', unit: 'dateTimeAsIso', width: 165 },
  quality: { label: 'Quality', width: 85, values: QUALITY_COLORS, link: TO_CALL },
  caller: { label: 'Caller', width: 130, link: TO_CALL },
  callee: { label: 'Callee', width: 130, link: TO_CALL },
  duration_s: { label: 'Duration', unit: 'dtdurations', width: 105 },
  mos_cq_min: { label: 'Worst MOS', unit: 'none', decimals: 2, width: 95, steps: MOS_STEPS },
  from_caller_loss_percent: { label: 'Loss →', unit: 'percent', decimals: 2, width: 85, steps: LOSS_STEPS },
  from_callee_loss_percent: { label: 'Loss ←', unit: 'percent', decimals: 2, width: 85, steps: LOSS_STEPS },
  from_caller_late_percent: {
    label: 'Late →',
    unit: 'percent',
    decimals: 2,
    width: 85,
    steps: BAD_SHARE_STEPS,
  },
  from_callee_late_percent: {
    label: 'Late ←',
    unit: 'percent',
    decimals: 2,
    width: 85,
    steps: BAD_SHARE_STEPS,
  },
  sip_status: { label: 'SIP', unit: 'none', decimals: 0, width: 60 },
  state: { label: 'State', width: 100 },
  trunk: { label: 'Trunk', width: 120 },
  findings: { label: 'Findings' },
  call_id: { label: 'Call-ID', link: TO_CALL },
  from_ms: HIDDEN,
  to_ms: HIDDEN,
}

/** These columns, and those that the link to the call needs, hidden unless named. */
export function callColumns(...names: readonly string[]): Record<string, Column> {
  const columns = Object.fromEntries([...names, 'from_ms', 'to_ms'].map((name) => [name, CALL_COLUMN[name]]))
  return names.includes('call_id') ? columns : { ...columns, call_id: HIDDEN }
}

export function badCallTable(filters: readonly string[], width: number): PanelBuilder {
  return rows({
    title: 'Latest bad calls',
    description:
      'Calls that ended poor or broken, the latest first; click one for its page. Worst MOS: the lowest ten seconds of either direction; absent when a direction had no media at all. Findings name the likely causes, the worst first.',
    unit: 'none',
    width,
    height: 9,
    columns: callColumns('Time', 'quality', 'caller', 'callee', 'duration_s', 'mos_cq_min', 'findings'),
    queries: [
      {
        query: `SELECT ${CALL_COLUMNS} FROM "voip_call" WHERE ${where('"quality" =~ /^(poor|broken)$/', ...filters)} ORDER BY time DESC LIMIT 50`,
      },
    ],
  })
}

export function alertTable(filters: readonly string[], width: number): PanelBuilder {
  return rows({
    title: 'Alerts',
    description:
      'What the probes raised and cleared, the latest first: rule, path, measured value and the threshold or baseline it was held against. The marks in the graphs are the same alerts.',
    unit: 'none',
    width,
    height: 8,
    columns: {
      Time: { label: 'Time', unit: 'dateTimeAsIso', width: 165 },
      state: { label: 'State', width: 85, values: { firing: RED, resolved: GREEN } },
      severity: { label: 'Severity', width: 85, values: SEVERITY_COLORS },
      rule: { label: 'Rule', width: 140 },
      trunk: { label: 'Trunk', width: 110 },
      value: { label: 'Value', unit: 'none', decimals: 2, width: 80 },
      threshold: { label: 'Limit', unit: 'none', decimals: 2, width: 80 },
      calls_affected: { label: 'Calls', unit: 'none', decimals: 0, width: 70 },
      message: { label: 'Message', wrap: true },
    },
    queries: [
      {
        query: `SELECT "state", "severity", "rule", "trunk", "value", "threshold", "calls_affected", "message" FROM "voip_alert" WHERE ${where(...filters)} ORDER BY time DESC LIMIT 100`,
      },
    ],
  })
}

export function groupTable(filters: readonly string[], width: number): PanelBuilder {
  return rows({
    title: 'What bad calls have in common',
    description:
      'Findings that at least three calls had within five minutes, and bad calls as such, with the trait that they share and others do not: a trunk, a pair of sites, a codec, a user agent, a DSCP, a host, a time.',
    unit: 'none',
    width,
    height: 8,
    columns: {
      Time: { label: 'From', unit: 'dateTimeAsIso', width: 165 },
      severity: { label: 'Severity', width: 90, values: SEVERITY_COLORS },
      code: { label: 'Finding', width: 190 },
      calls: { label: 'Calls', unit: 'none', decimals: 0, width: 70 },
      of_calls: { label: 'Of', unit: 'none', decimals: 0, width: 70 },
      dimension: { label: 'Share', width: 110 },
      message: { label: 'In words', wrap: true },
    },
    queries: [
      {
        query: `SELECT "severity", "code", "calls", "of_calls", "dimension", "message" FROM "voip_finding_group" WHERE ${where(...filters)} ORDER BY time DESC LIMIT 50`,
      },
    ],
  })
}
