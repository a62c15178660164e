import { displayWidth, pad, truncate, wrap, type Cut } from './table-text.js'
import { paint, type TableStyle, type Tone } from './table-style.js'

export interface Column {
  title: string
  align?: 'left' | 'right'
  /** Fewest columns of the terminal that it is of use with. */
  minimum: number
  /** Most that it takes. */
  maximum: number
  /** Where the width does not suffice, the column with the lowest goes first. Infinity: never. */
  worth: number
  cut?: Cut
  /** Never cut: a part of it would be wrong. So are numbers, that is, whatever is aligned to the right. */
  rigid?: boolean
  /** Title over this and its neighbours of the same group. */
  group?: string
}

export interface Cell {
  /** Has been through displayText(). */
  text: string
  tone?: Tone
}

/** Lines that belong together, and whole-width lines under them. */
export interface Block {
  rows: Cell[][]
  notes: Cell[]
}

export const GAP = 2

/** A column with the width it was given. */
interface Placed {
  column: Column
  index: number
  width: number
}

/**
 * Lays out blocks of rows for a width: drops the least worthy columns, then narrows the widest of those that may
 * be narrowed, and cuts what still does not fit. Returns lines, heading first.
 */
export function layOut(columns: readonly Column[], blocks: readonly Block[], style: TableStyle): string[] {
  const placed = place(columns, blocks, style.width)
  const lines: string[] = []
  if (placed.some(({ column }) => column.group !== undefined))
    lines.push(paint(groupLine(placed), 'dim', style))
  const heading = placed.map(({ column }): Cell => ({ text: column.title, tone: 'bold' }))
  lines.push(rowLine(placed, heading, style))
  for (const block of blocks) {
    for (const row of block.rows) {
      const cells = placed.map(({ index }) => row[index] ?? { text: '' })
      lines.push(rowLine(placed, cells, style))
    }
    for (const note of block.notes) lines.push(...noteLines(note, style))
  }
  return lines
}

function place(columns: readonly Column[], blocks: readonly Block[], width: number): Placed[] {
  let kept = columns.map((column, index) => ({ column, index, width: naturalWidth(column, index, blocks) }))
  while (least(kept) > width) {
    const lowest = Math.min(...kept.map(({ column }) => column.worth))
    if (lowest === Infinity) break
    // Columns of the same worth (the same one of both directions) go together.
    kept = kept.filter(({ column }) => column.worth !== lowest)
  }
  narrow(kept, width)
  return kept
}

function naturalWidth(column: Column, index: number, blocks: readonly Block[]): number {
  let natural = displayWidth(column.title)
  for (const block of blocks)
    for (const row of block.rows) natural = Math.max(natural, displayWidth(row[index]?.text ?? ''))
  return Math.max(column.minimum, Math.min(column.maximum, natural))
}

/** Least width of a column. */
function floorOf({ column, width }: Placed): number {
  return column.rigid || column.align === 'right' ? width : Math.min(width, column.minimum)
}

function least(kept: readonly Placed[]): number {
  return kept.reduce((sum, entry) => sum + floorOf(entry), (kept.length - 1) * GAP)
}

/** Takes one column of the terminal at a time from the widest that is above its least width (at last: above one). */
function narrow(kept: readonly Placed[], width: number): void {
  let excess = kept.reduce((sum, entry) => sum + entry.width, (kept.length - 1) * GAP) - width
  for (const floors of [kept.map(floorOf), kept.map(() => 1)]) {
    while (excess > 0) {
      const candidates = kept.filter((entry, i) => entry.width > floors[i])
      if (candidates.length === 0) break
      candidates.reduce((widest, entry) => (entry.width > widest.width ? entry : widest)).width--
      excess--
    }
  }
}

function rowLine(placed: readonly Placed[], cells: readonly Cell[], style: TableStyle): string {
  return placed
    .map(({ column, width }, i) => {
      const text = truncate(cells[i].text, width, column.cut)
      return paint(pad(text, width, column.align), cells[i].tone, style)
    })
    .join(' '.repeat(GAP))
}

const NOTE_INDENT = 10
const MOST_NOTE_LINES = 3

/** A note under its rows, `└ ` in front, wrapped. */
function noteLines(note: Cell, style: TableStyle): string[] {
  const indent = ' '.repeat(Math.min(NOTE_INDENT, style.width >> 3))
  const lines = wrap(note.text, Math.max(10, style.width - indent.length - 3))
  if (lines.length > MOST_NOTE_LINES) lines[MOST_NOTE_LINES - 1] += '…'
  return lines
    .slice(0, MOST_NOTE_LINES)
    .map((line, i) => paint(`${indent}${i === 0 ? '└' : ' '} ${line}`, note.tone, style))
}

/** Lines under a table that explain it. */
export function legendLines(lines: readonly string[], style: TableStyle): string[] {
  return lines.flatMap((line) => wrap(line, style.width)).map((line) => paint(line, 'dim', style))
}

/** `── from caller ──` over the columns of each group. */
function groupLine(placed: readonly Placed[]): string {
  let line = ''
  for (let i = 0; i < placed.length;) {
    const group = placed[i].column.group
    let end = i + 1
    while (end < placed.length && placed[end].column.group === group) end++
    const width = placed.slice(i, end).reduce((sum, entry) => sum + entry.width + GAP, -GAP)
    line +=
      (line === '' ? '' : ' '.repeat(GAP)) + (group === undefined ? ' '.repeat(width) : ruled(group, width))
    i = end
  }
  return line
}

function ruled(title: string, width: number): string {
  const text = ` ${truncate(title, Math.max(0, width - 4))} `
  const left = Math.max(0, Math.floor((width - displayWidth(text)) / 2))
  return '─'.repeat(left) + text + '─'.repeat(Math.max(0, width - left - displayWidth(text)))
}
