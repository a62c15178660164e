import { isIP } from 'node:net'
import type { Format } from './sender.js'

export interface SdpParts {
  user: string
  address: string
  port: number
  sessionId: number
  version: number
  /** Formats in order of preference. */
  formats: Format[]
  /** 0 = none. */
  telephoneEventType: number
  comfortNoise: boolean
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
  rtcpMux: boolean
  /** Key material in base64, or '' for plain RTP. */
  srtpKey: string
  t38?: boolean
}

function opening(parts: SdpParts): string[] {
  const network = `IN IP${isIP(parts.address) || 4} ${parts.address}`
  const origin = `o=${parts.user} ${parts.sessionId} ${parts.version} ${network}`
  return ['v=0', origin, 's=call', `c=${network}`, 't=0 0']
}

/** A session description with one audio section (RFC 8866), or one T.38 image section. */
export function sdp(parts: SdpParts): string {
  const lines = opening(parts)
  if (parts.t38) {
    lines.push(`m=image ${parts.port} udptl t38`, 'a=T38FaxVersion:0', 'a=T38MaxBitRate:14400')
    return `${lines.join('\r\n')}\r\n`
  }
  const types = parts.formats.map((format) => format.payloadType)
  if (parts.comfortNoise) types.push(13)
  if (parts.telephoneEventType > 0) types.push(parts.telephoneEventType)
  const profile = parts.srtpKey === '' ? 'RTP/AVP' : 'RTP/SAVP'
  lines.push(`m=audio ${parts.port} ${profile} ${types.join(' ')}`)
  if (parts.srtpKey !== '') lines.push(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${parts.srtpKey}`)
  for (const { codec, payloadType, ptimeMs } of parts.formats) {
    const channels = codec.channels > 1 ? `/${codec.channels}` : ''
    lines.push(`a=rtpmap:${payloadType} ${codec.name}/${codec.clockRateHz}${channels}`)
    if (codec.fmtp) lines.push(`a=fmtp:${payloadType} ${codec.fmtp(ptimeMs)}`)
  }
  if (parts.comfortNoise) lines.push('a=rtpmap:13 CN/8000')
  if (parts.telephoneEventType > 0) {
    // RFC 4733 2.5.1: the event format's clock follows the audio's.
    const clock = parts.formats[0]?.codec.clockRateHz ?? 8000
    lines.push(`a=rtpmap:${parts.telephoneEventType} telephone-event/${clock}`)
    lines.push(`a=fmtp:${parts.telephoneEventType} 0-15`)
  }
  if (parts.formats.length > 0) lines.push(`a=ptime:${parts.formats[0].ptimeMs}`)
  if (parts.rtcpMux) lines.push('a=rtcp-mux')
  lines.push(`a=${parts.direction}`)
  return `${lines.join('\r\n')}\r\n`
}
