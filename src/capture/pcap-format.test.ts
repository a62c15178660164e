import { describe, expect, it } from 'vitest'
import { handPcap, readPackets, type HandPcap } from '../../test/helpers/capture-bytes.js'
import { MemorySource } from './memory-source.js'

const RECORDS = [
  { seconds: 1_760_000_000, fraction: 123_456, frame: [1, 2, 3, 4, 5] },
  { seconds: 1_760_000_001, fraction: 999_999, frame: [6], wire: 1500 },
]

async function read(file: HandPcap) {
  const source = new MemorySource(handPcap(file))
  return { packets: await readPackets(source), warnings: source.warnings }
}

describe('classic pcap', () => {
  for (const little of [true, false]) {
    const order = little ? 'little' : 'big'
    it(`reads microseconds written ${order} endian`, async () => {
      const { packets, warnings } = await read({ magic: 0xa1b2c3d4, little, records: RECORDS })
      expect(warnings).toEqual([])
      expect(packets).toEqual([
        { timeMs: 1_760_000_000_123.456, captured: 5, wire: 5, link: 1, hex: '0102030405' },
        { timeMs: 1_760_000_001_999.999, captured: 1, wire: 1500, link: 1, hex: '06' },
      ])
    })

    it(`reads nanoseconds written ${order} endian`, async () => {
      const records = [{ seconds: 1_760_000_000, fraction: 123_456_789, frame: [9] }]
      const { packets } = await read({ magic: 0xa1b23c4d, little, records })
      // The nearest float64 is at most half of 0.25 us away.
      expect(Math.abs(packets[0].timeMs - 1_760_000_000_123.456_789)).toBeLessThan(0.00025)
    })

    it(`reads Kuznetzov's 24-byte record headers written ${order} endian`, async () => {
      const { packets } = await read({ magic: 0xa1b2cd34, little, recordExtra: 8, records: RECORDS })
      expect(packets.map((packet) => packet.hex)).toEqual(['0102030405', '06'])
      expect(packets[0].timeMs).toBe(1_760_000_000_123.456)
    })

    it(`reads Navtel's nanoseconds written ${order} endian`, async () => {
      const records = [{ seconds: 10, fraction: 500_000_000, frame: [9] }]
      const { packets } = await read({ magic: 0xa12b3c4d, little, records })
      expect(packets[0].timeMs).toBe(10_500)
    })
  }

  it('takes the link type from the low 16 bits and strips the frame check sequence the upper bits announce', async () => {
    // FCS length 2 words (4 octets), P bit set, link type 1.
    const records = [
      { seconds: 1, fraction: 0, frame: [1, 2, 3, 0xf, 0xc, 0x5, 0] },
      { seconds: 1, fraction: 0, frame: [1, 2, 3], wire: 100 },
      { seconds: 1, fraction: 0, frame: [1, 2, 3, 0xf], wire: 7 },
    ]
    const { packets } = await read({ magic: 0xa1b2c3d4, little: true, linkWord: 0x24000001, records })
    expect(packets.map(({ hex, wire, link }) => [hex, wire, link])).toEqual([
      ['010203', 3, 1],
      ['010203', 96, 1],
      ['010203', 3, 1],
    ])
  })

  it('keeps the frame whole when the P bit does not vouch for the FCS length', async () => {
    const { packets } = await read({
      magic: 0xa1b2c3d4,
      little: true,
      linkWord: 0x20000071,
      records: [{ seconds: 1, fraction: 0, frame: [1, 2, 3, 4, 5] }],
    })
    expect(packets[0]).toMatchObject({ captured: 5, link: 113 })
  })

  it('reads files before version 2.3, which hold the two lengths the other way round', async () => {
    const records = [{ seconds: 1, fraction: 0, frame: [1, 2], wire: 60, swapLengths: true }]
    const old = await read({ magic: 0xa1b2c3d4, little: false, minor: 2, records })
    expect(old.packets[0]).toMatchObject({ captured: 2, wire: 60 })
    const doubtful = await read({ magic: 0xa1b2c3d4, little: false, minor: 3, records })
    expect(doubtful.packets[0]).toMatchObject({ captured: 2, wire: 60 })
  })

  it('never says that less was on the wire than was captured', async () => {
    const records = [{ seconds: 1, fraction: 0, frame: [1, 2, 3], wire: 0 }]
    const { packets } = await read({ magic: 0xa1b2c3d4, little: true, records })
    expect(packets[0]).toMatchObject({ captured: 3, wire: 3 })
  })

  it('refuses a version it does not know, with a warning', async () => {
    const { packets, warnings } = await read({ magic: 0xa1b2c3d4, little: true, minor: 9, records: RECORDS })
    expect(packets).toEqual([])
    expect(warnings).toMatchObject([{ kind: 'damaged', offset: 0 }])
  })
})

describe('pcap files appended to each other', () => {
  it('are read one after the other, each with its own byte order, time unit and link type', async () => {
    const first = handPcap({ magic: 0xa1b2c3d4, little: true, records: RECORDS })
    const records = [{ seconds: 5, fraction: 250_000_000, frame: [7] }]
    const second = handPcap({ magic: 0xa1b23c4d, little: false, linkWord: 113, records })
    for (const chunks of [[first, second], [Buffer.concat([first, second])]]) {
      const source = new MemorySource(chunks)
      const packets = await readPackets(source)
      expect(packets.map(({ hex, link }) => [hex, link])).toEqual([
        ['0102030405', 1],
        ['06', 1],
        ['07', 113],
      ])
      expect(packets[2].timeMs).toBe(5250)
      expect(source.warnings).toMatchObject([{ kind: 'note' }])
    }
  })
})

describe('a pcap file that breaks off', () => {
  const whole = handPcap({ magic: 0xa1b2c3d4, little: true, records: RECORDS })

  it('with only a header is an empty capture without warning', async () => {
    const source = new MemorySource(whole.subarray(0, 24))
    expect(await readPackets(source)).toEqual([])
    expect(source.warnings).toEqual([])
  })

  it('inside the file header is truncated at 0', async () => {
    const source = new MemorySource(whole.subarray(0, 23))
    expect(await readPackets(source)).toEqual([])
    expect(source.warnings).toMatchObject([{ kind: 'truncated', offset: 0 }])
  })

  it('inside a record yields everything before, and the offset of that record', async () => {
    // The second record starts at 24 + 16 + 5 and is 17 bytes long.
    for (let length = 46; length < 62; length++) {
      const source = new MemorySource(whole.subarray(0, length))
      expect(await readPackets(source)).toHaveLength(1)
      expect(source.warnings).toMatchObject([{ kind: 'truncated', offset: 45, source: 'memory' }])
    }
    expect(whole).toHaveLength(62)
  })

  it('with an absurd captured length is damaged there', async () => {
    const damaged = Uint8Array.from(whole)
    damaged.set([0xff, 0xff, 0xff, 0x7f], 45 + 8)
    const source = new MemorySource(damaged)
    expect(await readPackets(source)).toHaveLength(1)
    expect(source.warnings).toMatchObject([{ kind: 'damaged', offset: 45 }])
    expect(source.warnings[0].message).toContain('2147483647')
  })

  it('with preallocated zeros at its end is damaged where the writer stopped', async () => {
    const source = new MemorySource([whole, new Uint8Array(4096)])
    expect(await readPackets(source)).toHaveLength(2)
    expect(source.warnings).toMatchObject([{ kind: 'damaged', offset: 62 }])
  })
})
