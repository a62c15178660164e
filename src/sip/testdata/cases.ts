import { readFileSync } from 'node:fs'
import type { MediaDescription } from '../sdp-types.js'
import type { SipAddress } from '../message.js'
import type { SipParseResult } from '../parse.js'

/** One case of a text file: a name, the bytes to parse, and what is expected of the result. */
export interface TextCase {
  name: string
  bytes: Uint8Array
  /** `field = value` lines. */
  expected: [string, string][]
}

/**
 * Reads a file of cases:
 *
 *     == name of the case
 *     INVITE sip:...            each line ends in CRLF; {lf} at the end of a line: LF alone; {join}: no line end
 *     ...                       {0x00ff}: these bytes; {n*text}: text n times; {length}: bytes of the body
 *                               {sdp}: headers of an INVITE whose body follows
 *     -- expect
 *     field = value
 */
export function readCases(file: string): TextCase[] {
  const cases: TextCase[] = []
  for (const block of readFileSync(new URL(file, import.meta.url), 'utf8')
    .split(/^== /m)
    .slice(1)) {
    const [text, expectation] = block.split(/^-- expect\n/m)
    const nameEnd = text.indexOf('\n')
    const expected = expectation
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
      .map((line): [string, string] => {
        const [field, ...value] = line.split(' = ')
        return [field.trim(), value.join(' = ').trim()]
      })
    cases.push({ name: text.slice(0, nameEnd), bytes: messageBytes(text.slice(nameEnd + 1)), expected })
  }
  return cases
}

const SDP_HEADERS = `INVITE sip:b@example.org SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
From: <sip:a@example.org>;tag=1
To: <sip:b@example.org>
Call-ID: sdp.1
CSeq: 1 INVITE
Content-Type: application/sdp
Content-Length: {length}
`

function messageBytes(text: string): Uint8Array {
  const wire = text
    .replace('{sdp}', SDP_HEADERS)
    .replaceAll('{lf}\n', '{0x0a}')
    .replaceAll('{join}\n', '')
    .replaceAll('\n', '\r\n')
    .replace(/\{(\d+)\*([^}]*)\}/g, (_, count: string, piece: string) => piece.repeat(Number(count)))
  const parts = wire.split(/\{0x([0-9a-f]+)\}/i)
  const encoded = parts.map((part, i) => Buffer.from(part, i % 2 === 1 ? 'hex' : 'utf8'))
  const latin1 = Buffer.concat(encoded).toString('latin1')
  const blank = latin1.indexOf('\r\n\r\n')
  const bodyLength = blank < 0 ? 0 : latin1.length - blank - 4
  return Buffer.from(latin1.replace('{length}', String(bodyLength)), 'latin1')
}

const show = (value: string | number | undefined): string =>
  value === undefined ? 'none' : value === '' ? 'empty' : String(value)

export function describeMedia(media: MediaDescription): string {
  const formats = media.formats.map((f) => {
    const channels = f.channels === 1 ? '' : `/${f.channels}`
    return `${f.payloadType} ${f.encoding}/${f.clockRateHz}${channels}${f.fmtp === undefined ? '' : ` (${f.fmtp})`}`
  })
  const words = [media.kind, media.port, show(media.address), media.protocol, media.direction]
  words.push(media.encrypted ? 'encrypted' : 'clear')
  words.push(`rtcp ${media.rtcpAddress === undefined ? '' : `${media.rtcpAddress} `}${media.rtcpPort}`)
  if (media.rtcpMux) words.push('mux')
  if (media.ptimeMs !== undefined) words.push(`ptime ${media.ptimeMs}`)
  if (media.maxptimeMs !== undefined) words.push(`maxptime ${media.maxptimeMs}`)
  if (media.mid !== undefined) words.push(`mid ${media.mid}`)
  for (const c of media.candidates) {
    words.push(`candidate ${c.component} ${c.transport} ${c.address} ${c.port} ${c.type}`)
  }
  if (media.ssrcs.length > 0) words.push(`ssrc ${media.ssrcs.join(' ')}`)
  return `${words.join(' ')} [${formats.join(', ')}]`
}

function addressField(address: SipAddress | undefined, field: string): string {
  if (address === undefined) return 'none'
  if (field.startsWith('parameter ')) return show(address.uri.parameters[field.slice(10)])
  if (field === 'display') return show(address.display)
  if (field === 'tag') return show(address.tag)
  if (field === 'uri') return show(address.uriText)
  if (field === 'scheme') return show(address.uri.scheme)
  if (field === 'user') return show(address.uri.user)
  if (field === 'host') return show(address.uri.host)
  if (field === 'port') return show(address.uri.port)
  throw new Error(`unknown field ${field}`)
}

/** What a parse result holds for a field name of the case files. */
export function fieldOf(result: SipParseResult, field: string): string {
  if ('error' in result) return field === 'error' ? result.error : `error: ${result.error}`
  const { message } = result
  const space = field.indexOf(' ')
  const first = space < 0 ? field : field.slice(0, space)
  const rest = space < 0 ? '' : field.slice(space + 1)
  if (first === 'from') return addressField(message.from, rest)
  if (first === 'to') return addressField(message.to, rest)
  if (first === 'contact') return addressField(message.contact, rest)
  if (first === 'header') return show(message.header(rest))
  if (first === 'headers') return message.headers(rest).join(' | ') || 'none'
  if (first === 'media') {
    const media = message.sdp?.media[Number(rest)]
    return media === undefined ? 'none' : describeMedia(media)
  }
  if (first === 'part') return JSON.stringify(message.bodyParts[Number(rest)]?.text)
  switch (field) {
    case 'error':
      return 'none'
    case 'method':
      return message.kind === 'request' ? message.method : 'response'
    case 'request-uri':
      return message.kind === 'request' ? message.requestUri : 'response'
    case 'status':
      return message.kind === 'response' ? String(message.status) : 'request'
    case 'reason':
      return message.kind === 'response' ? show(message.reason) : 'request'
    case 'call-id':
      return message.callId
    case 'cseq':
      return `${message.cseq.number} ${message.cseq.method}`
    case 'branch':
      return show(message.viaBranch)
    case 'defects':
      return message.defects.join(', ') || 'none'
    case 'sdp-defects':
      return message.sdp === undefined ? 'no sdp' : message.sdp.defects.join(', ') || 'none'
    case 'origin': {
      const origin = message.sdp?.origin
      if (origin === undefined) return 'none'
      return `${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${origin.address}`
    }
    case 'session-name':
      return show(message.sdp?.sessionName)
    case 'media-count':
      return message.sdp === undefined ? 'no sdp' : String(message.sdp.media.length)
    case 'parts':
      return message.bodyParts.map((part) => part.contentType).join(', ') || 'none'
    case 'body-size':
      return String(Buffer.byteLength(message.body))
    case 'length':
      return String(message.length)
    default:
      throw new Error(`unknown field ${field}`)
  }
}
