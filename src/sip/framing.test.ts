import { describe, expect, it } from 'vitest'
import { SipStreamFramer } from './framing.js'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

function message(callId: string, body = '', length: string | number = body.length): string {
  return `INFO sip:b@example.org SIP/2.0\r\nCall-ID: ${callId}\r\nContent-Length: ${length}\r\n\r\n${body}`
}

function run(feed: (framer: SipStreamFramer) => void): { messages: string[]; framer: SipStreamFramer } {
  const messages: string[] = []
  const framer = new SipStreamFramer((b, offset, length) =>
    messages.push(Buffer.from(b.slice(offset, offset + length)).toString('latin1')),
  )
  feed(framer)
  return { messages, framer }
}

const pushAll =
  (...segments: string[]) =>
  (framer: SipStreamFramer): void => {
    for (const segment of segments) framer.push(bytes(segment))
  }

describe('SIP over TCP (RFC 3261 18.3)', () => {
  it('several messages in one segment', () => {
    const { messages } = run(pushAll(message('1') + message('2', 'body') + message('3')))
    expect(messages).toEqual([message('1'), message('2', 'body'), message('3')])
  })

  it('one message over many segments, down to single bytes', () => {
    const text = message('1', 'body\r\n\r\nmore') + message('2')
    for (const size of [1, 2, 3, 7, 50]) {
      const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []
      expect(run(pushAll(...pieces)).messages).toEqual([message('1', 'body\r\n\r\nmore'), message('2')])
    }
  })

  it('keepalives between messages are no messages (RFC 5626 4.4.1)', () => {
    const { messages, framer } = run(pushAll('\r\n\r\n', message('1'), '\r\n', '\r\n\r\n', message('2')))
    expect(messages).toEqual([message('1'), message('2')])
    expect(framer.counters.keepalives).toBe(3)
    expect(framer.counters.resyncs).toBe(0)
  })

  it('a capture that starts in the middle of a message goes on with the next start line', () => {
    const text = `t=audio 4000\r\nCall-ID: lost\r\n\r\n${message('1', 'x')}`
    const { messages, framer } = run(pushAll(text))
    expect(messages).toEqual([message('1', 'x')])
    expect(framer.counters.discardedBytes).toBe(text.length - message('1', 'x').length)
  })

  it('a body that ends without a line end hides no start line', () => {
    expect(run(pushAll(`</presence>${message('1')}`)).messages).toEqual([message('1')])
  })

  it('without Content-Length there is no body (RFC 3261 20.14)', () => {
    const bare = 'BYE sip:b@example.org SIP/2.0\r\nCall-ID: 1\r\n\r\n'
    expect(run(pushAll(bare + message('2'))).messages).toEqual([bare, message('2')])
  })

  it.each(['l:4', 'L : 4', 'CONTENT-LENGTH:\t4', 'Content-Length:\r\n 4', 'l: 0004'])(
    'the length is read from %j',
    (header) => {
      const text = `INFO sip:b SIP/2.0\r\nLx: 9\r\n${header}\r\n\r\nbody`
      expect(run(pushAll(text + message('2'))).messages).toEqual([text, message('2')])
    },
  )

  it('line ends of LF alone', () => {
    const text = 'INFO sip:b SIP/2.0\nl: 2\n\nhi'
    expect(run(pushAll(text, message('2'))).messages).toEqual([text, message('2')])
  })

  it('an absurd Content-Length costs the body, not the connection', () => {
    const absurd = message('1', '', '999999999999')
    const { messages, framer } = run(pushAll(`${absurd}v=0\r\n${message('2')}`))
    expect(messages).toEqual([absurd, message('2')])
    expect(framer.counters.oversized).toBe(1)
  })

  it('a Content-Length that is too small costs the rest of the body only', () => {
    const { messages } = run(pushAll(message('1', 'v=0\r\ns=-\r\n', 3) + message('2')))
    expect(messages).toEqual([message('1', 'v=0', 3), message('2')])
  })

  it('headers without end are given up at their bound', () => {
    const { messages, framer } = run((f) => {
      f.push(bytes('INFO sip:b SIP/2.0\r\n'))
      for (let i = 0; i < 200; i++) f.push(bytes(`X: ${'y'.repeat(1000)}\r\n`))
      f.push(bytes(message('2')))
    })
    expect(framer.counters.oversized).toBe(1)
    expect(messages).toEqual([message('2')])
  })

  it('lost bytes within a body hand over what was there, within headers nothing', () => {
    const first = message('1', 'abc', 10)
    const { messages, framer } = run((f) => {
      f.push(bytes(first))
      f.gap()
      f.push(bytes(`tail of it\r\n${message('2')}INFO sip:b SIP/2.0\r\nCall`))
      f.gap()
      f.push(bytes(`th: 3\r\n\r\n${message('4')}`))
    })
    expect(messages).toEqual([first, message('2'), message('4')])
    expect(framer.counters.gaps).toBe(2)
    expect(framer.idle).toBe(true)
  })

  it('binary data is passed over within bounds', () => {
    const noise = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) & 0xff).filter((b) => b !== 0x0a)
    const { messages, framer } = run((f) => {
      for (let i = 0; i < 10; i++) f.push(noise)
      f.push(bytes(`\r\n${message('1')}`))
    })
    expect(messages).toEqual([message('1')])
    expect(framer.counters.discardedBytes).toBe(noise.length * 10 + 2)
  })

  it('a megabyte of body in small segments takes linear time', () => {
    const body = 'x'.repeat(1_000_000)
    const text = message('1', body)
    const start = performance.now()
    const { messages } = run((f) => {
      for (let at = 0; at < text.length; at += 100) f.push(bytes(text.slice(at, at + 100)))
    })
    expect(messages).toEqual([text])
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
