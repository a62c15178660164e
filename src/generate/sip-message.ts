import { createHash } from 'node:crypto'

/** Header lines in order; written as given. */
export type HeaderLines = [name: string, value: string][]

/** RFC 3261 7.3.3 and 20. */
const COMPACT_NAMES: Record<string, string> = {
  Via: 'v',
  From: 'f',
  To: 't',
  'Call-ID': 'i',
  Contact: 'm',
  'Content-Type': 'c',
  'Content-Length': 'l',
  Supported: 'k',
}

const REASONS: Record<number, string> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  302: 'Moved Temporarily',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  415: 'Unsupported Media Type',
  480: 'Temporarily Unavailable',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  500: 'Server Internal Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  600: 'Busy Everywhere',
  603: 'Decline',
  606: 'Not Acceptable',
}

export function reasonPhrase(status: number): string {
  return REASONS[status] ?? (status < 300 ? 'OK' : 'Failure')
}

/** A complete message: start line, headers, Content-Length, body. */
export function sipMessage(
  startLine: string,
  headers: HeaderLines,
  body: string,
  compact: boolean,
): Uint8Array {
  const all: HeaderLines = [...headers]
  if (body !== '') all.push(['Content-Type', 'application/sdp'])
  all.push(['Content-Length', String(Buffer.byteLength(body))])
  const lines = all.map(([name, value]) => `${compact ? (COMPACT_NAMES[name] ?? name) : name}: ${value}`)
  return new TextEncoder().encode(`${startLine}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

const PASSWORD = 'example'

/** RFC 2617 digest credentials without qop, for a made-up password. */
export function digestCredentials(fields: {
  user: string
  realm: string
  nonce: string
  method: string
  uri: string
}): string {
  const { user, realm, nonce, method, uri } = fields
  const response = md5(`${md5(`${user}:${realm}:${PASSWORD}`)}:${nonce}:${md5(`${method}:${uri}`)}`)
  return `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5`
}

export function digestChallenge(realm: string, nonce: string): string {
  return `Digest realm="${realm}", nonce="${nonce}", algorithm=MD5`
}
