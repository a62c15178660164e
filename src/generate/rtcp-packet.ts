import { fillNoise } from './codecs.js'

/** Seconds from 1900 to 1970 (RFC 5905). */
const NTP_EPOCH_S = 2208988800

/** 64-bit NTP time of ms since the Unix epoch: seconds and 2^-32 fractions. */
export function ntpTime(timeMs: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(timeMs / 1000)
  const fraction = Math.floor(((timeMs - seconds * 1000) / 1000) * 4294967296)
  return { seconds: seconds + NTP_EPOCH_S, fraction }
}

/** Middle 32 bits of an NTP time, the form of LSR. */
export function middle32(timeMs: number): number {
  const { seconds, fraction } = ntpTime(timeMs)
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0
}

/** RFC 3550 6.4.1. */
export interface ReportBlock {
  ssrc: number
  /** n/256 since the previous report. */
  fractionLost: number
  /** Signed, clamped to 24 bits when written. */
  cumulativeLost: number
  extendedHighest: number
  /** Timestamp units. */
  jitter: number
  lsr: number
  /** 1/65536 s. */
  dlsr: number
}

export interface SenderInfo {
  timeMs: number
  rtpTimestamp: number
  packets: number
  octets: number
}

function header(view: DataView, count: number, type: number): void {
  view.setUint8(0, 0x80 | count)
  view.setUint8(1, type)
  view.setUint16(2, view.byteLength / 4 - 1)
}

function packet(bytes: number): DataView {
  return new DataView(new ArrayBuffer(bytes))
}

/** SR when `sender` is given, else RR. */
export function report(ssrc: number, sender: SenderInfo | null, blocks: ReportBlock[]): Uint8Array {
  const blocksAt = sender ? 28 : 8
  const view = packet(blocksAt + 24 * blocks.length)
  header(view, blocks.length, sender ? 200 : 201)
  view.setUint32(4, ssrc)
  if (sender) {
    const ntp = ntpTime(sender.timeMs)
    view.setUint32(8, ntp.seconds)
    view.setUint32(12, ntp.fraction)
    view.setUint32(16, sender.rtpTimestamp)
    view.setUint32(20, sender.packets)
    view.setUint32(24, sender.octets)
  }
  blocks.forEach((block, i) => {
    const at = blocksAt + 24 * i
    const lost = Math.max(-0x800000, Math.min(0x7fffff, block.cumulativeLost))
    view.setUint32(at, block.ssrc)
    view.setUint32(at + 4, ((block.fractionLost << 24) | (lost & 0xffffff)) >>> 0)
    view.setUint32(at + 8, block.extendedHighest)
    view.setUint32(at + 12, block.jitter)
    view.setUint32(at + 16, block.lsr)
    view.setUint32(at + 20, block.dlsr)
  })
  return new Uint8Array(view.buffer)
}

/** SDES with a CNAME (6.5): text, at least one zero byte, padded to a word. */
export function sdes(ssrc: number, cname: string): Uint8Array {
  const text = new TextEncoder().encode(cname)
  const view = packet(8 + 4 * Math.ceil((2 + text.length + 1) / 4))
  header(view, 1, 202)
  view.setUint32(4, ssrc)
  view.setUint8(8, 1)
  view.setUint8(9, text.length)
  const bytes = new Uint8Array(view.buffer)
  bytes.set(text, 10)
  return bytes
}

export function bye(ssrc: number): Uint8Array {
  const view = packet(8)
  header(view, 1, 203)
  view.setUint32(4, ssrc)
  return new Uint8Array(view.buffer)
}

/** What a receiver says in an RFC 3611 4.7 VoIP metrics block; what it does not know is 127 (unavailable) or 0. */
export interface VoipMetrics {
  ssrc: number
  /** n/256 of the packets expected since the beginning. */
  lossRate: number
  roundTripMs: number
  rFactor?: number
  mosLq?: number
  mosCq?: number
}

const UNAVAILABLE = 127
const GMIN = 16

export function voipMetrics(ssrc: number, metrics: VoipMetrics): Uint8Array {
  const view = packet(8 + 36)
  header(view, 0, 207)
  view.setUint32(4, ssrc)
  view.setUint8(8, 7)
  view.setUint16(10, 8)
  view.setUint32(12, metrics.ssrc)
  view.setUint8(16, metrics.lossRate)
  view.setUint16(24, Math.round(metrics.roundTripMs))
  for (const at of [28, 29, 30, 32, 33, 34, 35]) view.setUint8(at, UNAVAILABLE)
  view.setUint8(31, GMIN)
  if (metrics.rFactor !== undefined) view.setUint8(32, metrics.rFactor)
  if (metrics.mosLq !== undefined) view.setUint8(34, Math.round(metrics.mosLq * 10))
  if (metrics.mosCq !== undefined) view.setUint8(35, Math.round(metrics.mosCq * 10))
  view.setUint16(38, 40)
  view.setUint16(40, 60)
  view.setUint16(42, 500)
  return new Uint8Array(view.buffer)
}

export function compound(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const SRTCP_TRAILER_BYTES = 14

/** What SRTCP looks like from outside (RFC 3711 3.4): first 8 bytes clear, then ciphertext, E and index, tag. */
export function asSrtcp(plain: Uint8Array, index: number): Uint8Array {
  const bytes = new Uint8Array(plain.length + SRTCP_TRAILER_BYTES)
  bytes.set(plain.subarray(0, 8))
  fillNoise(bytes, 8, bytes.length - 8, index + 1)
  new DataView(bytes.buffer).setUint32(plain.length, (0x80000000 | index) >>> 0)
  return bytes
}
