import fc from 'fast-check'
import { isIP } from 'node:net'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { canonicalAddress, formatAddress, isPrivateAddress, parseAddress } from './address.js'

describe('RFC 5952 text', () => {
  // The examples of RFC 5952 sections 4 and 5, and of RFC 4291 2.2.
  it.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['2001:db8::aaaa:0:0:1', '2001:db8::aaaa:0:0:1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['FF01::101', 'ff01::101'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2.1', '192.0.2.1'],
    ['010.001.002.003', '10.1.2.3'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical)
  })

  it('a mapped address that was on the wire keeps its dotted form', () => {
    expect(formatAddress(6, 0, 0, 0xffff, 0xc0000201 | 0)).toBe('::ffff:192.0.2.1')
  })

  it.each([
    '',
    'example.com',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4 ',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4::5:6:7:8',
    ':1:2:3:4:5:6:7',
    '12345::',
    'g::',
    ':::',
    '1.2.3.4::',
    '[1.2.3.4',
    ':',
    'x'.repeat(1000),
  ])('%s is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  it('words come back from their text', () => {
    const word = fc.oneof(
      fc.constant(0),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.constant(0xffff),
    )
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        const text = formatAddress(6, a, b, c, d)
        expect(isIP(text)).toBe(6)
        expect([...(parseAddress(text)?.words ?? [])]).toEqual([a, b, c, d])
        expect([...(parseAddress(formatAddress(4, a, 0, 0, 0))?.words ?? [])]).toEqual([a, 0, 0, 0])
      }),
      propertyRuns(100),
    )
  })

  it('agrees with the platform on what an address is', () => {
    const part = fc.constantFrom(':', '::', '.', '0', 'f', '12', '255', '1.2.3.4', 'ffff', 'z')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        // Leading zeros in IPv4 are the one difference (RFC 3261 25.1 has them).
        fc.pre(!/(^|[.:])0\d/.test(text))
        expect(parseAddress(text)?.version ?? 0).toBe(isIP(text))
      }),
      propertyRuns(2000),
    )
  })
})

describe('addresses that the public internet does not route', () => {
  it.each([
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '169.254.9.9',
    '127.0.0.1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'febf::1',
    '::1',
    '::ffff:10.0.0.1',
  ])('%s is private', (text) => expect(isPrivateAddress(text)).toBe(true))

  it.each([
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '8.8.8.8',
    '2001:db8::1',
    'fec0::1',
    'fe00::1',
    '::2',
    '::ffff:8.8.8.8',
    'localhost',
  ])('%s is not', (text) => expect(isPrivateAddress(text)).toBe(false))
})

describe('IPv4 text', () => {
  const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
  it('of many addresses in turn is never that of another', () => {
    fc.assert(
      fc.property(fc.array(octets, { minLength: 1, maxLength: 200 }), (addresses) => {
        const word = ([a, b, c, d]: number[]): number => (a << 24) | (b << 16) | (c << 8) | d
        const texts = addresses.map((address) => formatAddress(4, word(address), 0, 0, 0))
        expect(texts).toEqual(addresses.map((address) => address.join('.')))
      }),
      propertyRuns(300),
    )
  })

  it('is read where it is one, and nowhere else', () => {
    const digits = fc.constantFrom(
      '0',
      '1',
      '01',
      '001',
      '0001',
      '255',
      '256',
      '999',
      '.',
      '..',
      'a',
      ' ',
      '-1',
      '٣',
      '1e1',
      '',
    )
    fc.assert(
      fc.property(fc.array(digits, { maxLength: 9 }), (parts) => {
        const text = parts.join('')
        const groups = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
        const isOne = groups?.every((octet) => octet <= 255) ?? false
        expect(parseAddress(text)?.version === 4).toBe(isOne)
        if (isOne) expect(canonicalAddress(text)).toBe(groups?.join('.'))
      }),
      propertyRuns(3000),
    )
  })
})
