import type { DefectList } from './parse-defects.js'
import { trimLws } from './headers.js'
import { isTokenByte } from './parse-detect.js'

export type StartLine =
  | { kind: 'request'; method: string; requestUri: string }
  | { kind: 'response'; status: number; reason: string }

/** Why a message cannot be used; fixed texts, so that they can be counted. */
export type StartLineError = 'no SIP start line' | 'status code out of range'

/** Index of the first space or tab at or after `from`, or -1. */
function nextBlank(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x20 || code === 0x09) return i
  }
  return -1
}

function lastBlank(text: string): number {
  return Math.max(text.lastIndexOf(' '), text.lastIndexOf('\t'))
}

/** Reads the first line of a message, without its line end. */
export function parseStartLine(written: string, defects: DefectList): StartLine | StartLineError {
  const line = trimLws(written)
  if (/^SIP\/[0-9.]{1,8}(?:\s|$)/i.test(line)) return parseStatusLine(written, defects)
  if (line !== written) defects.add('start_line_spacing')
  return parseRequestLine(line, defects)
}

function parseStatusLine(written: string, defects: DefectList): StartLine | StartLineError {
  const line = trimLws(written)
  const blank = nextBlank(line, 0)
  if (blank < 0) return 'no SIP start line'
  if (line.slice(0, blank).toUpperCase() !== 'SIP/2.0') defects.add('unknown_sip_version')
  const rest = trimLws(line.slice(blank))
  if (line.length - blank - rest.length !== 1) defects.add('start_line_spacing')
  const code = /^[0-9]{3}(?![0-9])/.exec(rest)
  if (code === null) return 'status code out of range'
  const status = Number(code[0])
  if (status < 100 || status > 699) return 'status code out of range'
  // RFC 3261 25.1 has a space even before an empty reason; bare statuses are common and harmless.
  if (rest.length > 3 && rest[3] !== ' ') defects.add('status_without_space')
  return { kind: 'response', status, reason: trimLws(rest.slice(3)) }
}

function parseRequestLine(line: string, defects: DefectList): StartLine | StartLineError {
  const methodEnd = nextBlank(line, 0)
  const versionAt = lastBlank(line) + 1
  if (methodEnd <= 0) return 'no SIP start line'
  const method = line.slice(0, methodEnd)
  for (let i = 0; i < method.length; i++) if (!isTokenByte(method.charCodeAt(i))) return 'no SIP start line'
  const version = line.slice(versionAt)
  if (!/^SIP\/[0-9]/i.test(version)) return 'no SIP start line'
  if (version.toUpperCase() !== 'SIP/2.0') defects.add('unknown_sip_version')
  const between = line.slice(methodEnd + 1, Math.max(versionAt - 1, methodEnd + 1))
  let requestUri = trimLws(between)
  if (requestUri === '') return 'no SIP start line'
  if (requestUri.length !== between.length) defects.add('start_line_spacing')
  if (requestUri.startsWith('<')) {
    defects.add('request_uri_brackets')
    requestUri = trimLws(requestUri.replace(/^<|>$/g, ''))
  }
  if (/\s/.test(requestUri)) defects.add('request_uri_spaces')
  const user = requestUri.indexOf('@')
  if (requestUri.includes('?', user < 0 ? 0 : user)) defects.add('request_uri_headers')
  return { kind: 'request', method, requestUri }
}
