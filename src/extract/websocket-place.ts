const OPCODE_CLOSE = 8

/** Where the payload of a message lies in bytes of a WebSocket (RFC 6455 5.2), and the key that masks it. */
export interface WebSocketPlace {
  payloadAt: number
  end: number
  mask?: Uint8Array
}

/**
 * Finds the frame that carries a message of `length` bytes: pings and other control frames before it are passed over.
 * undefined when the message came in several frames, or frames do not begin where the bytes do.
 */
export function readWebSocketMessage(bytes: Uint8Array, length: number): WebSocketPlace | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = afterHandshake(bytes); at + 2 <= bytes.length;) {
    const isFinal = (bytes[at] & 0x80) !== 0
    const opcode = bytes[at] & 15
    const isMasked = (bytes[at + 1] & 0x80) !== 0
    let payload = bytes[at + 1] & 0x7f
    let header = 2
    if (payload === 126) {
      if (at + 4 > bytes.length) return undefined
      payload = view.getUint16(at + 2)
      header = 4
    } else if (payload === 127) {
      if (at + 10 > bytes.length || view.getUint32(at + 2) !== 0) return undefined
      payload = view.getUint32(at + 6)
      header = 10
    }
    const payloadAt = at + header + (isMasked ? 4 : 0)
    const end = payloadAt + payload
    if (end > bytes.length || (bytes[at] & 0x70) !== 0) return undefined
    if (opcode < OPCODE_CLOSE) {
      if (!isFinal || payload !== length) return undefined
      return { payloadAt, end, mask: isMasked ? bytes.slice(at + header, payloadAt) : undefined }
    }
    at = end
  }
  return undefined
}

/** The connection begins as HTTP (RFC 6455 4.1, 4.2.2). */
function afterHandshake(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!/^(?:GET |HTTP)/.test(text.toString('latin1', 0, 4))) return 0
  const end = text.indexOf('\r\n\r\n')
  return end < 0 ? 0 : end + 4
}
