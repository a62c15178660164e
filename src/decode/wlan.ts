import { LAYER_LLC, LAYER_WLAN } from './layers.js'
import {
  SKIP_ENCRYPTED_FRAME,
  SKIP_FRAGMENT_INCOMPLETE,
  SKIP_NOT_IP,
  SKIP_TRUNCATED_LINK_HEADER,
} from './skip-reason.js'
import type { DecodeState } from './state.js'

const TO_DS = 0x01
const FROM_DS = 0x02
const MORE_FRAGMENTS = 0x04
const PROTECTED = 0x40
const ORDER = 0x80

/** Radiotap: version 0, pad, length of the whole header (little endian). */
export function radiotap(s: DecodeState): number {
  if (!s.has(4)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  const length = s.view.getUint16(s.at + 2, true)
  if (length < 8 || !s.has(length)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  s.at += length
  return LAYER_WLAN
}

/**
 * An 802.11 data frame (802.11-2020 9.2.4, 9.3.2). Of an A-MSDU only the first subframe is decoded; fragments of a
 * frame are not put together (phones fragment no voice).
 */
export function wlan(s: DecodeState): number {
  if (!s.has(24))
    return s.skip(s.has(1) && (s.bytes[s.at] & 0x0c) !== 8 ? SKIP_NOT_IP : SKIP_TRUNCATED_LINK_HEADER)
  const control = s.bytes[s.at]
  const flags = s.bytes[s.at + 1]
  // Type 2 is data; subtype bit 2 means that no data follows.
  if ((control & 0x0f) !== 8 || (control & 0x40) !== 0) return s.skip(SKIP_NOT_IP)
  if ((flags & PROTECTED) !== 0) return s.skip(SKIP_ENCRYPTED_FRAME)
  if ((flags & MORE_FRAGMENTS) !== 0 || (s.bytes[s.at + 22] & 0x0f) !== 0)
    return s.skip(SKIP_FRAGMENT_INCOMPLETE)
  let header = (flags & (TO_DS | FROM_DS)) === (TO_DS | FROM_DS) ? 30 : 24
  let aggregate = false
  if ((control & 0x80) !== 0) {
    if (!s.has(header + 2)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
    aggregate = (s.bytes[s.at + header] & 0x80) !== 0
    header += (flags & ORDER) !== 0 ? 6 : 2
  }
  // A subframe starts with two addresses and a length.
  if (aggregate) header += 14
  if (!s.has(header + 3)) return s.skip(SKIP_TRUNCATED_LINK_HEADER)
  s.at += header
  // Some drivers pad the header to a multiple of four.
  if (!isSnap(s, s.at) && isSnap(s, s.at + 2)) s.at += 2
  return LAYER_LLC
}

function isSnap(s: DecodeState, at: number): boolean {
  return (
    s.capturedEnd - at >= 3 && s.bytes[at] === 0xaa && s.bytes[at + 1] === 0xaa && s.bytes[at + 2] === 0x03
  )
}
