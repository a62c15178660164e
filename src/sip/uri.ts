import type { SipAddress, SipUri } from './message.js'
import { DefectList } from './parse-defects.js'
import { endOfQuoted, isQuoteClosed, parseParameters, trimLws, unquote } from './headers.js'
import { canonicalAddress } from '../decode/address.js'

/** Longest user part, host and the like that is kept. */
const MAX_PART_LENGTH = 1024

/**
 * A copy that does not keep the text it was cut from alive: calls keep these strings for as long as they last, and V8's
 * slices hold on to the whole message.
 */
export function detached(text: string): string {
  return (' ' + text.slice(0, MAX_PART_LENGTH)).slice(1)
}

/** Resolves %xx, or leaves the text as written when the result would be invalid UTF-8 or hold control characters. */
function unescapeUri(text: string): string {
  if (!text.includes('%')) return text
  try {
    const decoded = decodeURIComponent(text)
    return /[\u0000-\u001f\u007f]/.test(decoded) ? text : decoded
  } catch {
    return text
  }
}

function unescapeParameters(parameters: Record<string, string>): Record<string, string> {
  const out: Record<string, string> = Object.create(null)
  for (const name of Object.keys(parameters))
    out[unescapeUri(name).toLowerCase()] = unescapeUri(parameters[name])
  return out
}

/**
 * Where the host begins: behind the `@` that ends the user part. A user part may hold `;` and `?` (RFC 3261 25.1
 * user-unreserved), and some devices put an unescaped `@` into it, others into the headers behind `?`.
 */
function hostStart(rest: string): number {
  let at = rest.indexOf('@')
  if (at < 0) return 0
  for (let next = rest.indexOf('@', at + 1); next > 0; next = rest.indexOf('@', at + 1)) {
    if (/[;?]/.test(rest.slice(at + 1, next))) break
    at = next
  }
  return at + 1
}

/** Host and port of a sent-by or hostport; IPv6 with brackets, or, against the rules, without. */
export function parseHostPort(text: string): { host: string; port?: number } {
  const bare = trimLws(text)
  let host = bare
  let portText = ''
  if (bare.startsWith('[')) {
    const close = bare.indexOf(']')
    host = close < 0 ? bare.slice(1) : bare.slice(1, close)
    if (close >= 0) portText = trimLws(bare.slice(close + 1)).replace(/^:/, '')
    // RFC 5118 4.10: a grammar mistake once allowed ":::" before an IPv4 tail; accept it as "::".
    return withPort(canonicalAddress(host.replace(':::', '::')) ?? host, portText)
  }
  const colon = bare.indexOf(':')
  if (colon >= 0 && bare.indexOf(':', colon + 1) < 0) {
    host = trimLws(bare.slice(0, colon))
    portText = bare.slice(colon + 1)
  }
  return withPort(canonicalAddress(host) ?? host, portText)
}

function withPort(host: string, portText: string): { host: string; port?: number } {
  const digits = trimLws(portText)
  if (!/^[0-9]{1,5}$/.test(digits)) return { host: detached(host) }
  const port = Number(digits)
  return port > 0 && port < 65536 ? { host: detached(host), port } : { host: detached(host) }
}

/**
 * Reads a URI, never throws. sip/sips: user (without password, %xx resolved), host (IP literals as RFC 5952, without
 * brackets), port, parameters. tel: the number as `user`, an empty host. Any other scheme: everything up to `;` as
 * `host`. Text without a scheme has the scheme ''.
 */
export function parseSipUri(text: string): SipUri {
  const whole = trimLws(text)
  let scheme = /^[A-Za-z][A-Za-z0-9+.-]{0,62}(?=:)/.exec(whole)?.[0].toLowerCase() ?? ''
  const isSip = scheme === 'sip' || scheme === 'sips'
  // `example.com:5060` is a host and its port, but `sip:5551234` is a host (RFC 3261 19.1.1) and `tel:911` a number.
  if (!isSip && scheme !== 'tel' && /^[^:]*:[0-9]{1,5}(;|$)/.test(whole)) scheme = ''
  if (scheme === '') return sipUri('', whole)
  const rest = whole.slice(scheme.length + 1)
  if (isSip) return sipUri(scheme, rest)
  return scheme === 'tel' ? telUri(rest) : otherUri(scheme, rest)
}

function sipUri(scheme: string, rest: string): SipUri {
  const hostAt = hostStart(rest)
  let hostEnd = hostAt
  while (hostEnd < rest.length && !isHostEnd(rest.charCodeAt(hostEnd))) hostEnd++
  const headersAt = rest.indexOf('?', hostEnd)
  const parameterText = rest.slice(hostEnd, headersAt < 0 ? undefined : headersAt)
  const place = parseHostPort(rest.slice(hostAt, hostEnd))
  const parameters = unescapeParameters(parseParameters(parameterText, 0))
  if (hostAt === 0) return { scheme, ...place, parameters }
  const userinfo = rest.slice(0, hostAt - 1)
  const colon = userinfo.indexOf(':')
  const user = detached(unescapeUri(trimLws(colon < 0 ? userinfo : userinfo.slice(0, colon))))
  return { scheme, ...place, parameters, user }
}

/** `;` or `?` */
function isHostEnd(code: number): boolean {
  return code === 0x3b || code === 0x3f
}

function telUri(rest: string): SipUri {
  const semicolon = rest.indexOf(';')
  const number = semicolon < 0 ? rest : rest.slice(0, semicolon)
  const parameters = unescapeParameters(parseParameters(semicolon < 0 ? '' : rest.slice(semicolon), 0))
  return { scheme: 'tel', user: detached(trimLws(number)), host: '', parameters }
}

function otherUri(scheme: string, rest: string): SipUri {
  const end = rest.search(/[;?]/)
  const host = end < 0 ? rest : rest.slice(0, end)
  const parameters = unescapeParameters(
    parseParameters(end < 0 || rest[end] === '?' ? '' : rest.slice(end), 0),
  )
  return { scheme, host: detached(host), parameters }
}

/** Where the parameters of a bare addr-spec begin: the first `;` behind the host (RFC 3261 20.10: they are the header's). */
function bareParametersAt(text: string): number {
  const first = text.indexOf(';')
  if (first < 0) return -1
  const at = text.indexOf('@', first)
  // `sip:user;par=x@host;tag=1`: the first ';' belongs to the user, unless a tag has begun before the '@'.
  if (at < 0 || text.lastIndexOf('@', first) >= 0 || /;\s{0,8}tag\s{0,8}=/i.test(text.slice(first, at)))
    return first
  return text.indexOf(';', at)
}

interface KnownAddress {
  address: SipAddress
  defects: DefectList
}

/** Most values that are remembered in each of the two generations, and the longest of them. */
const MOST_KNOWN = 4096
const LONGEST_KNOWN = 256
/** Values read lately: a call repeats its From, To and Contact in each message. The older ones go together. */
let recent = new Map<string, KnownAddress>()
let older = new Map<string, KnownAddress>()

/**
 * Reads a From, To, Contact, Route or Refer-To value (name-addr or addr-spec with parameters). Never throws. Equal values
 * may give the same object.
 */
export function parseSipAddress(text: string, defects?: DefectList): SipAddress {
  let known = recent.get(text)
  if (known === undefined) {
    known = older.get(text) ?? readNew(text)
    if (text.length <= LONGEST_KNOWN) remember(text, known)
  }
  if (defects) for (const code of known.defects.codes) defects.add(code)
  return known.address
}

function readNew(text: string): KnownAddress {
  const defects = new DefectList()
  return { address: readSipAddress(text, defects), defects }
}

function remember(text: string, known: KnownAddress): void {
  if (recent.size >= MOST_KNOWN) {
    older = recent
    recent = new Map()
  }
  recent.set(detached(text), known)
}

function readSipAddress(text: string, defects: DefectList): SipAddress {
  const value = trimLws(text)
  let display: string | undefined
  let at = 0
  if (value.startsWith('"')) {
    at = endOfQuoted(value, 0)
    if (isQuoteClosed(value, 0, at)) display = unquote(value.slice(0, at))
    else {
      // RFC 4475 3.1.2.6: without its closing quote the name ends where a bracket opens.
      defects.add('quote_not_closed')
      const bracket = value.indexOf('<')
      at = bracket < 0 ? value.length : bracket
      display = trimLws(value.slice(1, at))
    }
  }
  const open = value.indexOf('<', at)
  const before = open < 0 ? '' : value.slice(at, open)
  // A '<' behind `scheme:...;` sits in a parameter, not before the URI.
  if (open < 0 || (display === undefined && /^[A-Za-z][A-Za-z0-9+.-]{0,62}:[^;]*;/.test(before))) {
    return bareAddress(value.slice(at), display, defects)
  }
  if (display === undefined && trimLws(before) !== '') {
    display = trimLws(before)
    if (!/^[A-Za-z0-9\-.!%*_+`'~\s]*$/.test(display)) defects.add('display_name_not_quoted')
  }
  let close = value.indexOf('>', open)
  if (close < 0) {
    defects.add('bracket_not_closed')
    close = value.length
  }
  return address(display, value.slice(open + 1, close), parseParameters(value, close + 1, defects), defects)
}

function bareAddress(value: string, display: string | undefined, defects: DefectList): SipAddress {
  const semicolon = bareParametersAt(value)
  const uriText = semicolon < 0 ? value : value.slice(0, semicolon)
  // RFC 3261 20.10: a URI with '?' or ',' must stand in brackets (RFC 4475 3.1.2.13).
  const userEnd = uriText.indexOf('@')
  if (/[?,]/.test(userEnd < 0 ? uriText : uriText.slice(userEnd))) defects.add('uri_not_bracketed')
  const parameters = parseParameters(semicolon < 0 ? '' : value.slice(semicolon), 0, defects)
  return address(display, trimLws(uriText), parameters, defects)
}

function address(
  display: string | undefined,
  written: string,
  parameters: Record<string, string>,
  defects: DefectList,
): SipAddress {
  const uriText = trimLws(written)
  if (uriText.length !== written.length || /\s/.test(uriText)) defects.add('uri_spaces')
  const uri = parseSipUri(uriText)
  const empty = uri.host === '' && (uri.user === undefined || uri.scheme !== 'tel')
  if (uri.scheme === '' || empty) defects.add('bad_uri')
  return {
    uri,
    uriText: detached(uriText),
    ...(display !== undefined && { display: detached(display) }),
    ...(parameters.tag !== undefined && { tag: detached(parameters.tag) }),
  }
}
