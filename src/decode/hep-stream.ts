import { HEP_FIRST_BYTE, HEP_HEADER_BYTES, HEP_MAGIC } from './hep.js'

const NO_BYTES = new Uint8Array(0)

/** Does a TCP payload begin with a HEP version 3 message? */
export function looksLikeHepStream(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= 4 && bytes[offset] === HEP_FIRST_BYTE && magicAt(bytes, offset) === HEP_MAGIC
}

/**
 * One direction of a TCP connection over which a capture agent sends: HEP version 3 messages one behind the other, each
 * "HEP3" and its whole length in 16 bits. Holds less than one message.
 */
export class HepStream {
  private held = NO_BYTES

  /**
   * Takes bytes that follow on those before; hands out every message that they complete, valid as long as `bytes`, and
   * how far before their end it begins.
   */
  push(bytes: Uint8Array, onMessage: (message: Uint8Array, before: number) => void): void {
    const all = this.held.length > 0 ? Buffer.concat([this.held, bytes]) : bytes
    let at = nextMagic(all, 0)
    while (at + HEP_HEADER_BYTES <= all.length) {
      const length = (all[at + 4] << 8) | all[at + 5]
      if (at + length > all.length) break
      if (length >= HEP_HEADER_BYTES) onMessage(all.subarray(at, at + length), all.length - at)
      at = nextMagic(all, at + Math.max(4, length))
    }
    // A copy: the bytes are the connection's, and Buffer.slice would share them.
    this.held = new Uint8Array(all.subarray(at))
  }

  /** Bytes are missing: what is held will not be completed. */
  gap(): void {
    this.held = NO_BYTES
  }
}

/** The TCP connections over which capture agents send. */
export class HepConnections {
  private readonly streams = new WeakMap<object, readonly [HepStream, HepStream]>()

  /** One direction of a connection, known by the first `bytes` it delivers; undefined when it is none of an agent. */
  of(connection: object, direction: 0 | 1, bytes: Uint8Array): HepStream | undefined {
    let streams = this.streams.get(connection)
    if (!streams && looksLikeHepStream(bytes, 0, bytes.length))
      this.streams.set(connection, (streams = [new HepStream(), new HepStream()]))
    return streams?.[direction]
  }

  gap(connection: object, direction: 0 | 1): void {
    this.streams.get(connection)?.[direction].gap()
  }
}

/** Where a message begins, at `from` or behind it; else where one could that the next bytes show. */
function nextMagic(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] !== HEP_FIRST_BYTE) continue
    if (at + 4 > bytes.length || magicAt(bytes, at) === HEP_MAGIC) return at
  }
  return bytes.length
}

function magicAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}
