import type { CallRecord, MediaFields, Quality, RecordState } from '../calls/records.js'
import type { Cell } from './table-layout.js'
import type { Tone } from './table-style.js'

/** What is shown for a value that is not known. */
export const UNKNOWN: Cell = { text: '–', tone: 'dim' }

export const QUALITY_MARK: Record<Quality, string> = {
  good: '✓ good',
  fair: '○ fair',
  poor: '● poor',
  broken: '✗ broken',
  unknown: '  –',
}

export const QUALITY_TONE: Record<Quality, Tone> = {
  good: 'green',
  fair: 'yellow',
  poor: 'red',
  broken: 'bold red',
  unknown: 'dim',
}

export const STATE_TEXT: Record<RecordState, string> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  timeout: 'timeout',
  in_progress: 'in progress',
  media_only: 'media only',
}

/** Share at which loss is worth a look, and at which it is heard, in percent. */
const LOSS_NOTABLE = 1
const LOSS_BAD = 5

/** A share in percent: 0, <0.01, 1.23, 100. */
export function percentCell(value: number | undefined): Cell {
  if (value === undefined) return UNKNOWN
  const text =
    value === 0 ? '0' : value < 0.01 ? '<0.01' : value >= 99.995 ? '100' : value.toFixed(value < 10 ? 2 : 1)
  return { text, tone: value >= LOSS_BAD ? 'red' : value >= LOSS_NOTABLE ? 'yellow' : undefined }
}

/** Milliseconds with one decimal below 100. */
export function msCell(value: number | undefined): Cell {
  return value === undefined ? UNKNOWN : { text: value < 99.95 ? value.toFixed(1) : value.toFixed(0) }
}

/** A count with thousands separated by commas. */
export function countText(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** MOS with two decimals; `w` and `f` mark the wideband and fullband scales, `*` a codec without published values. */
export function mosCell(media: MediaFields): Cell {
  const mos = media.mos_cq ?? media.mos_lq
  if (mos === undefined) return UNKNOWN
  const scale = media.mos_scale === 'wb' ? 'w' : media.mos_scale === 'fb' ? 'f' : ''
  const tone = mos >= 4 ? 'green' : mos >= 3.6 ? 'yellow' : 'red'
  return { text: mos.toFixed(2) + scale + (media.mos_grounded === false ? '*' : ''), tone }
}

/** Lines that explain the letters after MOS values, for those that occur. */
export function mosLegend(media: readonly MediaFields[]): string[] {
  const shown = media.filter((fields) => (fields.mos_cq ?? fields.mos_lq) !== undefined)
  const lines: string[] = []
  if (shown.some((fields) => fields.mos_scale === 'wb')) lines.push('w  wideband scale (G.107.1)')
  if (shown.some((fields) => fields.mos_scale === 'fb')) lines.push('f  fullband scale (G.107.2)')
  if (shown.some((fields) => fields.mos_grounded === false))
    lines.push('*  the codec has no published impairment values: a stand-in was used')
  return lines
}

/** Seconds as m:ss or h:mm:ss. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const twoDigits = (n: number): string => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`
}

/** Time of day of an RFC 3339 time in UTC, with month and day in front when a table spans several days. */
export function clockText(time: string, withDate: boolean): string {
  const match = /^\d{4}-(\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(time)
  if (match === null) return time
  return withDate ? `${match[1]} ${match[2]}` : match[2]
}

/** The day that all times share, or undefined. */
export function commonDay(times: readonly string[]): string | undefined {
  const day = times[0]?.slice(0, 10)
  return day !== undefined && times.every((time) => time.startsWith(day)) ? day : undefined
}

/** `192.0.2.1:4000`, `[2001:db8::1]:4000`. */
export function endpointText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** `failed 486`, `completed`, ...; with `reason`, the reason phrase too. */
export function stateText(call: CallRecord, withReason: boolean): string {
  const status = call.sip?.status
  if (call.state !== 'failed' || status === undefined) return STATE_TEXT[call.state]
  const reason = withReason && call.sip?.reason !== undefined ? ` ${call.sip.reason}` : ''
  return `${STATE_TEXT.failed} ${status}${reason}`
}

export function stateTone(state: RecordState): Tone | undefined {
  return state === 'failed' || state === 'timeout' ? 'red' : state === 'cancelled' ? 'dim' : undefined
}
