import type { CallRecord } from '../calls/records.js'
import { ROW_FIELDS, type CallRow } from './page/data.js'

/** Characters of one text in the table; the call's page has all of it. */
const MOST_CHARACTERS = 120

/**
 * The call's line in the table, as the file has it: values in the order of ROW_FIELDS.
 * @param block where its details are; -1: nowhere
 */
export function rowOf(record: CallRecord, block: number, place: number): unknown[] {
  const row: CallRow = {
    block,
    place,
    callId: short(record.call_id),
    startMs: Math.round(Date.parse(record.start)),
    durationS: rounded(record.duration_s, 10),
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
    mos: rounded(record.mos_cq_min, 100),
    lossPercent: worse(record.media.from_caller?.loss_percent, record.media.from_callee?.loss_percent),
    latePercent: worse(record.media.from_caller?.late_percent, record.media.from_callee?.late_percent),
    jitterMs: worse(record.media.from_caller?.jitter_p95_ms, record.media.from_callee?.jitter_p95_ms),
    status: record.sip?.status ?? null,
    reason: short(record.sip?.reason),
    findings: record.findings.map(({ severity, code }) => `${severity[0]} ${code}`),
  }
  return ROW_FIELDS.map((field) => row[field])
}

function short(text: string | undefined): string {
  if (text === undefined) return ''
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

function rounded(value: number | undefined, scale: number): number | null {
  return value === undefined ? null : Math.round(value * scale) / scale
}

/** The higher one of those that are known. */
function worse(a: number | undefined, b: number | undefined): number | null {
  return rounded(a === undefined ? b : b === undefined ? a : Math.max(a, b), 100)
}

function codecsOf({ media }: CallRecord): string {
  const a = media.from_caller?.codec ?? ''
  const b = media.from_callee?.codec ?? ''
  return short(a === '' || b === '' || a === b ? a || b : `${a} / ${b}`)
}
