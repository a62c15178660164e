import type { CallRecord, Direction, DirectionRecord } from '../calls/records.js'
import { ROW_FIELDS, type CallRow } from './page/data.js'

const DIRECTIONS: readonly Direction[] = ['from_caller', 'from_callee']
/** Characters of one text in the table; the call's page has all of it. */
const MOST_CHARACTERS = 120

/** The call's line in the table, as the file has it. */
export function rowOf(record: CallRecord, at: { block: number; place: number }): unknown[] {
  const row: CallRow = {
    ...at,
    callId: short(record.call_id),
    startMs: Math.round(Date.parse(record.start)),
    durationS: record.duration_s === undefined ? null : Math.round(record.duration_s * 10) / 10,
    state: record.state,
    quality: record.quality,
    caller: short(record.caller),
    callee: short(record.callee),
    callerAddress: short(record.caller_address),
    calleeAddress: short(record.callee_address),
    callerSite: short(record.caller_site),
    calleeSite: short(record.callee_site),
    trunk: short(record.trunk),
    codec: codecsOf(record),
    mos: decimals(record.mos_cq_min, 2),
    lossPercent: worst(record, (media) => media.loss_percent),
    latePercent: worst(record, (media) => media.late_percent),
    jitterMs: worst(record, (media) => media.jitter_p95_ms),
    status: record.sip?.status ?? null,
    reason: short(record.sip?.reason),
    findings: record.findings.map(({ severity, code }) => `${severity.slice(0, 1)} ${code}`),
  }
  return ROW_FIELDS.map((field) => row[field])
}

function short(text: string | undefined): string {
  if (text === undefined) return ''
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

function decimals(value: number | undefined, digits: number): number | null {
  return value === undefined ? null : Number(value.toFixed(digits))
}

function worst(record: CallRecord, of: (media: DirectionRecord) => number | undefined): number | null {
  const values = DIRECTIONS.map((direction) => record.media[direction])
    .map((media) => media && of(media))
    .filter((value) => value !== undefined)
  return values.length > 0 ? decimals(Math.max(...values), 2) : null
}

function codecsOf(record: CallRecord): string {
  const names = DIRECTIONS.map((direction) => record.media[direction]?.codec).filter(
    (name) => name !== undefined,
  )
  return short([...new Set(names)].join(' / '))
}
