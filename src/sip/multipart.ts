import type { BodyPart } from './message.js'
import type { DefectList } from './parse-defects.js'
import { parseMediaType, trimLws } from './headers.js'
import { HeaderIndex } from './parse-header-index.js'
import { decodeText } from './parse-text.js'

/** Most parts read from one message, over all levels. */
const MAX_PARTS = 32
/** Multipart bodies within multipart bodies. */
const MAX_DEPTH = 4
/** RFC 2046 5.1.1 allows 70 characters; some stacks use more. */
const MAX_BOUNDARY = 256

/** Encodings of a body that change nothing (RFC 3261 20.12 uses `identity`). */
const PLAIN_ENCODINGS: ReadonlySet<string> = new Set(['', 'identity', '7bit', '8bit', 'binary'])

interface Section {
  start: number
  end: number
}

/** Start of the line behind the one that `at` lies in. */
function nextLine(text: string, at: number): number {
  const lineEnd = text.indexOf('\n', at)
  return lineEnd < 0 ? text.length : lineEnd + 1
}

/** Where the sections between the boundary lines are. The line end before a boundary belongs to the boundary. */
function findSections(text: string, boundary: string): { sections: Section[]; closed: boolean } {
  const delimiter = `--${boundary}`
  const sections: Section[] = []
  let open = -1
  let at = 0
  while (at < text.length && sections.length < MAX_PARTS) {
    const next = nextLine(text, at)
    if (text.startsWith(delimiter, at)) {
      const rest = trimLws(text.slice(at + delimiter.length, next))
      if (rest === '' || rest === '--') {
        if (open >= 0) {
          let end = at
          if (end > open && text[end - 1] === '\n') end--
          if (end > open && text[end - 1] === '\r') end--
          sections.push({ start: open, end })
        }
        open = next
        if (rest === '--') return { sections, closed: true }
      }
    }
    at = next
  }
  // Without the closing boundary (a cut packet), what was there of the last part is kept.
  if (open >= 0 && open < text.length && sections.length < MAX_PARTS) {
    sections.push({ start: open, end: text.length })
  }
  return { sections, closed: false }
}

/** Splits a section into its headers and its text. */
function splitSection(text: string, section: Section): { head: string; body: string } {
  let at = section.start
  while (at < section.end) {
    const next = Math.min(nextLine(text, at), section.end)
    if (trimLws(text.slice(at, next)) === '') {
      return { head: text.slice(section.start, at), body: text.slice(next, section.end) }
    }
    at = next
  }
  // No empty line: headers only when the first line looks like one.
  const whole = text.slice(section.start, section.end)
  return /^[A-Za-z-]{1,64}[ \t]{0,8}:/.test(whole) ? { head: whole, body: '' } : { head: '', body: whole }
}

/**
 * The parts of a body, multipart containers resolved; their preambles, epilogues and empty parts are dropped.
 * @param latin1 the body, one character per byte
 * @param contentType value of Content-Type, '' when there is none
 */
export function readBodyParts(latin1: string, contentType: string, defects: DefectList): BodyPart[] {
  const parts: BodyPart[] = []
  collectParts(latin1, contentType, 0, parts, defects)
  return parts
}

function collectParts(
  latin1: string,
  contentType: string,
  depth: number,
  parts: BodyPart[],
  defects: DefectList,
): void {
  if (parts.length >= MAX_PARTS) return
  const { type, parameters } = parseMediaType(contentType)
  if (!type.startsWith('multipart/')) {
    parts.push({ contentType: type, text: decodeText(Buffer.from(latin1, 'latin1')) })
    return
  }
  const boundary = parameters.boundary ?? guessBoundary(latin1)
  if (parameters.boundary === undefined) defects.add('multipart_malformed')
  if (boundary === '' || boundary.length > MAX_BOUNDARY || depth >= MAX_DEPTH) {
    defects.add('multipart_malformed')
    return
  }
  const { sections, closed } = findSections(latin1, boundary)
  if (!closed) defects.add('multipart_malformed')
  for (const section of sections) {
    const { head, body } = splitSection(latin1, section)
    const index = new HeaderIndex(head)
    index.build(0, defects)
    const encoding = (index.line('content-transfer-encoding') ?? '').toLowerCase()
    let plain = body
    if (encoding === 'base64') plain = Buffer.from(body, 'base64').toString('latin1')
    else if (!PLAIN_ENCODINGS.has(encoding)) defects.add('body_encoded')
    // RFC 2046 5.1: a part without a type is text/plain.
    if (plain !== '')
      collectParts(plain, index.line('content-type') ?? 'text/plain', depth + 1, parts, defects)
  }
}

/** The boundary of a container whose header names none: its first line that begins with two hyphens. */
function guessBoundary(text: string): string {
  const first = trimLws(text.slice(0, nextLine(text, 0)))
  return first.startsWith('--') ? first.slice(2) : ''
}

/** True when Content-Encoding says that the body is not the text itself. */
export function isEncoded(contentEncoding: readonly string[]): boolean {
  return contentEncoding.some((coding) => !PLAIN_ENCODINGS.has(coding.toLowerCase()))
}
