import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyedHash } from './keyed-hash.js'
import { Pseudonyms } from './pseudonyms.js'
import { secretSpans } from './sip-secrets.js'
import { redactSip } from './sip-text.js'
import { propertyRuns } from '../../test/helpers/property-runs.js'

/** RFC 4568 4.1 and RFC 3261 22.4: their own examples, in one message. */
const INVITE = `INVITE sip:bob:hunter2@biloxi.example.com;transport=tcp SIP/2.0
Via: SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101
Max-Forwards: 70
From: "Alice Smith" <sip:+4930123456@atlanta.example.com>;tag=9fxced76sl
To: Bob Jones <sip:bob@biloxi.example.com>
Call-ID: 3848276298220188511@client.atlanta.example.com
CSeq: 2 INVITE
Contact: <sip:alice@192.0.2.101:5060>
P-Asserted-Identity: <tel:+4930123456>
X-Customer-Name: Alice Smith
User-Agent: Yealink SIP-T46S 66.83.0.35 001565aabbcc
Authorization: Digest username="alice", realm="atlanta.example.com",
 nonce="84a4cc6f3082121f32b42a2187831a9e",
 response="7587245234b3434cc3412213e5f113a5432", uri="sip:bob@biloxi.example.com", algorithm=MD5
Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiNDkzMDEyMzQ1NiJ9fQ.sig;info=<https://cert.example.org/p.cer>
Content-Type: application/sdp
Content-Length: 700

v=0
o=alice 2890844526 2890844526 IN IP4 192.0.2.101
s=Alice's call
c=IN IP4 192.0.2.101
t=0 0
m=audio 49172 RTP/SAVP 0 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4
a=crypto:2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4
a=ice-pwd:asd88fgpdd777uzjYhagZg
a=candidate:1 1 UDP 2130706431 192.0.2.101 49172 typ host
a=rtpmap:0 PCMU/8000
`.replaceAll('\n', '\r\n')

const SECRETS = [
  'hunter2',
  '84a4cc6f3082121f32b42a2187831a9e',
  '7587245234b3434cc3412213e5f113a5432',
  'eyJ',
  'WVNfX19z',
  'MTIzNDU2',
  'QUJjZGVm',
  'asd88fgpdd',
]

function request(method: string, contentType: string, body: string): string {
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    'From: <sip:alice@example.com>;tag=1',
    'To: <sip:bob@example.com>',
    'Call-ID: 1',
    `CSeq: 1 ${method}`,
    `Content-Type: ${contentType}`,
    '',
    body,
  ].join('\r\n')
}

describe('secrets', () => {
  it('are taken out of any SIP that is shown', () => {
    expect(SECRETS.filter((secret) => !INVITE.includes(secret))).toEqual([])
    const shown = redactSip(INVITE)
    expect(SECRETS.filter((secret) => shown.includes(secret))).toEqual([])
  })

  it('leave what tells which kind they were', () => {
    const shown = redactSip(INVITE)
    expect(shown).toContain('a=crypto:1 AES_CM_128_HMAC_SHA1_80 [redacted]\r\n')
    expect(shown).toContain(
      'Authorization: Digest username="alice", realm="atlanta.example.com",\r\n nonce="[redacted]"',
    )
    expect(shown).toContain('response="[redacted]", uri="sip:bob@biloxi.example.com", algorithm=MD5')
    expect(shown).toContain('sip:bob:[redacted]@biloxi.example.com')
    expect(shown).toContain('a=ice-pwd:[redacted]')
    expect(shown).toContain('"Alice Smith" <sip:+4930123456@atlanta.example.com>')
  })

  it('stay when they are asked for', () => expect(redactSip(INVITE, { keepSecrets: true })).toBe(INVITE))

  it.each([
    ['bare line feeds', INVITE.replaceAll('\r\n', '\n')],
    ['a space before the colon', INVITE.replaceAll(': ', ' : ')],
    ['lower case', INVITE.replace(/^[A-Z][A-Za-z-]*:/gm, (name) => name.toLowerCase())],
    ['an empty line before the start line', `\r\n\r\n${INVITE}`],
    ['no start line', INVITE.slice(INVITE.indexOf('\n') + 1)],
    ['the first line of a folded header empty', INVITE.replace('Authorization: ', 'Authorization:\r\n ')],
  ])('are found in spite of %s', (_, text) => {
    const shown = redactSip(text)
    expect(SECRETS.filter((secret) => shown.includes(secret))).toEqual([])
  })

  it.each([
    ['Basic YWxpY2U6c2VjcmV0', 'YWxp'],
    ['Basic YWxpY2U6c2Vj\r\n cmV0YWxpY2U6c2Vj==', 'cmV0'],
    ['Bearer mF_9.B5f-4.1JqM', 'mF_9'],
    ['NTLM', 'nothing'],
    ['Digest username="a", response="0123456789', '0123456789'],
    ['Digest response = "0123456789" , nc=1', '0123456789'],
    ['Digest response=0123456789', '0123456789'],
    ['Digest response="01234\\"56789"', '56789'],
  ])('of credentials go: %s', (credentials, secret) => {
    const text = request('REGISTER', 'text/plain', '').replace(
      'CSeq',
      `Authorization: ${credentials}\r\nCSeq`,
    )
    expect(redactSip(text)).not.toContain(secret)
  })

  it.each([
    ['application/dtmf-relay', 'Signal= 5\r\nDuration= 160', /Signal= \[redacted\]\r\nDuration= 160/],
    ['application/dtmf-relay', 'signal=#\r\nduration=160', /signal=\[redacted\]/],
    ['application/dtmf', '5', /\r\n\[redacted\]$/],
    ['application/vnd.nortelnetworks.digits', 'p=Digit-Collection\r\nd=5', /\[redacted\]/],
    [
      'multipart/mixed;boundary=x',
      '--x\r\nContent-Type: application/dtmf\r\n\r\n5\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--',
      /dtmf\r\n\r\n\[redacted\]\r\n--x\r\n[^]*hello/,
    ],
  ])('are digits that were dialled by INFO: %s', (type, body, expected) => {
    expect(redactSip(request('INFO', type, body))).toMatch(expected)
  })

  it('are digits that a KPML report tells (RFC 4730)', () => {
    const body = '<kpml-response version="1.0" code="200" text="OK" digits="4711" tag="dtmf"/>'
    const shown = redactSip(request('NOTIFY', 'application/kpml-response+xml', body))
    expect(shown).not.toContain('4711')
    expect(shown).toContain('digits="[redacted]"')
  })

  it('are what people wrote to each other (RFC 3428)', () => {
    expect(redactSip(request('MESSAGE', 'text/plain', 'meet me at six\r\nalone'))).not.toMatch(/six|alone/)
  })

  it('are compressed bodies as a whole', () => {
    const text = request('INVITE', 'application/sdp\r\nContent-Encoding: gzip', '\x1f\x8bsecret\r\nmore')
    expect(redactSip(text)).not.toMatch(/secret|more/)
  })

  it('are in headers inside of bodies too (message/sipfrag)', () => {
    const fragment = 'INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest response="0123456789"\r\n'
    expect(redactSip(request('NOTIFY', 'message/sipfrag', fragment))).not.toContain('0123456789')
  })

  it('have no span outside of the text, none that overlap, wherever a message is cut', () => {
    fc.assert(
      fc.property(fc.nat(INVITE.length), fc.nat(INVITE.length), (a, b) => {
        const text = INVITE.slice(Math.min(a, b), Math.max(a, b))
        let at = 0
        for (const { start, end } of secretSpans(text)) {
          expect(start).toBeGreaterThanOrEqual(at)
          expect(end).toBeGreaterThan(start)
          at = end
        }
        expect(at).toBeLessThanOrEqual(text.length)
      }),
      propertyRuns(300),
    )
  })

  it('are found in time that grows with the text alone', () => {
    const started = performance.now()
    for (const part of [
      'a',
      ' ',
      '"',
      '\\',
      'sip:',
      'sip:a:',
      '<digit',
      '?token=',
      'a=',
      'digits="',
      '\r\n',
      ';',
      'x=',
    ])
      for (const head of ['', 'Authorization: Digest ', 'INFO sip:a SIP/2.0\r\n\r\n'])
        secretSpans(head + part.repeat(65_536 / part.length))
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('identities in SIP', () => {
  const names = new Pseudonyms('hash', new KeyedHash(Buffer.from('0123456789abcdef0123456789abcdef')))
  const PEOPLE = [
    '4930123456',
    'Alice',
    'alice',
    'Smith',
    'bob',
    'Bob',
    'Jones',
    'atlanta',
    'biloxi',
    '192.0.2.101',
    '001565aabbcc',
    '3848276298220188511',
  ]

  it.each(['hash', 'mask'] as const)('are replaced wherever they stand (%s)', (mode) => {
    const shown = redactSip(INVITE, {
      names: new Pseudonyms(mode, new KeyedHash(Buffer.from('0123456789abcdef0123456789abcdef'))),
    })
    expect(PEOPLE.filter((text) => !INVITE.includes(text))).toEqual([])
    expect(PEOPLE.filter((text) => shown.includes(text))).toEqual([])
    expect(SECRETS.filter((secret) => shown.includes(secret))).toEqual([])
  })

  it('are the same as in records, and leave the rest to be read', () => {
    const shown = redactSip(INVITE, { names })
    expect(shown).toContain(`sip:${names.party('+4930123456')}@${names.host('atlanta.example.com')}`)
    expect(shown).toContain(`c=IN IP4 ${names.address('192.0.2.101')}`)
    expect(shown).toContain(`Call-ID: ${names.callId('3848276298220188511@client.atlanta.example.com')}`)
    expect(shown).toContain(
      `Via: SIP/2.0/TCP ${names.host('client.atlanta.example.com')}:5060;branch=z9hG4bK74bf9`,
    )
    expect(shown).toContain(`From: "${names.party('Alice Smith')}" <sip:`)
    expect(shown).toContain(`To: ${names.party('Bob Jones')} <sip:`)
    expect(shown).toContain('CSeq: 2 INVITE')
    expect(shown).toContain('m=audio 49172 RTP/SAVP 0 101')
    expect(shown).toContain('a=rtpmap:0 PCMU/8000')
    expect(shown).toContain('Yealink SIP-T46S 66.83.0.35')
    expect(shown).toContain('X-Customer-Name: [11 characters hidden]')
    expect(shown).toContain('tag=9fxced76sl')
  })

  it.each([
    ['v', 'SIP/2.0/UDP pbx.example.org;branch=z9hG4bK1', 'pbx'],
    ['f', 'sip:carol@example.org;tag=1', 'carol'],
    ['m', '<sip:carol@10.1.2.3>', '10.1.2.3'],
    ['Replaces', '12345601@atlanta.example.com;from-tag=314159;to-tag=1234567', '12345601'],
    [
      'Refer-To',
      '<sip:carol@example.org?Replaces=12345601%40atlanta.example.com%3Bfrom-tag%3D3>',
      '12345601',
    ],
    ['Warning', '370 pbx.example.org:5060 "no bandwidth for carol@example.org"', 'carol'],
    ['Reason', 'Q.850;cause=16;text="to +49301234567"', '49301234567'],
    ['History-Info', '<sip:carol@example.org?Reason=SIP%3Bcause%3D302>;index=1', 'carol'],
    ['Diversion', '"Carol" <sip:+49307777@10.1.2.3>;reason=unconditional', '49307777'],
    ['WWW-Authenticate', 'Digest realm="pbx.example.org", nonce="abc"', 'pbx'],
    ['Subject', 'Carol is ill', 'ill'],
  ])('in %s: %s', (name, value, secret) => {
    const text = request('INVITE', 'application/sdp', '').replace('CSeq', `${name}: ${value}\r\nCSeq`)
    expect(text).toContain(secret)
    expect(redactSip(text, { names })).not.toContain(secret)
  })

  it('that are addresses have one pseudonym in Via, Contact and SDP', () => {
    const text = INVITE.replaceAll(/client\.atlanta\.example\.com|192\.0\.2\.101/g, '10.11.12.13')
    const shown = redactSip(`${text}a=rtcp:49173 IN IP4 10.11.12.13\r\n`, { names })
    const address = names.address('10.11.12.13')
    expect(shown.match(/10\.\d+\.\d+\.\d+/g)?.filter((found) => found !== address)).toEqual([])
    expect(shown).toContain(`Via: SIP/2.0/TCP ${address}:5060`)
    expect(shown).toContain(`o=${names.party('alice')} 2890844526 2890844526 IN IP4 ${address}`)
    expect(shown).toContain(`a=candidate:1 1 UDP 2130706431 ${address} 49172 typ host`)
    expect(shown).toContain(`a=rtcp:49173 IN IP4 ${address}`)
  })

  it('hide bodies that are not known', () => {
    const body = '<dialog-info entity="sip:carol@example.org"/>'
    const shown = redactSip(request('NOTIFY', 'application/dialog-info+xml', body), { names })
    expect(shown).toContain(`[${body.length} characters of application/dialog-info+xml hidden]`)
  })

  it('take time that grows with the text alone', () => {
    const started = performance.now()
    for (const part of ['a', ' ', '"', '<', '@', 'a@', ':', '1', 'sip:', ';', '%40', 'IP4 '])
      for (const head of ['From: ', 'Via: ', 'Subject: ', 'Reason: ', 'INVITE '])
        redactSip(
          `INVITE sip:a@b SIP/2.0\r\n${head}${part.repeat(65_536 / part.length)}\r\n\r\nv=0\r\no=${part.repeat(9999)}`,
          {
            names,
          },
        )
    expect(performance.now() - started).toBeLessThan(8000)
  })
})
