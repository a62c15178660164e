/** A part of a text, `start` inclusive, `end` exclusive. */
export interface Span {
  start: number
  end: number
}

/** A header whose value is nothing but a secret, or a proof of one. */
const SECRET_HEADER = /^(?:cookie|set-cookie|.*(?:password|passwd|secret|token))$/i
/** Credentials: what makes them out stays readable (RFC 3261 22, RFC 8760). */
const CREDENTIALS_HEADER = /^(?:proxy-)?(?:authorization|authentication-info)$/i
const OPEN_PARAMETERS = /^(?:realm|algorithm|qop|username|uri|stale|nc)$/i
/** RFC 8224: a signed token that holds both numbers. */
const IDENTITY_HEADER = /^identity$/i

const HEADER_LINE = /^([^\s:][^:\r\n]{0,255}?)[ \t]*:/
/** `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4` (RFC 4568). */
const CRYPTO = /^[ \t]*a=crypto:\S*[ \t]+\S+[ \t]+/i
const KEY_LINES =
  /^[ \t]*(?:k=(?:[A-Za-z]+:)?|a=key-mgmt:\S*[ \t]*|a=ice-pwd:|a=mikey:|a=zrtp-hash:\S*[ \t]*)/i
/** application/dtmf-relay, application/hook-flash and the like. */
const SIGNAL = /^[ \t]*(?:signal|digits?|event)[ \t]*=[ \t]*/i
/** KPML (RFC 4730), CSTA, and other XML that tells what was dialled. */
const XML_DIGITS = /\b(?:digits?|tone|dtmf|forced_flush)[ \t]*=[ \t]*(["'])([^"'\r\n]*)/gi
const XML_ELEMENT = /<(?:[A-Za-z0-9]{1,32}:)?(?:digits?|dtmf|charactersToSend)\b[^>]{0,256}>([^<]*)/gi
/** user:password@ in a URI, and secrets among its parameters and embedded headers. */
const URI_PASSWORD = /\bsips?:[^\s<>"@:]{1,256}:([^\s<>"@]{1,256})@/gi
const URI_PARAMETER =
  /[?&;](?:(?:proxy-)?authorization|pass(?:word|wd)?|pwd|access_token|token|secret|api-?key)=([^&;>\s"]{1,4096})/gi

const PLAIN_DIGITS = /^application\/(?:dtmf|vnd\.nortelnetworks\.digits)$/
/** Bodies that people wrote to each other (RFC 3428). */
const WRITTEN = /^(?:text\/|message\/cpim$)/

/** One of these stands in every text that holds a secret of the kinds above: most messages hold none. */
const SUSPICIOUS = new RegExp(
  [
    'authoriz|authentication-info|cookie|pass|pwd|secret|token|api-?key|content-encoding',
    'a=(?:crypto|key-mgmt|mikey|zrtp)|signal|digit|tone|dtmf|flush|charactersToSend',
    String.raw`(?:^|\n)(?:identity|e\s*:|[ \t]*(?:k|event[ \t]*)=)`,
    String.raw`^\s{0,64}MESSAGE `,
    URI_PASSWORD.source,
  ].join('|'),
  'i',
)

/** What the scanner is in the middle of. */
interface Place {
  inBody: boolean
  contentType: string
  method: string
}

/**
 * Finds what must not be shown of a SIP message: keys in SDP (RFC 4568 `a=crypto`, `k=`, MIKEY, ICE passwords),
 * credentials, passwords and tokens, digits that were dialled during the call (INFO, KPML), and what was written in
 * MESSAGE bodies. Spans are in order and do not overlap; they cover the secret alone, so that a reader sees which kind it
 * was. Works on whole messages, on parts of one, and on any line ends; takes time linear in the text. Encoded
 * (compressed) bodies are covered whole.
 */
export function secretSpans(text: string): Span[] {
  return SUSPICIOUS.test(text) ? scanForSecrets(text) : []
}

/** The same, line by line. */
export function scanForSecrets(text: string): Span[] {
  const spans: Span[] = []
  const place: Place = { inBody: false, contentType: '', method: methodOf(text) }
  let covered: Covered
  let encoded = false
  for (let at = 0; at < text.length;) {
    const end = endOfLine(text, at)
    const next = startOfNext(text, end)
    const line = text.slice(at, end)
    if (place.inBody && encoded) {
      spans.push({ start: at, end: text.length })
      break
    }
    const folded = covered !== undefined && /^[ \t]+[^ \t]/.test(line)
    const header = HEADER_LINE.exec(line)
    if (!place.inBody && line === '' && at > 0) {
      place.inBody = true
      covered = undefined
    } else if (folded) {
      if (covered === 'all') cover(spans, line, at, 0)
      else covered = credentialSpans(spans, line, at, 0)
    } else {
      covered = undefined
      if (header !== null) {
        covered = headerSpans(spans, line, at, header[1], header[0].length)
        if (isEncoding(place, header[1], line.slice(header[0].length))) encoded = true
      }
      // Headers of a body's part are not its content.
      if (place.inBody && !/^content-/i.test(header?.[1] ?? '')) bodyLine(spans, place, line, at)
    }
    at = next
  }
  embeddedSpans(spans, text)
  return merged(spans)
}

function methodOf(text: string): string {
  return /^\s{0,64}([A-Z]+) \S+ SIP\/2\.0/.exec(text)?.[1] ?? ''
}

function endOfLine(text: string, at: number): number {
  const lf = text.indexOf('\n', at)
  if (lf < 0) return text.length
  return lf > at && text[lf - 1] === '\r' ? lf - 1 : lf
}

function startOfNext(text: string, end: number): number {
  if (text[end] === '\r') return end + 2
  return end + 1
}

/** Covers `line` from `from` on, white space around it left out; `at`: where the line starts. */
function cover(spans: Span[], line: string, at: number, from: number): void {
  let start = from
  while (start < line.length && (line[start] === ' ' || line[start] === '\t')) start++
  const end = line.trimEnd().length
  if (end > start) spans.push({ start: at + start, end: at + end })
}

/** What a folded line behind this header is: a secret as a whole, credentials, or nothing special. */
type Covered = 'all' | 'credentials' | undefined

function headerSpans(spans: Span[], line: string, at: number, name: string, valueAt: number): Covered {
  if (CREDENTIALS_HEADER.test(name)) return credentialSpans(spans, line, at, valueAt)
  if (!SECRET_HEADER.test(name) && !IDENTITY_HEADER.test(name)) return undefined
  cover(spans, line, at, valueAt)
  return 'all'
}

/** Notes the content type; true when the header says that the body is compressed. */
function isEncoding(place: Place, name: string, value: string): boolean {
  const canonical = name.trim().toLowerCase()
  if (canonical === 'content-type' || (canonical === 'c' && !place.inBody))
    place.contentType = (/^[^;]*/.exec(value)?.[0] ?? '').trim().toLowerCase()
  if (canonical !== 'content-encoding' && (canonical !== 'e' || place.inBody)) return false
  return !/^\s*(?:identity)?\s*$/i.test(value)
}

/** `Digest username="a", realm="b", response="c"`: the values of all but the open parameters; of other schemes, all. */
function credentialSpans(spans: Span[], line: string, at: number, from: number): Covered {
  const scheme = /^[ \t]*([A-Za-z0-9-]+)(?:[ \t]+|$)/.exec(line.slice(from))
  if (scheme !== null && !/^digest$/i.test(scheme[1])) {
    // Basic, Bearer, or half of a value that was folded.
    cover(spans, line, at, from + (line.length > from + scheme[0].length ? scheme[0].length : 0))
    return 'all'
  }
  const parameter = /([A-Za-z0-9_*-]{1,64})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]+))/g
  parameter.lastIndex = from
  let any = false
  for (let match = parameter.exec(line); match !== null; match = parameter.exec(line)) {
    any = true
    const value = match[2] ?? match[3] ?? ''
    if (OPEN_PARAMETERS.test(match[1]) || value === '') continue
    const start = at + match.index + match[0].length - value.length - (match[0].endsWith('"') ? 1 : 0)
    spans.push({ start, end: start + value.length })
  }
  if (!any && scheme === null) cover(spans, line, at, from)
  return 'credentials'
}

function bodyLine(spans: Span[], place: Place, line: string, at: number): void {
  const prefix = CRYPTO.exec(line) ?? KEY_LINES.exec(line) ?? (isInfo(place) ? SIGNAL.exec(line) : null)
  if (prefix !== null) {
    cover(spans, line, at, prefix[0].length)
    return
  }
  const isBoundary = line.startsWith('--')
  if (isBoundary) {
    // The next part says what it is.
    place.contentType = ''
    return
  }
  if (line.trim() === '') return
  if (PLAIN_DIGITS.test(place.contentType) || isWritten(place))
    spans.push({ start: at, end: at + line.length })
}

function isInfo(place: Place): boolean {
  return place.method === 'INFO' || place.method === '' || /dtmf|digit|flash|hook/.test(place.contentType)
}

function isWritten(place: Place): boolean {
  return place.method === 'MESSAGE' && (WRITTEN.test(place.contentType) || place.contentType === '')
}

/** Secrets that may stand anywhere in a line. */
function embeddedSpans(spans: Span[], text: string): void {
  for (const pattern of [URI_PASSWORD, URI_PARAMETER, XML_ELEMENT])
    for (const match of text.matchAll(pattern)) {
      const start = match.index + match[0].lastIndexOf(match[1])
      if (match[1] !== '') spans.push({ start, end: start + match[1].length })
    }
  for (const match of text.matchAll(XML_DIGITS)) {
    const start = match.index + match[0].length - match[2].length
    if (match[2] !== '') spans.push({ start, end: start + match[2].length })
  }
}

function merged(spans: Span[]): Span[] {
  spans.sort((a, b) => a.start - b.start)
  const result: Span[] = []
  for (const span of spans) {
    const last = result.at(-1)
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end)
    else result.push({ ...span })
  }
  return result
}
