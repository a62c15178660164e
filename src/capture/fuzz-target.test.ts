import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  enhancedPacket,
  handPcap,
  interfaceBlock,
  option,
  readPackets,
  sectionHeader,
  u64,
} from '../../test/helpers/capture-bytes.js'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { fuzzCaptureOne } from './fuzz-target.js'
import { MemorySource } from './memory-source.js'
import { PcapWriter } from './pcap-writer.js'

const PCAP = handPcap({
  magic: 0xa1b2c3d4,
  little: true,
  records: [1, 2, 3, 4].map((i) => ({ seconds: i, fraction: i, frame: new Array<number>(i * 4).fill(i) })),
})
const PCAPNG = Uint8Array.from(
  [
    sectionHeader(true),
    interfaceBlock(true, 1, [...option(9, [9], true), ...option(14, u64(5n, true), true)]),
    enhancedPacket(true, 0, 1_760_000_000_000_000_000n, [1, 2, 3], 3, option(4, u64(1n, true), true)),
    sectionHeader(false),
    interfaceBlock(false, 1),
    enhancedPacket(false, 0, 1_760_000_000_000_000n, [4, 5]),
  ].flat(),
)
const SEEDS = [PCAP, PCAPNG, gzipSync(PCAP)]

/** A valid file with some bytes overwritten and its end cut off. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.tuple(fc.nat(400), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 12, 32)), { maxLength: 6 }),
    fc.nat(400),
  )
  .map(([seed, changes, cut]) => {
    const bytes = Uint8Array.from(seed)
    for (const [place, value] of changes) bytes[place % bytes.length] = value
    return bytes.subarray(0, cut % 3 === 0 ? bytes.length - (cut % bytes.length) : bytes.length)
  })

describe('whatever the bytes', () => {
  it('of random data, nothing but a CallprobeError comes out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (data) => fuzzCaptureOne(data)),
      propertyRuns(500),
    )
  })

  it('behind a valid beginning, packets lie inside their buffer and chunking changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SEEDS), fc.uint8Array({ maxLength: 120 }), (seed, tail) =>
        fuzzCaptureOne(Uint8Array.from([...seed.subarray(0, 48), ...tail])),
      ),
      propertyRuns(500),
    )
  })

  it('of a valid file with bytes overwritten, packets lie inside their buffer and chunking changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, (data) => fuzzCaptureOne(data)),
      propertyRuns(2000),
    )
  })
})

describe('what PcapWriter writes', () => {
  it('is what comes back', async () => {
    const packet = fc.record({
      microseconds: fc.nat(2_000_000_000),
      seconds: fc.nat(2_000_000_000),
      frame: fc.uint8Array({ maxLength: 80 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { maxLength: 20 }), fc.boolean(), async (packets, nanoseconds) => {
        const writer = new PcapWriter({ nanoseconds })
        const times = packets.map(({ seconds, microseconds }) => 1 + seconds * 1000 + microseconds / 1000)
        packets.forEach(({ frame }, i) => writer.write(times[i], frame, frame.length + 1))
        const back = await readPackets(new MemorySource(writer.toBytes()))
        expect(back.map((seen) => seen.hex)).toEqual(
          packets.map(({ frame }) => Buffer.from(frame).toString('hex')),
        )
        back.forEach((seen, i) => expect(Math.abs(seen.timeMs - times[i])).toBeLessThan(0.0005))
      }),
      propertyRuns(100),
    )
  })
})
