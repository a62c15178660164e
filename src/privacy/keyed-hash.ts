import { createHmac } from 'node:crypto'

/**
 * HMAC-SHA-256 (RFC 2104) under one key. `purpose` keeps the uses apart: a number and a Call-ID that read the same get
 * different tokens.
 */
export class KeyedHash {
  constructor(private readonly key: Uint8Array) {}

  /** The 32 bytes of HMAC(key, purpose, 0, text). */
  bytes(purpose: string, text: string): Buffer {
    return createHmac('sha256', this.key).update(purpose).update('\0').update(text).digest()
  }

  /** Its first hexadecimal digits. */
  hex(purpose: string, text: string, digits: number): string {
    return this.bytes(purpose, text).toString('hex').slice(0, digits)
  }
}
