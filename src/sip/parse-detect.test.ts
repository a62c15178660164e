import { describe, expect, it } from 'vitest'
import { findStartLine, looksLikeSip } from './parse-detect.js'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const looks = (text: string, tolerant = false): boolean => {
  const framed = bytes(`INVITE sip:x ${text} INVITE sip:x SIP/2.0\r\n`)
  return looksLikeSip(framed, 13, text.length, tolerant)
}

describe('looksLikeSip on any port', () => {
  it.each([
    'INVITE sip:a@example.org SIP/2.0\r\n',
    'OPTIONS sips:example.org SIP/2.0\r\n',
    'REGISTER SIP:example.org SIP/2.0\r\n',
    'INVITE tel:+15551234 SIP/2.0\r\n',
    'INVITE urn:service:sos SIP/2.0\r\n',
    'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n',
    "!odd-Method09_*+`.%x'~ sip:a SIP/2.0\r\n",
    'INVITE <sip:a@example.org> SIP/2.0\r\n',
    'INVITE  sip:a@example.org  SIP/2.0\r\n',
    'SUBSCRIBE sip:a@example.org SIP/2.0\r\n',
    'SIP/2.0 200 OK\r\n',
    'SIP/2.0 100',
    'sip/2.0 180 Ringing\r\n',
    // A snap length may cut the line before its version.
    'INVITE sip:a-very-long-name@exampl',
  ])('is SIP: %j', (text) => {
    expect(looks(text)).toBe(true)
    expect(looks(text, true)).toBe(true)
  })

  it('is the same for a tolerant look, however long the line', () => {
    // Cut anywhere, such a line seems to end in a version.
    for (let length = 16_300; length < 16_500; length++) {
      const text = `INVITE ${'SIP/2.0 '.repeat(2100)}`.slice(0, length)
      if (looks(text)) expect(looks(text, true)).toBe(true)
    }
    expect(looks('INVITE ' + 'SIP/2.0 '.repeat(8000))).toBe(looks('INVITE ' + 'SIP/2.0 '.repeat(8000), true))
  })

  it.each([
    'GET /index.html HTTP/1.1\r\nHost: sip:x\r\n',
    'HTTP/1.1 200 OK\r\n',
    'OPTIONS rtsp://example.org RTSP/1.0\r\n',
    'M-SEARCH * HTTP/1.1\r\n',
    'SIP/2.0/UDP 192.0.2.1\r\n',
    'SIP/2.0 OK\r\n',
    'hello\0\0\0\0\0\0\0\0',
    '\r\n\r\n',
    '\0\0\0\0',
    '',
    'INVITE',
    'INVITE ',
    'MSRP a786hjs2 SEND\r\nTo-Path: msrp://x\r\n',
  ])('is not SIP: %j', (text) => {
    expect(looks(text)).toBe(false)
    expect(looks(text, true)).toBe(false)
  })

  it.each([
    '\x80\x00INVITE sip:a SIP/2.0',
    '\r\n\r\nSIP/2.0 200 OK\r\n',
    '\0\0INVITE sip:a SIP/2.0\r\n',
    'junk\nBYE sip:a SIP/2.0\r\n',
  ])('is SIP only where SIP is expected: %j', (text) => {
    expect(looks(text)).toBe(false)
    expect(looks(text, true)).toBe(true)
  })

  it('reads no byte beyond the given length', () => {
    const text = 'INVITE sip:a@example.org SIP/2.0\r\n'
    for (let length = 0; length < 11; length++) expect(looksLikeSip(bytes(text), 0, length, true)).toBe(false)
  })

  it('finds the start line behind junk', () => {
    expect(findStartLine(bytes('\r\nx: y\r\n\xff\x00BYE sip:a SIP/2.0\r\n'), 0, 40)).toBe(10)
    expect(findStartLine(bytes('xx SIP/2.0 200 OK'), 0, 17)).toBe(3)
  })
})
