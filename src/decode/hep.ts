import { setVlan } from './ethernet.js'
import { TUNNEL_HEP } from './layers.js'
import { KIND_UDP } from './packet.js'
import { SKIP_BAD_HEP } from './skip-reason.js'
import type { DecodeState } from './state.js'

/** 'H' of "HEP3". */
export const HEP_FIRST_BYTE = 0x48
export const HEP_MAGIC = 0x48455033
/** The magic, and the length of the whole message. */
export const HEP_HEADER_BYTES = 6

/** Generic chunks (vendor 0) of HEP/EEP rev. 37 that say where the captured message came from. */
const CHUNK_FAMILY = 1
const CHUNK_PROTOCOL = 2
const CHUNK_IPV4_SOURCE = 3
const CHUNK_IPV4_DESTINATION = 4
const CHUNK_IPV6_SOURCE = 5
const CHUNK_IPV6_DESTINATION = 6
const CHUNK_SOURCE_PORT = 7
const CHUNK_DESTINATION_PORT = 8
const CHUNK_SECONDS = 9
const CHUNK_MICROSECONDS = 10
const CHUNK_TYPE = 11
const CHUNK_PAYLOAD = 15
const CHUNK_VLAN = 18
const CHUNK_TOS = 24

const FAMILY_IPV4 = 2
/** AF_INET6 of Linux, as the specification has it, and of the BSDs, whose agents send their own. */
const FAMILY_IPV6 = [10, 24, 28, 30]

/** Does the UDP payload begin like a HEP version 3 message? The magic is enough: no other protocol of ours has it. */
export function isHep(s: DecodeState): boolean {
  return s.payloadCaptured >= HEP_HEADER_BYTES && s.view.getInt32(s.payloadOffset) === HEP_MAGIC
}

/**
 * Replaces addresses, ports, time and payload by what the capture agent saw. Chunks after the end of what was
 * captured are taken for absent; without addresses or payload the message is `bad_hep`. A compressed payload
 * (chunk 16) is not unpacked.
 */
export function hep(s: DecodeState): number {
  const start = s.payloadOffset
  const total = s.view.getUint16(start + 4)
  if (total < HEP_HEADER_BYTES || total > s.payloadLength) return s.skip(SKIP_BAD_HEP)
  const end = start + total
  const present = Math.min(end, start + s.payloadCaptured)
  s.capturedEnd = present
  let family = 0
  let seconds = 0
  let microseconds = 0
  let source4 = -1
  let source6 = -1
  let destination4 = -1
  let destination6 = -1
  let payload = -1
  let payloadLength = 0
  s.hepTransport = 0
  s.hepProtocolType = 0
  s.sourcePort = 0
  s.destinationPort = 0
  s.dscp = 0
  s.ttl = 0
  for (let at = start + HEP_HEADER_BYTES; at + 6 <= present;) {
    const length = s.view.getUint16(at + 4)
    if (length < 6 || at + length > end) return s.skip(SKIP_BAD_HEP)
    const value = at + 6
    const size = length - 6
    // Vendor chunks, and values that the capture cut off, are stepped over; a cut payload still counts.
    const type = s.view.getUint16(at) === 0 ? s.view.getUint16(at + 2) : 0
    at += length
    if (type === CHUNK_PAYLOAD) {
      payload = value
      payloadLength = size
    }
    if (at > present) break
    if (type === CHUNK_FAMILY && size >= 1) family = s.bytes[value]
    else if (type === CHUNK_PROTOCOL && size >= 1) s.hepTransport = s.bytes[value]
    else if (type === CHUNK_IPV4_SOURCE && size === 4) source4 = value
    else if (type === CHUNK_IPV4_DESTINATION && size === 4) destination4 = value
    else if (type === CHUNK_IPV6_SOURCE && size === 16) source6 = value
    else if (type === CHUNK_IPV6_DESTINATION && size === 16) destination6 = value
    else if (type === CHUNK_SOURCE_PORT && size === 2) s.sourcePort = s.view.getUint16(value)
    else if (type === CHUNK_DESTINATION_PORT && size === 2) s.destinationPort = s.view.getUint16(value)
    else if (type === CHUNK_SECONDS && size === 4) seconds = s.view.getUint32(value)
    else if (type === CHUNK_MICROSECONDS && size === 4) microseconds = s.view.getUint32(value)
    else if (type === CHUNK_TYPE && size >= 1) s.hepProtocolType = s.bytes[value]
    else if (type === CHUNK_VLAN && size === 2) setVlan(s, s.view.getUint16(value) & 0xfff)
    else if (type === CHUNK_TOS && size >= 1) s.dscp = s.bytes[value + size - 1] >> 2
  }
  const v4 = family === FAMILY_IPV4
  const source = v4 ? source4 : source6
  const destination = v4 ? destination4 : destination6
  if (payload < 0 || source < 0 || destination < 0 || (!v4 && !FAMILY_IPV6.includes(family))) {
    return s.skip(SKIP_BAD_HEP)
  }
  setAddresses(s, v4, source, destination)
  if (seconds > 0) s.timeMs = seconds * 1000 + microseconds / 1000
  s.setPayload(payload, payloadLength)
  s.ipLength = (v4 ? 20 : 40) + (s.hepTransport === 6 ? 20 : 8) + payloadLength
  s.udpChecksum = 0
  s.fromHep = true
  s.tunnelCounts[TUNNEL_HEP]++
  return KIND_UDP
}

function setAddresses(s: DecodeState, v4: boolean, source: number, destination: number): void {
  const view = s.view
  s.ipVersion = v4 ? 4 : 6
  s.source0 = view.getInt32(source)
  s.source1 = v4 ? 0 : view.getInt32(source + 4)
  s.source2 = v4 ? 0 : view.getInt32(source + 8)
  s.source3 = v4 ? 0 : view.getInt32(source + 12)
  s.destination0 = view.getInt32(destination)
  s.destination1 = v4 ? 0 : view.getInt32(destination + 4)
  s.destination2 = v4 ? 0 : view.getInt32(destination + 8)
  s.destination3 = v4 ? 0 : view.getInt32(destination + 12)
}
