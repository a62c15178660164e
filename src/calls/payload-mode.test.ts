import { describe, expect, it } from 'vitest'
import { amrMode, opusBandwidth, opusDurationMs } from './payload-mode.js'

describe('AMR frame type in the payload header (RFC 4867)', () => {
  it('bandwidth-efficient: CMR 15, F 0, FT 7, Q 1 begins with f3 c.', () => {
    // 1111 0 0111 1 ...... -> 1111 0011 11......
    expect(amrMode('AMR', 0b1111_0011, 0b1100_0000, false)).toBe(7)
    expect(amrMode('AMR-WB', 0b1111_0001, 0b0100_0000, false)).toBe(2)
  })

  it('octet-aligned: the table of contents is the second byte', () => {
    // F 0, FT 0010, Q 1, padding 00
    expect(amrMode('AMR-WB', 0xf0, 0b0001_0100, true)).toBe(2)
    expect(amrMode('AMR', 0x70, 0b0011_1100, true)).toBe(7)
  })

  it('comfort noise, lost and empty frames are no mode', () => {
    // FT 8 is AMR's SID and a speech mode of AMR-WB; FT 9 is AMR-WB's SID; 14 lost, 15 no data.
    expect(amrMode('AMR', 0xf0, 8 << 3, true)).toBeUndefined()
    expect(amrMode('AMR-WB', 0xf0, 8 << 3, true)).toBe(8)
    expect(amrMode('AMR-WB', 0xf0, 9 << 3, true)).toBeUndefined()
    expect(amrMode('AMR-WB', 0xf0, 14 << 3, true)).toBeUndefined()
    expect(amrMode('AMR', 0xf0, 15 << 3, true)).toBeUndefined()
  })
})

describe('Opus bandwidth by the configuration number of the TOC byte (RFC 6716 table 2)', () => {
  it.each([
    [0, 'NB'],
    [3, 'NB'],
    [8, 'WB'],
    [11, 'WB'],
    [12, 'SWB'],
    [15, 'SWB'],
    [16, 'NB'],
    [20, 'WB'],
    [24, 'SWB'],
    [31, 'SWB'],
  ])('configuration %i is %s', (configuration, bandwidth) => {
    expect(opusBandwidth((configuration << 3) | 0b011)).toBe(bandwidth)
  })
})

describe('audio in an Opus packet (RFC 6716 3.1, 3.2)', () => {
  it.each([
    // Configuration, code, second byte, ms.
    [0, 0, 0, 10],
    [3, 0, 0, 60],
    [9, 1, 0, 40],
    [12, 0, 0, 10],
    [15, 2, 0, 40],
    [16, 0, 0, 2.5],
    [17, 3, 4, 20],
    [23, 0, 0, 20],
    // Of the second byte the lowest six bits are the number of frames.
    [31, 3, 0b1100_0011, 60],
  ])('configuration %i, code %i, %i: %d ms', (configuration, code, second, ms) => {
    expect(opusDurationMs((configuration << 3) | 4 | code, second)).toBe(ms)
  })

  it('is not known where the number of frames is 0 or was cut off', () => {
    expect(opusDurationMs((31 << 3) | 3, 0)).toBeUndefined()
    expect(opusDurationMs((31 << 3) | 3, undefined)).toBeUndefined()
    expect(opusDurationMs(31 << 3, undefined)).toBe(20)
  })
})
