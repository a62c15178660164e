import { allocateScratch } from './allocate.js'
import { fillAudio, fillNoise } from './codecs.js'
import { EVENT_END, KIND_AUDIO, KIND_EVENT, MARKER } from './packet-list.js'
import type { DirectionSpec } from './scenario.js'
import type { Sender } from './sender.js'

/** RFC 3711: 80-bit authentication tag. */
const SRTP_TAG_BYTES = 10
/** RFC 3389: noise level, -dBov. */
const NOISE_LEVEL = 60
const EVENT_VOLUME = 10

export function payloadLength(sender: Sender, index: number, spec: DirectionSpec): number {
  const { packets, formats } = sender
  if (packets.kind[index] === KIND_EVENT) return 4
  if (packets.kind[index] !== KIND_AUDIO) return 1
  const { codec, ptimeMs } = formats[packets.format[index]]
  return spec.payload_bytes ?? codec.payloadBytes(ptimeMs)
}

/**
 * ```
 *  0                   1                   2                   3
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * |                     CC contributing sources                   |
 * |  extension profile (if X)     |      length in words          |
 * ```
 * Writes packet `index` of a sender (RFC 3550 5.1). The same index gives the same bytes every time.
 */
export function rtpPacket(sender: Sender, index: number, spec: DirectionSpec, srtp: boolean): Uint8Array {
  const { packets, segments, formats } = sender
  const csrcs = spec.csrc_count ?? 0
  const extensionWords = Math.ceil((spec.extension_bytes ?? 0) / 4)
  const padding = spec.padding_bytes ?? 0
  const length = payloadLength(sender, index, spec)
  const payloadAt = 12 + 4 * csrcs + (extensionWords > 0 ? 4 + 4 * extensionWords : 0)
  const bytes = allocateScratch(payloadAt + length + padding + (srtp ? SRTP_TAG_BYTES : 0))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  bytes[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extensionWords > 0 ? 0x10 : 0) | csrcs
  bytes[1] = (packets.has(index, MARKER) ? 0x80 : 0) | packets.payloadType[index]
  const sequence = packets.extended[index] & 0xffff
  view.setUint16(2, sequence)
  view.setUint32(4, packets.timestamp[index])
  const { ssrc } = segments[packets.segment[index]]
  view.setUint32(8, ssrc)
  for (let i = 0; i < csrcs; i++) view.setUint32(12 + 4 * i, ssrc ^ (i + 1))
  if (extensionWords > 0) {
    // RFC 8285 one-byte headers; zero bytes are padding.
    view.setUint16(12 + 4 * csrcs, 0xbede)
    view.setUint16(14 + 4 * csrcs, extensionWords)
  }
  const kind = packets.kind[index]
  if (kind === KIND_EVENT) {
    bytes[payloadAt] = packets.event[index]
    bytes[payloadAt + 1] = (packets.has(index, EVENT_END) ? 0x80 : 0) | EVENT_VOLUME
    view.setUint16(payloadAt + 2, packets.eventDuration[index])
  } else if (kind === KIND_AUDIO) {
    const { codec, ptimeMs } = formats[packets.format[index]]
    fillAudio(codec, ptimeMs, bytes, payloadAt, length, packets.timestamp[index] ^ ssrc)
  } else bytes[payloadAt] = NOISE_LEVEL
  if (padding > 0) bytes[payloadAt + length + padding - 1] = padding
  if (srtp) fillNoise(bytes, payloadAt + length + padding, SRTP_TAG_BYTES, sequence)
  return bytes
}
