import { canonicalHeaderName } from '../sip/headers.js'
import { redactText, replaceApart } from './free-text.js'
import type { Pseudonyms } from './pseudonyms.js'

/** Headers that name nobody: they stay. */
const KEPT = new Set(
  `accept accept-encoding accept-language allow allow-events content-disposition content-encoding content-length
  content-type cseq date event expires max-forwards mime-version min-expires min-se p-early-media priority privacy
  proxy-require rack recv-info refer-sub require retry-after rseq session-expires session-id subscription-state
  supported timestamp unsupported`.split(/\s+/),
)
/** Headers made of names, URIs and hosts. */
const ADDRESSES = new Set(
  `contact diversion from history-info p-asserted-identity p-associated-uri p-called-party-id p-preferred-identity path
  record-route refer-to referred-by remote-party-id reply-to route service-route to via`.split(/\s+/),
)
const CALL_IDS = new Set(['call-id', 'in-reply-to', 'join', 'replaces', 'target-dialog'])
const AGENTS = new Set(['server', 'user-agent'])
const PHRASES = new Set(['reason', 'warning', 'error-info'])
const CREDENTIALS = new Set([
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
])

/** Replaces who and where in one header line, as written. */
function redactHeader(line: string, names: Pseudonyms): string {
  const colon = line.indexOf(':')
  if (colon < 0) return redactText(line, 'wire', names)
  const name = canonicalHeaderName(line.slice(0, colon).trim())
  const head = line.slice(0, colon + 1)
  const value = line.slice(colon + 1)
  if (KEPT.has(name)) return line
  if (ADDRESSES.has(name)) return head + redactAddressHeader(name, value, names)
  if (CALL_IDS.has(name)) return head + value.replace(/[^\s,;]+/, (id) => names.callId(id))
  if (AGENTS.has(name)) return head + redactText(value, 'agent', names)
  if (PHRASES.has(name)) return head + redactText(value, 'wire', names)
  if (CREDENTIALS.has(name)) return head + redactCredentials(value, names)
  return `${head} [${value.trim().length} characters hidden]`
}

/** `SIP/2.0/UDP host:port;branch=...`: sent-by is a bare host. */
const SENT_BY =
  /(SIP\s{0,8}\/\s{0,8}2\.0\s{0,8}\/\s{0,8}[A-Za-z0-9-]{1,32}\s{1,8})(\[[^\]]{0,64}\]|[^\s:;,]{1,1024})/gi
/** A display name, quoted or words before `<`; or a Replaces header within a URI. */
const NAMED =
  /"((?:[^"\\]|\\.)*)"?|(?<![^\s,])([^\s<>,;:="@][^<>,;:="@]{0,255}?)(\s*)(?=<)|Replaces=([^;%&>\s]+)(?:%40([^;%&>\s]+))?/gi

function redactAddressHeader(name: string, value: string, names: Pseudonyms): string {
  const rest = (text: string): string => redactText(text, 'wire', names)
  if (name === 'via') return replaceApart(value, SENT_BY, ([, head, host]) => head + names.host(host), rest)
  return replaceApart(
    value,
    NAMED,
    ([, quoted, words, space, callId, host]) => {
      if (callId !== undefined)
        return `Replaces=${encodeURIComponent(names.callId(host === undefined ? callId : `${callId}@${host}`))}`
      if (words !== undefined) return names.party(words) + space
      return `"${names.party(quoted)}"`
    },
    rest,
  )
}

/** realm is a host or a name, username a party. */
const CREDENTIAL = /\b(username|realm)(\s{0,8}=\s{0,8})"((?:[^"\\]|\\.)*)"?/gi

function redactCredentials(value: string, names: Pseudonyms): string {
  return replaceApart(
    value,
    CREDENTIAL,
    ([, name, equals, text]) =>
      `${name}${equals}"${name.toLowerCase() === 'realm' ? names.host(text) : names.party(text)}"`,
    (text) => redactText(text, 'message', names),
  )
}

const CONNECTION = /(\bIP[46] )([^\s/]+)/g
const PLACE = /(\bIP[46] |\bcname:)([^\s/]+)/gi

/** Replaces who and where in one line of SDP (RFC 8866). */
function redactSdpLine(line: string, names: Pseudonyms): string {
  const [, letter, value] = /^([a-z])=(.*)$/s.exec(line) ?? ['', '', '']
  switch (letter) {
    case 'o':
      return `o=${replaceApart(value, CONNECTION, place(names), (text) => text.replace(/^\S+/, (user) => (user === '-' ? user : names.party(user))))}`
    case 'c':
      return `c=${replaceApart(value, CONNECTION, place(names), (text) => text)}`
    case 's':
    case 'i':
    case 'u':
    case 'e':
    case 'p':
      return value.trim() === '' || value.trim() === '-' ? line : `${letter}=[hidden]`
    case 'a':
      return `a=${replaceApart(value, PLACE, place(names), (text) => redactText(text, 'message', names))}`
    case '':
      return line.trim() === '' ? line : '[hidden]'
    default:
      return line
  }
}

/** The host of a connection, or the party that a CNAME names. */
function place(names: Pseudonyms): (match: RegExpMatchArray) => string {
  return ([, head, what]) => head + (head.startsWith('IP') ? names.host(what) : names.party(what))
}

/**
 * Replaces numbers, names, hosts and addresses of a SIP message, in request line, headers and SDP. Headers that are not
 * known and bodies other than SDP are left out: what they hold is not known.
 */
export function redactIdentities(text: string, names: Pseudonyms): string {
  const bodyAt = /\r?\n\r?\n/.exec(text)
  // A folded line goes on with a space.
  const head = (bodyAt === null ? text : text.slice(0, bodyAt.index)).replace(/\r?\n[ \t]+/g, ' ')
  const body = bodyAt === null ? '' : text.slice(bodyAt.index + bodyAt[0].length)
  const [start, ...headers] = head.split(/\r?\n/)
  const shown = [redactText(start, 'wire', names), ...headers.map((line) => redactHeader(line, names))]
  const separator = bodyAt?.[0] ?? ''
  return shown.join('\r\n') + separator + redactBody(head, body, names)
}

function redactBody(head: string, body: string, names: Pseudonyms): string {
  if (body === '') return ''
  const type = /^(?:content-type|c)[ \t]*:[ \t]*([^;\s]*)/im.exec(head)?.[1].toLowerCase() ?? ''
  if (type === 'application/sdp' || (type === '' && /^v=0/.test(body)))
    return body
      .split(/\r?\n/)
      .map((line) => redactSdpLine(line, names))
      .join('\r\n')
  return `[${body.length} characters${type === '' ? '' : ` of ${type}`} hidden]`
}
