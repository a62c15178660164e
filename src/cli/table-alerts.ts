import type { AlertRecord, Severity } from '../calls/records.js'
import { traitText } from '../aggregates/finding-traits.js'
import { lengthOf } from '../alerts/alert-message.js'
import { clockText, commonDay, countText } from './table-format.js'
import { layOut, legendLines, type Block, type Column } from './table-layout.js'
import { finish, type TableStyle, type Tone } from './table-style.js'
import { displayText } from './table-text.js'

const SEVERITY_TONE: Record<Severity, Tone | undefined> = {
  critical: 'bold red',
  warning: 'yellow',
  info: undefined,
}

const COLUMNS: readonly Column[] = [
  { title: 'ALERT AT', minimum: 8, maximum: 14, rigid: true, worth: 90 },
  { title: 'FOR', align: 'right', minimum: 5, maximum: 10, worth: 80 },
  { title: 'SEVERITY', minimum: 8, maximum: 8, worth: 20 },
  { title: 'RULE', minimum: 12, maximum: 32, worth: Infinity },
  { title: 'WHERE', minimum: 16, maximum: 60, worth: Infinity },
  { title: 'CALLS', align: 'right', minimum: 5, maximum: 7, worth: 50 },
]

/** When each alert would have been raised and for how long, with its sentence. Times of raising, lengths of the trouble. */
export function renderAlerts(alerts: readonly AlertRecord[], style: TableStyle): string {
  const raised = alerts.filter(({ state }) => state === 'firing')
  if (raised.length === 0) return finish(['No alert would have been raised.'], style)
  const ends = new Map(
    alerts.filter(({ state }) => state === 'resolved').map((record) => [record.alert_id, record]),
  )
  const day = commonDay(raised.map(({ time }) => time))
  const blocks = raised.map((alert): Block => {
    const end = ends.get(alert.alert_id)
    const last = end ?? alert
    const length =
      end?.end === undefined ? 'still on' : lengthOf(Date.parse(end.end) - Date.parse(alert.start))
    const rule = alert.silenced === true ? `${alert.rule} (silenced)` : alert.rule
    const row = [
      { text: clockText(alert.time, day === undefined) },
      { text: length },
      { text: alert.severity, tone: SEVERITY_TONE[alert.severity] },
      { text: displayText(rule) },
      { text: displayText(last.path ?? 'the probe') },
      { text: last.calls_affected === undefined ? '–' : countText(last.calls_affected) },
    ]
    const notes = [factsOf(last), causeOf(last)].filter((text) => text !== '')
    return { rows: [row], notes: notes.map((text) => ({ text: displayText(text), tone: 'dim' })) }
  })
  const lines = layOut(COLUMNS, blocks, style)
  const times = day === undefined ? 'Times are UTC' : `Times are UTC on ${day}`
  lines.push('', ...legendLines([`${times}: packet time at which the alert would have been sent`], style))
  return finish(lines, style)
}

/** How bad it was; the rest stands in the columns. */
function factsOf(alert: AlertRecord): string {
  const { streams_affected, streams_active, pdv_max_ms, loss_percent, late_percent, mos_cq } = alert
  const parts: string[] = []
  const [shared] = alert.shared ?? []
  if (shared)
    parts.push(`${shared.calls} of ${shared.calls + shared.calls_elsewhere} bad calls ${traitText(shared)}`)
  if (streams_affected !== undefined) parts.push(`${streams_affected} of ${streams_active ?? '?'} streams`)
  else if (alert.value !== undefined && alert.shared === undefined)
    parts.push(
      `${alert.metric ?? 'value'} ${numberText(alert.value)}, threshold ${numberText(alert.threshold)}`,
    )
  if (pdv_max_ms !== undefined) parts.push(`delay variation up to ${pdv_max_ms.toFixed(0)} ms`)
  if (loss_percent !== undefined && loss_percent >= 0.05) parts.push(`${numberText(loss_percent)} % lost`)
  if (late_percent !== undefined && late_percent >= 0.05) parts.push(`${numberText(late_percent)} % late`)
  if (mos_cq !== undefined)
    parts.push(`MOS ${mos_cq.toFixed(2)}${alert.mos_driver === undefined ? '' : ` by ${alert.mos_driver}`}`)
  return parts.join('; ')
}

function causeOf({ cause, confidence = 'low' }: AlertRecord): string {
  return cause === undefined ? '' : `likely ${cause} (confidence ${confidence})`
}

function numberText(value: number | undefined): string {
  if (value === undefined) return '–'
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3)
}
