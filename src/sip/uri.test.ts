import { describe, expect, it } from 'vitest'
import { DefectList } from './parse-defects.js'
import { parseHostPort, parseSipAddress, parseSipUri } from './uri.js'

describe('SIP URIs', () => {
  // RFC 3261 19.1.3 and the grammar's corners; columns: user, host, port.
  it.each([
    ['sip:alice@atlanta.example.org', 'alice', 'atlanta.example.org', undefined],
    ['sip:alice:secret@atlanta.example.org;transport=tcp', 'alice', 'atlanta.example.org', undefined],
    ['sips:alice@atlanta.example.org?subject=x&priority=urgent', 'alice', 'atlanta.example.org', undefined],
    ['sip:+1-212-555-1212:1234@gw.example.org:5070;user=phone', '+1-212-555-1212', 'gw.example.org', 5070],
    [
      'sip:atlanta.example.org;method=REGISTER?to=alice%40atlanta.example.org',
      undefined,
      'atlanta.example.org',
      undefined,
    ],
    ['sip:alice;day=tuesday@atlanta.example.org', 'alice;day=tuesday', 'atlanta.example.org', undefined],
    ['sip:192.0.2.4:5061', undefined, '192.0.2.4', 5061],
    ['sip:5551234', undefined, '5551234', undefined],
    ['SIP:%61lice@[2001:DB8::1]:5062;lr', 'alice', '2001:db8::1', 5062],
    ['sip:user@domain@proxy.example.org', 'user@domain', 'proxy.example.org', undefined],
    ['sip:bob@example.org?Replaces=a@b', 'bob', 'example.org', undefined],
    ['sip:a@example.org:99999', 'a', 'example.org', undefined],
    ['sip:a@[2001:db8::1', 'a', '2001:db8::1', undefined],
    ['tel:911', '911', '', undefined],
    ['urn:service:sos', undefined, 'service:sos', undefined],
    ['example.org:5060', undefined, 'example.org', 5060],
    ['', undefined, '', undefined],
  ])('%j', (text, user, host, port) => {
    const uri = parseSipUri(text)
    expect([uri.user, uri.host, uri.port]).toEqual([user, host, port])
  })

  it('parameter names are lower case, values unescaped, flags empty', () => {
    const { parameters } = parseSipUri('sip:a@b;LR;Transport=TCP;x=%41;x=second;__proto__=p')
    expect({ ...parameters }).toMatchObject({ lr: '', transport: 'TCP', x: 'A' })
    expect(parameters.constructor).toBeUndefined()
  })

  it('host and port of a Via sent-by', () => {
    expect(parseHostPort('pc33.example.org : 5066')).toEqual({ host: 'pc33.example.org', port: 5066 })
    expect(parseHostPort('[2001:db8::9:1]')).toEqual({ host: '2001:db8::9:1' })
  })

  it('a bracket within a quoted header parameter does not start a URI', () => {
    const address = parseSipAddress('sip:a@example.org;note="<x>";tag=7')
    expect([address.uri.host, address.tag]).toEqual(['example.org', '7'])
  })
})

describe('an address that was read before', () => {
  it('is the same, with the same complaints, also when thousands were read since', () => {
    const text = '"Bob <sip:bob@example.org;;x>;tag=7;'
    const read = (): unknown => {
      const defects = new DefectList()
      return { address: parseSipAddress(text, defects), defects: defects.codes }
    }
    const first = read()
    expect(first).toMatchObject({ address: { tag: '7', uri: { host: 'example.org' } } })
    expect((first as { defects: string[] }).defects).toContain('quote_not_closed')
    expect(read()).toEqual(first)
    for (let k = 0; k < 10_000; k++)
      expect(parseSipAddress(`<sip:${k}@example.org>`).uri.user).toBe(String(k))
    expect(read()).toEqual(first)
  })

  it('adds its complaints to those of the message', () => {
    const defects = new DefectList()
    defects.add('bad_date')
    parseSipAddress('<sip:a@example.org', defects)
    parseSipAddress('<sip:a@example.org', defects)
    expect(defects.codes).toEqual(['bad_date', 'bracket_not_closed'])
  })
})
