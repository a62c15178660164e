import type { SipPacket } from './message.js'

/** Identical messages closer than this are copies made by the mirror, not retransmissions (RFC 3261: T1 is 500 ms). */
export const DUPLICATE_WINDOW_MS = 50

/** 64 x T1 (RFC 3261, table 4): no transaction retransmits longer than this. */
export const TRANSACTION_LIFETIME_MS = 32_000

/** Messages remembered per call. */
export const MAX_SEEN_MESSAGES = 64

export type Sighting = 'new' | 'duplicate' | 'retransmission'

/** 32-bit FNV-1a of a text's UTF-16 units, continued from `seed`. */
export function textHash(text: string, seed = 0x811c9dc5): number {
  let hash = seed
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash | 0
}

/**
 * What makes two messages the same step of the same transaction on the same hop: method or status, CSeq, topmost Via
 * branch (RFC 3261 17.1.3), tags and sender. Reliable provisional responses differ by RSeq (RFC 3262).
 */
export function transactionKey(packet: SipPacket): number {
  const { message } = packet
  let step: string
  if (message.kind === 'request') step = message.method
  else step = `${message.status} ${message.cseq.method} ${message.header('rseq') ?? ''}`
  const tags = `${message.from.tag ?? ''}>${message.to.tag ?? ''}`
  let key = textHash(
    `${step}|${message.cseq.number}|${message.viaBranch}|${tags}|${packet.sourceAddress}:${packet.sourcePort}`,
  )
  // A 180 or 183 may be sent again with other content: that is news, not a repeat.
  if (message.kind === 'response' && message.status < 200) key = textHash(message.body, key)
  return key
}

/** The messages of one call that were seen before, at most `MAX_SEEN_MESSAGES` (the oldest are forgotten). */
export class SeenMessages {
  /** Rows of transaction key, hash of the bytes, time in ms. */
  private readonly rows: number[] = []
  private cursor = 0

  /**
   * Says whether a message is new and remembers it. A provisional response that comes again after the life of a
   * transaction is a refresh (RFC 3261 13.3.1.1: at least every three minutes), hence new.
   */
  sight(packet: SipPacket): Sighting {
    const key = transactionKey(packet)
    const hash = textHash(packet.message.raw)
    const { rows } = this
    let known = -1
    for (let row = 0; row < rows.length; row += 3) {
      if (rows[row + 1] === hash && Math.abs(packet.timeMs - rows[row + 2]) <= DUPLICATE_WINDOW_MS) {
        rows[row + 2] = packet.timeMs
        return 'duplicate'
      }
      if (rows[row] === key) known = row
    }
    if (known < 0) {
      this.remember(key, hash, packet.timeMs)
      return 'new'
    }
    const elapsed = packet.timeMs - rows[known + 2]
    rows[known + 1] = hash
    rows[known + 2] = packet.timeMs
    const provisional = packet.message.kind === 'response' && packet.message.status < 200
    return provisional && elapsed > TRANSACTION_LIFETIME_MS ? 'new' : 'retransmission'
  }

  private remember(key: number, hash: number, timeMs: number): void {
    const { rows } = this
    if (rows.length < MAX_SEEN_MESSAGES * 3) {
      rows.push(key, hash, timeMs)
      return
    }
    rows[this.cursor] = key
    rows[this.cursor + 1] = hash
    rows[this.cursor + 2] = timeMs
    this.cursor = (this.cursor + 3) % rows.length
  }
}
