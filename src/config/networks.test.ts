import { describe, expect, it } from 'vitest'
import { NameMap, contains, parseAddress, parseNetwork } from './networks.js'

describe('networks', () => {
  it('reads every textual form of an IPv6 address that RFC 4291 2.2 gives', () => {
    const hex = (text: string): string => Buffer.from(parseAddress(text) ?? []).toString('hex')
    expect(hex('2001:DB8:0:0:8:800:200C:417A')).toBe('20010db80000000000080800200c417a')
    expect(hex('2001:DB8::8:800:200C:417A')).toBe('20010db80000000000080800200c417a')
    expect(hex('FF01::101')).toBe('ff010000000000000000000000000101')
    expect(hex('::1')).toBe('00000000000000000000000000000001')
    expect(hex('::')).toBe('0'.repeat(32))
    expect(hex('::13.1.68.3')).toBe('0000000000000000000000000d014403')
    expect(hex('::FFFF:129.144.52.38')).toBe('81903426')
    expect(hex('fe80::1%eth0')).toBe('fe800000000000000000000000000001')
  })

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'host',
    '2001:db8::1/64',
  ])('refuses %j as a network', (text) => expect(parseNetwork(text)).toBeUndefined())

  it('contains exactly the addresses under its prefix', () => {
    const network = parseNetwork('192.0.2.64/26')
    if (network === undefined) throw new Error('192.0.2.64/26 is a network')
    const inside = (text: string): boolean => contains(network, parseAddress(text) ?? new Uint8Array())
    expect(['192.0.2.63', '192.0.2.64', '192.0.2.127', '192.0.2.128', '::192.0.2.64'].map(inside)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
  })
})

describe('sites and trunks', () => {
  const names = new NameMap({
    sites: [
      { name: 'anywhere', networks: ['0.0.0.0/0'] },
      { name: 'hq', networks: ['10.1.0.0/16', '2001:db8:1::/48'] },
      { name: 'hq-voice', networks: ['10.1.0.0/16'], vlans: [100] },
      { name: 'lab', networks: ['10.1.9.0/24'] },
      { name: 'guest', vlans: [7] },
    ],
    trunks: [{ name: 'carrier-a', addresses: ['198.51.100.7', '203.0.113.0/24'] }],
  })

  it('takes the longest network that contains the address', () => {
    expect(names.siteOf('10.1.9.1')).toBe('lab')
    expect(names.siteOf('10.1.8.1')).toBe('hq')
    expect(names.siteOf('192.0.2.1')).toBe('anywhere')
    expect(names.siteOf('2001:db8:1:2::3')).toBe('hq')
  })

  it('prefers the site that names the VLAN among equal networks', () => {
    expect(names.siteOf('10.1.8.1', 100)).toBe('hq-voice')
    expect(names.siteOf('10.1.8.1', 101)).toBe('hq')
  })

  it('names a site by VLAN alone when no network matches', () => {
    expect(names.siteOf('2001:db8:ffff::1', 7)).toBe('guest')
    expect(names.siteOf('2001:db8:ffff::1', -1)).toBe('unknown')
    expect(names.siteOf('not an address', 7)).toBe('guest')
  })

  it('sees an IPv4-mapped IPv6 address as the IPv4 address it is', () => {
    expect(names.siteOf('::ffff:10.1.9.1')).toBe('lab')
  })

  it('names trunks by address or network, and says nothing of others', () => {
    expect(names.trunkOf('198.51.100.7')).toBe('carrier-a')
    expect(names.trunkOf('203.0.113.200')).toBe('carrier-a')
    expect(names.trunkOf('198.51.100.8')).toBeUndefined()
    expect(new NameMap({ sites: [], trunks: [] }).siteOf('10.0.0.1')).toBe('unknown')
  })

  it('knows a trunk by its VLAN, and by the domain of the party where no address matches', () => {
    const trunks = new NameMap({
      sites: [
        { name: 'hq', networks: ['10.1.0.0/16'] },
        { name: 'cloud', realms: ['pbx.example.com'] },
        { name: 'tenants', realms: ['*.example.com'] },
      ],
      trunks: [
        { name: 'by-vlan', vlans: [20] },
        { name: 'by-domain', realms: ['SIP.Carrier.Example'] },
        { name: 'by-both', addresses: ['198.51.100.0/24'], vlans: [21] },
      ],
    })
    expect(trunks.trunkOf('192.0.2.1', 20)).toBe('by-vlan')
    expect(trunks.trunkOf('192.0.2.1', 20, 'sip.carrier.example')).toBe('by-domain')
    expect(trunks.trunkOf('192.0.2.1', -1, 'sip.carrier.example')).toBe('by-domain')
    expect(trunks.trunkOf('198.51.100.1', 21)).toBe('by-both')
    expect(trunks.trunkOf('198.51.100.1', 22)).toBeUndefined()
    expect(trunks.siteOf('192.0.2.1', -1, 'pbx.example.com')).toBe('cloud')
    expect(trunks.siteOf('192.0.2.1', -1, 'a.b.example.com')).toBe('tenants')
    expect(trunks.siteOf('192.0.2.1', -1, 'example.com')).toBe('unknown')
    expect(trunks.siteOf('10.1.2.3', -1, 'pbx.example.com')).toBe('hq')
  })

  it('gives the same name when it is asked again, for each VLAN and domain its own', () => {
    const ask = (): string[] => [
      names.siteOf('10.1.8.1', 100),
      names.siteOf('10.1.8.1', 101),
      names.siteOf('10.1.9.1'),
    ]
    expect(ask()).toEqual(['hq-voice', 'hq', 'lab'])
    expect(ask()).toEqual(['hq-voice', 'hq', 'lab'])
  })
})
