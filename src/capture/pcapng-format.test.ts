import { describe, expect, it } from 'vitest'
import {
  block,
  enhancedPacket,
  interfaceBlock,
  option,
  padded,
  readPackets,
  sectionHeader,
  timestamp,
  u16,
  u32,
  u64,
} from '../../test/helpers/capture-bytes.js'
import { MemorySource } from './memory-source.js'

async function read(...blocks: number[][]) {
  const source = new MemorySource(Uint8Array.from(blocks.flat()))
  const packets = await readPackets(source)
  return { packets, warnings: source.warnings, drops: source.reportedDrops }
}

const MICROSECONDS = 1_760_000_000_123_456n

describe('pcapng', () => {
  for (const little of [true, false]) {
    it(`reads an Enhanced Packet Block written ${little ? 'little' : 'big'} endian`, async () => {
      const { packets, warnings } = await read(
        sectionHeader(little),
        interfaceBlock(little, 113),
        enhancedPacket(little, 0, MICROSECONDS, [1, 2, 3], 60),
      )
      expect(warnings).toEqual([])
      expect(packets).toEqual([
        { timeMs: 1_760_000_000_123.456, captured: 3, wire: 60, link: 113, hex: '010203' },
      ])
    })
  }

  it('reads sections of different byte order, each with its own interfaces numbered from 0', async () => {
    const { packets, warnings } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1),
      interfaceBlock(true, 101),
      enhancedPacket(true, 1, MICROSECONDS, [1]),
      sectionHeader(false),
      interfaceBlock(false, 276),
      enhancedPacket(false, 0, MICROSECONDS, [2]),
    )
    expect(warnings).toEqual([])
    expect(packets.map(({ link, hex }) => [link, hex])).toEqual([
      [101, '01'],
      [276, '02'],
    ])
  })

  it('refuses a packet of an interface that its section has not described', async () => {
    const { packets, warnings } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1),
      enhancedPacket(true, 0, MICROSECONDS, [1]),
      sectionHeader(true),
      enhancedPacket(true, 0, MICROSECONDS, [1]),
    )
    expect(packets).toHaveLength(1)
    // 28 + 20 + 36 + 28.
    expect(warnings).toMatchObject([{ kind: 'damaged', offset: 112 }])
  })

  it('steps over names, secrets, custom, journal and unknown blocks', async () => {
    const secrets = [...u32(0x544c534b, true), ...u32(4, true), 1, 2, 3, 4]
    const { packets, warnings } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1),
      block(4, [0, 0, 0, 0], true),
      block(0x0a, secrets, true),
      block(0xbad, u32(1, true), true),
      block(0x40000bad, u32(1, true), true),
      block(9, [], true),
      block(0x12345678, new Array<number>(400).fill(7), true),
      enhancedPacket(true, 0, MICROSECONDS, [1]),
    )
    expect(warnings).toEqual([])
    expect(packets).toHaveLength(1)
  })

  it('reads the obsolete Packet Block with its drop count', async () => {
    const packet = (drops: number): number[] => {
      const times = timestamp(MICROSECONDS, true)
      const lengths = [...u32(2, true), ...u32(9, true)]
      return block(2, [...u16(0, true), ...u16(drops, true), ...times, ...lengths, ...padded([7, 8])], true)
    }
    const { packets, drops } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1),
      packet(3),
      packet(0xffff),
    )
    expect(packets[0]).toEqual({ timeMs: 1_760_000_000_123.456, captured: 2, wire: 9, link: 1, hex: '0708' })
    // 0xFFFF stands for "not known".
    expect(drops).toBe(3)
  })

  it('gives a Simple Packet Block the first interface, its snap length, and the time of the packet before', async () => {
    const { packets, warnings } = await read(
      sectionHeader(true),
      interfaceBlock(true, 228, [], 3),
      enhancedPacket(true, 0, MICROSECONDS, [1]),
      block(3, [...u32(5, true), ...padded([1, 2, 3])], true),
    )
    expect(packets[1]).toEqual({
      timeMs: 1_760_000_000_123.456,
      captured: 3,
      wire: 5,
      link: 228,
      hex: '010203',
    })
    expect(warnings).toMatchObject([{ kind: 'note' }])
  })
})

describe('pcapng timestamps', () => {
  const NANOSECONDS = 1_760_000_000_123_456_789n
  const cases: [name: string, resolution: number, value: bigint][] = [
    ['10^-9', 9, NANOSECONDS],
    ['10^-6', 6, NANOSECONDS / 1000n],
    ['10^-3', 3, NANOSECONDS / 1_000_000n],
    ['1 s', 0, NANOSECONDS / 1_000_000_000n],
    ['2^-10', 0x80 | 10, (NANOSECONDS << 10n) / 1_000_000_000n],
    ['2^-20', 0x80 | 20, (NANOSECONDS << 20n) / 1_000_000_000n],
    ['2^-30', 0x80 | 30, (NANOSECONDS << 30n) / 1_000_000_000n],
    ['2^-32', 0x80 | 32, (NANOSECONDS << 32n) / 1_000_000_000n],
  ]
  for (const [name, resolution, value] of cases) {
    it(`in units of ${name} come out within 0.25 us`, async () => {
      const { packets } = await read(
        sectionHeader(true),
        interfaceBlock(true, 1, option(9, [resolution], true)),
        enhancedPacket(true, 0, value, [1]),
      )
      const units = (resolution & 0x80) === 0 ? 10n ** BigInt(resolution) : 1n << BigInt(resolution & 0x7f)
      const expectedPicoseconds = (value * 10n ** 12n) / units
      const foundPicoseconds = BigInt(Math.round((packets[0].timeMs % 1000) * 1e9))
      const foundSeconds = BigInt(Math.floor(packets[0].timeMs / 1000))
      const difference = foundSeconds * 10n ** 12n + foundPicoseconds - expectedPicoseconds
      expect(Number(difference < 0n ? -difference : difference)).toBeLessThanOrEqual(250_000)
    })
  }

  it('in nanoseconds stay in step at every boundary of a second', async () => {
    const times: bigint[] = []
    for (let second = 1_760_000_000n; second < 1_760_000_200n; second++) {
      times.push(second * 1_000_000_000n - 1n, second * 1_000_000_000n, second * 1_000_000_000n + 1n)
    }
    const { packets } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1, option(9, [9], true)),
      ...times.map((time) => enhancedPacket(true, 0, time, [1])),
    )
    packets.forEach((packet, i) => {
      const wholeMs = times[i] / 1_000_000n
      const expected = Number(wholeMs) + Number(times[i] % 1_000_000n) / 1e6
      expect(Math.abs(packet.timeMs - expected)).toBeLessThanOrEqual(0.00025)
    })
  })

  it('are moved by if_tsoffset, in seconds, which may be negative', async () => {
    const { packets } = await read(
      sectionHeader(false),
      interfaceBlock(false, 1, option(14, u64(0xffff_ffff_ffff_fff6n, false), false)),
      interfaceBlock(false, 1, option(14, u64(1_700_000_000n, false), false)),
      enhancedPacket(false, 0, 20_500_000n, [1]),
      enhancedPacket(false, 1, 500_000n, [1]),
    )
    expect(packets.map((packet) => packet.timeMs)).toEqual([10_500, 1_700_000_000_500])
  })

  it('of a resolution that does not fit 64 bits are not guessed', async () => {
    for (const resolution of [20, 0x80 | 64]) {
      const { warnings } = await read(
        sectionHeader(true),
        interfaceBlock(true, 1, option(9, [resolution], true)),
      )
      expect(warnings).toMatchObject([{ kind: 'damaged', offset: 28 }])
    }
  })
})

describe('what pcapng says about frames and drops', () => {
  it('strips the frame check sequence that if_fcslen gives in bits, and that old writers gave in octets', async () => {
    for (const value of [32, 4]) {
      const { packets } = await read(
        sectionHeader(true),
        interfaceBlock(true, 1, option(13, [value], true)),
        enhancedPacket(true, 0, MICROSECONDS, [1, 2, 0xf, 0xc, 0x5, 0]),
      )
      expect(packets[0]).toMatchObject({ captured: 2, wire: 2, hex: '0102' })
    }
  })

  it('lets epb_flags of one packet overrule the length of the interface', async () => {
    const flags = option(2, u32(2 << 5, true), true)
    const { packets } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1),
      enhancedPacket(true, 0, MICROSECONDS, [1, 2, 0xf, 0xc], 4, flags),
      enhancedPacket(true, 0, MICROSECONDS, [1, 2, 0xf, 0xc]),
    )
    expect(packets.map((packet) => packet.hex)).toEqual(['0102', '01020f0c'])
  })

  it('adds up epb_dropcount', async () => {
    const dropped = (count: bigint): number[] => option(4, u64(count, true), true)
    const { drops } = await read(
      sectionHeader(true),
      interfaceBlock(true, 1),
      enhancedPacket(true, 0, MICROSECONDS, [1], 1, dropped(2n)),
      enhancedPacket(true, 0, MICROSECONDS, [1], 1, dropped(5n)),
    )
    expect(drops).toBe(7)
  })

  it('takes the latest ifdrop + osdrop of each interface, and sums interfaces and sections', async () => {
    const statistics = (id: number, ifdrop: bigint, osdrop: bigint): number[] =>
      block(
        5,
        [
          ...u32(id, false),
          ...timestamp(MICROSECONDS, false),
          ...option(4, u64(999n, false), false),
          ...option(5, u64(ifdrop, false), false),
          ...option(7, u64(osdrop, false), false),
          ...option(0, [], false),
        ],
        false,
      )
    const section = [sectionHeader(false), interfaceBlock(false, 1), interfaceBlock(false, 1)]
    const { drops, warnings } = await read(
      ...section,
      statistics(0, 1n, 1n),
      statistics(0, 3n, 1n),
      statistics(1, 10n, 0xffff_ffff_ffff_ffffn),
      ...section,
      statistics(0, 100n, 0n),
    )
    expect(warnings).toEqual([])
    expect(drops).toBe(4 + 10 + 100)
  })
})

describe('a pcapng file that breaks off', () => {
  const head = [sectionHeader(true), interfaceBlock(true, 1), enhancedPacket(true, 0, MICROSECONDS, [1])]
  const next = enhancedPacket(true, 0, MICROSECONDS, [2, 3, 4])
  const nextStart = 28 + 20 + 36

  it('inside a block yields everything before, and the offset of that block', async () => {
    for (let length = 1; length < next.length; length++) {
      const { packets, warnings } = await read(...head, next.slice(0, length))
      expect(packets).toHaveLength(1)
      expect(warnings).toMatchObject([{ kind: 'truncated', offset: nextStart }])
    }
  })

  const broken: [name: string, bytes: number[]][] = [
    ['a length of 0', [...u32(6, true), ...u32(0, true), ...next.slice(8)]],
    ['a length that is no multiple of 4', [...u32(6, true), ...u32(37, true), ...next.slice(8)]],
    ['a length of 2 GiB', [...u32(6, true), ...u32(0x80000000, true), ...next.slice(8)]],
    ['two lengths that differ', [...next.slice(0, -4), ...u32(40, true)]],
    ['more captured bytes than the block holds', [...next.slice(0, 20), ...u32(9, true), ...next.slice(24)]],
    ['a section header without its magic', block(0x0a0d0d0a, new Array<number>(16).fill(0), true)],
    ['an unknown block of 3 GiB', [...u32(0x99, true), ...u32(0xc0000000, true), ...next.slice(8)]],
  ]
  for (const [name, bytes] of broken) {
    it(`with ${name} is damaged there`, async () => {
      const { packets, warnings } = await read(...head, bytes, next)
      expect(packets).toHaveLength(1)
      expect(warnings).toMatchObject([{ kind: 'damaged', offset: nextStart }])
    })
  }

  it('at a section header of over 512 KiB is damaged there, in one piece or two', async () => {
    const large = block(0x0a0d0d0a, [...u32(0x1a2b3c4d, true), ...new Array<number>(600_000).fill(0)], true)
    const file = Uint8Array.from([...head.flat(), ...large])
    for (const cut of [file.length, nextStart + 400_000]) {
      const source = new MemorySource([file.subarray(0, cut), file.subarray(cut)])
      expect(await readPackets(source)).toHaveLength(1)
      expect(source.warnings).toMatchObject([{ kind: 'damaged', offset: nextStart }])
    }
  })

  it('inside a block that is stepped over is truncated', async () => {
    const { packets, warnings } = await read(
      ...head,
      block(0xbad, new Array<number>(64).fill(1), true).slice(0, 50),
    )
    expect(packets).toHaveLength(1)
    expect(warnings).toMatchObject([{ kind: 'truncated' }])
  })

  it('at a stepped-over block whose two lengths differ is damaged there, wherever its chunks end', async () => {
    const wrong = [...block(0xbad, new Array<number>(24).fill(1), true).slice(0, -4), ...u32(40, true)]
    const file = Uint8Array.from([...head, wrong, next].flat())
    for (let cut = 0; cut <= file.length; cut++) {
      const source = new MemorySource([file.subarray(0, cut), file.subarray(cut)])
      expect(await readPackets(source)).toHaveLength(1)
      expect(source.warnings).toMatchObject([
        { kind: 'damaged', offset: nextStart, message: expect.stringContaining('(36 and 40)') },
      ])
    }
  })

  it('within the trailer of a stepped-over block is truncated, wherever its chunks end', async () => {
    const other = block(0xbad, new Array<number>(24).fill(1), true)
    for (let length = 12; length < other.length; length++) {
      const file = Uint8Array.from([...head, other.slice(0, length)].flat())
      for (let cut = nextStart; cut <= file.length; cut++) {
        const source = new MemorySource([file.subarray(0, cut), file.subarray(cut)])
        expect(await readPackets(source)).toHaveLength(1)
        expect(source.warnings).toMatchObject([{ kind: 'truncated' }])
      }
    }
  })
})
