import { applyMetrics, METRIC_KEYS, type QualityMetrics } from './quality-metrics.js'
import { splitPairs } from './quality-pairs.js'

/** An address line: `LocalAddr`, `RemoteAddr`. */
export interface QualityAddress {
  /** As written, brackets of IPv6 taken off. */
  address?: string
  port?: number
  ssrc?: number
}

/** A voice quality report of an endpoint (RFC 6035, `application/vq-rtcpxr`). Absent = not said, or unavailable. */
export interface QualityReport {
  kind: 'session' | 'interval' | 'alert'
  /** `CallTerm`: the last one of its call. */
  final: boolean
  alert?: { type?: string; severity?: string; direction?: string }
  callId?: string
  localId?: string
  remoteId?: string
  origId?: string
  localGroup?: string
  remoteGroup?: string
  localMac?: string
  remoteMac?: string
  local?: QualityAddress
  remote?: QualityAddress
  /** `DialogID`. */
  dialog?: { callId: string; toTag?: string; fromTag?: string }
  /** What the reporter measured of the media it received. */
  localMetrics?: QualityMetrics
  /** What the other end told it of the media the reporter sent. */
  remoteMetrics?: QualityMetrics
}

const MAX_TEXT = 65_536
const MAX_LINES = 256
const MAX_VALUE = 512

const ADDRESS_KEYS: ReadonlySet<string> = new Set(['ip', 'port', 'ssrc'])
const ALERT_KEYS: ReadonlySet<string> = new Set(['type', 'severity', 'dir'])

/**
 * Reads a report's body. Tolerant, as what phones send needs it: names in any case, lines in any order, CR LF or LF,
 * missing spaces between values, names of the drafts, extensions. Returns undefined when no line says it is a report.
 */
export function parseQualityReport(body: string): QualityReport | undefined {
  let report: QualityReport | undefined
  let metrics: QualityMetrics = {}
  const sides: { local?: QualityMetrics; remote?: QualityMetrics } = {}
  for (const line of body.slice(0, MAX_TEXT).split(/\r\n|\r|\n/, MAX_LINES)) {
    const trimmed = line.trim()
    if (trimmed === '') continue
    if (report === undefined) {
      report = parseKind(trimmed)
      if (report === undefined) return undefined
      metrics = sides.local = {}
      continue
    }
    const side = /^(local|remote)metrics\s*:?\s*/i.exec(trimmed)
    if (side !== null) {
      if (side[1].toLowerCase() === 'remote') metrics = sides.remote ??= {}
      else metrics = sides.local ??= {}
    }
    readLine(report, metrics, side === null ? trimmed : trimmed.slice(side[0].length))
  }
  if (report === undefined) return undefined
  if (sides.local !== undefined && Object.keys(sides.local).length > 0) report.localMetrics = sides.local
  if (sides.remote !== undefined && Object.keys(sides.remote).length > 0) report.remoteMetrics = sides.remote
  return report
}

function parseKind(line: string): QualityReport | undefined {
  const match = /^\ufeff?vq(session|interval|alert)?report\b\s*:?\s*(.*)$/i.exec(line)
  if (match === null) return undefined
  const name = (match[1] ?? '').toLowerCase()
  const kind = name === 'interval' || name === 'alert' ? name : 'session'
  const report: QualityReport = { kind, final: /\bcallterm\b/i.test(match[2]) }
  if (kind === 'alert') {
    const pairs = new Map(splitPairs(match[2].slice(0, MAX_VALUE), ALERT_KEYS))
    report.alert = { type: pairs.get('type'), severity: pairs.get('severity'), direction: pairs.get('dir') }
  }
  return report
}

function readLine(report: QualityReport, metrics: QualityMetrics, line: string): void {
  const colon = line.indexOf(':')
  const name = colon < 0 ? '' : line.slice(0, colon).trim().toLowerCase()
  const value = line.slice(colon + 1, colon + 1 + MAX_VALUE).trim()
  if (!readHeader(report, name, value)) {
    // Whatever the line's name is (there are several spellings): no two lines share a key.
    const from = /^[\w-]*$/.test(name) ? value : line.slice(0, MAX_VALUE)
    applyMetrics(metrics, splitPairs(from, METRIC_KEYS))
  }
}

/** Returns false when the name is no header's. Empty values are left out. */
function readHeader(report: QualityReport, name: string, value: string): boolean {
  const text = value === '' ? undefined : value
  switch (name) {
    case 'callid':
    case 'call-id':
      report.callId = text
      return true
    case 'localid':
      report.localId = text
      return true
    case 'remoteid':
      report.remoteId = text
      return true
    // The drafts' names for the two ends.
    case 'fromid':
      report.localId ??= text
      return true
    case 'toid':
      report.remoteId ??= text
      return true
    case 'origid':
      report.origId = text
      return true
    case 'localgroup':
      report.localGroup = text
      return true
    case 'remotegroup':
      report.remoteGroup = text
      return true
    case 'localmac':
      report.localMac = text
      return true
    case 'remotemac':
      report.remoteMac = text
      return true
    case 'localaddr':
      report.local = parseAddress(value)
      return true
    case 'remoteaddr':
      report.remote = parseAddress(value)
      return true
    case 'dialogid':
      report.dialog = parseDialog(value)
      return true
    default:
      return false
  }
}

function parseAddress(value: string): QualityAddress {
  const address: QualityAddress = {}
  for (const [key, text] of splitPairs(value, ADDRESS_KEYS)) {
    if (text === '') continue
    if (key === 'ip') address.address = text.replace(/^\[|\]$/g, '')
    else if (key === 'port') address.port = parsePort(text)
    else if (key === 'ssrc') address.ssrc = parseSsrc(text)
  }
  return address
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

/** Hexadecimal with 0x, else decimal; some print it as a signed number. */
function parseSsrc(text: string): number | undefined {
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return parseInt(text.slice(2), 16)
  if (/^-?\d{1,10}$/.test(text)) return Number(text) >>> 0
  return /^[0-9a-f]{8}$/i.test(text) ? parseInt(text, 16) : undefined
}

function parseDialog(value: string): QualityReport['dialog'] {
  const [callId, ...parameters] = value.split(';').map((part) => part.trim())
  if (callId === '') return undefined
  const dialog: NonNullable<QualityReport['dialog']> = { callId }
  for (const parameter of parameters) {
    const match = /^(to|from)-tag\s*=\s*(.+)$/i.exec(parameter)
    if (match === null) continue
    if (match[1].toLowerCase() === 'to') dialog.toTag = match[2]
    else dialog.fromTag = match[2]
  }
  return dialog
}
