import { describe, expect, it } from 'vitest'
import { parseInfluxUrl, parseRetention } from './influx-url.js'
import { parseConfig } from './load.js'

describe('the URL of a database', () => {
  it.each([
    ['http://127.0.0.1:8086/voip', 'http://127.0.0.1:8086', 'voip'],
    ['https://db.example.org/voip/', 'https://db.example.org', 'voip'],
    ['http://[2001:db8::1]:8086/voip', 'http://[2001:db8::1]:8086', 'voip'],
    ['https://proxy.example.org/db/influx/voip', 'https://proxy.example.org/db/influx', 'voip'],
    ['http://127.0.0.1:8086/two%20words', 'http://127.0.0.1:8086', 'two words'],
  ])('%s', (text, baseUrl, database) => {
    expect(parseInfluxUrl(text)).toEqual({ baseUrl, database })
  })

  it('is checked in a configuration as well, without repeating a password', () => {
    const check = (url: string) => () => parseConfig(`influx:\n  url: ${url}\n`, 'probe.yaml')
    expect(check('http://probe:geheim@127.0.0.1:8086/voip')).toThrow(
      /probe\.yaml:2:8: influx\.url: .*credentials/,
    )
    expect(check('http://probe:geheim@127.0.0.1:8086/voip')).not.toThrow(/geheim/)
    expect(check('http://127.0.0.1:8086')).toThrow('names no database')
    expect(check('http://127.0.0.1:8086/voip')).not.toThrow()
  })
})

describe('a retention', () => {
  it.each([
    ['1h', 3600],
    ['30d', 2_592_000],
    ['52w', 31_449_600],
    ['inf', 0],
  ])('%s', (text, seconds) => {
    expect(parseRetention(text)).toBe(seconds)
  })

  it.each(['0d', '30', '30m', '', '-1d', '1.5d'])('%s is none', (text) => {
    expect(() => parseRetention(text)).toThrow('influx.retention')
  })
})
