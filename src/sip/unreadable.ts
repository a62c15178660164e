/** Why SIP, or what is most likely SIP, cannot be read. */
export type UnreadableSip =
  /** A TCP connection of a SIP port that carries TLS. */
  | 'tls_connections'
  /** Datagrams of a SIP port with DTLS. */
  | 'dtls_datagrams'
  /** Datagrams of a SIP port that SigComp packed (RFC 5049). */
  | 'sigcomp_datagrams'
  /** WebSocket messages packed by an extension (RFC 7692). */
  | 'compressed_websocket_messages'
  /** Messages larger than is held. */
  | 'oversized_messages'

/** Told once for each connection, datagram or message. */
export type OnUnreadable = (reason: UnreadableSip) => void

const CHANGE_CIPHER_SPEC = 20
const APPLICATION_DATA = 23
const TLS_MAJOR = 3
const DTLS_MAJOR = 0xfe

/** A TLS record at `at` (RFC 8446 5.1): its type, and the major version. */
export function isTls(bytes: Uint8Array, at: number, length: number): boolean {
  return length > 2 && isRecordType(bytes[at]) && bytes[at + 1] === TLS_MAJOR
}

/** What packs a datagram of a SIP port, if anything is known to. */
export function unreadableDatagram(
  bytes: Uint8Array,
  at: number,
  length: number,
): 'dtls_datagrams' | 'sigcomp_datagrams' | undefined {
  if (length < 3) return undefined
  // RFC 6347 4.1: type, then the version as its complement (1.0 is 254.255, 1.2 is 254.253).
  if (isRecordType(bytes[at]) && bytes[at + 1] === DTLS_MAJOR) return 'dtls_datagrams'
  // RFC 3320 7: the first five bits are ones.
  if (bytes[at] >= 0xf8) return 'sigcomp_datagrams'
  return undefined
}

function isRecordType(type: number): boolean {
  return type >= CHANGE_CIPHER_SPEC && type <= APPLICATION_DATA
}
