import type { SessionDescription } from './sdp-types.js'

export interface SipUri {
  readonly scheme: string
  readonly user?: string
  readonly host: string
  readonly port?: number
  readonly parameters: Readonly<Record<string, string>>
}

/** Shared by the messages that say the same: never changed. */
export interface SipAddress {
  readonly display?: string
  readonly uri: SipUri
  /** The URI as it was written, without angle brackets. */
  readonly uriText: string
  readonly tag?: string
}

/** One part of a body: the whole body, or one part of a multipart one. */
export interface BodyPart {
  contentType: string
  text: string
}

interface SipMessageBase {
  callId: string
  from: SipAddress
  to: SipAddress
  cseq: { number: number; method: string }
  /** `branch` of the topmost Via, '' when there is none. */
  viaBranch: string
  /** First value of a header by its lower-case full name (compact forms are expanded), or undefined. */
  header(name: string): string | undefined
  /** All values of a header, comma-separated lists split where the header's grammar allows it. */
  headers(name: string): string[]
  contact?: SipAddress
  body: string
  bodyParts: BodyPart[]
  sdp?: SessionDescription
  /** What was wrong but tolerated (bad Content-Length, junk before the start line, ...). */
  defects: string[]
  /** Bytes that follow the headers, set when Content-Length says something else. */
  presentBodyBytes?: number
  /** Bytes of the message as sent (headers and body). */
  length: number
  /** The message as text (latin1-safe for bytes that are not UTF-8). */
  raw: string
}

export interface SipRequest extends SipMessageBase {
  kind: 'request'
  method: string
  requestUri: string
}

export interface SipResponse extends SipMessageBase {
  kind: 'response'
  status: number
  reason: string
}

export type SipMessage = SipRequest | SipResponse

export type SipTransport = 'udp' | 'tcp' | 'tls' | 'sctp' | 'ws' | 'wss'

/** A message with where and when it was seen. */
export interface SipPacket {
  message: SipMessage
  timeMs: number
  transport: SipTransport
  /** RFC 5952 text. */
  sourceAddress: string
  sourcePort: number
  destinationAddress: string
  destinationPort: number
  /** -1 when untagged. */
  vlan: number
  /** The frame was cut: the message may be longer than what is here. */
  cut?: boolean
}
