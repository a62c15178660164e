import type { CallRecord, DirectionRecord, Finding } from '../calls/records.js'
import {
  QUALITY_MARK,
  QUALITY_TONE,
  UNKNOWN,
  clockText,
  commonDay,
  countText,
  durationText,
  mosCell,
  mosLegend,
  msCell,
  percentCell,
  stateText,
  stateTone,
} from './table-format.js'
import { layOut, legendLines, type Block, type Cell, type Column } from './table-layout.js'
import { finish, paint, type TableStyle, type Tone } from './table-style.js'
import { displayText } from './table-text.js'

export interface CallTableOptions {
  /** `time`: as calls began. `worst`: broken, poor and fair ones first, by MOS. */
  sort?: 'time' | 'worst'
  /** Most calls shown; the rest is counted in a line. */
  limit?: number
  /** Findings shown in full under a call, warnings and worse. 0: none at all. */
  findings?: number
}

/** From this width on, both directions of a call stand side by side in one line. */
export const WIDE_FROM = 150
/** From this width on there is room for the reason phrase of a failure. */
const REASON_FROM = 100

/**
 * The table of calls for a person. Below WIDE_FROM columns a call takes two lines, each one a party and the media
 * that it sent; from there on one line. Fields that are not known show as `–`.
 */
export function renderCalls(
  calls: readonly CallRecord[],
  style: TableStyle,
  options: CallTableOptions = {},
): string {
  if (calls.length === 0) return finish(['No calls.'], style)
  const ordered = sortCalls(calls, options.sort ?? 'time')
  const shown = ordered.slice(0, options.limit ?? ordered.length)
  const day = commonDay(shown.map((call) => call.start))
  const isWide = style.width >= WIDE_FROM
  const withReason = style.width >= REASON_FROM
  const blocks = shown.map((call): Block => {
    const notes = notesOf(call, options.findings ?? 2)
    const start = clockText(displayText(call.start), day === undefined)
    return { rows: isWide ? [wideRow(call, start)] : narrowRows(call, start, withReason), notes }
  })
  const lines = layOut(isWide ? WIDE : NARROW, blocks, style)
  const hidden = calls.length - shown.length
  if (hidden > 0) lines.push(paint(`… and ${countText(hidden)} more`, 'dim', style))
  const legend = mosLegend(
    shown.flatMap(({ media }) =>
      [media.from_caller, media.from_callee].filter((fields) => fields !== undefined),
    ),
  )
  const times = day === undefined ? 'Times are UTC' : `Times are UTC on ${displayText(day)}`
  lines.push('', ...legendLines([`${times}; jitter and delay in ms`, ...legend], style))
  return finish(lines, style)
}

/** A sorted copy. */
export function sortCalls(calls: readonly CallRecord[], sort: 'time' | 'worst'): CallRecord[] {
  const byTime = (a: CallRecord, b: CallRecord): number =>
    a.start < b.start ? -1 : a.start > b.start ? 1 : 0
  if (sort === 'time') return calls.toSorted(byTime)
  return calls.toSorted(
    (a, b) => rank(a) - rank(b) || (a.mos_cq_min ?? 5) - (b.mos_cq_min ?? 5) || byTime(a, b),
  )
}

/** Calls that people suffered from first, then those that never came about, then the good ones. */
function rank(call: CallRecord): number {
  if (call.quality === 'unknown') return call.state === 'failed' || call.state === 'timeout' ? 3 : 5
  return { broken: 0, poor: 1, fair: 2, good: 4 }[call.quality]
}

const MEDIA_COLUMNS: readonly Column[] = [
  { title: 'CODEC', minimum: 6, maximum: 10, worth: 40 },
  { title: 'LOSS%', align: 'right', minimum: 5, maximum: 6, worth: 90 },
  { title: 'LATE%', align: 'right', minimum: 5, maximum: 6, worth: 60 },
  { title: 'JITTER', align: 'right', minimum: 6, maximum: 7, worth: 50 },
  { title: 'MAX', align: 'right', minimum: 5, maximum: 7, worth: 10 },
  { title: 'DELAY', align: 'right', minimum: 5, maximum: 7, worth: 20 },
  { title: 'MOS', align: 'right', minimum: 4, maximum: 6, worth: 100 },
]

// Room for a whole E.164 number.
const PARTY: Column = { title: '', minimum: 16, maximum: 40, worth: Infinity, cut: 'middle' }

const NARROW: readonly Column[] = [
  { title: 'START', minimum: 8, maximum: 14, rigid: true, worth: 70 },
  { ...PARTY, title: '→ CALLER ← CALLEE', minimum: 19 },
  { title: 'STATE', minimum: 11, maximum: 32, worth: 80 },
  ...MEDIA_COLUMNS,
]

const WIDE: readonly Column[] = [
  { title: 'START', minimum: 8, maximum: 14, rigid: true, worth: 70 },
  { ...PARTY, title: 'CALLER', maximum: 30 },
  { ...PARTY, title: 'CALLEE', maximum: 30 },
  { title: 'STATE', minimum: 11, maximum: 28, worth: 80 },
  { title: 'TIME', align: 'right', minimum: 7, maximum: 8, worth: 75 },
  { title: 'QUALITY', minimum: 8, maximum: 8, worth: 110 },
  ...MEDIA_COLUMNS.map((column) => ({ ...column, group: 'from caller →' })),
  ...MEDIA_COLUMNS.map((column) => ({ ...column, group: 'from callee ←' })),
]

function narrowRows(call: CallRecord, start: string, withReason: boolean): Cell[][] {
  const state: Cell = { text: displayText(stateText(call, withReason)), tone: stateTone(call.state) }
  const quality: Cell = { text: QUALITY_MARK[call.quality], tone: QUALITY_TONE[call.quality] }
  const duration = durationCell(call)
  const { from_caller, from_callee } = call.media
  return [
    [{ text: start }, partyCell('→ ', call.caller, call.caller_address), state, ...mediaCells(from_caller)],
    [
      { ...duration, text: duration.text.padStart(8) },
      partyCell('← ', call.callee, call.callee_address),
      quality,
      ...mediaCells(from_callee),
    ],
  ]
}

function wideRow(call: CallRecord, start: string): Cell[] {
  return [
    { text: start },
    partyCell('', call.caller, call.caller_address),
    partyCell('', call.callee, call.callee_address),
    { text: displayText(stateText(call, true)), tone: stateTone(call.state) },
    durationCell(call),
    { text: QUALITY_MARK[call.quality], tone: QUALITY_TONE[call.quality] },
    ...mediaCells(call.media.from_caller),
    ...mediaCells(call.media.from_callee),
  ]
}

function durationCell(call: CallRecord): Cell {
  return call.duration_s === undefined ? UNKNOWN : { text: durationText(call.duration_s) }
}

/** The number or name; the address when signalling was not seen. */
function partyCell(arrow: string, party: string | undefined, address: string | undefined): Cell {
  const text = party || address
  return text === undefined ? { text: `${arrow}–`, tone: 'dim' } : { text: arrow + displayText(text) }
}

function mediaCells(media: DirectionRecord | undefined): Cell[] {
  if (media === undefined) return MEDIA_COLUMNS.map(() => UNKNOWN)
  if (media.packets === 0) {
    const none: Cell =
      media.expected === false ? { text: 'none', tone: 'dim' } : { text: 'silent', tone: 'bold red' }
    return [none, ...MEDIA_COLUMNS.slice(1).map(() => UNKNOWN)]
  }
  return [
    media.codec === undefined ? UNKNOWN : { text: displayText(media.codec) },
    percentCell(media.loss_percent),
    percentCell(media.late_percent),
    msCell(media.jitter_mean_ms),
    msCell(media.jitter_max_ms),
    msCell(media.delay_p50_ms),
    mosCell(media),
  ]
}

const SEVERITY_TONE: Record<Finding['severity'], Tone> = { critical: 'red', warning: 'yellow', info: 'dim' }

/** The first findings of a call that are more than a remark, one line each; the codes of all others in one line. */
function notesOf(call: CallRecord, most: number): Cell[] {
  if (most === 0) return []
  const shown = call.findings.filter(({ severity }) => severity !== 'info').slice(0, most)
  const notes = shown.map(({ code, severity, message }): Cell => ({
    text: `${code}: ${displayText(message)}`,
    tone: SEVERITY_TONE[severity],
  }))
  const others = call.findings.filter((finding) => !shown.includes(finding)).map(({ code }) => code)
  if (others.length > 0)
    notes.push({ text: `${shown.length > 0 ? 'also ' : ''}${[...new Set(others)].join(', ')}`, tone: 'dim' })
  return notes
}
