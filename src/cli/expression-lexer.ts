import { CallprobeError } from '../errors.js'
import { displayText, displayWidth } from './table-text.js'

export type TokenKind = 'number' | 'string' | 'regex' | 'name' | 'operator' | 'end'

export interface Token {
  kind: TokenKind
  /** Operators and names as they are compared (keywords in lower case); strings and regexes without quotes. */
  text: string
  /** As written. */
  raw: string
  start: number
  end: number
}

/** Longest expression, in characters. */
export const LONGEST_EXPRESSION = 10_000

const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'has', 'contains', 'true', 'false'])
const SYNONYMS: Record<string, string> = { '&&': 'and', '||': 'or', '!': 'not' }
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['number', /[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?/iy],
  ['string', /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy],
  ['name', /[a-z_]\w*(?:\.[a-z_]\w*)*/iy],
  ['operator', /<=|>=|==|!=|!~|&&|\|\||[<>~!(),]/y],
]
const REGEX = /\/((?:[^/\\\n]|\\.)+)\/([a-z]*)/y
const SPACE = /\s*/y

/** @throws CallprobeError EXPRESSION_INVALID */
export function tokenize(text: string): Token[] {
  if (text.length > LONGEST_EXPRESSION)
    throw new CallprobeError(
      'EXPRESSION_INVALID',
      `the expression is longer than ${LONGEST_EXPRESSION} characters`,
    )
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    SPACE.lastIndex = at
    at += SPACE.exec(text)?.[0].length ?? 0
    if (at === text.length) break
    const token = regexAt(text, at, tokens.at(-1)) ?? tokenAt(text, at)
    if (token === undefined) throw expressionError(text, at, at + 1, whatIsWrong(text, at))
    if (token.kind === 'number' && /[\w.%]/.test(text[token.end] ?? ''))
      throw expressionError(
        text,
        at,
        token.end + 1,
        'write a number without its unit (the field has it), and text in quotes',
      )
    tokens.push(token)
    at = token.end
  }
  tokens.push({ kind: 'end', text: '', raw: '', start: text.length, end: text.length })
  return tokens
}

function tokenAt(text: string, at: number): Token | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const raw = pattern.exec(text)?.[0]
    if (raw === undefined) continue
    const end = at + raw.length
    if (kind === 'string')
      return { kind, text: raw.slice(1, -1).replace(/\\(.)/gs, '$1'), raw, start: at, end }
    const lower = raw.toLowerCase()
    if (kind === 'name' && KEYWORDS.has(lower)) return { kind: 'operator', text: lower, raw, start: at, end }
    return { kind, text: SYNONYMS[raw] ?? raw, raw, start: at, end }
  }
  return undefined
}

/** `/pattern/i`, only after ~ and !~. */
function regexAt(text: string, at: number, previous: Token | undefined): Token | undefined {
  if (text[at] !== '/' || (previous?.text !== '~' && previous?.text !== '!~')) return undefined
  REGEX.lastIndex = at
  const match = REGEX.exec(text)
  if (match === null) throw expressionError(text, at, at + 1, 'this regular expression has no closing /')
  return { kind: 'regex', text: match[1], raw: match[0], start: at, end: at + match[0].length }
}

function whatIsWrong(text: string, at: number): string {
  const character = text[at]
  if (character === '"' || character === "'") return 'this text has no closing quote'
  if (character === '=') return 'write == to compare'
  if (character === '/') return 'a regular expression stands after ~ or !~'
  if (character === '&' || character === '|') return `write ${character}${character}, or the word`
  return `"${displayText(character)}" has no meaning here`
}

/** The error with the expression under it and a caret under characters `start` to `end`. */
export function expressionError(text: string, start: number, end: number, message: string): CallprobeError {
  const before = displayWidth(displayText(text.slice(0, start)))
  const width = Math.max(1, displayWidth(displayText(text.slice(start, end))))
  const pointer = ' '.repeat(before) + '^'.repeat(width)
  return new CallprobeError('EXPRESSION_INVALID', `${message}\n  ${displayText(text)}\n  ${pointer}`)
}
