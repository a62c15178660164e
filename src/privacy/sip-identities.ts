import { canonicalHeaderName, unfold } from '../sip/headers.js'
import { redactText, type TextKind } from './free-text.js'
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

function redactAddressHeader(name: string, value: string, names: Pseudonyms): string {
  let text = value
  if (name === 'via') {
    // sent-by is a bare host: `SIP/2.0/UDP host:port;branch=...`
    text = text.replace(
      /(SIP\s*\/\s*2\.0\s*\/\s*[A-Za-z0-9-]+\s+)(\[[^\]]*\]|[^\s:;,]+)/gi,
      (_, protocol: string, host: string) => protocol + names.host(host),
    )
  } else {
    // Display names: quoted, or words before `<`.
    text = text.replace(/"(?:[^"\\]|\\.)*"?|([^\s<>,;:="@][^<>,;:="@]{0,255})(?=\s*<)/g, (found) => {
      const quoted = found.startsWith('"')
      const bare = quoted ? found.replace(/^"|"$/g, '') : found.trim()
      if (bare === '') return found
      return quoted ? `"${names.party(bare)}"` : `${names.party(bare)} `
    })
    text = text.replace(/Replaces=([^;%&>\s]+)(%40[^;%&>\s]+)?/i, (_, id: string, host = '') => {
      const shown = names.callId(id + host.replace('%40', '@'))
      return `Replaces=${encodeURIComponent(shown)}`
    })
  }
  return redactText(text, 'wire', names)
}

/** realm is a host or a name, username a party. */
function redactCredentials(value: string, names: Pseudonyms): string {
  const named = value.replace(
    /\b(username|realm)(\s*=\s*)"((?:[^"\\]|\\.)*)"/gi,
    (_, name: string, equals: string, text: string) => {
      const shown = name.toLowerCase() === 'realm' ? names.host(text) : names.party(text)
      return `${name}${equals}"${shown}"`
    },
  )
  return redactText(named, 'message', names)
}

/** Replaces who and where in one line of SDP (RFC 8866). */
function redactSdpLine(line: string, names: Pseudonyms): string {
  const [, letter, value] = /^([a-z])=(.*)$/s.exec(line) ?? ['', '', '']
  switch (letter) {
    case 'o':
      return `o=${value.replace(/^\S+/, (user) => (user === '-' ? user : names.party(user))).replace(/(\bIP[46] )(\S+)/, connection(names))}`
    case 'c':
      return `c=${value.replace(/(\bIP[46] )([^\s/]+)/, connection(names))}`
    case 's':
    case 'i':
    case 'u':
    case 'e':
    case 'p':
      return value.trim() === '' || value.trim() === '-' ? line : `${letter}=[hidden]`
    case 'a':
      return `a=${redactText(
        value
          .replace(/(\bIP[46] )(\S+)/, connection(names))
          .replace(/(\bcname:)(\S+)/i, (_, head: string, cname: string) => head + names.party(cname)),
        'agent',
        names,
      ).replace(IPV4, (address) => names.address(address) ?? address)}`
    case '':
      return line.trim() === '' ? line : '[hidden]'
    default:
      return line
  }
}

const IPV4 = /(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.])/g

function connection(names: Pseudonyms): (match: string, head: string, host: string) => string {
  return (_, head, host) => head + names.host(host)
}

/**
 * Replaces numbers, names, hosts and addresses of a SIP message, in request line, headers and SDP. Headers that are not
 * known and bodies other than SDP are left out: what they hold is not known.
 */
export function redactIdentities(text: string, names: Pseudonyms): string {
  const bodyAt = /\r?\n\r?\n/.exec(text)
  const head = unfold(bodyAt === null ? text : text.slice(0, bodyAt.index))
  const body = bodyAt === null ? '' : text.slice(bodyAt.index + bodyAt[0].length)
  const [start, ...headers] = head.split(/\r?\n/)
  const shown = [redactStartLine(start, names), ...headers.map((line) => redactHeader(line, names))]
  const separator = bodyAt?.[0] ?? ''
  return shown.join('\r\n') + separator + redactBody(head, body, names)
}

function redactStartLine(line: string, names: Pseudonyms): string {
  const kind: TextKind = 'wire'
  return redactText(line, kind, names)
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
