import { describe, expect, it } from 'vitest'
import { WebSocketFramer } from './websocket.js'
import type { ConnectionSide } from './parse-connection.js'
import { SipTcpConnectionParser, looksLikeSipStream } from './parse-connection.js'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const MASK = [0x37, 0xfa, 0x21, 0x3d]

/** A frame by RFC 6455 5.2, written by hand. */
function frame(
  opcode: number,
  payload: string | Uint8Array,
  options: { final?: boolean; mask?: boolean; rsv1?: boolean } = {},
) {
  const data = typeof payload === 'string' ? bytes(payload) : payload
  const head = [(options.final === false ? 0 : 0x80) | (options.rsv1 === true ? 0x40 : 0) | opcode]
  const maskBit = options.mask === true ? 0x80 : 0
  if (data.length < 126) head.push(maskBit | data.length)
  else if (data.length < 65536) head.push(maskBit | 126, data.length >> 8, data.length & 255)
  else
    head.push(
      maskBit | 127,
      0,
      0,
      0,
      0,
      data.length >>> 24,
      (data.length >> 16) & 255,
      (data.length >> 8) & 255,
      data.length & 255,
    )
  if (options.mask !== true) return Buffer.concat([Buffer.from(head), data])
  return Buffer.concat([
    Buffer.from(head),
    Buffer.from(MASK),
    Buffer.from(data.map((b, i) => b ^ MASK[i % 4])),
  ])
}

const sip = (callId: string, body = ''): string =>
  `REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1\r\nCall-ID: ${callId}\r\n\r\n${body}`

const REQUEST =
  'GET /ws HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n'
const RESPONSE =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n'

function run(...segments: Uint8Array[]): { messages: string[]; framer: WebSocketFramer } {
  const messages: string[] = []
  const framer = new WebSocketFramer((b, offset, length) =>
    messages.push(Buffer.from(b.slice(offset, offset + length)).toString('latin1')),
  )
  for (const segment of segments) framer.push(segment)
  return { messages, framer }
}

describe('SIP over WebSocket (RFC 7118)', () => {
  it('the example of RFC 6455 5.7: a masked text frame says Hello', () => {
    const masked = Uint8Array.from([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
    expect(frame(1, 'Hello', { mask: true })).toEqual(Buffer.from(masked))
    expect(run(masked).framer.counters.otherMessages).toBe(1)
  })

  it('handshake, text and binary frames, masked or not', () => {
    const { messages, framer } = run(
      bytes(REQUEST),
      frame(1, sip('1'), { mask: true }),
      frame(2, sip('2', 'x'.repeat(70_000))),
    )
    expect(messages).toEqual([sip('1'), sip('2', 'x'.repeat(70_000))])
    expect(framer.counters.handshakes).toBe(1)
  })

  it('frames cut anywhere, handshake and first frame in one segment', () => {
    const stream = Buffer.concat([bytes(RESPONSE), frame(1, sip('1')), frame(1, sip('2'), { mask: true })])
    for (const size of [1, 3, 10, 1000]) {
      const pieces: Uint8Array[] = []
      for (let at = 0; at < stream.length; at += size) pieces.push(stream.subarray(at, at + size))
      expect(run(...pieces).messages).toEqual([sip('1'), sip('2')])
    }
  })

  it('fragments are joined, control frames between them do not disturb (RFC 6455 5.4)', () => {
    const text = sip('1')
    const { messages, framer } = run(
      frame(1, text.slice(0, 20), { final: false }),
      frame(9, 'ping'),
      frame(0, text.slice(20, 50), { final: false, mask: true }),
      frame(10, ''),
      frame(0, text.slice(50)),
      frame(8, ''),
    )
    expect(messages).toEqual([text])
    expect(framer.counters).toMatchObject({ pings: 1, pongs: 1, closes: 1 })
  })

  it('line ends are keepalives (RFC 7118 6)', () => {
    const { messages, framer } = run(frame(1, '\r\n\r\n'), frame(1, sip('1')))
    expect(messages).toEqual([sip('1')])
    expect(framer.counters.keepalives).toBe(1)
  })

  it('a compressed frame is counted and passed over (RFC 7692)', () => {
    const { messages, framer } = run(frame(1, 'zzzz', { rsv1: true }), frame(1, sip('2')))
    expect(messages).toEqual([sip('2')])
    expect(framer.counters.unsupported).toBe(1)
  })

  it('a frame beyond the bound is passed over without being held', () => {
    const head = Buffer.from([0x82, 127, 0, 0, 0, 0, 0x10, 0, 0, 0])
    const { messages, framer } = run(head)
    const piece = new Uint8Array(0x100000)
    for (let i = 0; i < 0x100; i++) framer.push(piece)
    framer.push(frame(1, sip('1')))
    expect(messages).toEqual([sip('1')])
    expect(framer.counters.oversized).toBe(1)
  })

  it('after lost bytes it goes on with the next segment that starts with SIP in a frame', () => {
    const { messages, framer } = run(frame(1, sip('1')).subarray(0, 50))
    framer.gap()
    framer.push(bytes('rest of the frame'))
    framer.push(frame(1, sip('2'), { mask: true }))
    expect(messages).toEqual([sip('2')])
    expect(framer.counters.gaps).toBe(1)
  })
})

describe('a TCP connection decides by its first bytes', () => {
  function connect(...pushes: [ConnectionSide, Uint8Array][]): {
    messages: string[]
    parser: SipTcpConnectionParser
  } {
    const messages: string[] = []
    const parser = new SipTcpConnectionParser((side, b, offset, length) =>
      messages.push(`${side} ${Buffer.from(b.slice(offset, offset + length)).toString('latin1')}`),
    )
    for (const [side, segment] of pushes) parser.push(side, segment)
    return { messages, parser }
  }

  it('plain SIP', () => {
    const { messages, parser } = connect(
      [0, bytes(sip('1'))],
      [1, bytes('SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n')],
    )
    expect(messages).toEqual([`0 ${sip('1')}`, '1 SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n'])
    expect(parser.transport).toBe('tcp')
  })

  it('WebSocket with its handshake', () => {
    const { messages, parser } = connect(
      [0, bytes(REQUEST)],
      [1, bytes(RESPONSE)],
      [0, frame(1, sip('1'), { mask: true })],
      [1, frame(1, sip('2'))],
    )
    expect(messages).toEqual([`0 ${sip('1')}`, `1 ${sip('2')}`])
    expect(parser.transport).toBe('ws')
  })

  it('WebSocket without its handshake', () => {
    const { messages, parser } = connect([1, frame(1, sip('1'))], [0, frame(1, sip('2'), { mask: true })])
    expect(messages).toEqual([`1 ${sip('1')}`, `0 ${sip('2')}`])
    expect(parser.transport).toBe('ws')
  })

  it('plain SIP from the middle of a message', () => {
    const { messages, parser } = connect([0, bytes('a=sendrecv\r\n')], [0, bytes(sip('1'))])
    expect(messages).toEqual([`0 ${sip('1')}`])
    expect(parser.transport).toBe('tcp')
  })

  it.each([
    ['TLS', '\x16\x03\x01\x02\x00\x01'],
    ['HTTP', 'GET /index.m3u8 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n'],
    ['an HTTP answer', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['another WebSocket protocol', REQUEST.replace('Protocol: sip', 'Protocol: chat')],
  ])('%s is given up', (_, text) => {
    const { messages, parser } = connect([0, bytes(text)], [0, bytes(sip('1'))])
    expect(messages).toEqual([])
    expect(parser.notSip).toBe(true)
    expect(looksLikeSipStream(bytes(text), 0, text.length)).toBe(false)
  })

  it('a connection that shows no SIP for long is given up', () => {
    const { parser } = connect()
    for (let i = 0; i < 400; i++) parser.push(0, bytes('x'.repeat(1000) + '\n'))
    expect(parser.notSip).toBe(true)
  })

  it('recognises SIP streams on any port', () => {
    for (const start of [
      bytes(sip('1')),
      bytes(`\r\n\r\n${sip('1')}`),
      bytes(REQUEST),
      bytes(RESPONSE),
      frame(1, sip('1')),
    ]) {
      expect(looksLikeSipStream(start, 0, start.length)).toBe(true)
    }
    expect(looksLikeSipStream(bytes('a=sendrecv\r\n'), 0, 12)).toBe(false)
  })
})
