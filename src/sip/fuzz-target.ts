import { SipStreamFramer } from './framing.js'
import { parseSipMessage } from './parse.js'
import { SipTcpConnectionParser } from './parse-connection.js'
import { looksLikeSip } from './parse-detect.js'
import { latin1Text } from './parse-text.js'
import { parseSdp } from './sdp.js'
import { parseSipAddress } from './uri.js'
import { WebSocketFramer } from './websocket.js'

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken promise: ${what}`)
}

/** Parses arbitrary bytes as a datagram and checks what must hold whatever they are. Throws when it does not. */
export function fuzzSipOne(data: Uint8Array): void {
  const looked = looksLikeSip(data, 0, data.length, true)
  if (looksLikeSip(data, 0, data.length))
    check(looked, 'tolerant detection finds what strict detection finds')
  const result = parseSipMessage(data, 0, data.length)
  if ('error' in result) return check(result.error.length > 0, 'an error says something')
  check(looked, 'only what looks like SIP is read as SIP')
  const { message } = result
  check(message.length <= data.length, 'no message is longer than its bytes')
  check(message.callId !== '' && message.cseq.method !== '', 'a message has a Call-ID and a CSeq method')
  check(Number.isFinite(message.cseq.number), 'CSeq has a number')
  if (message.kind === 'response')
    check(message.status >= 100 && message.status < 700, 'a status has a class')
  check(message.bodyParts.length <= 32, 'body parts are bounded')
  for (const name of [
    'via',
    'contact',
    'route',
    'call-id',
    'user-agent',
    'x-none',
    '__proto__',
    'constructor',
  ]) {
    const first = message.header(name)
    const all = message.headers(name)
    check(
      first === undefined ? all.length === 0 : first === (all[0] ?? ''),
      'header() is the first of headers()',
    )
    for (const value of all) parseSipAddress(value)
  }
  check(message.raw.endsWith(message.body), 'raw ends with the body')
}

/** Parses arbitrary bytes as a session description and checks its bounds. */
export function fuzzSdpOne(data: Uint8Array): void {
  const session = parseSdp(latin1Text(data))
  check(session.media.length <= 64, 'media sections are bounded')
  for (const media of session.media) {
    check(
      media.port >= 0 && media.port < 65536 && media.rtcpPort >= 0 && media.rtcpPort < 65536,
      'ports are ports',
    )
    check(media.formats.length <= 128 && media.candidates.length <= 128, 'formats and candidates are bounded')
    for (const format of media.formats) {
      check(format.payloadType >= 0 && format.payloadType < 128, 'payload types have 7 bits')
      check(format.clockRateHz >= 0 && format.channels > 0, 'clock and channels are counts')
    }
    for (const ssrc of media.ssrcs) check(ssrc >= 0 && ssrc <= 0xffff_ffff, 'an SSRC has 32 bits')
  }
}

type Feed = (bytes: Uint8Array, offset: number, length: number) => void

/** Feeds the bytes in pieces whose sizes the first byte chooses. */
function feed(data: Uint8Array, push: Feed): void {
  const step = data.length === 0 ? 1 : 1 + (data[0] % 97)
  for (let at = 0; at < data.length; at += step) push(data, at, Math.min(step, data.length - at))
}

/** Feeds arbitrary bytes to the stream parsers, whole and in pieces: no throw, and cutting changes nothing. */
export function fuzzFramerOne(data: Uint8Array): void {
  const whole: string[] = []
  const cut: string[] = []
  const framer = new SipStreamFramer((bytes, offset, length) =>
    whole.push(latin1Text(bytes.subarray(offset, offset + length))),
  )
  framer.push(data)
  framer.end()
  const other = new SipStreamFramer((bytes, offset, length) =>
    cut.push(latin1Text(bytes.subarray(offset, offset + length))),
  )
  feed(data, (bytes, offset, length) => other.push(bytes, offset, length))
  other.end()
  check(
    whole.length === cut.length && whole.every((m, i) => m === cut[i]),
    'messages do not depend on segmentation',
  )
  check(
    whole.reduce((sum, m) => sum + m.length, 0) + framer.counters.discardedBytes <= data.length,
    'no byte is counted twice',
  )

  const webSocket = new WebSocketFramer((bytes, offset, length) => parseSipMessage(bytes, offset, length))
  feed(data, (bytes, offset, length) => webSocket.push(bytes, offset, length))
  webSocket.gap()
  webSocket.push(data)
  const connection = new SipTcpConnectionParser((_side, bytes, offset, length) =>
    parseSipMessage(bytes, offset, length),
  )
  feed(data, (bytes, offset, length) => connection.push(offset & 1 ? 1 : 0, bytes, offset, length))
  connection.gap(0)
  connection.push(0, data)
  connection.end(0)
  connection.end(1)
}
