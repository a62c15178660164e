import { colorOf, paletteColor, type Step } from './colors.js'
import { escapeHtml, formatValue } from './format.js'

export interface Line {
  name: string
  points: readonly (readonly [timeMs: number, value: number | null])[]
  color?: string
  dashed?: boolean
}

export interface ChartOptions {
  width: number
  height: number
  fromMs: number
  toMs: number
  unit: string
  decimals?: number
  min?: number
  max?: number
  stacked: boolean
  bars: boolean
  /** Areas under the lines. */
  filled: boolean
  points: boolean
  /** Dashed lines at these values. */
  steps?: readonly Step[]
  /** Alerts. */
  marks: readonly number[]
}

const LEFT = 62
const BOTTOM = 22
const TOP = 8
const RIGHT = 8

/** A graph over time as SVG. */
export function chart(lines: readonly Line[], options: ChartOptions): string {
  const drawn = lines.map((line, i) => ({ ...line, color: line.color ?? paletteColor(i) }))
  const stacks = options.stacked ? stack(drawn) : drawn.map((line) => ({ line, base: undefined }))
  const highest = Math.max(
    ...stacks.flatMap(({ line }) => line.points.map(([, value]) => value ?? -Infinity)),
  )
  const low = options.min ?? 0
  const high = options.max ?? niceCeiling(Number.isFinite(highest) ? Math.max(highest, low + 1e-9) : low + 1)
  const x = (timeMs: number) =>
    LEFT + ((timeMs - options.fromMs) / (options.toMs - options.fromMs)) * (options.width - LEFT - RIGHT)
  const y = (value: number) =>
    TOP + (1 - (Math.min(Math.max(value, low), high) - low) / (high - low)) * (options.height - TOP - BOTTOM)
  const parts = [
    `<svg width="${options.width}" height="${options.height}" viewBox="0 0 ${options.width} ${options.height}">`,
    axes(options, low, high, x, y),
  ]
  // The lowest of a stack last would cover the others' lines: from the top down.
  for (const { line, base } of options.stacked ? [...stacks].reverse() : stacks)
    parts.push(options.bars ? barsOf(line, base, options, x, y) : lineOf(line, base, options, x, y))
  for (const step of options.steps ?? [])
    if (step.value !== null && step.value > low && step.value < high)
      parts.push(
        `<line x1="${LEFT}" x2="${options.width - RIGHT}" y1="${y(step.value)}" y2="${y(step.value)}" stroke="${colorOf(step.color)}" stroke-width="1" stroke-dasharray="6 5" opacity="0.55"/>`,
      )
  for (const mark of options.marks)
    parts.push(
      `<line x1="${x(mark)}" x2="${x(mark)}" y1="${TOP}" y2="${options.height - BOTTOM}" stroke="#f2495c" stroke-width="1.2" stroke-dasharray="4 3"/><path d="M${x(mark) - 5} ${options.height - BOTTOM + 7} h10 l-5 -7 z" fill="#f2495c"/>`,
    )
  parts.push('</svg>')
  return parts.join('')
}

export function legend(
  lines: readonly Line[],
  unit: string,
  decimals: number | undefined,
  calcs: readonly string[],
): string {
  const cells = lines.map((line, i) => {
    const values = line.points.map(([, value]) => value).filter((value) => value !== null)
    const numbers = calcs
      .map(
        (calc) => `<b>${CALC_NAMES[calc] ?? calc}</b> ${formatValue(reduce(values, calc), unit, decimals)}`,
      )
      .join(' ')
    const color = line.color ?? paletteColor(i)
    return `<span><i style="background:${color}${line.dashed ? ';opacity:.55' : ''}"></i>${escapeHtml(line.name)} <em>${numbers}</em></span>`
  })
  return `<div class="legend">${cells.join('')}</div>`
}

const CALC_NAMES: Readonly<Record<string, string>> = { lastNotNull: 'last', sum: 'total' }

export function reduce(values: readonly number[], calc: string): number | null {
  if (values.length === 0) return null
  switch (calc) {
    case 'max':
      return Math.max(...values)
    case 'min':
      return Math.min(...values)
    case 'sum':
      return values.reduce((total, value) => total + value, 0)
    case 'mean':
      return values.reduce((total, value) => total + value, 0) / values.length
    default:
      return values[values.length - 1]
  }
}

type Stacked = { line: Line & { color: string }; base: Map<number, number> | undefined }

function stack(lines: readonly (Line & { color: string })[]): Stacked[] {
  const sums = new Map<number, number>()
  return lines.map((line) => {
    const base = new Map(sums)
    const points = line.points.map(([timeMs, value]): [number, number | null] => {
      if (value === null) return [timeMs, null]
      const top = (sums.get(timeMs) ?? 0) + value
      sums.set(timeMs, top)
      return [timeMs, top]
    })
    return { line: { ...line, points }, base }
  })
}

function axes(
  options: ChartOptions,
  low: number,
  high: number,
  x: (timeMs: number) => number,
  y: (value: number) => number,
): string {
  const parts: string[] = []
  const rows = rowsOf(high - low, options)
  for (let i = 0; i <= rows; i++) {
    const value = low + ((high - low) * i) / rows
    parts.push(
      `<line x1="${LEFT}" x2="${options.width - RIGHT}" y1="${y(value)}" y2="${y(value)}" class="grid"/>`,
      `<text x="${LEFT - 7}" y="${y(value) + 4}" text-anchor="end">${formatValue(value, options.unit, axisDecimals(high - low, options))}</text>`,
    )
  }
  const stepMs = tickMs((options.toMs - options.fromMs) / Math.max(3, options.width / 110))
  for (let tick = Math.ceil(options.fromMs / stepMs) * stepMs; tick <= options.toMs; tick += stepMs) {
    const end = stepMs < 60_000 ? 19 : 16
    parts.push(
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${options.height - BOTTOM}" class="grid"/>`,
      `<text x="${Math.min(x(tick), options.width - 20)}" y="${options.height - 6}" text-anchor="middle">${new Date(tick).toISOString().slice(11, end)}</text>`,
    )
  }
  return parts.join('')
}

/** As many rows as give round numbers. */
function rowsOf(span: number, { height, unit }: ChartOptions): number {
  const wanted = height > 180 ? [5, 4, 6, 3] : [4, 5, 3]
  const unitSpan =
    unit === 'short' || unit === 's'
      ? span
      : unit === 'pps'
        ? span / 1000
        : span >= 3 && unit === 'none'
          ? span
          : span * 100
  return wanted.find((rows) => Number.isInteger(Math.round((unitSpan / rows) * 1e6) / 1e6)) ?? wanted[0]
}

function axisDecimals(span: number, { decimals, unit }: ChartOptions): number {
  if (unit === 'short' && span >= 4) return 0
  if (span >= 20) return 0
  if (span >= 2) return 1
  return Math.max(2, decimals ?? 0)
}

function tickMs(wanted: number): number {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400].map((s) => s * 1000)
  return steps.find((step) => step >= wanted) ?? steps[steps.length - 1]
}

function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  for (const factor of [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
    if (factor * power >= value * 1.02) return factor * power
  return 10 * power
}

/** Runs of points without a gap between them. */
function runs(points: Line['points']): [number, number][][] {
  const list: [number, number][][] = [[]]
  for (const [timeMs, value] of points) {
    if (value === null) list.push([])
    else list[list.length - 1].push([timeMs, value])
  }
  return list.filter((run) => run.length > 0)
}

function lineOf(
  { points, color, dashed }: Line & { color?: string },
  base: Map<number, number> | undefined,
  options: ChartOptions,
  x: (timeMs: number) => number,
  y: (value: number) => number,
): string {
  const parts: string[] = []
  for (const run of runs(points)) {
    const path = run.map(([timeMs, value]) => `${x(timeMs).toFixed(1)} ${y(value).toFixed(1)}`)
    const floor = [...run]
      .reverse()
      .map(([timeMs]) => `${x(timeMs).toFixed(1)} ${y(base?.get(timeMs) ?? -1e9).toFixed(1)}`)
    const fill = options.stacked ? 0.75 : dashed || !options.filled ? 0 : 0.08
    if (run.length > 1)
      parts.push(`<path d="M${[...path, ...floor].join('L')}Z" fill="${color}" opacity="${fill}"/>`)
    parts.push(
      `<path d="M${path.join('L')}" fill="none" stroke="${color}" stroke-width="${options.stacked ? 1 : 2}" stroke-linejoin="round"${dashed ? ' stroke-dasharray="7 5" opacity="0.75"' : ''}/>`,
    )
    if (options.points || run.length === 1)
      for (const [timeMs, value] of run)
        parts.push(`<circle cx="${x(timeMs)}" cy="${y(value)}" r="${dashed ? 2 : 2.8}" fill="${color}"/>`)
  }
  return parts.join('')
}

function barsOf(
  { points, color }: Line,
  base: Map<number, number> | undefined,
  options: ChartOptions,
  x: (timeMs: number) => number,
  y: (value: number) => number,
): string {
  const times = points.map(([timeMs]) => timeMs)
  const gap = times.length > 1 ? Math.min(...times.slice(1).map((timeMs, i) => timeMs - times[i])) : 60_000
  const width = Math.max(2, (x(options.fromMs + gap) - x(options.fromMs)) * 0.72)
  return points
    .filter(([, value]) => value !== null)
    .map(([timeMs, value]) => {
      const top = y(value ?? 0)
      const height = Math.max(0, y(base?.get(timeMs) ?? 0) - top)
      return `<rect x="${(x(timeMs) - width / 2).toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${color}" opacity="0.9"/>`
    })
    .join('')
}
