export type Tone = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'bold red'

const SGR: Record<Tone, string> = {
  bold: '1',
  dim: '2',
  red: '31',
  yellow: '33',
  green: '32',
  cyan: '36',
  'bold red': '1;31',
}

/** How a table is drawn. */
export interface TableStyle {
  /** Columns of the terminal. */
  width: number
  colour: boolean
  /** False for terminals that show only ASCII: arrows and marks are replaced. */
  unicode: boolean
}

/** Width when the output is no terminal and COLUMNS is not set. */
export const DEFAULT_WIDTH = 80

/**
 * The style for a stream. FORCE_COLOR (unless 0 or false) wins; else colour needs a terminal, no NO_COLOR and a TERM
 * other than dumb. NO_COLOR counts when it is not empty (no-color.org).
 */
export function styleFor(
  stream: { isTTY?: boolean; columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): TableStyle {
  const columns = stream.columns ?? Number(env.COLUMNS)
  return {
    width: Number.isInteger(columns) && columns > 0 ? columns : DEFAULT_WIDTH,
    colour: wantsColour(stream.isTTY === true, env),
    unicode: showsUnicode(env),
  }
}

function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const forced = env.FORCE_COLOR
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}

function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  return locale === undefined || locale === '' || /utf-?8/i.test(locale)
}

/** `text` in a tone, when colour is on. */
export function paint(text: string, tone: Tone | undefined, style: TableStyle): string {
  return tone === undefined || !style.colour || text === '' ? text : `\u001b[${SGR[tone]}m${text}\u001b[0m`
}

const ASCII_FOR: Record<string, string> = {
  '→': '>',
  '←': '<',
  '…': '~',
  '─': '-',
  '–': '-',
  '·': '.',
  '└': '`',
  '●': '*',
  '○': 'o',
  '✓': '+',
  '✗': 'x',
  '≥': '>',
}

/** The drawing as it goes to the terminal: for an ASCII one, our own marks by their stand-ins and the rest as `?`. */
export function finish(lines: readonly string[], style: TableStyle): string {
  const text = lines.map((line) => line.trimEnd() + '\n').join('')
  if (style.unicode) return text
  return text.replace(/[^\u0000-\u007f]/gu, (character) => ASCII_FOR[character] ?? '?')
}
