import { describe, expect, it } from 'vitest'
import type { MessageView } from './page/data.js'
import { exchangesOf, formatName, readSdp, sdpOf } from './page/sdp.js'

/** A message as the report keeps it; `media`: its session description names this port. */
function message(title: string, cseq: string, port?: number, repeats?: number): MessageView {
  const body =
    port === undefined
      ? ''
      : `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=audio ${port} RTP/AVP 0 8\r\n`
  return {
    timeMs: 0,
    source: 'a:1',
    destination: 'b:1',
    transport: 'udp',
    title,
    cseq,
    repeats,
    text: `${title}\r\n\r\n${body}`,
  }
}

const summary = (messages: MessageView[]): string[] =>
  exchangesOf(messages).map(({ offer, answer }) => `${offer?.title ?? '-'} / ${answer?.title ?? '-'}`)

describe('offer and answer (RFC 3264, RFC 6337)', () => {
  it('an INVITE offers, its 200 answers', () => {
    expect(
      summary([
        message('INVITE', '1 INVITE', 4000),
        message('180 Ringing', '1 INVITE'),
        message('200 OK', '1 INVITE', 5000),
      ]),
    ).toEqual(['INVITE / 200 OK'])
  })

  it('an INVITE without a description is offered to by its 200, and the ACK answers', () => {
    expect(
      summary([
        message('INVITE', '1 INVITE'),
        message('200 OK', '1 INVITE', 5000),
        message('ACK', '1 ACK', 4000),
      ]),
    ).toEqual(['200 OK / ACK'])
  })

  it('a 200 that repeats the early answer is no second one, another answer is', () => {
    expect(
      summary([
        message('INVITE', '1 INVITE', 4000),
        message('183 Session Progress', '1 INVITE', 5000),
        message('200 OK', '1 INVITE', 5000),
      ]),
    ).toEqual(['INVITE / 183 Session Progress'])
    expect(
      summary([
        message('INVITE', '1 INVITE', 4000),
        message('183 Session Progress', '1 INVITE', 5000),
        message('200 OK', '1 INVITE', 6000),
      ]),
    ).toEqual(['INVITE / 183 Session Progress', 'INVITE / 200 OK'])
  })

  it('retransmissions do not count, re-INVITEs do, an offer may stay without an answer', () => {
    expect(
      summary([
        message('INVITE', '1 INVITE', 4000),
        message('INVITE', '1 INVITE', 4000, 0),
        message('200 OK', '1 INVITE', 5000),
        message('INVITE', '2 INVITE', 4002),
      ]),
    ).toEqual(['INVITE / 200 OK', 'INVITE / -'])
  })
})

describe('a session description', () => {
  it('is found behind other parts of a multipart body', () => {
    const text =
      'INVITE x SIP/2.0\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nm=audio 1 RTP/AVP 0\r\n--b--\r\n'
    expect(sdpOf({ ...message('INVITE', '1 INVITE'), text })).toBe('v=0\r\nm=audio 1 RTP/AVP 0')
  })

  it('tells address, formats, direction, packet time and encryption of each medium', () => {
    const sdp = [
      'v=0',
      'c=IN IP6 2001:db8::1',
      'a=sendonly',
      'm=audio 4000 RTP/SAVP 96 13',
      'a=rtpmap:96 opus/48000/2',
      'a=ptime:20',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[redacted]',
      'm=video 0 RTP/AVP 97',
      'c=IN IP4 192.0.2.9',
      'a=inactive',
    ].join('\n')
    expect(readSdp(sdp)).toEqual([
      {
        kind: 'audio',
        port: '4000',
        protocol: 'RTP/SAVP',
        address: '2001:db8::1',
        formats: ['opus/48000/2 (96)', '13'],
        direction: 'sendonly',
        ptime: '20 ms',
        rtcp: '',
        encryption: 'AES_CM_128_HMAC_SHA1_80',
      },
      {
        kind: 'video',
        port: '0',
        protocol: 'RTP/AVP',
        address: '192.0.2.9',
        formats: ['97'],
        direction: 'inactive',
        ptime: '',
        rtcp: '',
        encryption: '',
      },
    ])
    expect(formatName('8')).toBe('PCMA (8)')
  })
})
