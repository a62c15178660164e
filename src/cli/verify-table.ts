import { COLUMNS, type Column } from '../verify/explain.js'
import type { ColumnComparison, FileComparison, StreamComparison, Verdict } from '../verify/compare.js'
import type { Reason } from '../verify/reasons.js'
import { countText, endpointText, UNKNOWN } from './table-format.js'
import { layOut, legendLines, type Block, type Cell, type Column as TableColumn } from './table-layout.js'
import { finish, type TableStyle, type Tone } from './table-style.js'
import { displayText } from './table-text.js'

// 23 columns hold an arrow and any IPv4 address with its port.
const TABLE: readonly TableColumn[] = [
  { title: 'STREAM', minimum: 21, maximum: 49, worth: Infinity, cut: 'middle' },
  { title: '', minimum: 9, maximum: 9, rigid: true, worth: Infinity },
  { title: 'PACKETS', align: 'right', minimum: 7, maximum: 14, worth: 90 },
  { title: 'LOST', align: 'right', minimum: 4, maximum: 12, worth: 80 },
  { title: 'DELTA', align: 'right', minimum: 5, maximum: 12, worth: 40 },
  { title: 'JITTER', align: 'right', minimum: 6, maximum: 12, worth: 60 },
  { title: 'MAX', align: 'right', minimum: 5, maximum: 12, worth: 70 },
]

const NAME: Record<Column, string> = {
  packets: 'packets',
  lost: 'lost',
  max_delta_ms: 'delta',
  mean_jitter_ms: 'jitter',
  max_jitter_ms: 'max',
}

const MARK: Record<Verdict, Cell> = {
  equal: { text: '=', tone: 'green' },
  explained: { text: '*', tone: 'yellow' },
  unexplained: { text: '✗', tone: 'bold red' },
}

const LEGEND = [
  'DELTA: longest time between two packets, JITTER and MAX: mean and highest jitter (ms)',
  '=  agree: counts exactly, times within 2 % or 0.05 ms',
  '*  differ by definition: counted again from the packets, each figure comes out',
  '✗  differ, and nothing explains it',
]

/** Both programs' figures for each stream of a file, and under them why they differ. */
export function renderComparison(comparison: FileComparison, style: TableStyle): string {
  if (comparison.streams.length === 0) return finish(['No RTP streams, neither here nor in tshark.'], style)
  const lines = layOut(TABLE, comparison.streams.map(blockOf), style)
  lines.push('', ...legendLines(LEGEND, style))
  return finish(lines, style)
}

function blockOf(stream: StreamComparison): Block {
  const [source, port, destination, destinationPort, ssrc] = stream.key.split(' ')
  const codec = stream.ours?.records[0].codec ?? stream.tshark?.payload
  const figures = (of: (column: ColumnComparison) => number | undefined): Cell[] =>
    stream.columns.map((column) => figureCell(column.column, of(column)))
  return {
    rows: [
      [
        { text: displayText(endpointText(source, Number(port))) },
        { text: 'callprobe' },
        ...(stream.ours ? figures((column) => column.callprobe) : [{ text: 'none', tone: 'dim' as const }]),
      ],
      [
        { text: displayText(`→ ${endpointText(destination, Number(destinationPort))}`) },
        { text: 'tshark' },
        ...tsharkCells(stream, figures),
      ],
      [
        { text: displayText(codec === undefined ? ssrc : `${ssrc} ${codec}`), tone: 'dim' },
        { text: '' },
        ...stream.columns.map(({ verdict }) => (stream.tshark ? MARK[verdict] : { text: '' })),
      ],
    ],
    notes: notesOf(stream),
  }
}

function tsharkCells(
  stream: StreamComparison,
  figures: (of: (column: ColumnComparison) => number | undefined) => Cell[],
): Cell[] {
  if (!stream.tshark) return [{ text: 'none', tone: 'dim' }]
  if (stream.ours) return figures((column) => column.tshark)
  const { tshark } = stream
  const values: Record<Column, number> = {
    packets: tshark.packets,
    lost: tshark.lost,
    max_delta_ms: tshark.maxDeltaMs,
    mean_jitter_ms: tshark.meanJitterMs,
    max_jitter_ms: tshark.maxJitterMs,
  }
  return COLUMNS.map((column) => figureCell(column, values[column]))
}

function figureCell(column: Column, value: number | undefined): Cell {
  if (value === undefined) return UNKNOWN
  return { text: figureText(column, value) }
}

function figureText(column: Column, value: number): string {
  if (column !== 'packets' && column !== 'lost') return value.toFixed(3)
  return value < 0 ? `-${countText(-value)}` : countText(value)
}

/** A line per reason, with the columns it stands for; then what nothing explains. */
function notesOf(stream: StreamComparison): Cell[] {
  const notes: Cell[] = stream.reasons.map((reason) => ({
    text: displayText(reasonText(reason)),
    tone: 'yellow',
  }))
  const byReason = new Map<string, Column[]>()
  for (const { column, reasons } of stream.columns) {
    for (const reason of reasons) {
      const text = reasonText(reason)
      byReason.set(text, [...(byReason.get(text) ?? []), column])
    }
  }
  for (const [text, columns] of byReason) {
    const names = columns.map((column) => NAME[column]).join(', ')
    notes.push({ text: displayText(`${names}: ${text}`), tone: 'yellow' })
  }
  for (const column of stream.columns)
    if (column.verdict === 'unexplained') notes.push(unexplainedNote(column))
  if (stream.columns.length === 0 && stream.verdict === 'unexplained')
    notes.push({ text: 'found by tshark only, and nothing explains why', tone: UNEXPLAINED_TONE })
  return notes
}

const UNEXPLAINED_TONE: Tone = 'bold red'

function unexplainedNote({ column, recomputed }: ColumnComparison): Cell {
  const text = (value: number | undefined): string =>
    value === undefined ? 'none' : figureText(column, value)
  return {
    text: `${NAME[column]}: not explained; from the packets it should be ${text(recomputed?.callprobe)} here, ${text(recomputed?.tshark)} in tshark`,
    tone: UNEXPLAINED_TONE,
  }
}

function reasonText({ text, packets, frames }: Reason): string {
  if (frames.length === 0) return text
  const more = packets > frames.length ? ', …' : ''
  return `${text} (${frames.length === 1 && packets === 1 ? 'frame' : 'frames'} ${frames.join(', ')}${more})`
}
