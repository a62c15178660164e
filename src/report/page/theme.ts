type Theme = 'light' | 'dark'
const KEY = 'callprobe-report-theme'
const listeners = new Set<() => void>()
let chosen: Theme | undefined

/** Light or dark as the reader chose, else as the system has it. */
export function startTheme(): void {
  chosen = remembered()
  apply()
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply)
  // Ink on paper: always light.
  addEventListener('beforeprint', () => apply('light'))
  addEventListener('afterprint', () => apply())
}

export function currentTheme(): Theme {
  return chosen ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
}

export function switchTheme(): void {
  chosen = currentTheme() === 'dark' ? 'light' : 'dark'
  try {
    localStorage.setItem(KEY, chosen)
  } catch {
    // A file opened without storage keeps its theme until it is closed.
  }
  apply()
}

/** Pixels of an A4 sheet between its margins; undefined: on a screen. */
export function paperWidth(): number | undefined {
  return 'paper' in document.documentElement.dataset ? 680 : undefined
}

/** Called when colours change; canvases have to be drawn again. Returns what ends it. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function apply(forced?: Theme | Event): void {
  const { dataset } = document.documentElement
  dataset.theme = typeof forced === 'string' ? forced : currentTheme()
  if (forced === 'light') dataset.paper = ''
  else delete dataset.paper
  for (const listener of listeners) listener()
}

function remembered(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY)
    return value === 'light' || value === 'dark' ? value : undefined
  } catch {
    return undefined
  }
}
