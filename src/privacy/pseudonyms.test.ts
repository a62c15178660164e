import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { KeyedHash } from './keyed-hash.js'
import { Pseudonyms } from './pseudonyms.js'

const KEY = Buffer.from('0123456789abcdef0123456789abcdef')
const hash = new Pseudonyms('hash', new KeyedHash(KEY))
const mask = new Pseudonyms('mask', new KeyedHash(KEY))

describe('numbers and names', () => {
  it('become the first 48 bits of HMAC-SHA-256(key, "party" 0 text)', () => {
    const digest = createHmac('sha256', KEY).update('party\0+4930123456').digest('hex')
    expect(hash.party('+4930123456')).toBe(`p-${digest.slice(0, 12)}`)
  })

  it('are the same number with and without visual separators (RFC 3966 5.1.1)', () => {
    expect(hash.party('+49 (30) 123-456')).toBe(hash.party('+4930123456'))
    expect(hash.party('a-b')).not.toBe(hash.party('ab'))
  })

  it.each([
    ['+4930123456', '***56'],
    ['4711', '***11'],
    ['112', '***'],
    ['alice', 'a***'],
    ['😀smile', '😀***'],
  ])('%s is masked as %s', (party, masked) => expect(mask.party(party)).toBe(masked))

  it.each(['anonymous', 'Unavailable', 'restricted', ''])('"%s" stays: it names nobody', (party) => {
    expect(hash.party(party)).toBe(party)
    expect(mask.party(party)).toBe(party)
  })

  it('that are an address get the pseudonym of the address', () => {
    expect(hash.party('198.51.100.77')).toBe(hash.address('198.51.100.77'))
  })
})

describe('Call-IDs', () => {
  it.each([
    'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    '44781ced4b5d9ef8',
    'a84b4c76e66710',
    'KJH-sdfk.jhSDFkjhxcvkjh_x',
  ])('that look random stay: %s', (callId) => {
    expect(hash.callId(callId)).toBe(callId)
    expect(mask.callId(callId)).toBe(callId)
  })

  it('lose their host', () => {
    const shown = hash.callId('a84b4c76e66710@198.51.100.77:5060')
    expect(shown).toBe(`a84b4c76e66710@${hash.address('198.51.100.77')}:5060`)
    expect(hash.callId('a84b4c76e66710@pbx.example.org')).toMatch(/^a84b4c76e66710@h-[0-9a-f]{10}\.invalid$/)
  })

  it.each([
    '1-2345@10.0.0.1',
    '4930123456-77@x',
    '10.0.0.1',
    'call-from-alice',
    '20260102112233-004930123456',
  ])('that may hold a number, name or address become a token: %s', (callId) =>
    expect(hash.callId(callId)).toMatch(/^c-[0-9a-f]{16}$/),
  )

  it('stay different for different calls in both modes', () => {
    expect(mask.callId('1-2345@10.0.0.1')).not.toBe(mask.callId('1-2345@10.0.0.2'))
  })

  it('of media without signalling are made of addresses, and are keyed as well', () => {
    expect(hash.callId('media-0123456789abcdef0123')).toMatch(/^media-[0-9a-f]{20}$/)
    expect(hash.callId('media-0123456789abcdef0123')).not.toBe('media-0123456789abcdef0123')
  })
})

describe('hosts', () => {
  it('are a name that cannot exist (RFC 2606)', () => {
    expect(hash.host('PBX.example.org')).toBe(hash.host('pbx.example.org'))
    expect(hash.host('pbx.example.org')).toMatch(/^h-[0-9a-f]{10}\.invalid$/)
    expect(mask.host('pbx.example.org')).toBe('host.invalid')
    expect(hash.host('[2001:db8::1]')).toBe(`[${hash.address('2001:db8::1')}]`)
    expect(hash.host('anonymous.invalid')).toBe('anonymous.invalid')
  })
})
