import type { FrameBatch } from './frame-batch.js'

/**
 * Largest captured length of a packet that is believed, in bytes: libpcap's and Wireshark's limit for all but a few
 * USB and D-Bus link types (libpcap pcap-int.h MAXIMUM_SNAPLEN, wiretap WTAP_MAX_PACKET_SIZE_STANDARD).
 */
export const MAX_CAPTURED_LENGTH = 262_144

/**
 * Largest record that has to lie in memory as a whole: the largest packet with 128 KiB of options, which is libpcap's
 * allowance (sf-pcapng.c MAX_BLOCKSIZE_FOR_SNAPLEN), rounded up.
 */
export const MAX_RECORD_BYTES = 524_288

/** Where a file stops making sense: `position` in the window that was parsed. */
export interface ParseDamage {
  position: number
  message: string
}

/** Finds packets in a window of a capture file. One parser lives as long as its file and keeps what headers said. */
export interface CaptureParser {
  /**
   * Appends the complete packets of `batch.bytes[start..end)` to the batch until it is full, and returns where to go
   * on. After the return either the batch is full, or `damage` is set, or more bytes are wanted (see `needed`).
   */
  parse(batch: FrameBatch, start: number, end: number): number
  /** Bytes wanted from the returned position on before parsing can go on; at most MAX_RECORD_BYTES. */
  readonly needed: number
  /** True when the file may end at the returned position if no byte is left there. */
  readonly atRecordStart: boolean
  readonly damage: ParseDamage | null
  /** Packets that the capturing program says it dropped. */
  readonly reportedDrops: number
  /** Things worth one remark about this file (few, constant texts). */
  readonly notes: readonly string[]
}
