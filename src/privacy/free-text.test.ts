import { describe, expect, it } from 'vitest'
import { redactText, type TextKind } from './free-text.js'
import { KeyedHash } from './keyed-hash.js'
import { Pseudonyms } from './pseudonyms.js'

const names = new Pseudonyms('hash', new KeyedHash(Buffer.from('0123456789abcdef0123456789abcdef')))
const known = new Map([
  ['alice', 'ALICE'],
  ['100', 'HUNDRED'],
  ['4930123456', 'NUMBER'],
])

function redacted(text: string, kind: TextKind): string {
  return redactText(text, kind, names, known)
}

describe('text of other parties', () => {
  it.each([
    ['User alice@example.org is busy', 'alice'],
    ['Call from sip:bob:secret@198.51.100.77:5060 refused', 'bob'],
    ['no route to 198.51.100.77', '198.51.100.77'],
    ['no route to [2001:db8::20]:5060', '2001:db8::20'],
    ['seen at 2001:db8:0:1::20.', '2001:db8:0:1::20'],
    ['+49 30 654321 not found', '654321'],
    ['0049-30-7654321 not found', '7654321'],
    ['ask 030123456789', '030123456789'],
    ['tel:+4930999999;ext=7', '4930999999'],
    ['phone 00:15:65:aa:bb:cc', '00:15:65:aa:bb:cc'],
    ['phone 001565aabbcc', '001565aabbcc'],
    ['alice', 'alice'],
    ['<alice>', 'alice'],
    ['extension 100 is busy', ' 100 '],
  ])('"%s" does not show "%s"', (text, secret) => {
    expect(redacted(text, 'wire')).not.toContain(secret)
  })

  it.each([
    'Temporarily Unavailable',
    'Q.850;cause=16;text="Normal call clearing"',
    'SIP;cause=200;text="Call completed elsewhere"',
    'malice aforethought',
    'at 10:15:04 on 2026-03-02',
  ])('"%s" stays', (text) => expect(redacted(text, 'wire')).toBe(text))

  it('is replaced in one pass: no replacement is replaced again', () => {
    const twice = new Map([
      ['alice', '4930123456'],
      ['4930123456', 'NUMBER'],
    ])
    expect(redactText('alice called 4930123456', 'wire', names, twice)).toBe('4930123456 called NUMBER')
  })

  it('takes time in proportion to its length, whatever is in it', () => {
    const started = performance.now()
    for (const part of ['a', '1', '1.', ':', 'a:', '@', 'a@', 'sip:', '[', '+1 ', '0a:', '(', '%'])
      redacted(part.repeat(65_536), 'wire')
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('sentences of this program', () => {
  it('keep their counts, times and percentages', () => {
    const text = 'lost 100 of 1234567 packets (3.5 %) from 10:15:04 to 10:15:09, BurstR 1.25.'
    expect(redacted(text, 'message')).toBe(text)
  })

  it('lose addresses, and numbers that are known', () => {
    expect(redacted('media went to 198.51.100.77 for 4930123456', 'message')).toBe(
      `media went to ${names.address('198.51.100.77')} for NUMBER`,
    )
    expect(redacted('alice sends to 10.0.0.1', 'message')).toBe(`ALICE sends to ${names.address('10.0.0.1')}`)
  })
})

describe('product names', () => {
  it.each(['Yealink SIP-T46S 66.83.0.35', 'Asterisk PBX 18.2.0', 'baresip v1.0.0 (x86_64/linux)'])(
    '"%s" keeps its version',
    (text) => expect(redacted(text, 'agent')).toBe(text),
  )

  it('lose what names the one device: its MAC, its private address', () => {
    expect(redacted('Yealink SIP-T46S 66.83.0.35 001565aabbcc', 'agent')).toMatch(
      /66\.83\.0\.35 d-[0-9a-f]{12}$/,
    )
    expect(redacted('Phone/1.0 (192.168.1.5)', 'agent')).not.toContain('192.168.1.5')
  })
})
