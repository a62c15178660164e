import type { RtcpDefect } from './defects.js'
import type { XrBlock } from './xr-blocks.js'

/** One reception report (RFC 3550 6.4.1). */
export interface ReportBlock {
  /** The stream reported on. */
  ssrc: number
  /** Lost since the previous report, n/256. */
  fractionLost: number
  /** Signed: duplicates make it negative. */
  cumulativeLost: number
  /** Cycles << 16 | sequence number, unsigned. */
  extendedHighest: number
  /** Interarrival jitter in timestamp units. */
  jitter: number
  /** Middle 32 bits of the NTP time of the last SR; 0 = none received. */
  lsr: number
  /** Delay since that SR, 1/65536 s. */
  dlsr: number
}

export interface SenderInfo {
  ntpSeconds: number
  ntpFraction: number
  /** Middle 32 bits of the NTP time: what reports repeat as LSR. */
  ntpMiddle32: number
  rtpTimestamp: number
  /** Since the start of transmission, modulo 2^32. */
  packetCount: number
  /** Payload octets, without headers and padding. */
  octetCount: number
}

export interface SenderReport {
  type: 'sr'
  ssrc: number
  /** Absent when the packet ends before it. */
  sender?: SenderInfo
  reports: ReportBlock[]
}

export interface ReceiverReport {
  type: 'rr'
  ssrc: number
  reports: ReportBlock[]
}

export type SdesItemType = 'cname' | 'name' | 'email' | 'phone' | 'loc' | 'tool' | 'note' | 'priv' | 'other'

export interface SdesItem {
  type: SdesItemType
  /** The number on the wire. */
  code: number
  text: string
}

export interface SdesChunk {
  ssrc: number
  items: SdesItem[]
}

export interface SourceDescription {
  type: 'sdes'
  chunks: SdesChunk[]
}

export interface Goodbye {
  type: 'bye'
  ssrcs: number[]
  reason?: string
}

export interface ApplicationDefined {
  type: 'app'
  subtype: number
  ssrc: number
  /** Four characters. */
  name: string
  /** Bytes behind the name. */
  dataLength: number
}

/** RTPFB (205) or PSFB (206), RFC 4585: who says what kind of thing about whom; the content is not read. */
export interface Feedback {
  type: 'rtpfb' | 'psfb'
  /** FMT: for rtpfb 1 generic NACK, 15 transport-wide congestion control; for psfb 1 PLI, 4 FIR, 15 REMB and others. */
  format: number
  ssrc: number
  mediaSsrc?: number
}

export interface ExtendedReport {
  type: 'xr'
  ssrc: number
  blocks: XrBlock[]
}

/** A packet type that is not read, or one cut before its first field. */
export interface OtherPacket {
  type: 'other'
  packetType: number
  /** Bytes, first word included, as its length field says. */
  length: number
}

export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | ApplicationDefined
  | Feedback
  | ExtendedReport
  | OtherPacket

/** What one datagram holds. */
export interface RtcpCompound {
  /** In their order on the wire. Several compounds in one datagram are one list. Empty when encrypted. */
  packets: RtcpPacket[]
  defects: RtcpDefect[]
  /** SRTCP with the E flag: nothing but the first header is readable. */
  encrypted: boolean
  /** SRTCP without the E flag: readable, an index and a tag follow. */
  authenticated: boolean
  /** Does not begin with SR or RR (RFC 5506). */
  reducedSize: boolean
  /** The capture holds less than the datagram had. */
  truncated: boolean
  /** First packet type and SSRC: in the clear in SRTCP too (RFC 3711 3.4). Absent when the SSRC is not there. */
  first?: { packetType: number; ssrc: number }
}
