import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPrivateAddress, parseAddress } from '../decode/address.js'
import { AddressPseudonyms, maskedAddress } from './address-pseudonyms.js'
import { KeyedHash } from './keyed-hash.js'
import { propertyRuns } from '../../test/helpers/property-runs.js'

const KEY = Buffer.from('0123456789abcdef0123456789abcdef')
const pseudonyms = new AddressPseudonyms(new KeyedHash(KEY))

const v4 = (word: number): string =>
  [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join('.')

function bitsOf(text: string): string {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`${text} is no address`)
  const words = address.version === 4 ? [address.words[0]] : [...address.words]
  return words.map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('')
}

/** Bits that two addresses have in common from the front. */
function common(a: string, b: string): number {
  const x = bitsOf(a)
  const y = bitsOf(b)
  let n = 0
  while (n < x.length && x[n] === y[n]) n++
  return n
}

const shown = (text: string): string => pseudonyms.of(text) ?? 'none'
const publicV4 = fc
  .integer({ min: 0x01000000, max: 0xdfffffff })
  .map(v4)
  .filter((text) => !isPrivateAddress(text) && !text.startsWith('127.'))

describe('pseudonyms of addresses', () => {
  it('turn over bit n when the last bit of HMAC-SHA-256(key, family 0 the n bits before) is 1', () => {
    const address = '198.51.100.77'
    const bits = bitsOf(address)
    let expected = ''
    for (let n = 0; n < 32; n++) {
      const digest = createHmac('sha256', KEY)
        .update(`ipv4\0${bits.slice(0, n)}`)
        .digest()
      expected += Number(bits[n]) ^ (digest[31] & 1)
    }
    // This key takes the address to a public one at once, so that one step is the whole of it.
    expect(isPrivateAddress(v4(parseInt(expected, 2)))).toBe(false)
    expect(shown(address)).toBe(v4(parseInt(expected, 2)))
  })

  it('keep what two addresses of a network have in common, exactly, from 16 bits on', () => {
    fc.assert(
      fc.property(publicV4, fc.integer({ min: 16, max: 31 }), fc.nat(0xffffffff), (a, bits, other) => {
        const word = parseAddress(a)?.words[0] ?? 0
        const mask = (0xffffffff << (32 - bits)) | 0
        const b = v4((word & mask) | (other & ~mask))
        fc.pre(!isPrivateAddress(b))
        expect(common(shown(a), shown(b))).toBe(common(a, b))
      }),
      propertyRuns(300),
    )
  })

  it('are one to one', () => {
    const network = Array.from({ length: 65_536 }, (_, host) => v4(0xc0a80000 | host))
    expect(new Set(network.map(shown)).size).toBe(65_536)
    const wide = Array.from({ length: 2000 }, (_, i) => v4(Math.imul(i, 0x9e3779b1)))
    expect(new Set(wide.map(shown)).size).toBe(new Set(wide).size)
  })

  it.each([
    ['10.1.2.3', /^10\./],
    ['192.168.7.9', /^192\.168\./],
    ['172.20.1.1', /^172\.(1[6-9]|2\d|3[01])\./],
    ['100.64.3.2', /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./],
    ['169.254.8.8', /^169\.254\./],
    ['fd00:1:2::3', /^f[cd]/],
    ['fe80::1234', /^fe[89ab]/],
    ['2001:db8::20', /^[23]/],
  ])('of %s stay in its block, so that private reads as private', (address, pattern) => {
    expect(shown(address)).toMatch(pattern)
    expect(shown(address)).not.toBe(address)
  })

  it('of public addresses are never private, reserved or multicast', () => {
    fc.assert(
      fc.property(publicV4, (address) => {
        const first = Number(shown(address).split('.')[0])
        expect(isPrivateAddress(shown(address)) || first === 0 || first >= 224).toBe(false)
      }),
      propertyRuns(500),
    )
  })

  it.each(['0.0.0.0', '127.0.0.1', '224.0.1.75', '255.255.255.255', '::', '::1', 'ff02::1'])(
    'leave %s alone: it names no host',
    (address) => expect(shown(address)).toBe(address),
  )

  it('know IPv4 inside IPv6 as the same host', () => {
    expect(shown('::ffff:198.51.100.77')).toBe(`::ffff:${shown('198.51.100.77')}`)
  })

  it('differ under another key, and are the same under the same', () => {
    const same = new AddressPseudonyms(new KeyedHash(KEY))
    const other = new AddressPseudonyms(new KeyedHash(Buffer.from('another key of some length')))
    expect(same.of('198.51.100.77')).toBe(shown('198.51.100.77'))
    expect(other.of('198.51.100.77')).not.toBe(shown('198.51.100.77'))
    expect(shown('example.org')).toBe('none')
  })
})

describe('masked addresses', () => {
  it.each([
    ['198.51.100.77', '198.51.0.0'],
    ['10.20.30.40', '10.20.0.0'],
    ['2001:db8:1:2::3', '2001:db8::'],
    ['::ffff:10.20.30.40', '::ffff:10.20.0.0'],
    ['127.0.0.1', '127.0.0.1'],
    ['fe80::1', 'fe80::'],
  ])('%s is shown as %s', (address, masked) => expect(maskedAddress(address)).toBe(masked))
})
