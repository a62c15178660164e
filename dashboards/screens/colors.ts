/** Grafana's colour names on a dark ground. */
const NAMED: Readonly<Record<string, string>> = {
  green: '#73bf69',
  'light-green': '#a8d98a',
  'dark-green': '#37872d',
  yellow: '#f2cc0c',
  orange: '#ff9830',
  red: '#f2495c',
  'dark-red': '#b01e33',
  blue: '#5794f2',
  purple: '#b877d9',
  text: '#c7ccd4',
}

const PALETTE = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff9830',
  '#b877d9',
  '#f2495c',
  '#37b8c9',
  '#e685c6',
  '#9aa6b2',
]

export function colorOf(name: string): string {
  return NAMED[name] ?? name
}

export function paletteColor(index: number): string {
  return PALETTE[index % PALETTE.length]
}

export interface Step {
  value: number | null
  color: string
}

/** The colour of the highest step that a value reaches. */
export function stepColor(steps: readonly Step[] | undefined, value: number): string | undefined {
  let color: string | undefined
  for (const step of steps ?? []) if (step.value === null || value >= step.value) color = step.color
  return color === undefined ? undefined : colorOf(color)
}
