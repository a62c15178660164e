export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One payload type of an m= line, from rtpmap/fmtp or RFC 3551's static table. */
export interface PayloadFormat {
  payloadType: number
  /** Encoding name in upper case, e.g. PCMU, G729, OPUS, TELEPHONE-EVENT, CN. '' when a dynamic type has no rtpmap. */
  encoding: string
  /** RTP clock rate in Hz; 0 when unknown. */
  clockRateHz: number
  channels: number
  fmtp?: string
}

export interface IceCandidate {
  component: number
  /** host, srflx, prflx, relay */
  type: string
  transport: string
  address: string
  port: number
}

/** One m= section with session-level values filled in. */
export interface MediaDescription {
  /** audio, video, image, application, ... */
  kind: string
  /** Port of the m= line; 0 = refused. */
  port: number
  /** Connection address (RFC 5952) or host name as written; '' when absent. */
  address: string
  /** e.g. RTP/AVP, RTP/SAVPF, UDP/TLS/RTP/SAVPF, udptl */
  protocol: string
  /** SAVP, DTLS fingerprint or a=crypto. */
  encrypted: boolean
  formats: PayloadFormat[]
  direction: MediaDirection
  ptimeMs?: number
  maxptimeMs?: number
  /** From a=rtcp, else port + 1 (or `port` with rtcp-mux). */
  rtcpPort: number
  /** From a=rtcp when it names one. */
  rtcpAddress?: string
  rtcpMux: boolean
  candidates: IceCandidate[]
  mid?: string
  ssrcs: number[]
}

export interface SessionDescription {
  origin?: { username: string; sessionId: string; sessionVersion: string; address: string }
  sessionName?: string
  media: MediaDescription[]
  defects: string[]
}
