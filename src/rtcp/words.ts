/** Big-endian reads. Callers check the bounds; all results are unsigned unless the name says otherwise. */
export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1]
}

export function i16(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) << 16) >> 16
}

export function u24(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]
}

/** Two's complement, as the cumulative number of packets lost is (RFC 3550 6.4.1). */
export function i24(bytes: Uint8Array, at: number): number {
  return (u24(bytes, at) << 8) >> 8
}

export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
}

export function i8(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) >> 24
}

/** The middle 32 bits of an NTP time: 16 bits of seconds, 16 of fraction (RFC 3550 4). */
export function middle32(ntpSeconds: number, ntpFraction: number): number {
  return (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0
}

/** Units of 1/65536 s, as DLSR and DLRR are, in ms. */
export function shortNtpToMs(units: number): number {
  return (units * 1000) / 65536
}

const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/** UTF-8 text; what is not UTF-8 becomes U+FFFD. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return utf8.decode(bytes.subarray(start, end))
}
