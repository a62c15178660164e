import { describe, expect, it } from 'vitest'
import {
  enhancedPacket,
  interfaceBlock,
  option,
  readPackets,
  sectionHeader,
} from '../../test/helpers/capture-bytes.js'
import { MemorySource } from './memory-source.js'

const GOOD_MICROSECONDS = 1_760_000_000_123_456n
const GOOD_MS = 1_760_000_000_123.456

async function timesOf(blocks: number[][]) {
  const source = new MemorySource(Uint8Array.from(blocks.flat()))
  const packets = await readPackets(source)
  return { times: packets.map(({ timeMs }) => timeMs), notes: source.warnings.map(({ kind }) => kind) }
}

describe('times that no clock shows', () => {
  it('a packet dated after the year 9999 has the time of the packet before, and the file is said to hold such', async () => {
    // 2^60 microseconds are 36,534 years: a nanosecond file whose interface lost its if_tsresol looks like this.
    const { times, notes } = await timesOf([
      sectionHeader(true),
      interfaceBlock(true, 1),
      enhancedPacket(true, 0, GOOD_MICROSECONDS, [1]),
      enhancedPacket(true, 0, 1n << 60n, [2]),
      enhancedPacket(true, 0, (1n << 64n) - 1n, [3]),
      enhancedPacket(true, 0, GOOD_MICROSECONDS, [4]),
    ])
    expect(times).toEqual([GOOD_MS, GOOD_MS, GOOD_MS, GOOD_MS])
    expect(notes).toEqual(['note'])
  })

  it('a time before 1970, by a negative if_tsoffset, is not shown either', async () => {
    const minusOneYear = [...new Uint8Array(new BigInt64Array([-31_536_000n * 100n]).buffer)]
    const { times, notes } = await timesOf([
      sectionHeader(true),
      interfaceBlock(true, 1, option(14, minusOneYear, true)),
      enhancedPacket(true, 0, GOOD_MICROSECONDS, [1]),
    ])
    expect(times).toEqual([0])
    expect(notes).toEqual(['note'])
  })

  it('the last millisecond of the year 9999 is a time', async () => {
    const { times, notes } = await timesOf([
      sectionHeader(true),
      interfaceBlock(true, 1, option(9, [3], true)),
      enhancedPacket(true, 0, 253_402_300_799_999n, [1]),
      enhancedPacket(true, 0, 253_402_300_800_000n, [2]),
    ])
    expect(times).toEqual([253_402_300_799_999, 253_402_300_799_999])
    expect(notes).toEqual(['note'])
  })
})
