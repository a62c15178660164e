import type { DefectList } from './parse-defects.js'

/** Most parameters read from one URI or header value. */
const MAX_PARAMETERS = 64

/** RFC 3261 7.3.3 and the IANA registry of compact header forms. */
const COMPACT_FORMS: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
}

/** Headers whose grammar is a comma-separated list (RFC 3261 25.1 and its extensions). */
const LIST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-contact',
  'accept-encoding',
  'accept-language',
  'alert-info',
  'allow',
  'allow-events',
  'call-info',
  'contact',
  'content-encoding',
  'content-language',
  'diversion',
  'error-info',
  'geolocation',
  'history-info',
  'in-reply-to',
  'p-asserted-identity',
  'p-associated-uri',
  'p-preferred-identity',
  'path',
  'permission-missing',
  'proxy-require',
  'reason',
  'record-route',
  'recv-info',
  'reject-contact',
  'request-disposition',
  'require',
  'route',
  'security-client',
  'security-server',
  'security-verify',
  'service-route',
  'supported',
  'trigger-consent',
  'unsupported',
  'via',
  'warning',
])

const QUOTE = 0x22
const BACKSLASH = 0x5c

const isLws = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a

/** Drops SIP white space at both ends. `trim()` would also take a byte-order mark, which is part of a value. */
export function trimLws(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isLws(text.charCodeAt(start))) start++
  while (end > start && isLws(text.charCodeAt(end - 1))) end--
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

/** Joins folded lines (RFC 3261 7.3.1: a fold is as one space). */
export function unfold(text: string): string {
  return text.includes('\n') ? text.replace(/\r?\n[ \t]*/g, ' ') : text
}

/** Lower-case full name of a header as written, compact forms expanded. */
export function canonicalHeaderName(written: string): string {
  const name = written.toLowerCase()
  return name.length === 1 ? (COMPACT_FORMS[name] ?? name) : name
}

export function isListHeader(name: string): boolean {
  return LIST_HEADERS.has(name)
}

/** Index behind the quoted string that opens at `open`, or `text.length` when it is not closed. */
export function endOfQuoted(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i + 1
  }
  return text.length
}

/** True when the quoted string that opens at `open` and ends before `end` has its closing quote. */
export function isQuoteClosed(text: string, open: number, end: number): boolean {
  if (end < open + 2 || text.charCodeAt(end - 1) !== QUOTE) return false
  let backslashes = 0
  while (end - 2 - backslashes > open && text.charCodeAt(end - 2 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 0
}

/** The text between quotes with its escapes resolved. */
export function unquote(text: string): string {
  const inner = text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined)
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner
}

/** Splits a list header at its commas, but not within quotes or angle brackets. Empty elements are dropped. */
export function splitList(text: string): string[] {
  const elements: string[] = []
  let start = 0
  let bracket = false
  const take = (end: number): void => {
    const element = trimLws(text.slice(start, end))
    if (element !== '') elements.push(element)
  }
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE && !bracket) i = endOfQuoted(text, i) - 1
    else if (code === 0x3c) bracket = true
    else if (code === 0x3e) bracket = false
    else if (code === 0x2c && !bracket) {
      take(i)
      start = i + 1
    }
  }
  take(text.length)
  return elements
}

/**
 * Reads `;name=value;flag` from `start`. Names in lower case; a flag has the value ''. Quoted values lose their quotes.
 * The first of repeated parameters counts.
 */
export function parseParameters(text: string, start: number, defects?: DefectList): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null)
  let count = 0
  let i = start
  let separators = 0
  while (i < text.length && count < MAX_PARAMETERS) {
    const code = text.charCodeAt(i)
    if (isLws(code) || code === 0x3b) {
      if (code === 0x3b && ++separators > 1) defects?.add('empty_parameter')
      i++
      continue
    }
    const nameStart = i
    while (i < text.length && text.charCodeAt(i) !== 0x3d && text.charCodeAt(i) !== 0x3b) i++
    const name = trimLws(text.slice(nameStart, i)).toLowerCase()
    let value = ''
    if (text.charCodeAt(i) === 0x3d) {
      i++
      while (i < text.length && isLws(text.charCodeAt(i))) i++
      const valueStart = i
      if (text.charCodeAt(i) === QUOTE) {
        i = endOfQuoted(text, i)
        if (!isQuoteClosed(text, valueStart, i)) defects?.add('quote_not_closed')
        value = unquote(text.slice(valueStart, i))
        while (i < text.length && text.charCodeAt(i) !== 0x3b) i++
      } else {
        while (i < text.length && text.charCodeAt(i) !== 0x3b) i++
        value = trimLws(text.slice(valueStart, i))
      }
    }
    separators = 0
    count++
    if (name !== '' && parameters[name] === undefined) parameters[name] = value
  }
  if (separators > 0) defects?.add('empty_parameter')
  return parameters
}

/** `text/plain; charset=x` as its lower-case type and parameters. */
export function parseMediaType(text: string): { type: string; parameters: Record<string, string> } {
  const semicolon = text.indexOf(';')
  if (semicolon < 0) return { type: trimLws(text).toLowerCase(), parameters: parseParameters('', 0) }
  return {
    type: trimLws(text.slice(0, semicolon)).toLowerCase(),
    parameters: parseParameters(text, semicolon),
  }
}
