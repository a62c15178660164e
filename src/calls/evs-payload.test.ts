import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { EVS_MODES, evsHeaderBytes, evsMode } from './evs-payload.js'

/** A payload of so many bytes that begins with these; only they were captured. */
function modeOf(length: number, ...first: number[]) {
  return evsMode(Uint8Array.from(first), 0, first.length, length, false)
}

describe('EVS payloads in the compact format (TS 26.445 table A.1: the size is the mode)', () => {
  it.each([
    [56, 2.8],
    [144, 7.2],
    [160, 8],
    [192, 9.6],
    [264, 13.2],
    [328, 16.4],
    [488, 24.4],
    [640, 32],
    [960, 48],
    [1280, 64],
    [1920, 96],
    [2560, 128],
  ])('%i bits are %d kbit/s', (bits, kbps) => {
    expect(modeOf(bits / 8, 0)?.kbps).toBe(kbps)
  })

  it.each([136, 184, 256, 288, 320, 368, 400, 464, 480])('%i bits are interoperable with AMR-WB', (bits) => {
    expect(modeOf(bits / 8, 0xe0)).toEqual({})
  })

  it('comfort noise is no mode: 48 bits, and 56 that begin with a one (A.2.1.3)', () => {
    expect(modeOf(6, 0)).toBeUndefined()
    expect(modeOf(7, 0x80)).toBeUndefined()
  })
})

describe('EVS payloads in the header-full format (A.2.2)', () => {
  it('the table of contents tells mode and rate', () => {
    // H 0, F 0, primary, unused, rate 6; then a frame that begins with 10: super-wideband.
    expect(modeOf(62, 0x06, 0x80)).toEqual({ kbps: 24.4, bandwidth: 'SWB' })
    // AMR-WB IO, Q 1, rate 2.
    expect(modeOf(34, 0x32, 0)).toEqual({})
  })

  it('behind a mode request', () => {
    // H 1, T 3 (SWB), D 6 (24.4); then rate 4 and a frame whose index is 01010, super-wideband generic.
    expect(modeOf(35, 0xb6, 0x04, 0b01010_000)).toEqual({ kbps: 13.2, bandwidth: 'SWB' })
    expect(modeOf(35, 0xb6)).toBeUndefined()
  })

  it('of several frames the first counts', () => {
    expect(modeOf(124, 0x46, 0x06, 0x40)).toEqual({ kbps: 24.4, bandwidth: 'WB' })
  })

  it('comfort noise, lost and empty frames, and rates of the future are no mode', () => {
    for (const contents of [0x0c, 0x0d, 0x0e, 0x0f, 0x29, 0x2a, 0x2e, 0x2f])
      expect(modeOf(100, contents, 0)).toBeUndefined()
  })

  it('has all of its headers within the bytes that are kept of it', () => {
    const kept = (length: number, ...first: number[]) =>
      evsHeaderBytes(Uint8Array.from(first), 0, first.length, length, false)
    expect(kept(61, 0x80, 1, 2, 3)).toBe(1)
    expect(kept(62, 0x06, 0x80, 1, 2)).toBe(2)
    expect(kept(187, 0xb6, 0x46, 0x46, 0x06, 0x80, 1, 2)).toBe(5)
    expect(kept(187, 0xb6, 0x46, 0x46)).toBe(3)
    expect(kept(0)).toBe(0)
  })

  it('is looked for in every payload when SDP allows nothing else', () => {
    const bytes = Uint8Array.of(0x03, 0xc0)
    expect(evsMode(bytes, 0, 2, 33, true)).toEqual({ kbps: 9.6, bandwidth: 'FB' })
    expect(evsMode(bytes, 0, 2, 33, false)?.kbps).toBe(13.2)
  })
})

describe('bandwidth in the first byte of an EVS frame (clause 7.1)', () => {
  it.each([
    [24, 0b00_000000, 'NB'],
    [24, 0b01_000000, 'WB'],
    [41, 0b10_000000, 'SWB'],
    [61, 0b11_000000, 'FB'],
    [120, 0b10_000000, 'SWB'],
    [33, 0 << 3, 'NB'],
    [33, 5 << 3, 'WB'],
    [33, 14 << 3, 'SWB'],
    [33, 16 << 3, 'NB'],
    [33, 18 << 3, 'WB'],
    [33, 20 << 3, 'SWB'],
    [33, 24 << 3, 'WB'],
    [33, 28 << 3, 'SWB'],
    [33, 29 << 3, 'NB'],
    [33, 31 << 3, 'SWB'],
    [80, 0b0_0010_000, 'WB'],
    [80, 0b0_0011_000, 'SWB'],
    [80, 0b0_0110_000, 'FB'],
    [80, 0b0_1010_000, 'WB'],
    [80, 0b0_1100_000, 'SWB'],
    [80, 0b0_1110_000, 'FB'],
    [80, 0b0_1111_000, undefined],
    [80, 0b1_1_10_0000, 'SWB'],
    [80, 0b1_0_10_0000, undefined],
    [160, 0xff, undefined],
    [18, 0xff, undefined],
  ])('%i bytes that begin with %i: %s', (length, first, bandwidth) => {
    expect(modeOf(length, first)?.bandwidth).toBe(bandwidth)
  })
})

it('whatever the bytes, a mode of the list or none', () => {
  const payload = fc.uint8Array({ maxLength: 6 })
  fc.assert(
    fc.property(payload, fc.nat(400), fc.boolean(), (bytes, length, headerFullOnly) => {
      const mode = evsMode(bytes, 0, bytes.length, length, headerFullOnly)
      expect(mode === undefined || EVS_MODES.includes(mode)).toBe(true)
    }),
    propertyRuns(2000),
  )
})
