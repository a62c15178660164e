import type { BodyPart, SipAddress, SipMessage, SipRequest, SipResponse } from './message.js'
import type { SessionDescription } from './sdp-types.js'
import { parseMediaType, parseParameters, trimLws } from './headers.js'
import { isEncoded, readBodyParts } from './multipart.js'
import { DefectList } from './parse-defects.js'
import { findStartLine } from './parse-detect.js'
import { HeaderIndex } from './parse-header-index.js'
import { parseStartLine } from './parse-start-line.js'
import type { StartLine, StartLineError } from './parse-start-line.js'
import { decodeText, latin1Text } from './parse-text.js'
import { parseSdp } from './sdp.js'
import { detached, parseSipAddress } from './uri.js'

/** Largest header section that is read, in bytes; no datagram can hold more than half of it. */
export const MAX_HEADER_BYTES = 131_072
/** Largest body that is read, in bytes; more is cut with the defect `body_cut`. */
export const MAX_BODY_BYTES = 2_097_152

/** Why a message was not read; fixed texts, so that they can be counted. */
export type SipParseError =
  StartLineError | 'headers too large' | 'no Call-ID' | 'no CSeq' | 'bad CSeq' | 'no From' | 'no To'
export type SipParseResult = { message: SipMessage } | { error: SipParseError }

/** Headers that may occur once and whose repetition makes a message ambiguous (RFC 4475 3.3.8). */
const SINGLE_HEADERS = ['call-id', 'cseq', 'from', 'to', 'max-forwards', 'content-type'] as const

/** Everything that both kinds of message share. Header values are cut from the text when asked for. */
class ParsedMessage {
  callId = ''
  from: SipAddress
  to: SipAddress
  cseq = { number: 0, method: '' }
  viaBranch = ''
  contact?: SipAddress
  body = ''
  bodyParts: BodyPart[] = []
  sdp?: SessionDescription
  defects: string[] = []
  presentBodyBytes?: number
  length = 0

  constructor(
    private readonly head: string,
    private readonly index: HeaderIndex,
    from: SipAddress,
    to: SipAddress,
  ) {
    this.from = from
    this.to = to
  }

  get raw(): string {
    return this.head + this.body
  }

  header(name: string): string | undefined {
    return this.index.first(name)
  }

  headers(name: string): string[] {
    return this.index.all(name)
  }
}

class ParsedRequest extends ParsedMessage implements SipRequest {
  readonly kind = 'request'
  method = ''
  requestUri = ''
}

class ParsedResponse extends ParsedMessage implements SipResponse {
  readonly kind = 'response'
  status = 0
  reason = ''
}

/** Index behind the empty line that ends the headers, or -1. `bytes` is the message alone. */
function headersEnd(bytes: Uint8Array): number {
  const stop = Math.min(bytes.length, MAX_HEADER_BYTES)
  for (let at = bytes.indexOf(0x0a); at >= 0 && at < stop; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3
  }
  return -1
}

/**
 * Reads one SIP message, forgiving what can be forgiven (noted in `defects`). Never throws; time is linear in `length`.
 * The bytes are copied: they may be overwritten afterwards. From, To, Call-ID and CSeq must be there.
 * @param offset,length the datagram's payload, or one message as `SipStreamFramer` cut it
 */
export function parseSipMessage(bytes: Uint8Array, offset: number, length: number): SipParseResult {
  const defects = new DefectList()
  const start = findStartLine(bytes, offset, length)
  if (start < 0) return { error: 'no SIP start line' }
  for (let i = offset; i < start; i++) {
    // RFC 3261 7.5: line ends before the start line are to be ignored.
    if (bytes[i] !== 0x0d && bytes[i] !== 0x0a) defects.add('junk_before_start_line')
  }
  const message = bytes.subarray(start, offset + length)
  let bodyAt = headersEnd(message)
  if (bodyAt < 0) {
    if (message.length > MAX_HEADER_BYTES) return { error: 'headers too large' }
    defects.add('headers_not_terminated')
    bodyAt = message.length
  }
  const head = decodeText(message.subarray(0, bodyAt))
  let lineEnd = head.indexOf('\n')
  if (lineEnd < 0) lineEnd = head.length
  if (lineEnd < head.length && head[lineEnd - 1] !== '\r') defects.add('bare_line_feeds')
  const startLine = parseStartLine(head.slice(0, lineEnd).replace(/\r$/, ''), defects)
  if (typeof startLine === 'string') return { error: startLine }
  const index = new HeaderIndex(head)
  index.build(lineEnd + 1, defects)
  return buildMessage(startLine, head, index, message, bodyAt, defects)
}

function buildMessage(
  startLine: StartLine,
  head: string,
  index: HeaderIndex,
  message: Uint8Array,
  bodyAt: number,
  defects: DefectList,
): SipParseResult {
  const callId = index.line('call-id')
  if (callId === undefined || callId === '') return { error: 'no Call-ID' }
  const cseqText = index.line('cseq')
  if (cseqText === undefined) return { error: 'no CSeq' }
  const cseq = parseCseq(cseqText, defects)
  if (cseq === undefined) return { error: 'bad CSeq' }
  const fromText = index.line('from')
  if (fromText === undefined || fromText === '') return { error: 'no From' }
  const toText = index.line('to')
  if (toText === undefined || toText === '') return { error: 'no To' }

  const from = parseSipAddress(fromText, defects)
  const to = parseSipAddress(toText, defects)
  let parsed: ParsedRequest | ParsedResponse
  if (startLine.kind === 'request') {
    parsed = new ParsedRequest(head, index, from, to)
    parsed.method = detached(startLine.method)
    parsed.requestUri = startLine.requestUri
    if (cseq.method !== startLine.method) defects.add('cseq_method_mismatch')
  } else {
    parsed = new ParsedResponse(head, index, from, to)
    parsed.status = startLine.status
    parsed.reason = detached(startLine.reason)
  }
  parsed.callId = detached(callId)
  parsed.cseq = cseq
  parsed.viaBranch = topBranch(index, defects)
  const contact = index.first('contact')
  if (contact !== undefined && contact !== '' && contact !== '*') {
    parsed.contact = parseSipAddress(contact, defects)
  }
  checkHeaders(index, defects)
  readBody(parsed, index, message, bodyAt, defects)
  parsed.defects = defects.codes
  return { message: parsed }
}

/** `314159 INVITE`. The number is kept, as far as a float can, when it is beyond RFC 3261 8.1.1.5's 2**31. */
function parseCseq(text: string, defects: DefectList): { number: number; method: string } | undefined {
  const match = /^([0-9]{1,64})\s{1,64}(\S+)$/.exec(text)
  if (match === null) return undefined
  const number = Number(match[1])
  if (number > 0xffff_ffff) defects.add('sequence_out_of_range')
  return { number, method: detached(match[2]) }
}

/** A Via without anything to be tolerated, its branch as almost everybody writes it. */
const PLAIN_BRANCH =
  /^SIP\/2\.0\/[A-Z]{2,4} [\w.[\]:-]{1,256}(?:;(?:rport|alias|received|keep|ttl|maddr)(?:=[\w.[\]:-]{1,64})?){0,8};branch=([\w.~*+%!'-]{1,256})(?:;[a-z]{1,32}(?:=[\w.[\]:-]{1,256})?){0,8}$/

function topBranch(index: HeaderIndex, defects: DefectList): string {
  const via = index.first('via')
  if (via === undefined || via === '') {
    defects.add('via_missing')
    return ''
  }
  const semicolon = via.indexOf(';')
  if (semicolon < 0) return ''
  const branch = PLAIN_BRANCH.exec(via)?.[1] ?? parseParameters(via, semicolon, defects).branch
  if (branch === '' || branch === 'z9hG4bK') defects.add('branch_empty')
  return detached(branch ?? '')
}

function checkHeaders(index: HeaderIndex, defects: DefectList): void {
  for (const name of SINGLE_HEADERS) if (index.count(name) > 1) defects.add('repeated_header')
  const maxForwards = index.line('max-forwards')
  if (maxForwards !== undefined && !(/^[0-9]{1,8}$/.test(maxForwards) && Number(maxForwards) <= 255)) {
    defects.add('max_forwards_out_of_range')
  }
  // RFC 3261 20.17: GMT only.
  const date = index.line('date')
  if (date !== undefined && !/GMT$/i.test(date)) defects.add('bad_date')
}

/** Bytes of the body by Content-Length (RFC 3261 18.3), checked against what is there. */
function bodyLength(index: HeaderIndex, available: number, bytes: Uint8Array, defects: DefectList): number {
  const values = index.all('content-length')
  if (values.length === 0) return available
  if (values.some((value) => value !== values[0])) defects.add('content_length_conflict')
  if (!/^[0-9]{1,15}$/.test(values[0])) {
    defects.add('content_length_invalid')
    return available
  }
  const stated = Number(values[0])
  if (stated > available) {
    defects.add('content_length_too_large')
    return available
  }
  // Line ends and padding behind a datagram's message mean nothing.
  for (let i = bytes.length - available + stated; i < bytes.length; i++) {
    if (bytes[i] !== 0x0d && bytes[i] !== 0x0a && bytes[i] !== 0) {
      defects.add('content_length_too_small')
      break
    }
  }
  return stated
}

function readBody(
  parsed: ParsedMessage,
  index: HeaderIndex,
  message: Uint8Array,
  bodyAt: number,
  defects: DefectList,
): void {
  let size = bodyLength(index, message.length - bodyAt, message, defects)
  parsed.length = bodyAt + size
  if (
    defects.codes.includes('content_length_too_large') ||
    defects.codes.includes('content_length_too_small')
  )
    parsed.presentBodyBytes = message.length - bodyAt
  if (size > MAX_BODY_BYTES) {
    size = MAX_BODY_BYTES
    defects.add('body_cut')
  }
  if (size === 0) return
  const bytes = message.subarray(bodyAt, bodyAt + size)
  parsed.body = decodeText(bytes)
  if (isEncoded(index.all('content-encoding'))) {
    defects.add('body_encoded')
    return
  }
  const contentType = index.line('content-type') ?? ''
  const { type } = parseMediaType(contentType)
  if (type.startsWith('multipart/')) {
    parsed.bodyParts = readBodyParts(latin1Text(bytes), contentType, defects)
  } else if (type !== '') {
    parsed.bodyParts = [{ contentType: type, text: parsed.body }]
  } else if (trimLws(parsed.body) !== '') {
    defects.add('body_without_content_type')
    const guessed = /^\s{0,8}v=0\s/.test(parsed.body) ? 'application/sdp' : 'application/octet-stream'
    parsed.bodyParts = [{ contentType: guessed, text: parsed.body }]
  }
  const session = parsed.bodyParts.find((part) => part.contentType === 'application/sdp')
  if (session !== undefined) parsed.sdp = parseSdp(session.text)
}
