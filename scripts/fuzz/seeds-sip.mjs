import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../lib/run.mjs'

/** The messages of src/sip/testdata, as far as plain text gives them: its escapes are left as they are. */
function testdata(name) {
  const text = readFileSync(join(ROOT, 'src/sip/testdata', name), 'latin1')
  return text
    .split(/^== .*\n/m)
    .slice(1)
    .map((block) => block.split(/^-- expect\n/m)[0].replaceAll(/\r?\n/g, '\r\n'))
}

const bytes = (text) => new Uint8Array(Buffer.from(text, 'latin1'))

/** @param {import('./material.mjs').Material} material */
export async function sipSeeds(material) {
  const own = ['torture-valid.txt', 'torture-invalid.txt', 'multipart.txt'].flatMap(testdata)
  return [...own.map(bytes), ...(await material.sipPayloads()), ...material.tortureMessages()]
}

export async function sdpSeeds(material) {
  const own = testdata('sdp.txt').map((text) => bytes(text.replace(/^\{sdp\}\r\n/, '')))
  const bodies = (await material.sipPayloads())
    .map((message) => Buffer.from(message).toString('latin1').split('\r\n\r\n')[1] ?? '')
    .filter((body) => body.startsWith('v='))
  return [...own, ...bodies.map(bytes)]
}

/** A WebSocket frame (RFC 6455 5.2), masked with zeros or not at all. */
function webSocketFrame(payload, masked) {
  const bit = masked ? 0x80 : 0
  const length =
    payload.length < 126 ? [bit | payload.length] : [bit | 126, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([0x81, ...length, ...(masked ? [0, 0, 0, 0] : [])]), payload])
}

export async function framerSeeds(material) {
  const messages = await sipSeeds(material)
  const upgrade = bytes('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n')
  const rows = []
  // The first byte chooses the size of the pieces (src/sip/fuzz-target.ts).
  for (let i = 0; i < messages.length; i++) {
    const next = messages[(i + 1) % messages.length]
    rows.push(Buffer.concat([messages[i], next, bytes('\r\n\r\n'), messages[i]]))
    rows.push(Buffer.concat([upgrade, webSocketFrame(messages[i], true), webSocketFrame(next, false)]))
  }
  return rows.map((row) => new Uint8Array(row))
}
