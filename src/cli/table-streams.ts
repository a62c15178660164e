import type { StreamRecord } from '../calls/records.js'
import {
  UNKNOWN,
  clockText,
  commonDay,
  countText,
  durationText,
  endpointText,
  mosCell,
  mosLegend,
  msCell,
  percentCell,
} from './table-format.js'
import { layOut, legendLines, type Block, type Cell, type Column } from './table-layout.js'
import { finish, paint, type TableStyle } from './table-style.js'
import { displayText } from './table-text.js'

// 21 columns hold any IPv4 address with its port.
const COLUMNS: readonly Column[] = [
  { title: 'START', minimum: 8, maximum: 14, rigid: true, worth: 30 },
  { title: 'TIME', align: 'right', minimum: 4, maximum: 8, worth: 25 },
  { title: 'SOURCE', minimum: 21, maximum: 47, worth: Infinity, cut: 'middle' },
  { title: 'DESTINATION', minimum: 21, maximum: 47, worth: Infinity, cut: 'middle' },
  { title: 'SSRC', minimum: 10, maximum: 10, worth: 70 },
  { title: 'CODEC', minimum: 5, maximum: 10, worth: 35 },
  { title: 'PACKETS', align: 'right', minimum: 7, maximum: 14, worth: 45 },
  { title: 'LOST', align: 'right', minimum: 4, maximum: 12, worth: 60 },
  { title: 'LOSS%', align: 'right', minimum: 5, maximum: 6, worth: 90 },
  { title: 'LATE%', align: 'right', minimum: 5, maximum: 6, worth: 20 },
  { title: 'JITTER', align: 'right', minimum: 6, maximum: 8, worth: 50 },
  { title: 'MAX', align: 'right', minimum: 5, maximum: 8, worth: 28 },
  { title: 'PDV P95', align: 'right', minimum: 7, maximum: 8, worth: 15 },
  { title: 'SKEW', align: 'right', minimum: 6, maximum: 7, worth: 5 },
  { title: 'MOS', align: 'right', minimum: 4, maximum: 6, worth: 80 },
]

/** The table of streams, in the order given. Jitter and delay variation in ms, skew in ppm. */
export function renderStreams(
  streams: readonly StreamRecord[],
  style: TableStyle,
  options: { limit?: number } = {},
): string {
  if (streams.length === 0) return finish(['No streams.'], style)
  const shown = streams.slice(0, options.limit ?? streams.length)
  const day = commonDay(shown.map((stream) => stream.start))
  const blocks = shown.map((stream): Block => ({ rows: [cellsOf(stream, day === undefined)], notes: [] }))
  const lines = layOut(COLUMNS, blocks, style)
  const hidden = streams.length - shown.length
  if (hidden > 0) lines.push(paint(`… and ${countText(hidden)} more`, 'dim', style))
  const times = day === undefined ? 'Times are UTC' : `Times are UTC on ${displayText(day)}`
  const legend = [`${times}; jitter and delay variation (PDV) in ms, clock skew in ppm`, ...mosLegend(shown)]
  lines.push('', ...legendLines(legend, style))
  return finish(lines, style)
}

function cellsOf(stream: StreamRecord, withDate: boolean): Cell[] {
  const seconds = (Date.parse(stream.end) - Date.parse(stream.start)) / 1000
  return [
    { text: clockText(displayText(stream.start), withDate) },
    Number.isFinite(seconds) ? { text: durationText(seconds) } : UNKNOWN,
    { text: displayText(endpointText(stream.source_address, stream.source_port)) },
    { text: displayText(endpointText(stream.destination_address, stream.destination_port)) },
    { text: displayText(stream.ssrc) },
    stream.codec === undefined ? UNKNOWN : { text: displayText(stream.codec) },
    { text: countText(stream.packets) },
    stream.lost === undefined ? UNKNOWN : { text: countText(stream.lost) },
    percentCell(stream.loss_percent),
    percentCell(stream.late_percent),
    msCell(stream.jitter_mean_ms),
    msCell(stream.jitter_max_ms),
    msCell(stream.pdv_p95_ms),
    stream.skew_ppm === undefined ? UNKNOWN : { text: stream.skew_ppm.toFixed(1) },
    mosCell(stream),
  ]
}
