import { describe, expect, it } from 'vitest'
import {
  CLASS_AUDIO,
  CLASS_EVENT,
  CLASS_NOISE,
  MAX_PAYLOAD_MAPS,
  PayloadMaps,
  classOf,
  clockOf,
} from './payload-map.js'

const format = (payloadType: number, encoding: string, clockRateHz: number) => ({
  payloadType,
  encoding,
  clockRateHz,
  channels: 1,
})

describe('payload types', () => {
  it('unsignalled, have the clock rates of RFC 3551, table 4; G.722 keeps 8,000 Hz', () => {
    const { entries } = new PayloadMaps()
    const clocks = [0, 3, 4, 8, 9, 10, 11, 15, 16, 17, 18, 26, 34].map((type) => clockOf(entries[type]))
    expect(clocks).toEqual([
      8000, 8000, 8000, 8000, 8000, 44_100, 44_100, 8000, 11_025, 22_050, 8000, 90_000, 90_000,
    ])
    expect(classOf(entries[13])).toBe(CLASS_NOISE)
    expect([20, 35, 77, 96, 101, 127].map((type) => entries[type])).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('negotiated, override that; the later description wins', () => {
    const maps = new PayloadMaps()
    const map = maps.intern([
      format(0, 'PCMU', 8000),
      format(96, 'OPUS', 48_000),
      format(96, 'AMR-WB', 16_000),
      format(101, 'TELEPHONE-EVENT', 48_000),
      format(98, 'CN', 16_000),
      format(8, '', 0),
    ])
    const entry = (type: number) => maps.entries[map * 128 + type]
    expect(clockOf(entry(96))).toBe(16_000)
    expect([classOf(entry(101)), clockOf(entry(101))]).toEqual([CLASS_EVENT, 48_000])
    expect([classOf(entry(98)), clockOf(entry(98))]).toEqual([CLASS_NOISE, 16_000])
    // What says nothing leaves the static entry.
    expect([classOf(entry(8)), clockOf(entry(8))]).toEqual([CLASS_AUDIO, 8000])
  })

  it('of one negotiation share a map', () => {
    const maps = new PayloadMaps()
    const a = maps.intern([format(0, 'PCMU', 8000), format(101, 'TELEPHONE-EVENT', 8000)])
    const b = maps.intern([format(0, 'PCMU', 8000), format(101, 'TELEPHONE-EVENT', 8000)])
    expect(a).toBe(b)
    expect(maps.intern([format(0, 'PCMU', 8000)])).not.toBe(a)
    expect(maps.intern([])).toBe(0)
  })

  it.each([
    ['an SDP with impossible payload types', -1, 8000],
    ['one with a payload type above 127', 128, 8000],
    ['a clock rate beyond reason', 96, 1e9],
    ['a negative clock rate', 96, -8000],
    ['no clock rate', 96, 0],
    ['a clock rate that is no number', 96, NaN],
  ])('%s harms no other map', (_name, payloadType, clockRateHz) => {
    const maps = new PayloadMaps()
    const next = maps.intern([format(97, 'L16', 16_000)])
    const map = maps.intern([format(payloadType, 'X', clockRateHz)])
    expect(clockOf(maps.entries[map * 128 + 96])).toBe(0)
    expect(clockOf(maps.entries[next * 128 + 97])).toBe(16_000)
    expect(clockOf(maps.entries[0])).toBe(8000)
  })

  it('beyond the table’s bound fall back to the static ones and are counted', () => {
    const maps = new PayloadMaps()
    for (let k = 1; k < MAX_PAYLOAD_MAPS; k++) expect(maps.intern([format(96, `CODEC-${k}`, 8000)])).toBe(k)
    expect(maps.intern([format(96, 'ONE-MORE', 8000)])).toBe(0)
    expect(maps.overflow).toBe(1)
    expect(maps.intern([format(96, 'CODEC-7', 8000)])).toBe(7)
  })
})
