import type { MediaDirection, SessionDescription } from './sdp-types.js'
import type { AttributeScope, MediaDraft, SdpDefect } from './parse-sdp-media.js'
import {
  addCandidate,
  addFmtp,
  addRtpmap,
  addSsrc,
  connectionAddress,
  fillFormats,
  parseConnection,
  parseMediaLine,
  setRtcp,
} from './parse-sdp-media.js'

/** Most lines and m= sections read from one description. */
const MAX_LINES = 8192
const MAX_MEDIA = 64
const MAX_BUNDLE_MIDS = 64
/** RFC 8840 4.1.1: port 9 (discard) stands for "candidates will follow". */
const TRICKLE_PORT = 9

const DIRECTIONS: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive'])
const isDirection = (name: string): name is MediaDirection => DIRECTIONS.has(name)

/** Holds what is read until the last line is in. */
class SdpReader {
  readonly session: SessionDescription = { media: [], defects: [] }
  private readonly scope: AttributeScope = { keyed: false, ice: false, rtcpMux: false }
  private sessionAddress = ''
  private readonly drafts: MediaDraft[] = []
  private readonly bundles: string[][] = []
  /** The open m= section; null while session level; undefined behind an m= line that could not be read. */
  private current: MediaDraft | null | undefined = null

  readonly note = (defect: SdpDefect): void => {
    if (!this.session.defects.includes(defect)) this.session.defects.push(defect)
  }

  line(type: string, value: string): void {
    if (type === 'm') this.media(value)
    else if (type === 'c') this.connection(value)
    else if (type === 'a') this.attribute(value)
    else if (type === 'o' && this.current === null) this.origin(value)
    else if (type === 's' && this.current === null) this.session.sessionName = value.slice(0, 255)
  }

  private media(value: string): void {
    if (this.drafts.length >= MAX_MEDIA) {
      this.note('sdp_too_long')
      this.current = undefined
      return
    }
    this.current = parseMediaLine(value, this.note)
    if (this.current !== undefined) this.drafts.push(this.current)
  }

  private connection(value: string): void {
    const address = parseConnection(value)
    if (address === undefined) this.note('sdp_bad_connection')
    else if (this.current === null) this.sessionAddress = address
    // Several c= lines are layers of one multicast stream (RFC 8866 5.7): the first is the base.
    else if (this.current !== undefined && this.current.media.address === '')
      this.current.media.address = address
  }

  private origin(value: string): void {
    const words = value.split(/\s+/, 7)
    if (words.length < 6) return this.note('sdp_malformed_line')
    this.session.origin = {
      username: words[0].slice(0, 255),
      sessionId: words[1].slice(0, 64),
      sessionVersion: words[2].slice(0, 64),
      address: connectionAddress(words[5]),
    }
  }

  private attribute(text: string): void {
    const colon = text.indexOf(':')
    const name = (colon < 0 ? text : text.slice(0, colon)).trim().toLowerCase()
    const value = colon < 0 ? '' : text.slice(colon + 1).trim()
    if (this.current === undefined) return
    const scope = this.current ?? this.scope
    if (isDirection(name)) scope.direction = name
    else if (name === 'ptime') scope.ptimeMs = this.milliseconds(value) ?? scope.ptimeMs
    else if (name === 'maxptime') scope.maxptimeMs = this.milliseconds(value) ?? scope.maxptimeMs
    else if (name === 'fingerprint' || name === 'crypto') scope.keyed = true
    else if (name === 'ice-ufrag') scope.ice = true
    else if (name === 'rtcp-mux' || name === 'rtcp-mux-only') scope.rtcpMux = true
    else if (name === 'group' && this.current === null) this.group(value)
    else if (this.current !== null) this.mediaAttribute(this.current, name, value)
  }

  private mediaAttribute(draft: MediaDraft, name: string, value: string): void {
    if (name === 'rtpmap') addRtpmap(draft, value, this.note)
    else if (name === 'fmtp') addFmtp(draft, value, this.note)
    else if (name === 'rtcp') setRtcp(draft, value, this.note)
    else if (name === 'candidate') addCandidate(draft, value, this.note)
    else if (name === 'ssrc') addSsrc(draft, value)
    else if (name === 'mid') draft.media.mid = value.slice(0, 255)
    else if (name === 'bundle-only') draft.bundleOnly = true
  }

  private group(value: string): void {
    const words = value.split(/\s+/, MAX_BUNDLE_MIDS + 1)
    if (words[0].toUpperCase() === 'BUNDLE' && this.bundles.length < 8) this.bundles.push(words.slice(1))
  }

  private milliseconds(value: string): number | undefined {
    const match = /^[0-9]{1,5}(?:\.[0-9]{1,6})?(?=\s|$)/.exec(value)
    const ms = match === null ? 0 : Number(match[0])
    if (ms > 0) return ms
    this.note('sdp_bad_attribute')
    return undefined
  }

  finish(): SessionDescription {
    for (const draft of this.drafts) this.finishMedia(draft)
    for (const mids of this.bundles) this.bundle(mids)
    return this.session
  }

  private finishMedia(draft: MediaDraft): void {
    const { media } = draft
    const { scope } = this
    if (media.address === '') media.address = this.sessionAddress
    if (media.address === '' && media.port !== 0) this.note('sdp_no_connection')
    media.direction = draft.direction ?? scope.direction ?? 'sendrecv'
    const ice = draft.ice || scope.ice || media.port === TRICKLE_PORT
    if (!ice && (media.address === '0.0.0.0' || media.address === '::'))
      media.direction = heldBy(media.direction)
    const ptimeMs = draft.ptimeMs ?? scope.ptimeMs
    const maxptimeMs = draft.maxptimeMs ?? scope.maxptimeMs
    if (ptimeMs !== undefined) media.ptimeMs = ptimeMs
    if (maxptimeMs !== undefined) media.maxptimeMs = maxptimeMs
    media.encrypted = draft.keyed || scope.keyed || /SAVP/i.test(media.protocol)
    media.rtcpMux = draft.rtcpMux || scope.rtcpMux
    if (!draft.hasRtcp) media.rtcpPort = defaultRtcpPort(media.port, media.rtcpMux)
    fillFormats(draft, this.note)
    this.session.media.push(media)
  }

  /**
   * RFC 9143: the media of a group share the transport of its first. A section that has a usable port of its own keeps
   * it, because an offer may be answered without the group.
   */
  private bundle(mids: string[]): void {
    const members = this.drafts.filter((d) => d.media.mid !== undefined && mids.includes(d.media.mid))
    const first = members.find((d) => d.media.mid === mids[0]) ?? members[0]
    if (first === undefined) return
    for (const draft of members) {
      if (draft === first) continue
      const { media } = draft
      if (media.candidates.length === 0) media.candidates = first.media.candidates
      if (media.port !== TRICKLE_PORT && !(media.port === 0 && draft.bundleOnly)) continue
      media.port = first.media.port
      media.address = first.media.address
      media.rtcpMux = first.media.rtcpMux
      media.rtcpPort = first.media.rtcpPort
      if (first.media.rtcpAddress !== undefined) media.rtcpAddress = first.media.rtcpAddress
    }
  }
}

/** RFC 2543 B.5 hold: who names the null address receives nothing, whatever the direction attribute says. */
function heldBy(direction: MediaDirection): MediaDirection {
  return direction === 'sendrecv' || direction === 'sendonly' ? 'sendonly' : 'inactive'
}

function defaultRtcpPort(port: number, mux: boolean): number {
  if (port === 0 || mux) return port
  return port < 65535 ? port + 1 : 0
}

/**
 * Reads a session description (RFC 8866), never throws; what cannot be read is noted in `defects` and skipped. Session
 * values are filled into each media section, payload types without a=rtpmap from RFC 3551. A null connection address
 * without ICE (the hold of RFC 2543) turns sendrecv into sendonly and recvonly into inactive.
 */
export function parseSdp(text: string): SessionDescription {
  const reader = new SdpReader()
  let lines = 0
  let at = 0
  while (at < text.length) {
    let end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const line = text.slice(at, end).trim()
    at = end + 1
    if (line === '' || line === '\0') continue
    if (++lines > MAX_LINES) {
      reader.note('sdp_too_long')
      break
    }
    const match = /^([A-Za-z])\s{0,8}=\s{0,8}/.exec(line)
    if (lines === 1 && match?.[1].toLowerCase() !== 'v') reader.note('sdp_not_sdp')
    if (match === null) reader.note('sdp_malformed_line')
    else reader.line(match[1].toLowerCase(), line.slice(match[0].length))
  }
  return reader.finish()
}
