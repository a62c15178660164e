import type { IceCandidate, MediaDescription, MediaDirection, PayloadFormat } from './sdp-types.js'
import { canonicalAddress } from '../decode/address.js'
import { STATIC_PAYLOAD_TYPES, rtpClockRateHz } from './payload-types.js'

/** Most payload types, candidates and SSRCs kept for one m= line. */
export const MAX_FORMATS = 128
const MAX_CANDIDATES = 128
const MAX_SSRCS = 64

/** What the parser notes in `SessionDescription.defects`. The names are public: add, do not rename. */
export const SDP_DEFECTS = {
  sdp_malformed_line: 'a line that is not <letter>=<value>',
  sdp_bad_media_line: 'an m= line that cannot be read',
  sdp_bad_port: 'a port that is not a number from 0 to 65535',
  sdp_bad_connection: 'a c= line that cannot be read',
  sdp_no_connection: 'media without a c= line',
  sdp_bad_attribute: 'an attribute that cannot be read',
  sdp_payload_type_without_rtpmap: 'a dynamic payload type without a=rtpmap',
  sdp_wrong_clock_rate: 'a clock rate that the encoding does not have (G722 is 8000, Opus 48000)',
  sdp_too_long: 'more lines, media or formats than are read',
  sdp_not_sdp: 'no v= line at the start',
} as const
export type SdpDefect = keyof typeof SDP_DEFECTS

/** Session-level values that media sections inherit, or one section's own. */
export interface AttributeScope {
  direction?: MediaDirection
  ptimeMs?: number
  maxptimeMs?: number
  /** DTLS fingerprint or a=crypto seen. */
  keyed: boolean
  ice: boolean
  rtcpMux: boolean
}

/** An m= section while it is read. */
export interface MediaDraft extends AttributeScope {
  media: MediaDescription
  rtpmaps: Map<number, { encoding: string; clockRateHz: number; channels: number }>
  fmtps: Map<number, string>
  hasRtcp: boolean
  bundleOnly: boolean
}

/** An address as RFC 5952 when it is one, else as written; multicast TTL and count are dropped (RFC 8866 5.7). */
export function connectionAddress(written: string): string {
  const slash = written.indexOf('/')
  const bare = slash < 0 ? written : written.slice(0, slash)
  return canonicalAddress(bare) ?? bare.slice(0, 255)
}

/** `IN IP4 192.0.2.1` to its address, undefined when it has none. */
export function parseConnection(value: string): string | undefined {
  const words = value.split(/\s+/, 4)
  if (words.length < 3 || words[2] === '') return undefined
  return connectionAddress(words[2])
}

export function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port < 65536 ? port : undefined
}

/** `audio 49170/2 RTP/AVP 0 8`. Undefined when it cannot be read. */
export function parseMediaLine(value: string, note: (defect: SdpDefect) => void): MediaDraft | undefined {
  const words = value.split(/\s+/, MAX_FORMATS + 4).filter((word) => word !== '')
  if (words.length < 3) {
    note('sdp_bad_media_line')
    return undefined
  }
  const port = parsePort(words[1].split('/', 1)[0])
  if (port === undefined) note('sdp_bad_port')
  const formats: PayloadFormat[] = []
  for (const word of words.slice(3, 3 + MAX_FORMATS)) {
    // UDPTL, message or application media name formats by words (RFC 8866 5.14): these are not payload types.
    const payloadType = /^[0-9]{1,3}$/.test(word) ? Number(word) : 128
    if (payloadType < 128 && !formats.some((f) => f.payloadType === payloadType)) {
      formats.push({ payloadType, encoding: '', clockRateHz: 0, channels: 1 })
    }
  }
  if (words.length > 3 + MAX_FORMATS) note('sdp_too_long')
  const media: MediaDescription = {
    kind: words[0].toLowerCase(),
    port: port ?? 0,
    address: '',
    protocol: words[2],
    encrypted: false,
    formats,
    direction: 'sendrecv',
    rtcpPort: 0,
    rtcpMux: false,
    candidates: [],
    ssrcs: [],
  }
  return {
    media,
    keyed: false,
    ice: false,
    rtcpMux: false,
    rtpmaps: new Map(),
    fmtps: new Map(),
    hasRtcp: false,
    bundleOnly: false,
  }
}

/** `99 opus/48000/2` */
export function addRtpmap(draft: MediaDraft, value: string, note: (defect: SdpDefect) => void): void {
  const match = /^([0-9]{1,3})\s+([^/\s]+)\s*(?:\/\s*([0-9]{1,7}))?(?:\/([0-9]{1,2}))?/.exec(
    value.slice(0, 256),
  )
  if (match === null || Number(match[1]) > 127) return note('sdp_bad_attribute')
  const encoding = match[2].toUpperCase()
  const declaredHz = Number(match[3] ?? 0)
  const clockRateHz = rtpClockRateHz(encoding, declaredHz)
  if (declaredHz === 0) note('sdp_bad_attribute')
  else if (declaredHz !== clockRateHz) note('sdp_wrong_clock_rate')
  if (draft.rtpmaps.size < MAX_FORMATS) {
    draft.rtpmaps.set(Number(match[1]), { encoding, clockRateHz, channels: Number(match[4] ?? 1) || 1 })
  }
}

/** `101 0-15` */
export function addFmtp(draft: MediaDraft, value: string, note: (defect: SdpDefect) => void): void {
  const match = /^([0-9]{1,3})\s+(\S.*)$/.exec(value)
  if (match === null) return note('sdp_bad_attribute')
  if (draft.fmtps.size < MAX_FORMATS) draft.fmtps.set(Number(match[1]), match[2].slice(0, 1024).trimEnd())
}

/** `1 1 udp 2130706431 192.0.2.1 49170 typ host ...` (RFC 8839 5.1). */
export function parseCandidate(value: string): IceCandidate | undefined {
  const words = value.split(/\s+/, 9)
  const component = Number(words[1])
  const port = parsePort(words[5] ?? '')
  const type = words[7]
  if (!Number.isInteger(component) || component < 1 || component > 256) return undefined
  if (port === undefined || type === undefined || words[6].toLowerCase() !== 'typ') return undefined
  return {
    component,
    type: type.toLowerCase(),
    transport: words[2].toLowerCase(),
    address: connectionAddress(words[4]),
    port,
  }
}

export function addCandidate(draft: MediaDraft, value: string, note: (defect: SdpDefect) => void): void {
  draft.ice = true
  const candidate = parseCandidate(value)
  if (candidate === undefined) return note('sdp_bad_attribute')
  if (draft.media.candidates.length < MAX_CANDIDATES) draft.media.candidates.push(candidate)
}

/** `49171` or `49171 IN IP4 192.0.2.1` (RFC 3605). */
export function setRtcp(draft: MediaDraft, value: string, note: (defect: SdpDefect) => void): void {
  const words = value.split(/\s+/, 5)
  const port = parsePort(words[0])
  if (port === undefined) return note('sdp_bad_attribute')
  draft.media.rtcpPort = port
  draft.hasRtcp = true
  if (words.length >= 4 && words[3] !== '') draft.media.rtcpAddress = connectionAddress(words[3])
}

/** `314159 cname:x` */
export function addSsrc(draft: MediaDraft, value: string): void {
  const match = /^[0-9]{1,10}(?=\s|$)/.exec(value)
  if (match === null) return
  const ssrc = Number(match[0])
  const { ssrcs } = draft.media
  if (ssrc <= 0xffff_ffff && ssrcs.length < MAX_SSRCS && !ssrcs.includes(ssrc)) ssrcs.push(ssrc)
}

/** Names, clocks and parameters of a section's payload types, once all its lines are read. */
export function fillFormats(draft: MediaDraft, note: (defect: SdpDefect) => void): void {
  for (const format of draft.media.formats) {
    const named = draft.rtpmaps.get(format.payloadType) ?? STATIC_PAYLOAD_TYPES[format.payloadType]
    if (named !== undefined) {
      format.encoding = named.encoding
      format.clockRateHz = named.clockRateHz
      format.channels = named.channels
    } else if (draft.media.protocol.toUpperCase().includes('RTP/')) {
      note('sdp_payload_type_without_rtpmap')
    }
    const fmtp = draft.fmtps.get(format.payloadType)
    if (fmtp !== undefined) format.fmtp = fmtp
  }
}
