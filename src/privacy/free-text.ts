import { parseAddress } from '../decode/address.js'
import type { Pseudonyms } from './pseudonyms.js'

/**
 * Where a text comes from. `message`: a sentence of this program, in which long numbers are counts; `wire`: a phrase that
 * a party sent, in which they may be telephone numbers; `agent`: a product name, in which dotted numbers may be versions.
 */
export type TextKind = 'message' | 'wire' | 'agent'

const URI = String.raw`\b(?:sips?|tel|mailto|im|xmpp):[^\s<>"',;?]+`
const AT_HOST = String.raw`(?<![^\s<>"'()\[\],;:=/@])[^\s<>"'()\[\],;:=/@]{1,256}@(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)`
const IPV6 = String.raw`\[?(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,8}[0-9A-Fa-f:.]*[0-9A-Fa-f:](?![\w:])\]?`
const IPV4 = String.raw`(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])`
const INTERNATIONAL = String.raw`(?<![\w+])\+[0-9][0-9\-.() ]{4,18}[0-9](?![\w])`
// A date is none.
const LONG_NUMBER = String.raw`(?<![\w.+-])(?![0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9-]))[0-9][0-9-]{5,18}[0-9](?![\w]|\.[0-9])`
const MAC = String.raw`(?<![0-9A-Za-z])(?:(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{12})(?![0-9A-Za-z])`

const KINDS: Record<TextKind, readonly string[]> = {
  message: [URI, AT_HOST, IPV6, IPV4, INTERNATIONAL],
  wire: [URI, AT_HOST, MAC, IPV6, IPV4, INTERNATIONAL, LONG_NUMBER],
  agent: [URI, AT_HOST, MAC, IPV6, IPV4, INTERNATIONAL],
}
const PATTERNS: Record<TextKind, RegExp> = {
  message: new RegExp(KINDS.message.join('|'), 'gu'),
  wire: new RegExp(KINDS.wire.join('|'), 'gu'),
  agent: new RegExp(KINDS.agent.join('|'), 'gu'),
}

/** RFC 1918 and the like: in a product name such numbers are rather the device's address than a version. */
const LIKELY_ADDRESS = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|169\.254\.)/
/** Shorter than this, a number in a sentence of ours is a count. */
const SHORTEST_NUMBER = 5

/**
 * Replaces what names people or hosts in a text: URIs, addresses, numbers, and the texts in `known` (each with its
 * replacement). In one pass, so that a replacement is never replaced again.
 */
export function redactText(
  text: string,
  kind: TextKind,
  names: Pseudonyms,
  known: ReadonlyMap<string, string> = NOTHING_KNOWN,
): string {
  const literals = [...known.keys()]
    .filter((literal) => literal !== '' && text.includes(literal) && isWorthwhile(literal, kind))
    .sort((a, b) => b.length - a.length)
  const pattern =
    literals.length === 0
      ? PATTERNS[kind]
      : new RegExp([...literals.map(wholeWord), ...KINDS[kind]].join('|'), 'gu')
  return text.replace(pattern, (found) => known.get(found) ?? replacement(found, kind, names))
}

const NOTHING_KNOWN: ReadonlyMap<string, string> = new Map()

/** "lost 100 packets" of a call to 100 must stay readable. */
function isWorthwhile(literal: string, kind: TextKind): boolean {
  return kind !== 'message' || !/^[0-9]+$/.test(literal) || literal.length >= SHORTEST_NUMBER
}

function wholeWord(literal: string): string {
  return String.raw`(?<![\p{L}\p{N}_])${literal.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)}(?![\p{L}\p{N}_])`
}

function replacement(found: string, kind: TextKind, names: Pseudonyms): string {
  const uri = /^(sips?|tel|mailto|im|xmpp):(.*)$/s.exec(found)
  if (uri !== null) return `${uri[1]}:${redactUriBody(uri[2], names)}`
  if (found.includes('@')) return redactUriBody(found, names)
  const bare = found.replace(/^\[|\]$/g, '')
  if (parseAddress(bare) !== undefined) {
    if (kind === 'agent' && !bare.includes(':') && !LIKELY_ADDRESS.test(bare)) return found
    return found.replace(bare, names.address(bare) ?? '')
  }
  if (/^[0-9A-Fa-f]{12}$|^(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$/.test(found)) return names.device(found)
  // Colons without an address between them: a time, a port list.
  return found.includes(':') ? found : names.party(found)
}

/** What follows the scheme: `user:password@host:port`, or a number. */
export function redactUriBody(text: string, names: Pseudonyms): string {
  const at = text.lastIndexOf('@')
  if (at < 0) {
    const host = /^(\[[^\]]*\]|[^:]*)(:[0-9]{1,5})?$/.exec(text)
    if (
      host !== null &&
      (host[1].includes('.') || host[1].startsWith('[')) &&
      !/^\+?[0-9.()-]+$/.test(host[1])
    )
      return names.host(host[1]) + (host[2] ?? '')
    const address = host === null ? undefined : names.address(host[1])
    return address === undefined ? names.party(text) : address + (host?.[2] ?? '')
  }
  const user = /^[^:]*/.exec(text.slice(0, at))?.[0] ?? ''
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(.*)$/s.exec(text.slice(at + 1)) ?? ['', '', '']
  return `${names.party(decoded(user))}@${names.host(host)}${/^:[0-9]{1,5}$/.test(port) ? port : ''}`
}

/** %xx resolved, as caller and callee of a record are. */
function decoded(user: string): string {
  if (!user.includes('%')) return user
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}

/**
 * Replaces each match of `pattern` by what `replace` makes of it, and everything between by what `between` does: so that
 * a replacement is not taken for something to replace.
 */
export function replaceApart(
  text: string,
  pattern: RegExp,
  replace: (match: RegExpMatchArray) => string,
  between: (text: string) => string,
): string {
  let shown = ''
  let at = 0
  for (const match of text.matchAll(pattern)) {
    shown += between(text.slice(at, match.index)) + replace(match)
    at = match.index + match[0].length
  }
  return shown + between(text.slice(at))
}
